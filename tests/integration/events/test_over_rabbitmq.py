"""From the outbox to a subscriber over a real broker: none lost, none twice, in order; poison is parked."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pika
import pytest

from deploy.local.rabbitmq import RabbitMQ
from services.common.context import Scope
from services.common.errors import ServiceUnavailable
from services.common.events import amqp, consumer
from services.common.events.amqp import AmqpPublisher
from services.common.events.consumer import EventConsumer
from services.common.events.outbox import Outbox
from services.common.events.relay import Relay, windows
from services.common.events.transport import Undelivered
from services.common.rpc.broker import connect
from services.isp.models import metadata
from tests.integration.engine.world import World
from tests.integration.events.reader import SOURCE, Reader, event

_names = iter(range(1_000_000))


@pytest.fixture
def queue() -> str:
    return f"reader.notes{next(_names)}"


@contextmanager
def running(*loops: Any) -> Iterator[list[threading.Thread]]:
    threads = [threading.Thread(target=one.run) for one in loops]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for one in loops:
            one.stop()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def relay_of(world: World, uri: str) -> Relay:
    relay = Relay(Outbox(SOURCE, metadata, world.database), AmqpPublisher(uri, SOURCE))
    world.engine.wake = relay.wake  # type: ignore[method-assign]
    return relay


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def declared(rabbitmq: RabbitMQ, queue: str, reader: Reader) -> None:
    """The queue stands before anything is published."""
    connection = connect(rabbitmq.uri)
    amqp.declare_queue(connection.channel(), queue, dict(reader.inbox.subscription.sources))
    connection.close()


def published(world: World) -> dict[str, list[int]]:
    """Subject → sequences, of what the reader is subscribed to."""
    found: dict[str, list[int]] = {}
    for row in world.rows("outbox"):
        if row["type"].startswith("customer."):
            found.setdefault(row["subject"], []).append(row["sequence"])
    return found


def received(reader: Reader) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for subject, sequence in reader.handled:
        found.setdefault(subject, []).append(sequence)
    return found


def test_events_arrive_once_and_in_order_within_moments(
    on_postgres: World, reader: Reader, rabbitmq: RabbitMQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = on_postgres
    declared(rabbitmq, queue, reader)
    with running(relay_of(world, rabbitmq.uri), EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        keys = [world.customer() for _ in range(5)]
        for n in range(10):
            for key in keys:
                world.patch("customers", key, {"comment": str(n)})
        until(lambda: len(reader.handled) == 55)
        monkeypatch.setattr("services.common.events.relay.IDLE", 120.0)  # it looks no more by itself
        for _ in range(2):
            world.customer()
            until(lambda: received(reader) == published(world))
    assert received(reader) == published(world)
    assert all(row["sent_at"] for row in world.rows("outbox"))


def test_several_relays_of_one_database_keep_the_order(
    on_postgres: World, reader: Reader, rabbitmq: RabbitMQ, queue: str
) -> None:
    world = on_postgres
    declared(rabbitmq, queue, reader)
    relays = [relay_of(world, rabbitmq.uri) for _ in range(3)]
    with running(*relays, EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        keys = [world.customer() for _ in range(3)]
        for n in range(40):
            world.patch("customers", keys[n % 3], {"comment": str(n)})
            for relay in relays:
                relay.wake()
        until(lambda: len(reader.handled) == 43)
    assert received(reader) == published(world)


def test_what_waits_in_the_outbox_is_sent_when_the_broker_is_back(
    on_postgres: World, reader: Reader, rabbitmq: RabbitMQ, queue: str
) -> None:
    """The uri of a port where nobody listens stands for a broker that is away."""
    world = on_postgres
    declared(rabbitmq, queue, reader)
    with running(relay_of(world, "amqp://x:y@127.0.0.1:1/")):
        world.customer()
        feed = Outbox(SOURCE, metadata, world.database)
        until(lambda: bool(feed.after(0, Scope(everything=True))[0]))  # the feed goes on
    assert not any(row["sent_at"] for row in world.rows("outbox"))
    with running(relay_of(world, rabbitmq.uri), EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        until(lambda: len(reader.handled) == 1)


def test_a_poison_event_parks_and_blocks_nobody_else(
    on_postgres: World, reader: Reader, rabbitmq: RabbitMQ, queue: str
) -> None:
    world = on_postgres
    declared(rabbitmq, queue, reader)
    poison = world.customer()
    reader.fails = lambda one: one.subject == f"customers/{poison}" and one.sequence == 1
    with running(relay_of(world, rabbitmq.uri), EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        others = [world.customer() for _ in range(20)]
        world.patch("customers", poison, {"comment": "later"})
        until(lambda: len(reader.handled) == 20)
        until(lambda: reader.inbox.retry() >= 0 and bool(reader.held("parked")))
        until(lambda: reader.inbox.retry() >= 0 and len(reader.handled) == 21)
    assert {subject for subject, _ in reader.handled[:20]} == {f"customers/{key}" for key in others}
    assert reader.handled[20] == (f"customers/{poison}", 2)
    assert [row["subject"] for row in reader.held("parked")] == [f"customers/{poison}"]


def test_what_is_no_event_is_parked_as_it_came(reader: Reader, rabbitmq: RabbitMQ, queue: str) -> None:
    declared(rabbitmq, queue, reader)
    good = event()
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.uri))
    channel = connection.channel()
    channel.confirm_delivery()  # else what waits for a new quorum queue goes with the channel
    for body in (b"\xff not json", b'{"id": 1}', b"[]", json.dumps(good.to_json()).encode()):
        channel.basic_publish(f"{SOURCE}.events", "customer.updated", body)
    connection.close()
    with running(EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        until(lambda: len(reader.handled) == 1 and len(reader.held("parked")) == 3)
    assert reader.held("parked")[1]["envelope"]["data"] == {"raw": '{"id": 1}'}


def test_what_no_database_keeps_is_parked_and_blocks_nobody(
    reader: Reader, rabbitmq: RabbitMQ, queue: str
) -> None:
    declared(rabbitmq, queue, reader)
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    good = event()
    found = event().to_json()
    bad = [
        b"\0\xff no text",
        *(
            json.dumps({**found, **changed}).encode()
            for changed in (
                {"data": {"text": "\\\0"}},
                {"data": {"deep": deep}},
                {"id": "1" * 37},
                {"source": f"urn:krill:{'x' * 65}"},
                {"type": "x" * 129},
                {"subject": "x" * 129},
                {"realm": "x" * 33},
            )
        ),
    ]
    fine = {**good.to_json(), "data": {"text": "\\u0000"}}
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.uri))
    channel = connection.channel()
    channel.confirm_delivery()
    for body in (*bad, json.dumps(fine).encode()):
        channel.basic_publish(f"{SOURCE}.events", "customer.updated", body)
    connection.close()
    with running(EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        until(lambda: len(reader.handled) == 1)
    assert reader.tried == [good.id]
    parked = [row["envelope"]["data"]["raw"] for row in reader.held("parked")]
    assert parked[1:] == [body.decode() for body in bad[1:]]


def test_an_event_that_kills_its_process_again_and_again_is_parked(
    reader: Reader, rabbitmq: RabbitMQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "DELIVERY_LIMIT", 3)
    declared(rabbitmq, queue, reader)
    AmqpPublisher(rabbitmq.uri, SOURCE).publish([event()])

    deaths = 0

    def is_dead() -> bool:
        """Takes it and goes without a word, as a killed process does. Whether it was delivered too often."""
        nonlocal deaths
        connection = connect(rabbitmq.uri)
        channel, taken = connection.channel(), []
        channel.basic_consume(queue, callback=taken.append)
        with suppress(TimeoutError):  # it comes when the one before is known to be gone, or never again
            while not taken:
                connection.drain_events(timeout=1)
        deaths += len(taken)
        count = channel.queue_declare(amqp.dead(queue), passive=True).message_count
        connection.collect()
        return bool(count)

    until(is_dead)
    assert deaths <= amqp.DELIVERY_LIMIT + 1
    with running(EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        until(lambda: len(reader.held("parked")) == 1)
    assert "again and again" in reader.held("parked")[0]["error"]
    assert not reader.handled


def test_those_that_came_with_an_event_that_kills_are_handled(
    reader: Reader, rabbitmq: RabbitMQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What a SIGKILL is to the code that it meets."""

    def fails(one: Any) -> bool:
        if one.id == deadly.id:
            raise Killed
        return False

    def live(consumer: EventConsumer) -> None:
        with suppress(Killed):
            consumer.run()
        consumer._drop()

    monkeypatch.setattr(amqp, "DELIVERY_LIMIT", 8)
    declared(rabbitmq, queue, reader)
    events = [event(f"customers/{number}") for number in range(1, 9)]
    deadly, reader.fails = events[3], fails
    AmqpPublisher(rabbitmq.uri, SOURCE).publish(events)

    def done() -> bool:
        return len(reader.handled) + len(reader.held("parked")) == len(events)

    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        consumer = EventConsumer(rabbitmq.uri, queue, reader.inbox)
        with running(SimpleNamespace(run=partial(live, consumer), stop=consumer.stop)) as threads:
            until(lambda: not threads[0].is_alive() or done())
    assert [row["event"] for row in reader.held("parked")] == [deadly.id]


