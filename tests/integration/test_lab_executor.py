"""The lab's executor on its own database: what it notes, what it leaves alone, what it says after a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from deploy.lab.executor import service
from deploy.lab.executor.models import metadata, runs
from services.common.context import Context
from services.common.database.engine import Database
from services.common.events.envelope import Envelope
from services.common.events.inbox import Inbox, Subscription
from services.common.resource.engine import Engine
from services.common.settings import Settings

ACTIONS = Subscription(name="actions", sources={"isp": ("action.*",)}, handle=service.take)


class Lab:
    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder)
        self.database = Database(f"sqlite:///{folder / 'lab.db'}", settings)
        metadata.create_all(self.database.engine)
        self.engine = Engine(service.CONTRACT, metadata, self.database, settings)
        self.inbox = Inbox(self.engine, ACTIONS)
        self.numbers = iter(range(1, 1000))

    def hand(self, id_: int, kind: str = "reboot", attempt: int = 1, type_: str = "dispatched") -> None:
        number = next(self.numbers)
        cpe = {"cpe": 350, "cpename": "pim0350"}
        data = {"id": id_, "attempt": attempt, "kind": kind, "parameters": {}, **cpe}
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
        data = [one["data"] for one in self.rows("outbox") if one["subject"] == f"actions/{id_}"]
        return [(one["attempt"], one["state"]) for one in data]

    def work(self, runner: service.Runner) -> None:
        """Until nothing is noted or under way, and all is reported."""
        end = time.monotonic() + 10
        while runner(self.engine) or runner.pool.running() or self.rows_in(service.NOTED, service.BEGUN):
            runner.pool.waitall()
            assert time.monotonic() < end

    def rows_in(self, *states: str) -> list[int]:
        return [one["action"] for one in self.rows("runs") if one["state"] in states]

    def begun_before_the_kill(self, id_: int) -> None:
        with self.database.write() as connection:
            connection.execute(update(runs).where(runs.c.action == id_).values(state=service.BEGUN, tries=1))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    found = Lab(tmp_path)
    yield found
    found.database.close()


def test_what_it_is_handed_it_runs_and_reports(lab: Lab) -> None:
    lab.hand(7, "unprovision")
    lab.work(service.Runner())
    assert lab.told(7) == [(1, "running"), (1, "succeeded")]


def test_what_is_cancelled_before_it_began_is_left_alone(lab: Lab) -> None:
    lab.hand(7)
    lab.hand(7, type_="cancel_requested")
    lab.work(service.Runner())
    assert lab.told(7) == [(1, "cancelled")]


def test_what_had_ended_or_was_never_handed_over_cannot_be_cancelled(lab: Lab) -> None:
    lab.hand(7, "unprovision")
    lab.work(service.Runner())
    lab.hand(7, type_="cancel_requested")
    lab.hand(8, type_="cancel_requested")
    assert lab.told(7) == [(1, "running"), (1, "succeeded")]
    assert lab.told(8) == []


def test_an_earlier_attempt_does_not_follow_a_later_one(lab: Lab) -> None:
    lab.hand(7, "unprovision", attempt=2)
    lab.hand(7, "unprovision", attempt=1)
    lab.work(service.Runner())
    assert lab.told(7) == [(2, "running"), (2, "succeeded")]


def test_an_attempt_that_was_superseded_says_nothing_more(lab: Lab) -> None:
    lab.hand(7, "reconfig")
    old = lab.rows("runs")[0]
    lab.hand(7, "reconfig", attempt=2)
    with lab.engine.writing(Context()) as write:
        service._finish(write, old, "succeeded")
    assert lab.told(7) == []


def test_after_a_kill_it_repeats_what_may_be_repeated_and_admits_the_rest(lab: Lab) -> None:
    for id_, kind in ((7, "reboot"), (8, "reconfig")):
        lab.hand(id_, kind)
        lab.begun_before_the_kill(id_)
    lab.work(service.Runner())
    assert lab.told(7) == [(1, "unknown")]
    assert lab.told(8) == [(1, "running"), (1, "succeeded")]
    errors = {one["subject"]: one["data"]["error"] for one in lab.rows("outbox")}
    assert errors == {"actions/7": service.DIED, "actions/8": None}
