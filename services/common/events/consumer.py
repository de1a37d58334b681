"""A subscription's events from RabbitMQ: in batches, acknowledged when they are committed.

An event is given back to nobody: while the database is away the batch waits here, unacknowledged, so that
only events that kill their process count towards the delivery limit of the queue. Those that were there when
it was killed count too; so what was given back some times is taken one by one, and then the others go on.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import structlog

from services.common.errors import ApiError
from services.common.events import amqp
from services.common.events.envelope import LONGEST, Envelope, Malformed
from services.common.events.inbox import Inbox
from services.common.rpc.broker import BROKER_ERRORS, connect, describe

PREFETCH, BATCH = 200, 50
ALONE, SUSPECT = 1, 3
"""What was delivered in vain so often is taken alone."""

TICK, AT_ONCE = 1.0, 0.001
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0
STILL = 3.0
"""Seconds after which a consumer that did not go on is taken to have stood still."""

TOO_OFTEN = "Its delivery ended the process, or its connection, again and again."

log = structlog.get_logger(__name__)


class EventConsumer:
    """`queue`: the subscription's own."""

    def __init__(self, uri: str, queue: str, inbox: Inbox) -> None:
        self._uri = uri
        self._queue = queue
        self._inbox = inbox
        self._connection: Any = None
        self._pending: list[tuple[Any, bool]] = []
        self._prefetch = PREFETCH
        self._since: float | None = None
        self._went_on = 0.0
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True

    @property
    def hearing(self) -> float:
        """Seconds for which events have come and been taken without a break."""
        now = time.monotonic()
        return now - self._since if self._since is not None and now < self._went_on + STILL else 0.0

    def run(self) -> None:
        """Until `stop`."""
        pause, told = FIRST_PAUSE, False
        while not self._stopping:
            began = time.monotonic()
            try:
                self._consume()
            except Exception as error:
                known = isinstance(error, (*BROKER_ERRORS, OSError))
                if not (known and told):
                    log.warning("broker away", queue=self._queue, error=describe(error), exc_info=not known)
                told = True
            if time.monotonic() - began > LAST_PAUSE:
                pause, told = FIRST_PAUSE, False
            self._drop()
            if not self._stopping:
                time.sleep(pause)
                pause = min(2 * pause, LAST_PAUSE)

    def _consume(self) -> None:
        self._connection = connect(self._uri)
        channel = self._connection.channel()
        amqp.declare_queue(channel, self._queue, dict(self._inbox.subscription.sources))
        self._persist(self._inbox.engine.database.check)  # nothing is taken before it can be handled
        channel.basic_qos(0, self._prefetch, False)
        channel.basic_consume(self._queue, callback=lambda message: self._pending.append((message, False)))
        dead = amqp.dead(self._queue)
        channel.basic_consume(dead, callback=lambda message: self._pending.append((message, True)))
        while not self._stopping:
            self._go_on()
            self._receive()
            if self._prefetch != (fitting := self._fitting()):
                self._prefetch = fitting
                break
            if self._pending:
                batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
                self._take(batch)
                channel.basic_ack(batch[-1][0].delivery_tag, multiple=True)
        with suppress(*BROKER_ERRORS, OSError):
            self._connection.close()

    def _go_on(self) -> None:
        now = time.monotonic()
        if self._since is None or now >= self._went_on + STILL:
            self._since = now
        self._went_on = now

    def _receive(self) -> None:
        """Wait for a message unless some are here, and read what has arrived by then."""
        timeout = AT_ONCE if self._pending else TICK
        with suppress(TimeoutError):
            while len(self._pending) < BATCH:
                self._connection.drain_events(timeout=timeout)
                timeout = AT_ONCE
        self._connection.heartbeat_check()

    def _fitting(self) -> int:
        """How many may be taken at a time, as the first of those that are here tells."""
        for message, dead in self._pending:
            if not dead:
                return ALONE if (message.headers or {}).get("x-delivery-count", 0) >= SUSPECT else PREFETCH
        return self._prefetch

    def _take(self, batch: list[tuple[Any, bool]]) -> None:
        """Returns when the batch is committed."""
        events: list[Envelope] = []
        for message, dead in batch:
            try:
                event = Envelope.decode(message.body)
            except Malformed as error:
                self._persist(lambda m=message, e=error: self._inbox.park(_raw(m), str(e)))  # type: ignore[misc]
                continue
            if dead:
                self._persist(lambda e=event: self._inbox.park(e, TOO_OFTEN))  # type: ignore[misc]
            else:
                events.append(event)
        if events:
            self._persist(lambda: self._inbox.take(events))

    def _persist(self, work: Any) -> None:
        """`work`, again and again until the database takes it; the broker hears from us meanwhile, and we
        from it."""
        told = False
        while True:
            try:
                work()
                return
            except ApiError as error:
                if not told:
                    log.warning("events wait", queue=self._queue, reason=str(error))
                told = True
                self._since = None
                if self._stopping:
                    raise
                self._listen(LAST_PAUSE)

    def _listen(self, seconds: float) -> None:
        """Read what the broker says: heartbeats, and no more messages than the prefetch allows."""
        end = time.monotonic() + seconds
        with suppress(TimeoutError):
            while (left := end - time.monotonic()) > 0:
                self._connection.drain_events(timeout=left)
        self._connection.heartbeat_check()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._since = None
        self._pending.clear()
        if connection is not None:
            connection.collect()


def _raw(message: Any) -> Envelope:
    """A message that is no event, as one that can be kept and looked at."""
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode(errors="replace")
    body = body.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    exchange = str(message.delivery_info.get("exchange") or "")
    return Envelope(
        id=str(uuid5(NAMESPACE_OID, body)),
        source=exchange.removesuffix(".events")[: LONGEST["source"]],
        type=str(message.delivery_info.get("routing_key") or "")[: LONGEST["type"]],
        subject="",
        sequence=0,
        realm="",
        time="",
        dataschema="",
        data={"raw": body[:65_536]},
    )