def test_a_refused_event_is_published_again_before_its_successor(rabbitmq: RabbitMQ) -> None:
    """A queue that is full and rejects makes the broker refuse (basic.nack)."""
    connection = connect(rabbitmq.uri)
    channel = connection.channel()
    amqp.declare_exchange(channel, SOURCE)
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    name, _, _ = channel.queue_declare("", exclusive=True, arguments=full)
    channel.queue_bind(name, f"{SOURCE}.events", "customer.refused")
    publisher = AmqpPublisher(rabbitmq.uri, SOURCE)
    publisher.publish([event(type_="customer.refused")])
    with pytest.raises(Undelivered):
        publisher.publish([event(type_="customer.refused")])
    assert channel.basic_get(name, no_ack=True) is not None
    publisher.publish([event(type_="customer.refused")])
    publisher.close()
    connection.close()


def test_windows_never_hold_a_subject_twice(world: World) -> None:
    first, second = world.customer(), world.customer()
    for key in (first, first, second):
        world.patch("customers", key, {"comment": str(time.monotonic())})
    outbox = Outbox(SOURCE, metadata, world.database)
    outbox.number()
    cut = [[one.event.subject for one in window] for window in windows(outbox.unsent())]
    one, two = f"customers/{first}", f"customers/{second}"
    assert cut == [[one, two], [one], [one, two]]


