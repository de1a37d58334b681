"""The executor of the common kernel on databases of its own: what it notes, what it leaves alone, what it
says after a kill."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from services.common.actions import ActionReported
from services.common.contract import Contract
from services.common.database.engine import Database
from services.common.database.kernel import metadata_of_service, milliseconds
from services.common.errors import NotFound
from services.common.events.envelope import Envelope
from services.common.events.inbox import Inbox
from services.common.executing.executor import BROKEN, DIED, Executor, Manner, Refused, Uncertain
from services.common.executing.runs import BEGUN, NOTED, Run, runs_table
from services.common.resource.engine import Engine
from services.common.settings import Settings
from tests.integration.databases import empty_database

CONTRACT = Contract(name="toy", title="Toy", events=(ActionReported,))
MANNERS = {"reboot": Manner(repeatable=False), "reconfig": Manner(repeatable=True)}
LEASE = 3
"""Seconds, where it is about them. Elsewhere it is so long that no run is spoken for twice."""

metadata = metadata_of_service()
runs = runs_table(metadata)


class Bench:
    """One service's database and its inbox; `executor()` is a process of it."""

    def __init__(self, url: str, folder: Path) -> None:
        settings = Settings(data_dir=folder)
        self.database = Database(url, settings)
        metadata.create_all(self.database.engine)
        self.engine = Engine(CONTRACT, metadata, self.database, settings)
        self.performed: list[tuple[int, int]] = []
        self.perform: Callable[[Run], Any] = lambda run: {"cpe": run.cpe}
        self.inbox = Inbox(self.engine, self.executor().subscription)
        self.numbers = itertools.count(1)

    def executor(self, lease: int = 600, **more: Any) -> Executor:
        def perform(run: Run) -> Any:
            self.performed.append((run.action, run.tries))
            return self.perform(run)

        made = Executor(
            perform,
            lambda data: bool(data["tech"] == "gpon"),
            MANNERS,
            device=lambda write, data: data["sn"],
            lease=lease,
            **more,
        )
        made.attach(self.engine)
        return made

    def hand(self, id_: int, kind: str = "reboot", attempt: int = 1, **more: Any) -> None:
        number, type_ = next(self.numbers), more.pop("type_", "dispatched")
        cpe = {"cpe": 350, "cpename": "pim0350", "tech": "gpon", "sn": None, "mac": None}
        data = {"id": id_, "attempt": attempt, "kind": kind, "parameters": {}, **cpe, **more}
        event = Envelope(
            id=f"event-{number}",
            source="isp",
            type=f"action.{type_}",
            subject=f"actions/{id_}",
            sequence=number,
            realm="pim",
            time="2026-03-01T12:00:00+00:00",
            dataschema=f"urn:krill:isp:action.{type_}:1",
            data=data,
        )
        self.inbox.take([event])
        assert not self.rows("held")

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            return [dict(one) for one in connection.execute(select(metadata.tables[table])).mappings()]

    def told(self, id_: int) -> list[tuple[int, str]]:
        """(attempt, state) of what was reported."""
        rows = sorted(self.rows("outbox"), key=lambda one: int(one["sequence"]))
        data = [one["data"] for one in rows if one["subject"] == f"actions/{id_}"]
        return [(one["attempt"], one["state"]) for one in data]

    def end(self, id_: int) -> dict[str, Any]:
        rows = [one for one in self.rows("outbox") if one["subject"] == f"actions/{id_}"]
        found: dict[str, Any] = max(rows, key=lambda one: int(one["sequence"]))["data"]
        return found

    def work(self, executor: Executor, *, until: Callable[[], bool] | None = None) -> None:
        """Rounds until nothing is noted or under way and all is reported."""
        done = until or (lambda: not self.in_state(NOTED, BEGUN))
        end = time.monotonic() + 60
        while not done():
            executor.round(self.engine)
            time.sleep(0.01)
            assert time.monotonic() < end, self.rows("runs")

    def in_state(self, *states: str) -> list[int]:
        return sorted(one["action"] for one in self.rows("runs") if one["state"] in states)

    def begun_before_the_kill(self, id_: int, tries: int = 1, until: int = 0) -> None:
        with self.database.write() as connection:
            gone = {"state": BEGUN, "tries": tries, "until": until}
            connection.execute(update(runs).where(runs.c.action == id_).values(**gone))


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    found = Bench(empty_database(request, request.param, "executing", tmp_path), tmp_path)
    yield found
    found.database.close()


# ---- what it does -------------------------------------------------------------------------------


def test_what_it_is_handed_it_runs_and_reports(bench: Bench) -> None:
    bench.hand(7, "reconfig")
    bench.work(bench.executor())
    assert bench.told(7) == [(1, "running"), (1, "succeeded")]
    assert bench.end(7)["result"] == {"cpe": 350}


def test_what_is_of_another_service_is_left_alone(bench: Bench) -> None:
    bench.hand(7, tech="docsis")
    bench.hand(7, tech="docsis", type_="cancel_requested")
    assert bench.rows("runs") == []
    assert bench.told(7) == []


