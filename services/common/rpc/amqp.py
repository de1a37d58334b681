"""The client of the gateway's threads: calls over RabbitMQ in nameko's protocol, many in flight on one
connection.

Every call ends: by its reply, by the broker's word that nobody serves it, by the loss of the connection, or
by its deadline, whichever is first. The connection is opened by the first call, so that a client made before
a fork is sound after it. Never sends a call that changes something twice.
"""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections import deque
from enum import Enum
from typing import Any

import pika
import tenacity

from services.common import metrics
from services.common.context import Context
from services.common.errors import ApiError, DeadlineExceeded, ServiceUnavailable
from services.common.rpc import wire
from services.common.rpc.breaker import Breaker
from services.common.rpc.link import Link
from services.common.rpc.reply import Reply

RESTARTING = 10.0
"""A service heard from within so many seconds is taken to be restarting when its queue is gone."""


class Failure(Enum):
    """Why a call got no reply; the text is for the caller."""

    UNROUTABLE = "The service is not running now, try again later."
    BROKER_LOST = "The connection to the message broker was lost, try again later."
    BROKER_AWAY = "The message broker cannot be reached now, try again later."
    SILENT = "The service does not answer now, try again later."
    TOO_MANY = "Too many calls are pending, try again later."
    LATE = "The service did not answer in time."

    def error(self) -> ApiError:
        return DeadlineExceeded(self.value) if self is Failure.LATE else ServiceUnavailable(self.value)


class AmqpPending:
    """One call. `outcome` is written once, by whoever ends the call, before the latch opens."""

    __slots__ = (
        "_client",
        "_latch",
        "began",
        "body",
        "context",
        "ended",
        "id",
        "method",
        "outcome",
        "read",
        "service",
    )  # fmt: skip

    def __init__(
        self,
        client: AmqpClient,
        number: str,
        service: str,
        method: str,
        body: bytes,
        context: Context,
        read: bool,
    ) -> None:
        self.id, self.service, self.method, self.body, self.context = number, service, method, body, context
        self.read = read
        self.began = self.ended = time.monotonic()
        self.outcome: tuple[bytes, str | None] | Failure | None = None
        self._client = client
        self._latch = threading.Lock()
        self._latch.acquire()

    def end(self, outcome: tuple[bytes, str | None] | Failure) -> None:
        self.ended = time.monotonic()
        self.outcome = outcome
        self._latch.release()

    def wait(self) -> tuple[bytes, str | None] | Failure:
        """The outcome, Failure.LATE at the deadline at the latest."""
        if self.outcome is None:
            if not self._latch.acquire(timeout=self.context.remaining):
                self._client.expire(self)
                self._latch.acquire()
            self._latch.release()
        assert self.outcome is not None
        return self.outcome

    def result(self) -> Reply:
        outcome = self.wait()
        label = "ok"
        try:
            if isinstance(outcome, Failure):
                raise outcome.error()
            return wire.decode_reply(*outcome)
        except ApiError as error:
            label = error.code
            raise
        finally:
            metrics.called(self.service, self.method, label, self.ended - self.began)


class ReadPending:
    """A call that changes nothing: sent again for a short while when its service seems to be restarting."""

    __slots__ = ("_arguments", "_client", "_first")

    def __init__(self, client: AmqpClient, first: AmqpPending, arguments: bytes) -> None:
        self._client, self._first, self._arguments = client, first, arguments

    def result(self) -> Reply:
        first, client = self._first, self._client
        if first.wait() is not Failure.UNROUTABLE or not client.restarting(first.service):
            return first.result()
        budget = min(client.read_retry, first.context.remaining)
        again = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda pending: pending.wait() is Failure.UNROUTABLE),
            wait=tenacity.wait_exponential(multiplier=0.02, max=0.1),
            stop=tenacity.stop_after_delay(budget),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        last: AmqpPending = again(
            client.send, first.service, first.method, self._arguments, first.context, read=True
        )
        return last.result()