def test_a_database_that_is_away_gives_no_event_back(
    reader: Reader, rabbitmq: RabbitMQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch waits in the consumer: it is delivered once, and handled when the database is back."""
    declared(rabbitmq, queue, reader)
    back = threading.Event()
    take, given = reader.inbox.take, list[str]()

    def taken(events: Any) -> None:
        if not back.is_set():
            raise ServiceUnavailable("The database is not available.")
        given.extend(one.subject for one in events)
        take(events)

    monkeypatch.setattr(reader.inbox, "take", taken)
    AmqpPublisher(rabbitmq.uri, SOURCE).publish([event()])
    with running(EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        time.sleep(1.5)
        assert not reader.handled
        back.set()
        until(lambda: len(reader.handled) == 1)
    AmqpPublisher(rabbitmq.uri, SOURCE).publish([event("customers/2")])
    with running(EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        until(lambda: len(reader.handled) == 2)
    assert given == ["customers/1", "customers/2"], "it was acknowledged"


def test_a_consumer_knows_since_when_it_hears(
    reader: Reader, rabbitmq: RabbitMQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while the broker, the database or it itself is away, and from the beginning afterwards."""
    taking = EventConsumer(rabbitmq.uri, queue, reader.inbox)
    assert taking.hearing == 0
    with running(taking):
        until(lambda: taking.hearing > 1)
        at = time.monotonic()
        taking._connection.connection.sock.shutdown(socket.SHUT_RDWR)
        until(lambda: 0 < taking.hearing <= time.monotonic() - at)

        def away(events: Any) -> None:
            raise ServiceUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(reader.inbox, "take", away)
            AmqpPublisher(rabbitmq.uri, SOURCE).publish([event()])
            until(lambda: taking.hearing == 0)
        until(lambda: taking.hearing > 1)
        assert len(reader.handled) == 1

        free, goes_on = threading.Event(), taking._go_on
        with monkeypatch.context() as patch:
            patch.setattr(taking, "_go_on", lambda: (free.wait(60), goes_on()))
            until(lambda: taking.hearing == 0)
        at = time.monotonic()
        free.set()
        until(lambda: 0 < taking.hearing <= time.monotonic() - at)
    assert taking.hearing == 0


def test_a_consumer_that_waits_for_its_database_keeps_its_connection(
    reader: Reader, rabbitmq: RabbitMQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads what the broker says meanwhile: unread heartbeats are missed ones, and a connection that is
    given up counts towards the delivery limit of all that waits in it."""
    opened: list[Any] = []

    def open_(uri: str) -> Any:
        opened.append(connect(uri, heartbeat=3))
        return opened[-1]

    monkeypatch.setattr(consumer, "connect", open_)
    for name in ("TICK", "LAST_PAUSE"):  # py-amqp waits anew after each heartbeat
        monkeypatch.setattr(consumer, name, 0.2)
    declared(rabbitmq, queue, reader)
    asked, take = list[float](), reader.inbox.take

    def taken(events: Any) -> None:
        asked.append(time.monotonic())
        if asked[-1] < asked[0] + 12:  # four heartbeats: two that are missed end a connection
            raise ServiceUnavailable("The database is not available.")
        take(events)

    monkeypatch.setattr(reader.inbox, "take", taken)
    AmqpPublisher(rabbitmq.uri, SOURCE).publish([event(), event("customers/2")])
    with running(EventConsumer(rabbitmq.uri, queue, reader.inbox)):
        until(lambda: len(reader.handled) == 2)
        AmqpPublisher(rabbitmq.uri, SOURCE).publish([event("customers/3")])
        until(lambda: len(reader.handled) == 3)  # over the same connection
    assert len(opened) == 1