@pytest.mark.parametrize(
    ("error", "kind", "state", "text"),
    [
        (Refused("The OLT says no."), "reboot", "failed", "The OLT says no."),
        (NotFound("No such ONU."), "reconfig", "failed", "No such ONU."),
        (Uncertain(), "reboot", "unknown", "The device may or may not have done it."),
        (KeyError("secret"), "reboot", "unknown", BROKEN),
        (KeyError("secret"), "reconfig", "failed", BROKEN),
    ],
)
def test_what_it_raises_is_how_it_ends(
    bench: Bench, error: Exception, kind: str, state: str, text: str
) -> None:
    def perform(run: Run) -> Any:
        raise error

    bench.perform = perform
    bench.hand(7, kind)
    bench.work(bench.executor())
    assert (bench.end(7)["state"], bench.end(7)["error"]) == (state, text)


def test_a_result_that_is_none_is_a_defect(bench: Bench) -> None:
    bench.perform = lambda run: True
    bench.hand(7, "reconfig")
    bench.work(bench.executor())
    assert (bench.end(7)["state"], bench.end(7)["error"]) == ("failed", BROKEN)


def test_what_takes_long_is_spoken_for(bench: Bench) -> None:
    free, executor = threading.Event(), bench.executor(LEASE)
    bench.perform = lambda run: free.wait(60) and None
    bench.hand(7)
    bench.work(executor, until=lambda: bench.told(7) == [(1, "running")] * 2)
    free.set()
    bench.work(executor)
    *held, last = bench.told(7)
    assert set(held) == {(1, "running")}
    assert last == (1, "succeeded")
    told = [one["data"] for one in bench.rows("outbox") if one["data"]["state"] == "running"]
    assert {(one["lease"], one["repeatable"]) for one in told} == {(LEASE, False)}


