"""Events over RabbitMQ: publishing with confirms in windows, consuming with one active consumer.

Exchange `<service>.events` (topic, durable), routing key = event type. A subscription's queue is a durable
quorum queue with a single active consumer, so that any number of replicas keep the order. Its delivery limit
concerns events that kill their process again and again: they go, at least once, to `<queue>.dead`, from where
the subscription parks them. RabbitMQ 3.10 and later.

A queue without a limit has the highest one: RabbitMQ 4 takes 20 for none, and 3.10 takes -1 for less than
zero and drops what it would deliver a second time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import amqp

from services.common.events.envelope import CONTENT_TYPE, Envelope, exchange
from services.common.events.transport import Undelivered
from services.common.rpc.broker import BROKER_ERRORS, connect, describe

CONFIRM_TIMEOUT = 10.0
DELIVERY_LIMIT, NO_LIMIT = 20, 2**31 - 1
PERSISTENT = 2


def dead(queue: str) -> str:
    """The queue of what was delivered too often."""
    return f"{queue}.dead"


def declare_exchange(channel: Any, service: str) -> None:
    channel.exchange_declare(exchange(service), "topic", durable=True, auto_delete=False)


def declare_queue(channel: Any, queue: str, sources: dict[str, Sequence[str]]) -> None:
    """The queue with its dead-letter queue, bound to the types (patterns) of its sources."""
    channel.queue_declare(
        dead(queue),
        durable=True,
        auto_delete=False,
        arguments={"x-queue-type": "quorum", "x-delivery-limit": NO_LIMIT},
    )
    channel.queue_declare(
        queue,
        durable=True,
        auto_delete=False,
        arguments={
            "x-queue-type": "quorum",
            "x-single-active-consumer": True,
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead(queue),
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    for source, types in sources.items():
        declare_exchange(channel, source)
        for pattern in types:
            channel.queue_bind(queue, exchange(source), pattern)


class AmqpPublisher:
    """One connection and channel of its own, opened when first needed and given up on any failure."""

    def __init__(self, uri: str, service: str) -> None:
        self._uri = uri
        self._service = service
        self._connection: Any = None
        self._channel: Any = None
        self._published = 0
        self._confirmed = 0
        self._early: set[int] = set()
        self._refused = False

    def publish(self, events: Sequence[Envelope]) -> None:
        try:
            if self._channel is None:
                self._open()
            for one in events:
                self._channel.basic_publish(self._message(one), exchange(self._service), one.type)
                self._published += 1
            self._await_confirms()
        except (*BROKER_ERRORS, OSError) as error:
            self.close()
            raise Undelivered(describe(error)) from error

    def close(self) -> None:
        """Without the farewells of AMQP: a broker that hangs would not answer them."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.collect()

    def _open(self) -> None:
        # Without heartbeats, which nobody would send while there is nothing to publish; a broker that is gone
        # is noticed by the confirm that does not come.
        self._connection = connect(self._uri, heartbeat=0)
        channel = self._connection.channel()
        declare_exchange(channel, self._service)
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acknowledged)
        channel.events["basic_nack"].add(self._nacked)
        self._published = self._confirmed = 0
        self._early.clear()
        self._refused = False
        self._channel = channel

    def _message(self, event: Envelope) -> Any:
        return amqp.Message(
            event.encode(),
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=PERSISTENT,
            message_id=event.id,
            type=event.type,
            app_id=event.source,
        )

    def _await_confirms(self) -> None:
        end = time.monotonic() + CONFIRM_TIMEOUT
        while self._confirmed < self._published and not self._refused:
            left = end - time.monotonic()
            if left <= 0:
                raise amqp.RecoverableConnectionError("no confirm in time")
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=left)
        if self._refused:
            raise amqp.RecoverableConnectionError("the broker refused an event")

    def _acknowledged(self, tag: int, multiple: bool) -> None:
        """Confirms may come in any order; with `multiple` for all up to the tag."""
        if multiple:
            self._confirmed = max(self._confirmed, tag)
            self._early = {one for one in self._early if one > tag}
        else:
            self._early.add(tag)
        while self._confirmed + 1 in self._early:
            self._confirmed += 1
            self._early.remove(self._confirmed)

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused = True
