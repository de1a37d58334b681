"""A row is made or changed by its key in another system, within its realm, whoever else does so too."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.context import Context
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from tests.integration.engine.world import BOTH, PIM, ROOT, Json, World, refused

CUSTOMER = {"name": "Ana", "external_id": "E1", "realm": "pim"}


def upsert(world: World, body: Json, who: Context = ROOT, resource: str = "customers") -> tuple[int, Json]:
    reply = world.engine.create(who, resource, body, upsert=True)
    return reply.meta["status"], json.loads(reply.body)


def test_what_is_not_there_is_made_and_what_is_there_is_changed(world: World) -> None:
    status, made = upsert(world, CUSTOMER)
    assert status == 201
    status, changed = upsert(world, {**CUSTOMER, "surname": "B"})
    assert (status, changed["id"], changed["surname"]) == (200, made["id"], "B")
    subject = f"customers/{made['id']}"
    assert world.events(subject) == [("customer.created", 1), ("customer.updated", 2)]


def test_a_change_need_not_name_what_only_a_new_row_needs(world: World) -> None:
    assert refused(upsert, world, {"external_id": "E1", "realm": "pim"}) == {
        "name": ["This field is required."]
    }
    upsert(world, {**CUSTOMER, "surname": "B"})
    status, row = upsert(world, {"external_id": "E1", "realm": "pim", "comment": "x"})
    assert (status, row["name"], row["surname"], row["comment"]) == (200, "Ana", "B", "x")


def test_the_same_again_changes_nothing(world: World) -> None:
    upsert(world, CUSTOMER)
    before = world.everything()
    assert upsert(world, CUSTOMER)[0] == 200
    assert world.everything() == before


@pytest.mark.parametrize("given", [{}, {"external_id": None}, {"external_id": ""}])
def test_the_key_is_required(world: World, given: Json) -> None:
    found = refused(upsert, world, {"name": "Ana", "realm": "pim", **given})
    assert found == {"external_id": ["This field is required."]}


def test_a_resource_without_such_a_key_has_no_upsert(world: World) -> None:
    assert "upsert" in refused(upsert, world, {"name": "x"}, ROOT, "contexts")


def test_the_same_key_in_another_realm_is_another_row(world: World) -> None:
    _, theirs = upsert(world, {**CUSTOMER, "realm": "dem", "name": "Eva"})
    status, mine = upsert(world, {"name": "Ana", "external_id": "E1"}, PIM)
    assert (status, mine["realm"]) == (201, "pim")
    assert world.get("customers", theirs["id"])["name"] == "Eva"
    assert refused(upsert, world, {**CUSTOMER, "realm": "dem"}, PIM) == {
        "realm": ['Invalid pk "dem" - object does not exist.']
    }
    assert refused(upsert, world, {"name": "Ana", "external_id": "E1"}, BOTH) == {
        "realm": ["This field is required."]
    }


def test_the_realm_of_a_cpe_is_its_customers(stocked: World) -> None:
    customer = stocked.customer("dem")
    body = {"customer": customer, "model": "HG8245H", "sn": "HWTC00000001", "external_id": "D1"}
    status, made = upsert(stocked, body, BOTH, "cpes")
    assert (status, made["realm"]) == (201, "dem")
    status, changed = upsert(stocked, {**body, "notes": "x"}, BOTH, "cpes")
    assert (status, changed["id"], changed["notes"]) == (200, made["id"], "x")


def test_a_list_tells_what_was_made_and_what_was_changed(world: World) -> None:
    upsert(world, CUSTOMER)
    items: list[Any] = [
        {**CUSTOMER, "surname": "B"},
        {**CUSTOMER, "external_id": "E2"},
        {**CUSTOMER, "external_id": None},
        {"external_id": "E2", "realm": "pim", "surname": "C"},
    ]
    found = json.loads(world.engine.bulk_create(ROOT, "customers", items, upsert=True).body)
    assert (found["created"], found["updated"]) == (1, 2)
    assert [one["status"] for one in found["results"]] == [200, 201, 400, 200]
    assert found["errors"] == {"2": {"external_id": ["This field is required."]}}
    assert found["results"][1]["id"] == found["results"][3]["id"]
    undone = json.loads(world.engine.bulk_create(ROOT, "customers", items, atomic=True, upsert=True).body)
    assert (undone["created"], undone["updated"]) == (0, 0)


def test_the_later_of_two_at_once_changes_what_the_earlier_made(on_postgres: World) -> None:
    """Also when the row has another unique member, on which they meet first."""
    world = on_postgres
    world.model("HG8245H")
    body = {"customer": world.customer(), "model": "HG8245H", "sn": "HWTC00000001", "external_id": "D1"}
    cpes = world.engine.resource("cpes")
    reached, released = threading.Event(), threading.Event()

    def first(write: Write) -> Reply:
        row, made = write.upsert(cpes, {**body, "notes": "first"})
        assert made
        reached.set()
        assert released.wait(60)
        return Reply(b"", {"id": row["id"]})

    with ThreadPoolExecutor(2) as pool:
        earlier = pool.submit(world.engine.write, ROOT, first)
        assert reached.wait(60)
        later = pool.submit(upsert, world, {**body, "notes": "second"}, ROOT, "cpes")
        assert not later.done()
        threading.Timer(0.2, released.set).start()
        id_ = earlier.result(60).meta["id"]
        status, row = later.result(60)
    assert (status, row["id"], row["notes"]) == (200, id_, "second")
    assert world.events(f"cpes/{id_}") == [("cpe.created", 1), ("cpe.updated", 2)]


def test_of_many_at_once_exactly_one_makes_the_row(world: World) -> None:
    gate = threading.Barrier(8)

    def send(number: int) -> int:
        gate.wait(60)
        return upsert(world, {**CUSTOMER, "surname": str(number)})[0]

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(send, range(8)))
    assert statuses == [200] * 7 + [201]
    (row,) = world.rows("customers")
    assert row["version"] == 8
