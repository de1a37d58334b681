"""A keyed write is done once and its answer kept with it, on either database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from services.common.context import Context
from services.common.errors import ApiError, InvalidInput, KeyInUse, KeyReused, NotFound
from services.common.resource import idempotency
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.isp.models import metadata
from tests.integration.engine.world import DEM, PIM, ROOT, World

KEPT = metadata.tables["idempotency"]
ANA = {"name": "Ana", "realm": "pim"}


def keyed(who: Context = ROOT, key: str = "key", asked: str = "a") -> Context:
    return replace(who, idempotency_key=key, fingerprint=asked * 64)


def bare(reply: Reply) -> Reply:
    return Reply(reply.body, {name: value for name, value in reply.meta.items() if name != "replayed"})


def age(world: World, milliseconds: int) -> None:
    """Make what is kept so much older."""
    with world.database.write() as connection:
        connection.execute(update(KEPT).values(created=KEPT.c.created - milliseconds))


# ---- the same again ---------------------------------------------------------------------------


def calls(world: World) -> dict[str, Callable[[Context], Reply]]:
    engine, key = world.engine, str(world.customer())
    gone = str(world.customer())
    several = [str(world.customer()), str(world.customer())]
    return {
        "create": lambda who: engine.create(who, "customers", ANA, [("attrs", "id,name")]),
        "patch": lambda who: engine.update(who, "customers", key, {"surname": "B"}, True),
        "delete": lambda who: engine.delete(who, "customers", gone),
        "bulk create": lambda who: engine.bulk_create(who, "customers", [ANA, {"realm": "pim"}]),
        "bulk update": lambda who: engine.bulk_update(who, "customers", [{"id": key, "name": "C"}]),
        "bulk delete": lambda who: engine.bulk_delete(who, "customers", several),
        "upsert": lambda who: engine.create(who, "customers", {**ANA, "external_id": "E"}, upsert=True),
    }


def test_a_write_sent_three_times_is_done_once_and_answered_with_the_same_bytes(world: World) -> None:
    for name, call in calls(world).items():
        first = call(keyed(key=name))
        before = world.everything()
        for _ in range(2):
            again = call(keyed(key=name))
            assert again.meta["replayed"] is True
            assert bare(again) == first, name
        assert world.everything() == before, name
        assert "replayed" not in first.meta


def test_another_request_under_the_same_key_is_refused_and_does_nothing(world: World) -> None:
    world.engine.create(keyed(), "customers", ANA)
    before = world.everything()
    with pytest.raises(KeyReused):
        world.engine.create(keyed(asked="b"), "customers", {**ANA, "name": "Eva"})
    assert world.everything() == before


def test_keys_of_two_users_never_meet(world: World) -> None:
    mine, theirs = replace(PIM, user_id=1), replace(DEM, user_id=2)
    first = world.engine.create(keyed(mine), "customers", {"name": "Ana"})
    second = world.engine.create(keyed(theirs), "customers", {"name": "Ana"})
    assert "replayed" not in second.meta
    assert first.meta["id"] != second.meta["id"]


@pytest.mark.parametrize("who", [replace(ROOT, idempotency_key="key", user_id=None), ROOT])
def test_without_a_key_or_a_user_nothing_is_kept(world: World, who: Context) -> None:
    for _ in range(2):
        world.engine.create(who, "customers", ANA)
    assert len(world.rows("customers")) == 2
    assert world.rows("idempotency") == []


def test_the_answer_that_would_be_given_can_be_read_without_a_claim(world: World) -> None:
    engine = world.engine
    assert engine.answered(ROOT) is None
    assert engine.answered(keyed()) is None
    first = engine.create(keyed(), "customers", ANA)
    found = engine.answered(keyed())
    assert found is not None
    assert bare(found) == first
    with pytest.raises(KeyReused):
        engine.answered(keyed(asked="b"))


# ---- what is not kept -------------------------------------------------------------------------


def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    engine = world.engine
    with pytest.raises(InvalidInput):
        engine.create(keyed(), "customers", {"realm": "pim"})
    with pytest.raises(NotFound):
        engine.delete(keyed(), "customers", "999")
    assert world.rows("idempotency") == []
    assert engine.create(keyed(asked="b"), "customers", ANA).meta["status"] == 201


def test_a_dry_run_and_a_bulk_that_was_taken_back_leave_their_key_free(world: World) -> None:
    engine = world.engine
    wrong = [ANA, {"realm": "pim"}]
    assert engine.bulk_create(keyed(), "customers", [ANA], dry_run=True).meta["status"] == 200
    assert engine.bulk_create(keyed(), "customers", wrong, atomic=True).meta["status"] == 400
    assert world.rows("customers") == world.rows("idempotency") == []
    assert engine.bulk_create(keyed(asked="b"), "customers", [ANA]).meta == {"status": 200}
    assert len(world.rows("customers")) == 1


def test_work_that_fails_after_its_writes_leaves_neither_effect_nor_answer(world: World) -> None:
    def work(write: Write) -> Reply:
        write.add(world.engine.resource("customers"), ANA)
        raise RuntimeError("dies here")

    with pytest.raises(RuntimeError):
        world.engine.write(keyed(), work)
    assert world.rows("customers") == world.rows("outbox") == world.rows("idempotency") == []


# ---- age --------------------------------------------------------------------------------------


def test_a_key_counts_for_24_hours(world: World) -> None:
    engine = world.engine
    engine.create(keyed(), "customers", ANA)
    age(world, idempotency.KEPT_FOR - 60_000)
    assert engine.create(keyed(), "customers", ANA).meta["replayed"]
    age(world, 60_001)
    assert engine.answered(keyed()) is None
    assert "replayed" not in engine.create(keyed(asked="b"), "customers", ANA).meta
    assert engine.create(keyed(asked="b"), "customers", ANA).meta["replayed"]
    assert len(world.rows("customers")) == 2


def test_old_answers_are_forgotten_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 2)
    for number in range(5):
        world.engine.create(keyed(key=f"old-{number}"), "customers", ANA)
    age(world, idempotency.KEPT_FOR + 1)
    world.engine.create(keyed(key="new"), "customers", ANA)
    world.engine.forget()
    assert [row["key"] for row in world.rows("idempotency")] == ["new"]


# ---- at once ----------------------------------------------------------------------------------


class Slow:
    """Work that a test may hold up after its writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, write: Write) -> Reply:
        row = write.add(self.world.engine.resource("customers"), ANA)
        self.reached.set()
        assert self.released.wait(60)
        return Reply(b'{"id":%d}' % row["id"], {"status": 201})