class AmqpClient:
    """`max_pending` calls at most are in flight; `read_retry`: seconds that a read may hide a service's
    restart."""

    def __init__(self, uri: str, *, max_pending: int = 1000, read_retry: float = 0.3) -> None:
        self.read_retry = read_retry
        self._uri = uri
        self._max_pending = max_pending
        self._breakers: dict[str, Breaker] = {}
        self._closed = False
        self._pending: dict[str, AmqpPending] = {}
        self._waiting: deque[AmqpPending] = deque()
        self._numbers = itertools.count()
        self._name = uuid.uuid4().hex[:12]
        self._link: Link | None = None
        self._linking = threading.Lock()

    # The caller's side: any thread.

    def start(
        self, service: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> AmqpPending | ReadPending:
        body = wire.encode_request(arguments)
        pending = self.send(service, method, body, context, read=read)
        return ReadPending(self, pending, body) if read else pending

    def call(
        self, service: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> Reply:
        return self.start(service, method, arguments, context, read=read).result()

    def close(self) -> None:
        self._closed = True
        if self._link is not None:
            self._link.close()
        self.lost()

    def send(
        self, service: str, method: str, body: bytes, context: Context, *, read: bool = False
    ) -> AmqpPending:
        """A call of an encoded request."""
        number = f"{self._name}-{next(self._numbers)}"
        pending = AmqpPending(self, number, service, method, body, context, read)
        link = self._connected(context)
        if not context.remaining:
            pending.end(Failure.LATE)
        elif not link.ready or self._closed:
            pending.end(Failure.BROKER_AWAY)
        elif len(self._pending) >= self._max_pending:
            pending.end(Failure.TOO_MANY)
        elif not self._breaker(service).admits():
            pending.end(Failure.SILENT)
        else:
            self._pending[pending.id] = pending
            self._waiting.append(pending)
            link.wake()
            if not link.ready:
                # The connection went since we looked, and `lost` may have run before we were in the table.
                self._end(pending.id, Failure.BROKER_LOST)
        return pending

    def expire(self, pending: AmqpPending) -> None:
        """The deadline has passed; a reply that comes in this very moment still wins."""
        if self._end(pending.id, Failure.LATE):
            self._breaker(pending.service).silent(pending.began)

    def restarting(self, service: str) -> bool:
        return time.monotonic() - self._breaker(service).heard_at < RESTARTING

    def _connected(self, context: Context) -> Link:
        """The link, opened by the first call, which waits until it is known whether the broker is there."""
        if self._link is None:
            with self._linking:
                if self._link is None:
                    self._link = Link(self._uri, self)
        if not self._link.tried.is_set():
            self._link.tried.wait(context.remaining)
        return self._link

    # The link's side (see `link.Owner`): its thread.

    def next_request(self, reply_to: str) -> tuple[str, bytes, pika.BasicProperties] | None:
        while self._waiting:
            pending = self._waiting.popleft()
            left = int(pending.context.remaining * 1000)
            if pending.id in self._pending and left > 0:
                properties = pika.BasicProperties(
                    content_type=wire.CONTENT_TYPE,
                    reply_to=reply_to,
                    correlation_id=pending.id,
                    delivery_mode=1,
                    expiration=str(left),
                    headers={wire.CONTEXT_HEADER: wire.encode_context(pending.context, read=pending.read)},
                )
                return wire.routing_key(pending.service, pending.method), pending.body, properties
        return None

    def replied(self, correlation_id: str, raw: bytes, headers: dict[str, Any]) -> None:
        pending = self._pending.pop(correlation_id, None)
        if pending is not None:
            self._breaker(pending.service).heard()
            pending.end((raw, headers.get(wire.BODY_HEADER)))

    def returned(self, correlation_id: str) -> None:
        pending = self._pending.pop(correlation_id, None)
        if pending is not None:
            self._breaker(pending.service).reset()
            pending.end(Failure.UNROUTABLE)

    def lost(self) -> None:
        self._waiting.clear()
        for breaker in list(self._breakers.values()):
            breaker.reset()
        for correlation_id in list(self._pending):
            self._end(correlation_id, Failure.BROKER_LOST)

    def sweep(self) -> None:
        """Ends calls whose deadline has passed and that nobody waits for."""
        for pending in list(self._pending.values()):
            if not pending.context.remaining:
                self.expire(pending)

    # Shared by both sides.

    def _end(self, correlation_id: str, outcome: Failure) -> bool:
        """Whether it was this that ended the call: the one who takes it out of the table ends it."""
        pending = self._pending.pop(correlation_id, None)
        if pending is None:
            return False
        pending.end(outcome)
        return True

    def _breaker(self, service: str) -> Breaker:
        breaker = self._breakers.get(service)
        if breaker is None:
            breaker = self._breakers.setdefault(service, Breaker())
            metrics.watch_breaker(service, breaker)
        return breaker
