"""Scope: another realm's rows do not exist, on any way to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from services.common.context import Context
from services.common.database.columns import now
from services.common.errors import NotFound, PermissionDenied
from services.isp import action_batches
from services.isp.contract import CONTRACT
from tests.integration.engine.world import BOTH, DEM, NOBODY, PIM, ROOT, World, caller, refused

FOREIGN = "Xq7"  # occurs in every row of realm dem, and in no row of realm pim


@dataclass
class Tenants:
    """A subscriber in each of two realms, with everything around them."""

    world: World
    ours: dict[str, Any]
    theirs: dict[str, Any]


def settle(world: World, realm: str, mark: str) -> dict[str, Any]:
    profile = world.create(
        "cpe-profiles", {"name": f"100M{mark}", "downstream": "1", "upstream": "1", "realms": [realm]}
    )["id"]
    model = world.model(f"MODEL{mark}", pots=1, realms=[realm])
    context = world.create("contexts", {"name": f"context{mark}", "realm": realm})["id"]
    customer = world.customer(realm, name=f"Ana{mark}", external_id=f"C{mark}")
    cpe = world.cpe(
        customer, model, notes=f"notes{mark}", profile=profile, external_id=f"E{mark}", topology=f"nap{mark}"
    )
    port = world.related("cpes", cpe["id"], "potses")[0]["id"]
    world.patch("potses", port, {"context": context, "label": f"line{mark}", "cli": f"968{len(mark)}"})
    who = caller(realm)
    with world.engine.writing(who) as write:
        body = {"kind": "factory", "filter": {"external_id": f"E{mark}"}}
        batch = json.loads(action_batches.request(write, body).body)["id"]
    hook = world.create("webhooks", {"url": f"https://hooks.example/{mark}", "realm": realm}, who)["id"]
    sent = dict.fromkeys(("event", "type", "error"), f"sent{mark}") | {"state": "pending", "attempts": 0}
    sent |= {"webhook_id": hook, "number": 1, "realm": realm, "due": 0, "created": now()}
    world.insert("webhook_deliveries", [sent])
    return {
        "action-batches": batch,
        "webhooks": hook,
        "cpe-profiles": profile,
        "models": model,
        "contexts": context,
        "customers": customer,
        "cpes": cpe["id"],
        "potses": port,
        "internal_id": cpe["internal_id"],
        "external_id": f"E{mark}",
    }


@pytest.fixture
def tenants(world: World) -> Tenants:
    ours, theirs = settle(world, "pim", ""), settle(world, "dem", FOREIGN)
    picks = [
        {"list": one.name, "name": f"{one.name}{mark}", "label": mark, "realm": realm}
        for one in CONTRACT.resources
        if one.table == "pick_lists"
        for realm, mark in ((None, "all"), ("pim", "ours"), ("dem", FOREIGN))
    ]
    world.insert("pick_lists", picks)
    world.insert("held", [parked(realm, mark) for realm, mark in (("pim", "ours"), ("dem", FOREIGN))])
    return Tenants(world, ours, theirs)


def parked(realm: str, mark: str) -> dict[str, Any]:
    """An event that could not be handled."""
    texts = ("subscription", "event", "source", "type", "subject", "error")
    rest = {"realm": realm, "envelope": {"data": mark}, "state": "parked", "attempts": 7, "due": 0}
    return {**dict.fromkeys(texts, mark), **rest, "received": now()}


READ = tuple(CONTRACT.by_name)
MADE = ("customers", "cpes", "potses", "cpe-profiles", "models", "contexts")


def test_a_list_has_nothing_of_another_realm(tenants: Tenants) -> None:
    world = tenants.world
    for name in READ:
        reply = world.engine.list(PIM, name, [("limit", "1000")])
        assert FOREIGN not in reply.body.decode(), name
        assert reply.meta["count"] == len(json.loads(reply.body)) > 0, name
        assert world.count(name) >= world.count(name, BOTH) > reply.meta["count"], name
        for shape in ("csv", "ndjson"):
            assert FOREIGN not in world.engine.list(PIM, name, shape=shape).body.decode(), name


@pytest.mark.parametrize("who", [NOBODY, caller("swt")], ids=["no realm", "an empty realm"])
def test_who_has_no_rows_sees_none_and_counts_none(tenants: Tenants, who: Context) -> None:
    for name in READ:
        shared = 1 if who is not NOBODY and CONTRACT.by_name[name].table == "pick_lists" else 0
        assert len(tenants.world.page(name, who)) == tenants.world.count(name, who) == shared, name


@pytest.mark.parametrize("name", MADE)
def test_a_row_of_another_realm_is_not_found_by_any_verb(tenants: Tenants, name: str) -> None:
    world, key = tenants.world, str(tenants.theirs[name])
    for act in (
        lambda: world.get(name, key, PIM),
        lambda: world.patch(name, key, {}, PIM),
        lambda: world.put(name, key, {}, PIM),
        lambda: world.delete(name, key, PIM),
        lambda: world.engine.trial(PIM, name, key, {}),
    ):
        with pytest.raises(NotFound):
            act()
    assert world.get(name, key, DEM)["id"] == tenants.theirs[name]


@pytest.mark.parametrize("key", ["internal_id", "external_id", "cpes"])
def test_no_key_of_a_cpe_reaches_into_another_realm(tenants: Tenants, key: str) -> None:
    world = tenants.world
    assert world.get("cpes", tenants.ours[key], PIM)["id"] == tenants.ours["cpes"]
    with pytest.raises(NotFound):
        world.get("cpes", tenants.theirs[key], PIM)


@pytest.mark.parametrize("name", [one.name for one in CONTRACT.resources if one.relations])
def test_no_relation_of_a_row_of_another_realm_is_served(tenants: Tenants, name: str) -> None:
    for relation in CONTRACT.by_name[name].relations:
        for key, who in ((tenants.theirs[name], PIM), (tenants.ours[name], NOBODY)):
            with pytest.raises(NotFound):
                tenants.world.related(name, key, relation.name, who)


def test_filters_searches_and_counts_stay_inside(tenants: Tenants) -> None:
    world = tenants.world
    for parameters in (
        {"search": FOREIGN},
        {"external_id": f"E{FOREIGN}"},
        {"realm": "dem"},
        {"customer": str(tenants.theirs["customers"])},
    ):
        assert world.count("cpes", BOTH, **parameters) == 1
        assert world.count("cpes", PIM, **parameters) == 0
        assert world.ids("cpes", PIM, **parameters) == []


def test_what_hangs_on_a_shared_row_is_counted_and_listed_by_realm(tenants: Tenants) -> None:
    world = tenants.world
    profile = world.create("cpe-profiles", {"name": "for all", "downstream": "1", "upstream": "1"})["id"]
    for side in (tenants.ours, tenants.theirs):
        world.patch("cpes", side["cpes"], {"profile": profile})
    assert [world.get("cpe-profiles", profile, who)["cpes_count"] for who in (PIM, DEM, BOTH, ROOT)] == [
        1,
        1,
        2,
        2,
    ]
    assert world.page("cpe-profiles", PIM, attrs="id,cpes_count", id=str(profile)) == [
        {"id": profile, "cpes_count": 1}
    ]


def test_joins_and_children_show_nothing_that_is_not_visible_itself(tenants: Tenants) -> None:
    """Rows that a merge or an old rule left pointing into another realm."""
    world, ours, theirs = tenants.world, tenants.ours, tenants.theirs
    with world.database.write() as connection:
        for statement in (
            f"UPDATE cpes SET customer_id = {theirs['customers']}, profile_id = {theirs['cpe-profiles']}, "
            f"model_id = 'MODEL{FOREIGN}' WHERE id = {ours['cpes']}",
            f'UPDATE potses SET cpe_id = {ours["cpes"]}, "order" = 9 WHERE id = {theirs["potses"]}',
        ):
            connection.exec_driver_sql(statement)
    row = world.get("cpes", ours["cpes"], PIM, joins="customer,profile,model,potses", attrs="id,potses")
    assert row == {
        "id": ours["cpes"],
        "customer": None,
        "profile": None,
        "model": None,
        "potses": row["potses"],
    }
    assert [one["id"] for one in row["potses"]] == [ours["potses"]]
    assert world.get("cpes", ours["cpes"], PIM, attrs="potses") == {"potses": [ours["potses"]]}
    assert [one["id"] for one in world.related("cpes", ours["cpes"], "potses", PIM)] == [ours["potses"]]
    for relation in ("customer", "profile", "model"):
        with pytest.raises(NotFound):
            world.related("cpes", ours["cpes"], relation, PIM)
    assert world.related("customers", theirs["customers"], "cpes", DEM) != []
    assert all(one["realm"] == "dem" for one in world.related("customers", theirs["customers"], "cpes", DEM))


@pytest.mark.parametrize(
    ("field", "name"), [("customer", "customers"), ("profile", "cpe-profiles"), ("model", "models")]
)
def test_a_reference_into_another_realm_points_to_nothing(tenants: Tenants, field: str, name: str) -> None:
    there, nowhere = tenants.theirs[name], "nothing" if name == "models" else 10**9
    for value in (there, nowhere):
        wrong = refused(tenants.world.patch, "cpes", tenants.ours["cpes"], {field: value}, PIM)
        assert wrong == {field: [f'Invalid pk "{value}" - object does not exist.']}


def test_a_context_of_another_realm_is_not_for_a_port(tenants: Tenants) -> None:
    world, port, context = tenants.world, tenants.ours["potses"], tenants.theirs["contexts"]
    assert "does not exist" in refused(world.patch, "potses", port, {"context": context}, PIM)["context"][0]
    assert "another realm" in refused(world.patch, "potses", port, {"context": context}, ROOT)["context"][0]


def test_a_new_row_goes_to_a_realm_of_its_maker(tenants: Tenants) -> None:
    world = tenants.world
    assert world.create("customers", {"name": "a"}, PIM)["realm"] == "pim"
    assert refused(world.create, "customers", {"name": "a", "realm": "dem"}, PIM) == {
        "realm": ['Invalid pk "dem" - object does not exist.']
    }
    assert refused(world.create, "customers", {"name": "a", "realm": "nowhere"}, ROOT)["realm"]
    for who in (BOTH, NOBODY):
        assert refused(world.create, "customers", {"name": "a"}, who) == {
            "realm": ["This field is required."]
        }


def test_bulk_reaches_no_row_of_another_realm(tenants: Tenants) -> None:
    world, ours, theirs = tenants.world, tenants.ours["customers"], tenants.theirs["customers"]
    updated = json.loads(
        world.engine.bulk_update(
            PIM, "customers", [{"id": ours, "city": "x"}, {"id": theirs, "city": "x"}]
        ).body
    )
    assert [one["status"] for one in updated["results"]] == [200, 404]
    assert world.get("customers", theirs)["city"] == ""
    deleted = json.loads(world.engine.bulk_delete(PIM, "customers", [theirs, f"C{FOREIGN}"]).body)
    assert [one["status"] for one in deleted["results"]] == [404, 404]
    created = json.loads(world.engine.bulk_create(PIM, "customers", [{"name": "a", "realm": "dem"}]).body)
    assert created["results"][0]["status"] == 400
    assert world.count("customers", DEM) == 1


def test_an_import_reaches_no_other_realm(tenants: Tenants) -> None:
    world, theirs = tenants.world, tenants.theirs
    lines = [
        (1, {"customer": theirs["customers"], "model": "MODEL", "sn": "HWTC0000aaaa"}),
        (2, {"customer": tenants.ours["customers"], "model": f"MODEL{FOREIGN}", "sn": "HWTC0000aaab"}),
    ]
    answer = json.loads(world.engine.import_lines(PIM, "cpes", "i", lines).body)
    assert (answer["created"], answer["failed"]) == (0, 2)
    assert world.count("cpes") == 2


def test_what_other_realms_use_too_is_not_changed_by_one_of_them(tenants: Tenants) -> None:
    world = tenants.world
    body = {"name": "x", "downstream": "1", "upstream": "1"}
    mine = world.create("cpe-profiles", body, PIM)
    assert mine["realms"] == ["pim"]
    assert world.patch("cpe-profiles", mine["id"], {"name": "y"}, PIM)["name"] == "y"
    for realms in ([], ["dem", "pim"]):
        shared = world.create("cpe-profiles", {**body, "realms": realms})["id"]
        before = world.everything()
        with pytest.raises(PermissionDenied):
            world.patch("cpe-profiles", shared, {"name": "y"}, PIM)
        with pytest.raises(PermissionDenied):
            world.delete("cpe-profiles", shared, PIM)
        assert world.everything() == before
    with pytest.raises(PermissionDenied):
        world.patch("cpe-profiles", mine["id"], {"realms": []}, PIM)
    assert "realms" in refused(world.patch, "cpe-profiles", mine["id"], {"realms": ["dem"]}, PIM)
    with pytest.raises(PermissionDenied):
        world.create("cpe-profiles", body, NOBODY)


def test_of_what_is_shared_each_is_told_his_own_realms_only(tenants: Tenants) -> None:
    world = tenants.world
    body = {"name": "x", "downstream": "1", "upstream": "1", "realms": ["dem", "pim"]}
    id_ = world.create("cpe-profiles", body)["id"]
    for who, realms in ((PIM, ["pim"]), (DEM, ["dem"]), (ROOT, ["dem", "pim"])):
        assert world.get("cpe-profiles", id_, who)["realms"] == realms
        assert world.page("cpe-profiles", who, name="x")[0]["realms"] == realms


def test_usage_tells_what_a_realm_has(tenants: Tenants) -> None:
    usage = json.loads(tenants.world.engine.usage(ROOT, "dem").body)
    assert {name: usage.get(name) for name in ("customers", "cpes", "potses", "contexts")} == {
        "customers": 1,
        "cpes": 1,
        "potses": 1,
        "contexts": 1,
    }
    assert json.loads(tenants.world.engine.usage(ROOT, "swt").body) == {}


def test_relations_of_one_name_are_told_apart(tenants: Tenants) -> None:
    """The ports of customer 1 and those of CPE 1 are not the same rows."""
    world, first = tenants.world, tenants.ours
    second = world.cpe(first["customers"], "MODEL")["id"]
    ports = world.related("customers", first["customers"], "potses", sort="order")
    assert [one["cpe"] for one in ports] == [first["cpes"], second]
    for cpe in (first["cpes"], second):
        assert [one["cpe"] for one in world.related("cpes", cpe, "potses")] == [cpe]


def test_what_was_deleted_is_no_usage(tenants: Tenants) -> None:
    world = tenants.world
    world.delete("customers", tenants.theirs["customers"])
    world.delete("contexts", tenants.theirs["contexts"])
    world.delete("webhooks", tenants.theirs["webhooks"])
    assert json.loads(world.engine.usage(ROOT, "dem").body) == {}
