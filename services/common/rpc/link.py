"""One connection to the broker for all the calls of a process, kept by a thread of its own (pika).

Callers hand requests over without a lock; one wake-up of the thread serves all that are waiting by then. When
the connection goes, the owner is told at once, and the thread connects again within a second. Works in plain
threads and under eventlet. What a request or a reply means is the business of `amqp`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pika
import structlog
from pika.adapters.select_connection import SelectConnection

from services.common import metrics
from services.common.rpc import wire

HEARTBEAT = 10
FIRST_PAUSE, LAST_PAUSE = 0.05, 0.8
SWEEP = 1.0
OPEN_TIMEOUT = 5.0
TCP_OPTIONS = {"TCP_USER_TIMEOUT": 5_000}

log = structlog.get_logger(__name__)


class Owner(Protocol):
    """Whose calls travel. All of it runs in the link's thread and must be quick."""

    def next_request(self, reply_to: str) -> tuple[str, bytes, pika.BasicProperties] | None:
        """Routing key, body and properties of a request that waits to be sent; None when none does."""

    def replied(self, correlation_id: str, raw: bytes, headers: dict[str, Any]) -> None: ...

    def returned(self, correlation_id: str) -> None:
        """No service has a queue for it."""

    def lost(self) -> None:
        """Nothing that is under way can be answered any more."""

    def sweep(self) -> None:
        """Called about once a second."""


class BatchingConnection(SelectConnection):  # type: ignore[misc]
    """pika writes each frame with a system call of its own, three a request, once the next poll has said that
    it may; here a batch goes as one, and at once."""

    _batch: list[bytes] | None = None

    @contextmanager
    def batch(self) -> Iterator[None]:
        self._batch = []
        try:
            yield
        finally:
            data, self._batch = b"".join(self._batch), None
            if data:
                self._adapter_emit_data(data)
                self._transport._on_socket_writable()

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._batch is None:
            super()._adapter_emit_data(data)
        else:
            self._batch.append(data)


class Link:
    """`ready`: requests can be sent now. `tried`: set once the first attempt to connect ended either way."""

    def __init__(self, uri: str, owner: Owner) -> None:
        self._parameters = pika.URLParameters(uri)
        self._parameters.heartbeat = HEARTBEAT
        self._parameters.socket_timeout = self._parameters.stack_timeout = OPEN_TIMEOUT
        self._parameters.connection_attempts = 1
        self._parameters.tcp_options = TCP_OPTIONS
        self._owner = owner
        self._connection: Any = None
        self._channel: Any = None
        self._woken = False
        self._was_ready = self._told = False
        self._stop = threading.Event()
        self.ready = False
        self._reply_to = ""
        self.tried = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rpc-link", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something waits to be sent. Any thread."""
        if not self._woken:
            self._woken = True
            self._connection.ioloop.add_callback_threadsafe(self._send)

    def close(self) -> None:
        self._stop.set()
        connection = self._connection
        if connection is not None:
            connection.ioloop.add_callback_threadsafe(self._shut)
        self._thread.join(2 * LAST_PAUSE)

    # All below runs in the link's thread.

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            self._was_ready = False
            try:
                self._serve()
            except Exception:
                log.exception("the link to the broker failed")
            self._down()
            pause = FIRST_PAUSE if self._was_ready else min(2 * pause, LAST_PAUSE)
            self._stop.wait(pause)

    def _serve(self) -> None:
        """From the attempt to connect until the connection has ended."""
        self._connection = BatchingConnection(
            self._parameters,
            on_open_callback=self._opened,
            on_open_error_callback=self._ended,
            on_close_callback=self._ended,
        )
        try:
            self._connection.ioloop.start()
        finally:
            self.ready = False
            self._connection.ioloop.close()

    def _down(self) -> None:
        self.ready = False
        metrics.broker_connected.set(0)
        self._owner.lost()
        self.tried.set()

    def _shut(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        elif not self._connection.is_closing:
            self._connection.ioloop.stop()

    def _ended(self, connection: Any, reason: Exception) -> None:
        self.ready = False
        if not self._stop.is_set() and not self._told:
            self._told = True
            log.warning("broker away", error=str(reason) or type(reason).__name__)
        connection.ioloop.stop()

    def _opened(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        self._channel = channel
        self._reply_to = uuid.uuid4().hex
        queue = f"rpc.reply-{self._reply_to}"
        channel.add_on_close_callback(self._channel_ended)
        channel.add_on_cancel_callback(lambda _: self._shut())
        channel.add_on_return_callback(self._on_return)
        channel.exchange_declare(wire.EXCHANGE, "topic", durable=True)
        channel.queue_declare(queue, exclusive=True, auto_delete=True)
        channel.queue_bind(queue, wire.EXCHANGE, self._reply_to)
        channel.basic_consume(queue, self._on_reply, auto_ack=True, exclusive=True, callback=self._consuming)

    def _channel_ended(self, _channel: Any, reason: Exception) -> None:
        self.ready = False
        if not self._connection.is_closing and not self._connection.is_closed:
            log.warning("channel closed by the broker", error=str(reason))
            self._shut()

    def _consuming(self, _frame: Any) -> None:
        self._was_ready, self._told = True, False
        log.info("connected to the broker")
        self._connection.ioloop.call_later(SWEEP, self._swept)
        self._up()

    def _up(self) -> None:
        self._woken = False
        self.ready = True
        metrics.broker_connected.set(1)
        self.tried.set()
        self._send()

    def _blocked(self, _connection: Any, _frame: Any) -> None:
        # The broker reads nothing more from us until its alarm is over: a request would wait in a buffer.
        log.warning("the broker blocks its publishers")
        self.ready = False
        metrics.broker_connected.set(0)

    def _unblocked(self, _connection: Any, _frame: Any) -> None:
        log.info("the broker takes requests again")
        self._up()

    def _swept(self) -> None:
        self._owner.sweep()
        self._connection.ioloop.call_later(SWEEP, self._swept)

    def _send(self) -> None:
        self._woken = False
        with self._connection.batch():
            while self.ready and (request := self._owner.next_request(self._reply_to)):
                key, body, properties = request
                self._channel.basic_publish(wire.EXCHANGE, key, body, properties, mandatory=True)

    def _on_reply(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        self._owner.replied(properties.correlation_id, body, properties.headers or {})

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        self._owner.returned(properties.correlation_id)