@pytest.mark.parametrize("hours", [-5, 5])
def test_what_takes_long_is_spoken_for_when_the_clock_is_set(
    bench: Bench, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, executor = threading.Event(), bench.executor(LEASE)
    bench.perform = lambda run: free.wait(60) and None
    bench.hand(7, "reconfig")
    bench.work(executor, until=lambda: bench.told(7) == [(1, "running")])
    monkeypatch.setattr(
        "services.common.executing.executor.milliseconds", lambda: milliseconds() + hours * 3_600_000
    )
    bench.work(executor, until=lambda: len(bench.told(7)) == 3)
    assert bench.told(7) == [(1, "running")] * 3
    free.set()
    bench.work(executor)
    assert bench.told(7)[-1] == (1, "succeeded")
    assert bench.performed == [(7, 1)]


def test_runs_on_one_device_follow_each_other_and_others_do_not_wait(bench: Bench) -> None:
    going, most, overlap = set[int](), 0, 0
    lock, together = threading.Lock(), threading.Barrier(3)

    def perform(run: Run) -> None:
        nonlocal most, overlap
        with lock:
            going.add(run.action)
            most, overlap = max(most, len(going)), max(overlap, len(going & {1, 2, 3}))
        if run.action in (1, 4, 5):  # the first of each device, and the one of none
            together.wait(60)
        time.sleep(0.1)
        with lock:
            going.discard(run.action)

    bench.perform = perform
    for id_ in (1, 2, 3):
        bench.hand(id_, sn="olt")
    bench.hand(4, sn="other")
    bench.hand(5)
    bench.work(bench.executor())
    assert overlap == 1
    assert most == 3
    assert [action for action, _ in bench.performed if action < 4] == [1, 2, 3]


def test_so_many_go_on_at_once_and_no_more(bench: Bench) -> None:
    free = threading.Event()
    bench.perform = lambda run: not free.wait(60) or None
    for id_ in range(1, 6):
        bench.hand(id_)
    executor = bench.executor(at_once=2)
    for _ in range(4):
        executor.round(bench.engine)
    assert bench.in_state(BEGUN) == [1, 2]
    free.set()
    bench.work(executor)
    assert len(bench.performed) == 5


def test_two_processes_share_the_work_and_do_nothing_twice(bench: Bench) -> None:
    bench.perform = lambda run: time.sleep(0.02)
    for id_ in range(1, 31):
        bench.hand(id_, sn=f"olt-{id_ % 3}")
    executors = [bench.executor(at_once=4) for _ in range(2)]
    end = time.monotonic() + 60

    def rounds(executor: Executor) -> None:
        while bench.in_state(NOTED, BEGUN) and time.monotonic() < end:
            executor.round(bench.engine)
            time.sleep(0.01)

    threads = [threading.Thread(target=rounds, args=[one]) for one in executors]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(bench.performed) == [(id_, 1) for id_ in range(1, 31)]


# ---- what is no longer wanted -------------------------------------------------------------------


def test_what_is_cancelled_before_it_began_is_left_alone(bench: Bench) -> None:
    bench.hand(7)
    bench.hand(7, type_="cancel_requested")
    bench.work(bench.executor())
    assert bench.told(7) == [(1, "cancelled")]
    assert bench.performed == []


def test_what_had_ended_or_was_never_handed_over_cannot_be_cancelled(bench: Bench) -> None:
    bench.hand(7)
    bench.work(bench.executor())
    bench.hand(7, type_="cancel_requested")
    bench.hand(8, type_="cancel_requested")
    assert bench.told(7) == [(1, "running"), (1, "succeeded")]
    assert bench.told(8) == []


def test_an_earlier_attempt_does_not_follow_a_later_one(bench: Bench) -> None:
    bench.hand(7, attempt=2)
    bench.hand(7, attempt=1)
    bench.work(bench.executor())
    assert bench.told(7) == [(2, "running"), (2, "succeeded")]


def test_an_attempt_that_was_superseded_says_nothing_more(bench: Bench) -> None:
    free, executor = threading.Event(), bench.executor()
    bench.perform = lambda run: {"in time": free.wait(60)} if run.attempt == 1 else None
    bench.hand(7, "reconfig")
    executor.round(bench.engine)
    bench.hand(7, "reconfig", attempt=2)
    free.set()
    bench.work(executor)
    bench.work(executor, until=lambda: not executor._under_way and not executor._ended)
    assert bench.told(7) == [(1, "running"), (2, "running"), (2, "succeeded")]


# ---- kills --------------------------------------------------------------------------------------


def test_after_a_kill_it_repeats_what_may_be_repeated_and_admits_the_rest(bench: Bench) -> None:
    for id_, kind in ((7, "reboot"), (8, "reconfig")):
        bench.hand(id_, kind)
        bench.begun_before_the_kill(id_)
    bench.work(bench.executor())
    assert bench.told(7) == [(1, "unknown")]
    assert bench.told(8) == [(1, "running"), (1, "succeeded")]
    assert (bench.end(7)["error"], bench.end(8)["error"]) == (DIED, None)
    assert bench.performed == [(8, 2)]


def test_what_is_no_longer_wanted_is_not_repeated_after_a_kill(bench: Bench) -> None:
    bench.hand(7, "reconfig")
    bench.begun_before_the_kill(7)
    bench.hand(7, "reconfig", type_="cancel_requested")
    bench.work(bench.executor())
    assert (bench.told(7), bench.performed) == ([(1, "unknown")], [])


def test_what_goes_on_ends_as_it_does_although_it_was_to_be_cancelled(bench: Bench) -> None:
    free, executor = threading.Event(), bench.executor()
    bench.perform = lambda run: {"in time": free.wait(60)}
    bench.hand(7, "reconfig")
    executor.round(bench.engine)
    bench.hand(7, "reconfig", type_="cancel_requested")
    free.set()
    bench.work(executor)
    assert bench.told(7) == [(1, "running"), (1, "succeeded")]


def test_what_another_process_speaks_for_is_not_taken_from_it(bench: Bench) -> None:
    bench.hand(7, "reconfig")
    bench.begun_before_the_kill(7, until=milliseconds() + 600_000)
    executor = bench.executor()
    for _ in range(3):
        executor.round(bench.engine)
    assert bench.performed == []
    bench.begun_before_the_kill(7, until=milliseconds() - 1)
    bench.work(executor)
    assert bench.performed == [(7, 2)]


def test_a_run_that_ends_while_a_late_round_looks_around_is_not_taken_for_lost(bench: Bench) -> None:
    free, executor = threading.Event(), bench.executor(LEASE)
    bench.perform = lambda run: free.wait(60) and None
    bench.hand(7)
    executor.round(bench.engine)

    class Ending(list[Any]):
        """What has ended; the run ends just after this was looked at."""

        def __iter__(self) -> Iterator[Any]:
            seen = self[:]
            free.set()
            while not self:
                time.sleep(0.01)
            return iter(seen)

    executor._ended = Ending()
    bench.begun_before_the_kill(7, tries=1, until=milliseconds() - 1)
    executor._under_way = dict.fromkeys(executor._under_way, 0)
    executor.round(bench.engine)
    executor._ended = executor._ended[:]
    bench.work(executor)
    assert bench.told(7) == [(1, "running"), (1, "running"), (1, "succeeded")]


def test_what_kills_every_process_that_tries_it_is_given_up(bench: Bench) -> None:
    bench.hand(7, "reconfig")
    bench.begun_before_the_kill(7, tries=3)
    bench.work(bench.executor())
    assert (bench.told(7), bench.performed) == ([(1, "unknown")], [])


def test_what_ended_long_ago_is_forgotten(bench: Bench) -> None:
    bench.hand(7)
    bench.work(bench.executor())
    with bench.database.write() as connection:
        month = 31 * 86_400_000
        connection.execute(update(runs).values(until=runs.c.until - month))
    bench.hand(8)
    bench.work(bench.executor())
    assert [one["action"] for one in bench.rows("runs")] == [8]