def never(write: Write) -> Reply:
    raise AssertionError("done twice")


def outcome(future: Future[Reply]) -> Any:
    try:
        return future.result(60)
    except ApiError as error:
        return type(error)


def test_while_the_first_is_under_way_the_second_does_nothing(world: World) -> None:
    """PostgreSQL tells so at once; on SQLite, which has one writer, it waits and gets the answer."""
    slow, engine = Slow(world), world.engine
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(engine.write, keyed(), slow)
        assert slow.reached.wait(60)
        second = pool.submit(engine.write, keyed(), never)
        if world.dialect == "postgresql":
            assert outcome(second) is KeyInUse
        slow.released.set()
        answer = outcome(first)
        if world.dialect == "sqlite":
            assert bare(outcome(second)) == answer
    assert bare(engine.write(keyed(), never)) == answer
    assert len(world.rows("customers")) == 1


def test_other_keys_do_not_wait(on_postgres: World) -> None:
    slow, engine = Slow(on_postgres), on_postgres.engine
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(engine.write, keyed(), slow)
        assert slow.reached.wait(60)
        assert engine.create(keyed(key="other"), "customers", ANA).meta["status"] == 201
        theirs = replace(keyed(), user_id=99)
        assert engine.create(theirs, "customers", ANA).meta["status"] == 201
        slow.released.set()
        assert outcome(first).meta == {"status": 201}


def test_of_many_at_once_exactly_one_is_done(world: World) -> None:
    gate = threading.Barrier(8)

    def send() -> Any:
        gate.wait(60)
        try:
            return world.engine.create(keyed(), "customers", ANA)
        except KeyInUse as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = [one.result(60) for one in [pool.submit(send) for _ in range(8)]]
    done = [one for one in outcomes if isinstance(one, Reply)]
    assert {one.body for one in done} == {done[0].body}
    assert sum("replayed" not in one.meta for one in done) == 1
    assert {one for one in outcomes if isinstance(one, str)} <= {KeyInUse.code}
    assert len(world.rows("customers")) == len(world.rows("outbox")) == 1


def test_a_key_is_free_again_when_its_connection_dies(on_postgres: World) -> None:
    slow, engine = Slow(on_postgres), on_postgres.engine
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(engine.write, keyed(), slow)
        assert slow.reached.wait(60)
        with on_postgres.database.read() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE state = 'idle in transaction' AND datname = current_database()"
            )
        end = time.monotonic() + 60
        while True:
            try:
                again = engine.create(keyed(), "customers", ANA)
                break
            except KeyInUse:
                assert time.monotonic() < end
        slow.released.set()
        assert issubclass(outcome(first), ApiError)
    assert again.meta["status"] == 201
    assert len(on_postgres.rows("customers")) == 1
