"""Handled once, in order of the subject, or held: on both databases."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from deploy.local.postgres import Postgres
from services.common.context import Context, Scope
from services.common.database.engine import Database
from services.common.database.kernel import milliseconds
from services.common.errors import NotFound, ServiceUnavailable
from services.common.events import held
from services.common.events.envelope import Envelope
from services.common.events.inbox import Inbox
from services.common.resource.writes import Write
from tests.integration.engine.world import SETTINGS
from tests.integration.events.reader import SOURCE, Reader, event

OPERATOR = Context(Scope(everything=True), user="operator")


def until_settled(reader: Reader) -> None:
    """Retry until nothing waits any more."""
    end = time.monotonic() + 60
    while reader.held("waiting"):
        assert time.monotonic() < end
        reader.inbox.retry()
        time.sleep(0.01)


def test_an_event_that_comes_again_is_not_handled_again(reader: Reader) -> None:
    one, two = event(), event(sequence=2)
    reader.inbox.take([one, two])
    reader.inbox.take([one])
    reader.inbox.take([two, one, two])
    assert reader.handled == [("customers/1", 1), ("customers/1", 2)]


def test_a_handler_that_fails_leaves_nothing_behind_and_the_rest_of_the_batch_is_handled(
    reader: Reader,
) -> None:
    reader.fails = lambda one: one.subject == "customers/2"
    reader.inbox.take([event(), event("customers/2"), event("customers/3")])
    assert reader.handled == [("customers/1", 1), ("customers/3", 1)]
    (waiting,) = reader.held("waiting")
    assert waiting["subject"] == "customers/2"
    assert "Poison: no customers/2" in waiting["error"]


def test_later_events_of_the_subject_wait_behind_it_and_come_in_order(reader: Reader) -> None:
    broken = True
    reader.fails = lambda one: one.subject == "customers/2" and broken
    reader.inbox.take([event("customers/2", 1)])
    reader.inbox.take([event("customers/2", 2), event("customers/1", 1), event("customers/2", 3)])
    assert reader.handled == [("customers/1", 1)]
    broken = False
    until_settled(reader)
    assert reader.handled == [("customers/1", 1), *(("customers/2", n) for n in (1, 2, 3))]


def test_a_poison_event_is_parked_after_its_retries_and_its_subject_goes_on(reader: Reader) -> None:
    poison = event("customers/2", 1)
    reader.fails = lambda one: one.id == poison.id
    reader.inbox.take([poison, event("customers/2", 2)])
    until_settled(reader)
    assert reader.tried.count(poison.id) == 1 + len(reader.inbox.engine.settings.retries)
    assert [row["event"] for row in reader.held("parked")] == [poison.id]
    assert reader.handled == [("customers/2", 2)]
    reader.inbox.take([poison])
    assert len(reader.held("parked")) == 1


def test_an_event_that_waited_behind_another_has_all_its_tries(reader: Reader) -> None:
    poison, second = event("customers/2", 1), event("customers/2", 2)
    reader.fails = lambda one: one.subject == "customers/2"
    reader.inbox.take([poison, second])
    assert [(row["event"], row["attempts"]) for row in reader.held("waiting")] == [
        (poison.id, 1),
        (second.id, 0),
    ]
    until_settled(reader)
    assert reader.tried.count(second.id) == 1 + len(reader.inbox.engine.settings.retries)


def test_the_pauses_between_tries_are_kept(reader: Reader) -> None:
    reader = Reader(reader.database, lambda one: True, retries="600,1200")
    reader.inbox.take([event()])
    for pause in (600, 1200):
        assert reader.inbox.retry() == 0
        (waiting,) = reader.held("waiting")
        assert pause - 300 < (waiting["due"] - milliseconds()) / 1000 <= pause
        reader.age(pause)
        assert reader.inbox.retry() == 1
    assert reader.held("waiting") == []


def test_a_parked_event_is_replayed_or_dropped_with_an_audit_row(reader: Reader) -> None:
    reader.fails = lambda one: True
    reader.inbox.take([event("customers/1"), event("customers/2")])
    until_settled(reader)
    first, second = (row["id"] for row in reader.held("parked"))
    reader.fails = lambda one: False
    with reader.engine.writing(OPERATOR) as write:
        held.replay(write, first)
    with reader.engine.writing(OPERATOR) as write:
        held.drop(write, second)
    until_settled(reader)
    assert reader.handled == [("customers/1", 1)]
    assert not reader.held("parked")
    for gone in (first, second):
        with pytest.raises(NotFound), reader.engine.writing(OPERATOR) as write:
            held.replay(write, gone)
    reply = reader.engine.list(OPERATOR, "parked-events")
    assert reply.meta["count"] == 0
    table = reader.engine.metadata.tables["audit"]
    with reader.database.read() as connection:
        rows = connection.execute(table.select().order_by(table.c.id))
        told = [(row.action, row.object_id, row.user) for row in rows]
    assert told == [(2, str(first), "operator"), (3, str(second), "operator")]


def test_a_database_that_goes_away_in_a_handler_is_no_failure_of_the_event(reader: Reader) -> None:
    def away(one: Any) -> bool:
        raise ServiceUnavailable("The database is not available.")

    reader.fails = away
    with pytest.raises(ServiceUnavailable):
        reader.inbox.take([event()])
    assert not reader.held("waiting")
    reader.fails = lambda one: False


def test_a_connection_that_dies_under_a_handler_is_no_failure_of_the_event(postgres: Postgres) -> None:
    database = Database(postgres.create_database("dying"), SETTINGS)
    reader = Reader(database)

    def die(write: Write, one: Envelope) -> None:
        write.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    inbox = Inbox(reader.engine, replace(reader.inbox.subscription, handle=die))
    with pytest.raises(ServiceUnavailable):
        inbox.take([event()])
    assert not reader.held("waiting")
    reader.inbox.take([event()])
    assert len(reader.handled) == 1
    database.close()


def test_a_database_that_takes_no_writes_is_no_failure_of_the_event(postgres: Postgres) -> None:
    """A standby after a failover, or one whose disk is full: the sessions of that time are left."""
    database = Database(postgres.create_database("unwritable"), SETTINGS)
    reader = Reader(database)
    database.reading(
        lambda one: one.exec_driver_sql("ALTER DATABASE unwritable SET default_transaction_read_only = on")
    )
    database.close()
    with pytest.raises(ServiceUnavailable):
        reader.inbox.take([event()])
    with pytest.raises(ServiceUnavailable), database.read() as connection:
        connection.execute(reader.engine.metadata.tables["inbox"].delete())
    with database.read() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.exec_driver_sql("ALTER DATABASE unwritable RESET default_transaction_read_only")
    reader.inbox.take([event()])
    assert len(reader.handled) == 1
    database.close()


def test_ids_are_forgotten_after_their_time(reader: Reader) -> None:
    one = event()
    reader.inbox.take([one])
    assert reader.inbox.prune(days=1) == 0
    assert reader.inbox.prune(days=-1) == 1
    reader.inbox.take([one])
    assert len(reader.handled) == 2


@pytest.mark.parametrize(
    ("source", "type_", "wanted"),
    [
        (SOURCE, "customer.updated", True),
        (SOURCE, "customer", False),
        (SOURCE, "cpe", True),
        (SOURCE, "cpe.a.b", True),
        (SOURCE, "pots.updated", False),
        ("gpon", "customer.updated", False),
    ],
)
def test_patterns_mean_what_they_mean_to_rabbitmq(
    source: str, type_: str, wanted: bool, reader: Reader
) -> None:
    assert reader.inbox.wants(source, type_) is wanted
