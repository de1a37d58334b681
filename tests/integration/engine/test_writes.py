"""Writes of one row: what they change, what they leave alone, and what they put into the books."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.errors import Conflict, NotFound, PreconditionFailed
from services.isp.contract import CONTRACT
from tests.integration.engine.world import BOTH, KEEPER, PIM, ROOT, World, refused

WRITTEN = [one.name for one in CONTRACT.resources if "PUT" in one.methods]
LOOSE = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

FULL: dict[str, Any] = {
    "address": "Calle Ñ, 1",
    "latitude": "38.0124867",
    "longitude": -1.5,
    "postalcode": "30-100",
    "external_id": "E1",
    "country": "",
    "notes": "x" * 300,
    "mac": "74:83:C2:E4:19:BE",
    "pppoe_password": "s3cret",
    "pppoe_username": "u@x",
    "wifi_password": "wpa",
    "lan_cidr": "192.168.1.1/24",
    "address_profile": "fixed",
    "fixed_address": "100.64.99.11",
    "expiration_date": "2030-01-01",
    "me_vlan": 210,
    "dsn": "ZTE0",
    "line_profile": "residential",
    "bridge": True,
}


def one_of_each(world: World) -> dict[str, Any]:
    """A row of every resource that is written, with something in every kind of member."""
    profile = world.create(
        "cpe-profiles", {"name": "100M", "downstream": "100M", "upstream": "10M", "realms": ["pim"]}
    )
    context = world.create("contexts", {"name": "nacionales", "realm": "pim"})
    cpe = world.subscriber(**FULL, profile=profile["id"])
    pots = world.related("cpes", cpe["id"], "potses")[0]["id"]
    line = {
        "cli": "968000001",
        "context": context["id"],
        "password": "sip",
        "voicemail_password": "1234",
        "language": "es",
    }
    world.patch("potses", pots, line)
    world.patch("models", "HG8245H", {"realms": ["pim"], "avatar": "HG4201"})
    hook = world.create(
        "webhooks", {"url": "https://crm.example.com/krill", "types": ["cpe.*"], "realm": "pim"}
    )
    return {
        "customers": cpe["customer"],
        "cpes": cpe["id"],
        "potses": pots,
        "cpe-profiles": profile["id"],
        "models": "HG8245H",
        "contexts": context["id"],
        "webhooks": hook["id"],
    }


# ---- GET, then PUT or PATCH ----------------------------------------------------------------------


@pytest.mark.parametrize("who", [ROOT, BOTH, KEEPER], ids=["superuser", "user", "keeper of secrets"])
def test_putting_back_what_was_got_changes_nothing_at_all(stocked: World, who: Any) -> None:
    keys = one_of_each(stocked)
    assert set(keys) == set(WRITTEN)
    before = stocked.everything()
    for resource, key in keys.items():
        body = stocked.get(resource, key, who)
        assert stocked.put(resource, key, body, who) == body
        assert stocked.everything() == before, resource


def degrees(number: int) -> str:
    return f"{number / 10**7:.7f}"


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text("abcñÑ", min_size=1, max_size=9),
    "surname": st.text("abc ñ", max_size=9).map(str.strip),
    "comment": st.text("abc\n'\"", max_size=300).map(str.strip),
    "address": st.text("abc%_/", max_size=20),
    "country": st.none() | st.sampled_from(["", "Spain"]),
    "latitude": st.none() | st.integers(-90 * 10**7, 90 * 10**7).map(degrees),
    "external_id": st.none() | st.text("abc1", min_size=1, max_size=5),
    "postalcode": st.none() | st.text("0123-", max_size=9),
}


@LOOSE
@given(st.fixed_dictionaries({}, optional=CHANGES))
def test_a_patch_touches_only_what_it_names(stocked: World, changes: dict[str, Any]) -> None:
    key = stocked.customer(
        surname="Pérez", latitude="1.0000000", country="Spain", external_id=f"X{next(stocked.numbers)}"
    )
    before, version = stocked.get("customers", key), stocked.version("customers", key)
    other = stocked.get("customers", stocked.customer(name="Other"))
    after = stocked.patch("customers", key, changes)
    assert {**before, **changes, "updated": None} == {**after, "updated": None}
    assert stocked.version("customers", key) == version + (after != before)
    assert stocked.get("customers", other["id"]) == other
    stocked.delete("customers", key)


def test_every_change_moves_the_version_and_the_time_of_the_update(stocked: World) -> None:
    customer = stocked.customer()
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    stocked.insert("customers", [{"name": "B", "realm": "pim", "created": long_ago, "updated": long_ago}])
    old = next(one for one in stocked.ids("customers") if one != customer)
    after = stocked.patch("customers", old, {"name": "C"})
    assert stocked.version("customers", old) == 2
    assert after["created"] == "2020-01-01T01:00:00+01:00"
    assert after["updated"] > "2024"


def test_a_put_leaves_what_it_does_not_name(stocked: World) -> None:
    key = stocked.customer(surname="Pérez")
    assert stocked.put("customers", key, {"name": "Eva"})["surname"] == "Pérez"


def test_a_create_answers_what_get_answers(stocked: World) -> None:
    reply = stocked.engine.create(
        ROOT, "cpes", {"customer": stocked.customer(), "model": "HG8245H", "sn": "HWTC00000001"}
    )
    row = json.loads(reply.body)
    assert reply.meta["status"] == 201
    assert row == stocked.get("cpes", row["id"])


def test_blanking_a_member_persists(stocked: World) -> None:
    cpe = stocked.subscriber(**FULL)["id"]
    blanks = {
        "address": "",
        "country": None,
        "mac": "",
        "latitude": "",
        "me_vlan": "",
        "expiration_date": None,
        "notes": None,
    }
    stocked.patch("cpes", cpe, blanks)
    row = stocked.get("cpes", cpe)
    assert {name: row[name] for name in blanks} == {
        "address": "",
        "country": None,
        "mac": None,
        "latitude": None,
        "me_vlan": None,
        "expiration_date": None,
        "notes": "",
    }


# ---- versions ------------------------------------------------------------------------------------


def test_a_write_is_refused_unless_it_names_the_version_that_is_there(stocked: World) -> None:
    key = stocked.customer()
    with pytest.raises(PreconditionFailed):
        stocked.patch("customers", key, {"name": "B"}, versions=[2, 7])
    assert stocked.patch("customers", key, {"name": "B"}, versions=[7, 1])["name"] == "B"
    with pytest.raises(PreconditionFailed):
        stocked.engine.delete(ROOT, "customers", str(key), [1])
    stocked.engine.delete(ROOT, "customers", str(key), [2])
    with pytest.raises(NotFound):
        stocked.get("customers", key)


# ---- books ---------------------------------------------------------------------------------------


def test_a_write_leaves_an_audit_row_and_an_event(stocked: World) -> None:
    key = stocked.create("customers", {"name": "Ana"}, PIM)["id"]
    stocked.patch("customers", key, {"name": "Eva"}, PIM)
    stocked.delete("customers", key, PIM)
    audit = stocked.rows("audit", resource="customers", object_id=str(key))
    assert [(row["action"], row["changes"], row["user"], row["realm"]) for row in audit] == [
        (1, {}, "pim", "pim"),
        (2, {"name": ["Ana", "Eva"]}, "pim", "pim"),
        (3, {}, "pim", "pim"),
    ]
    assert stocked.events(f"customers/{key}") == [
        ("customer.created", 1),
        ("customer.updated", 2),
        ("customer.deleted", 3),
    ]
    changed = stocked.rows("outbox", type="customer.updated")[0]
    assert changed["data"]["changed"] == ["name"]
    assert changed["data"]["name"] == "Eva"
    assert (changed["realm"], changed["request_id"]) == ("pim", PIM.request_id)


class Broken(Exception):
    pass


def fails(*_: Any, **__: Any) -> None:
    raise Broken


@pytest.mark.parametrize("book", ["tally", "outbox"])
@pytest.mark.parametrize("act", ["create", "patch", "delete", "bulk", "import"])
def test_a_failure_between_the_books_leaves_nothing(
    stocked: World, monkeypatch: pytest.MonkeyPatch, book: str, act: str
) -> None:
    cpe = stocked.subscriber()
    before = stocked.everything()
    if book == "tally":
        monkeypatch.setattr(stocked.engine.tally, "add", fails)
    else:
        monkeypatch.setattr("services.common.database.unit_of_work.UnitOfWork.emit", fails)
    with pytest.raises(Broken):
        if act == "create":
            stocked.cpe(cpe["customer"])
        elif act == "patch":
            stocked.patch("cpes", cpe["id"], {"notes": "x", "mac": "7483c2e419be"})
        elif act == "delete":
            stocked.delete("customers", cpe["customer"])
        elif act == "bulk":
            stocked.engine.bulk_update(ROOT, "cpes", [{"id": cpe["id"], "notes": "x"}])
        else:
            stocked.engine.import_lines(ROOT, "customers", "i", [(2, {"name": "A", "realm": "pim"})])
    monkeypatch.undo()
    assert stocked.everything() == before


def test_the_events_of_one_thing_are_numbered_upwards(stocked: World) -> None:
    cpe = stocked.subscriber()
    ports = [one["id"] for one in stocked.related("cpes", cpe["id"], "potses")]
    for turn in range(3):
        stocked.patch("cpes", cpe["id"], {"notes": f"turn {turn}"})
        stocked.patch("potses", ports[turn % 2], {"cli": f"96800000{turn}"})
    stocked.engine.bulk_update(ROOT, "cpes", [{"id": cpe["id"], "notes": n} for n in "ab"])
    stocked.delete("customers", cpe["customer"])
    subjects = {row["subject"] for row in stocked.rows("outbox")}
    assert {f"cpes/{cpe['id']}", f"customers/{cpe['customer']}", f"potses/{ports[0]}"} <= subjects
    for subject in subjects:
        numbers = [number for _, number in stocked.events(subject)]
        assert numbers == sorted(set(numbers)), subject


def test_no_secret_is_in_the_books(stocked: World) -> None:
    secret = "hunter2-7f"
    cpe = stocked.subscriber(pppoe_password=secret, wifi_password=secret)
    port = stocked.related("cpes", cpe["id"], "potses")[0]["id"]
    stocked.patch("potses", port, {"password": secret, "voicemail_password": secret[:8]})
    stocked.patch("cpes", cpe["id"], {"pppoe_password": secret + "2", "wifi_password": ""})
    stocked.engine.bulk_update(ROOT, "cpes", [{"id": cpe["id"], "wifi_password": secret + "3"}])
    stocked.delete("customers", cpe["customer"])
    books = str([stocked.rows(table) for table in ("audit", "outbox", "imports", "tally")])
    assert secret[:8] not in books
    masked = stocked.rows("audit", resource="cpes", action=2)[0]["changes"]
    assert masked["wifi_password"] == masked["pppoe_password"] == ["**********", "**********"]


def test_a_secret_is_blank_to_who_may_not_see_it_and_survives_his_put(stocked: World) -> None:
    cpe = stocked.subscriber(pppoe_password="a", wifi_password="")
    body = stocked.get("cpes", cpe["id"], PIM)
    assert body["pppoe_password"] == ""
    stocked.put("cpes", cpe["id"], {**body, "notes": "x"}, PIM)
    assert stocked.get("cpes", cpe["id"], KEEPER)["pppoe_password"] == "a"
    stocked.patch("cpes", cpe["id"], {"pppoe_password": ""}, KEEPER)
    assert stocked.get("cpes", cpe["id"], KEEPER)["pppoe_password"] == ""


# ---- deleting ------------------------------------------------------------------------------------


def test_a_customer_takes_his_cpes_and_their_ports_along_each_with_its_event(stocked: World) -> None:
    cpe = stocked.subscriber()
    second = stocked.cpe(cpe["customer"], "BRIDGE", mac="7483c2e419be")
    bystander = stocked.subscriber()
    ports = [one["id"] for one in stocked.related("cpes", cpe["id"], "potses")]
    stocked.delete("customers", cpe["customer"])
    assert stocked.ids("cpes") == [bystander["id"]]
    assert {one["cpe_id"] for one in stocked.rows("potses")} == {bystander["id"]}
    gone = [row["subject"] for row in stocked.rows("outbox") if row["type"].endswith(".deleted")]
    assert gone == [
        *(f"potses/{port}" for port in ports),
        f"cpes/{cpe['id']}",
        f"cpes/{second['id']}",
        f"customers/{cpe['customer']}",
    ]
    assert stocked.tallied() == stocked.counted()


@pytest.mark.parametrize("resource", ["models", "cpe-profiles", "contexts"])
def test_what_is_in_use_is_not_deleted(stocked: World, resource: str) -> None:
    key = one_of_each(stocked)[resource]
    before = stocked.everything()
    with pytest.raises(Conflict, match="is still in use"):
        stocked.delete(resource, key)
    assert stocked.everything() == before


# ---- unique --------------------------------------------------------------------------------------


def test_an_external_id_is_unique_in_its_realm_only(stocked: World) -> None:
    stocked.customer("pim", external_id="E1")
    stocked.customer("dem", external_id="E1")
    message = {"external_id": ["Customer with this external_id already exists."]}
    assert refused(stocked.customer, "pim", external_id="E1") == message
    other = stocked.customer("pim", external_id="E2")
    assert refused(stocked.patch, "customers", other, {"external_id": "E1"}) == message
    assert stocked.customer("pim", external_id="") != stocked.customer("pim", external_id=None)


def test_a_mac_is_unique_however_it_is_spelled(stocked: World) -> None:
    stocked.subscriber(mac="7483c2e419be")
    assert refused(stocked.subscriber, "dem", mac="74:83:C2:E4:19:BE") == {
        "mac": ["CPE with this mac already exists."]
    }


def test_a_serial_number_is_unique_unless_it_is_a_vendors_placeholder(stocked: World) -> None:
    stocked.subscriber(sn="HWTC614711A7")
    assert refused(stocked.subscriber, "dem", sn="48575443614711a7") == {
        "sn": ["CPE with this sn already exists."]
    }
    first, second = stocked.subscriber(sn="HWTC00000000"), stocked.subscriber(sn="4857544300000000")
    assert first["sn"] == second["sn"]


def test_a_number_is_one_line_only(stocked: World) -> None:
    ports = [one["id"] for one in stocked.related("cpes", stocked.subscriber()["id"], "potses")]
    stocked.patch("potses", ports[0], {"cli": "968000001"})
    assert refused(stocked.patch, "potses", ports[1], {"cli": "968000001"}) == {
        "cli": ["Pots with this cli already exists."]
    }


def test_a_model_and_a_context_are_unique_by_name(stocked: World) -> None:
    assert refused(stocked.model, "HG8245H") == {"id": ["Cpe Model with this id already exists."]}
    stocked.create("contexts", {"name": "impago", "realm": "pim"})
    stocked.create("contexts", {"name": "impago", "realm": "dem"})
    again = refused(stocked.create, "contexts", {"name": "impago", "realm": "pim"})
    assert again == {"name": ["Context with this name already exists."]}


def test_a_name_that_is_used_again_goes_on_with_its_events(stocked: World) -> None:
    for _ in range(2):
        stocked.model("X")
        stocked.delete("models", "X")
    assert [number for _, number in stocked.events("models/X")] == [1, 2, 3, 4]


def test_a_text_whose_lower_case_is_longer_still_fits(stocked: World) -> None:
    assert len(stocked.subscriber(dsn="İ" * 64)["dsn"]) == 64


def test_letters_are_folded_alike_in_every_language(stocked: World) -> None:
    key = stocked.customer(name="ΟΔΟΣ ΕΡΜΟΥ", external_id="ΟΔΟΣ")
    for question in ({"search": "ΟΔΟΣ"}, {"name__icontains": "οδοσ"}, {"external_id": "ΟΔΟΣ"}):
        assert stocked.ids("customers", **question) == [key], question


def test_a_coordinate_that_is_rounded_to_nothing_is_zero(stocked: World) -> None:
    key = stocked.customer(latitude="0")
    stocked.patch("customers", key, {"latitude": "-0.00000001"})
    assert stocked.version("customers", key) == 1


def test_a_key_of_any_length_is_a_key(stocked: World) -> None:
    with pytest.raises(NotFound):
        stocked.get("cpes", "9" * 5000)
    reply = stocked.engine.bulk_update(ROOT, "cpes", [{"id": "9" * 5000, "notes": "x"}])
    assert json.loads(reply.body)["results"][0]["status"] == 404


def test_a_number_that_json_has_and_no_integer_holds_can_be_read_again(stocked: World) -> None:
    with stocked.database.write() as connection:
        table = stocked.engine.metadata.tables["audit"]
        entry = {"action": 2, "resource": "x", "model": "x", "object_id": "1", "object_repr": "x"}
        moment = dt.datetime.now(dt.UTC)
        connection.execute(
            table.insert().values(**entry, realm="pim", time=moment, changes={"a": [None, 1e21]})
        )
    assert stocked.page("audit", resource="x")[0]["changes"] == {"a": [None, 1e21]}
