"""Bulk, import and export: each item by itself, or all together, or none; and back in what came out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from services.common.errors import InvalidInput
from services.common.resource.engine import MOST_ITEMS
from services.common.resource.progress import MOST_ERRORS
from services.common.resource.representation import from_cell
from services.common.rpc.reply import Reply
from tests.integration.engine.world import KEEPER, PIM, ROOT, Json, World, caller

GOOD, BAD = {"name": "Ana", "realm": "pim"}, {"name": "", "realm": "pim"}


def told(reply: Reply) -> Json:
    return json.loads(reply.body)


# ---- bulk ----------------------------------------------------------------------------------------


def test_each_item_has_its_own_result(stocked: World) -> None:
    stocked.customer(external_id="E1")
    items = [GOOD, BAD, {**GOOD, "external_id": "E1"}, None, {**GOOD, "external_id": "E2"}]
    reply = stocked.engine.bulk_create(ROOT, "customers", items)
    answer = told(reply)
    assert reply.meta["status"] == 200
    assert answer["created"] == 2
    assert [(one["index"], one["status"]) for one in answer["results"]] == [
        (0, 201),
        (1, 400),
        (2, 400),
        (3, 400),
        (4, 201),
    ]
    assert answer["results"][2]["errors"] == {
        "external_id": ["Customer with this external_id already exists."]
    }
    assert answer["errors"] == {str(n): answer["results"][n]["errors"] for n in (1, 2, 3)}
    made = [answer["results"][n]["id"] for n in (0, 4)]
    assert set(made) < set(stocked.ids("customers"))
    assert stocked.tallied() == stocked.counted()
    assert {row["subject"] for row in stocked.rows("outbox", type="customer.created")} >= {
        f"customers/{n}" for n in made
    }
    assert len(stocked.rows("audit", resource="customers")) == 3


def calls(world: World) -> dict[str, Callable[..., Reply]]:
    """A bulk of each kind, in which one item of two can be done."""
    first, second = world.subscriber()["id"], world.subscriber()["id"]
    engine = world.engine
    return {
        "create": lambda **how: engine.bulk_create(ROOT, "customers", [GOOD, BAD], **how),
        "update": lambda **how: engine.bulk_update(
            ROOT, "cpes", [{"id": first, "notes": "x"}, {"id": second, "mac": "x"}], **how
        ),
        "delete": lambda **how: engine.bulk_delete(ROOT, "cpes", [first, 10**9], **how),
    }


@pytest.mark.parametrize("kind", ["create", "update", "delete"])
@pytest.mark.parametrize(
    "how", [{"atomic": True}, {"dry_run": True}, {"atomic": True, "dry_run": True}], ids=str
)
def test_all_or_none_and_a_dry_run_leave_no_trace(stocked: World, kind: str, how: dict[str, bool]) -> None:
    call = calls(stocked)[kind]
    before = stocked.everything()
    reply = call(**how)
    answer = told(reply)
    atomic = "atomic" in how
    assert stocked.everything() == before
    assert reply.meta["status"] == (400 if atomic else 200)
    assert answer[f"{kind}d"] == (0 if atomic else 1)
    assert answer["results"][0]["status"] == (
        424 if atomic else {"create": 201, "update": 200, "delete": 204}[kind]
    )
    assert "errors" in answer["results"][1]
    assert answer.get("dry_run", False) == ("dry_run" in how)


def test_all_of_an_atomic_bulk_is_done_when_all_of_it_can_be(stocked: World) -> None:
    reply = stocked.engine.bulk_create(ROOT, "customers", [GOOD, GOOD], atomic=True)
    assert (reply.meta["status"], told(reply)["created"]) == (200, 2)
    assert stocked.count("customers") == 2


def test_a_bulk_update_names_its_errors_by_id(stocked: World) -> None:
    good, bad = stocked.subscriber()["id"], stocked.subscriber()["id"]
    items = [
        {"id": good, "notes": "x"},
        {"id": bad, "sn": "HWTC0000ffff"},
        {"id": 10**9},
        "nobody",
        {"id": "x\0"},
        {"notes": "x"},
    ]
    answer = told(stocked.engine.bulk_update(ROOT, "cpes", items))
    assert answer["updated"] == 1
    assert [one["status"] for one in answer["results"]] == [200, 400, 404, 400, 404, 400]
    assert answer["errors"][str(bad)] == {"sn": ["The Serial number cannot be changed once it is set."]}
    assert answer["errors"]["#5"] == {"id": ["This field is required."]}
    assert stocked.get("cpes", good)["notes"] == "x"


def test_a_bulk_takes_any_key_of_a_row_and_sees_what_it_did_before(stocked: World) -> None:
    cpe = stocked.subscriber(external_id="E1")
    items = [
        {"id": cpe["internal_id"], "notes": "a"},
        {"id": "E1", "notes": "b"},
        {"id": cpe["id"], "notes": "b"},
    ]
    assert told(stocked.engine.bulk_update(PIM, "cpes", items))["updated"] == 3
    assert stocked.version("cpes", cpe["id"]) == 3
    gone = told(stocked.engine.bulk_delete(PIM, "cpes", [cpe["id"], "E1"]))
    assert [one["status"] for one in gone["results"]] == [204, 404]


@pytest.mark.parametrize("key", [None, True, 1.5, ["x"], {"a": 1}])
def test_what_is_no_key_names_no_row_whose_key_is_its_text(stocked: World, key: Any) -> None:
    """A client that writes out its nothing has rows with the external id "None"; null names none of them."""
    stocked.subscriber(external_id=str(key))
    for reply in (
        stocked.engine.bulk_update(ROOT, "cpes", [{"id": key, "notes": "x"}]),
        stocked.engine.bulk_delete(ROOT, "cpes", [key]),
    ):
        assert [one["status"] for one in told(reply)["results"]] == [404]
    assert stocked.ids("cpes", external_id=str(key))


def test_what_an_item_did_before_it_failed_is_taken_back(
    stocked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = stocked.customer()
    ports = "services.isp.domain.cpe._add_ports"

    def fails(tx: Any, row: Json, present: int, wanted: int) -> None:
        tx.create(
            "potses", {"cpe_id": row["id"], "realm": "pim", "order": 1, "dtmf": "auto", "updated": tx.now}
        )
        if row["notes"] == "fails":
            raise InvalidInput({"notes": ["As asked."]})

    monkeypatch.setattr(ports, fails)
    body = {"customer": customer, "model": "SOFTPHONE"}
    answer = told(stocked.engine.bulk_create(ROOT, "cpes", [{**body, "notes": "fails"}, body]))
    assert answer["created"] == 1
    assert len(stocked.rows("cpes")) == len(stocked.rows("potses")) == 1
    assert stocked.tallied() == stocked.counted()
    assert len(stocked.rows("outbox", type="pots.created")) == 1
    assert len(stocked.rows("audit", resource="potses")) == 1


@pytest.mark.parametrize(
    "items", [None, {}, "x", 5, [GOOD] * (MOST_ITEMS + 1)], ids=["null", "object", "text", "number", "many"]
)
def test_a_bulk_is_a_list_of_so_many_items(stocked: World, items: Any) -> None:
    for call in (stocked.engine.bulk_create, stocked.engine.bulk_update, stocked.engine.bulk_delete):
        with pytest.raises(InvalidInput) as caught:
            call(ROOT, "customers", items)
        assert list(caught.value.errors) == ["non_field_errors"]


# ---- import --------------------------------------------------------------------------------------


def lines(*names: str, start: int = 2) -> list[tuple[int, Any]]:
    return [(start + n, {"name": name, "realm": "pim"}) for n, name in enumerate(names)]


def test_an_import_keeps_the_good_lines_and_tells_the_bad_ones(stocked: World) -> None:
    answer = told(stocked.engine.import_lines(PIM, "customers", "i", lines("a", "", "c")))
    assert answer == {
        "lines": 4,
        "created": 2,
        "failed": 1,
        "errors": [{"line": 3, "errors": {"name": ["This field may not be blank."]}}],
    }
    assert [row["name"] for row in stocked.page("customers")] == ["a", "c"]
    assert stocked.tallied() == stocked.counted()


def test_an_import_that_is_sent_again_goes_on_where_it_was(stocked: World) -> None:
    whole = lines("a", "", "c", "d", "")
    stocked.engine.import_lines(PIM, "customers", "i", whole[:2])
    again = told(stocked.engine.import_lines(PIM, "customers", "i", whole))
    assert (again["lines"], again["created"], again["failed"]) == (6, 3, 2)
    assert [one["line"] for one in again["errors"]] == [3, 6]
    assert told(stocked.another().engine.import_lines(PIM, "customers", "i", whole)) == again
    assert [row["name"] for row in stocked.page("customers")] == ["a", "c", "d"]


def test_imports_are_told_apart_by_name_user_and_resource(stocked: World) -> None:
    one = [(2, {"name": "a", "realm": "pim"})]
    for who, resource, name in (
        (PIM, "customers", "i"),
        (PIM, "customers", "j"),
        (KEEPER, "customers", "i"),
        (PIM, "contexts", "i"),
        (caller("pim", "dem"), "customers", "i"),
    ):
        assert told(stocked.engine.import_lines(who, resource, name, one))["created"] == 1
    assert stocked.count("customers") == 3, "KEEPER is the same user as PIM"
    assert stocked.count("contexts") == 1


def test_a_line_that_was_cut_off_is_told_but_not_done(stocked: World) -> None:
    cut = (3, [{"error": "JSON parse error", "cut": True}])
    answer = told(stocked.engine.import_lines(PIM, "customers", "i", [*lines("a"), cut]))
    assert answer == {
        "lines": 2,
        "created": 1,
        "failed": 1,
        "errors": [{"line": 3, "errors": {"non_field_errors": ["JSON parse error"]}}],
    }
    answer = told(stocked.engine.import_lines(PIM, "customers", "i", lines("a", "b")))
    assert answer == {"lines": 3, "created": 2, "failed": 0, "errors": []}


@pytest.mark.parametrize("item", [[{"error": "unreadable"}], [], "text", None, 5])
def test_a_line_that_could_not_be_read_is_done_and_failed(stocked: World, item: Any) -> None:
    answer = told(stocked.engine.import_lines(PIM, "customers", "i", [(2, item), *lines("b", start=3)]))
    assert (answer["lines"], answer["created"], answer["failed"]) == (3, 1, 1)
    assert answer["errors"][0]["line"] == 2


def test_a_dry_import_leaves_no_trace(stocked: World) -> None:
    before = stocked.everything()
    answer = told(stocked.engine.import_lines(PIM, "customers", "i", lines("a", ""), dry_run=True))
    assert (answer["created"], answer["failed"]) == (1, 1)
    assert stocked.everything() == before


def test_so_many_errors_are_kept_and_all_are_counted(stocked: World) -> None:
    bad: list[tuple[int, Any]] = [(n, None) for n in range(1, MOST_ERRORS + 6)]
    answer = told(stocked.engine.import_lines(PIM, "customers", "i", bad))
    assert (answer["failed"], len(answer["errors"])) == (MOST_ERRORS + 5, MOST_ERRORS)
    assert len(stocked.rows("imports")[0]["errors"]) == MOST_ERRORS


# ---- export --------------------------------------------------------------------------------------


def exported(world: World, resource: str, shape: str, **parameters: str) -> str:
    reply = world.engine.list(KEEPER, resource, list(parameters.items()), shape=shape, limit=500)
    assert reply.meta["content_type"] == {"csv": "text/csv", "ndjson": "application/x-ndjson"}[shape]
    assert "count" not in reply.meta
    return reply.body.decode()


def test_ndjson_is_one_object_a_line_as_the_list_has_them(stocked: World) -> None:
    for n in range(3):
        stocked.subscriber(notes=f"two\nlines {n}")
    rows = [json.loads(line) for line in exported(stocked, "cpes", "ndjson").splitlines()]
    assert rows == stocked.page("cpes", KEEPER)
    assert exported(stocked, "cpes", "ndjson", id="0,") == ""


def test_csv_has_a_header_and_cells_of_json_for_what_is_no_scalar(stocked: World) -> None:
    stocked.subscriber(external_id="E;1", notes='say "hi",\nñ', latitude="1.5", expiration_date="2030-01-01")
    text = exported(
        stocked, "cpes", "csv", attrs="id,access,latitude,notes,expiration_date,mac,_links,potses,created"
    )
    header, row = csv.reader(io.StringIO(text, newline=""))
    assert header == ["id", "access", "created", "expiration_date", "latitude", "mac", "notes", "potses"]
    cells = dict(zip(header, row, strict=True))
    assert cells["access"] == "true"
    assert cells["latitude"] == "1.5000000"
    assert (cells["mac"], cells["notes"], cells["expiration_date"]) == ("", 'say "hi",\nñ', "2030-01-01")
    assert len(json.loads(cells["potses"])) == 2
    assert text.endswith("\r\n")
    reply = stocked.engine.list(KEEPER, "cpes", [("attrs", "id")], shape="csv", header=False)
    assert reply.body == f"{cells['id']}\r\n".encode()


FORMULAS = ["=SUM(A1)", "+cmd", "-x", "@a", "=1+1", "-", "+34 968", "@", "=1", "@2", "'=x", "'-5", "''+x"]


PLAIN = ["-5", "+34968000001", "-1.5", "plain", "a=b", "'quoted'"]


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(stocked: World) -> None:
    for text in (*FORMULAS, *PLAIN):
        stocked.customer(name=text)
    _, *cells = exported(stocked, "customers", "csv", attrs="name").splitlines()
    assert cells == [*(f"'{text}" for text in FORMULAS), *PLAIN]
    assert [from_cell(cell) for cell in cells] == [*FORMULAS, *PLAIN]


def test_what_was_exported_can_be_imported_again(stocked: World) -> None:
    profile = stocked.create("cpe-profiles", {"name": "100M", "downstream": "1", "upstream": "1"})["id"]
    customer = stocked.customer()
    for n, text in enumerate([*FORMULAS, 'a "b", c\nd', "ñÑ", "0"]):
        stocked.cpe(
            customer,
            notes=text,
            external_id=f"E{n}",
            mac=f"{n:012x}",
            latitude=n - 5,
            expiration_date="2030-01-01",
            profile=profile,
            me_vlan=n + 1,
            pppoe_password=text,
            lan_cidr="10.0.0.1/8",
            access=n % 2,
            country="Spain",
        )
    before = stocked.page("cpes", KEEPER, limit="1000")
    text = exported(stocked, "cpes", "csv")
    stocked.engine.bulk_delete(ROOT, "cpes", [row["id"] for row in before])
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    cells = [
        {name: from_cell(cell) for name, cell in zip(header, row, strict=True) if cell != ""} for row in rows
    ]
    answer = told(stocked.engine.import_lines(KEEPER, "cpes", "i", list(enumerate(cells, 2))))
    assert (answer["created"], answer["errors"]) == (len(before), [])
    after = stocked.page("cpes", KEEPER, limit="1000")
    made = {"id", "cpename", "internal_id", "created", "updated", "_links"}
    assert [{k: v for k, v in row.items() if k not in made} for row in after] == [
        {k: v for k, v in row.items() if k not in made} for row in before
    ]
