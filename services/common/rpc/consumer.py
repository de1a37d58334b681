"""The AMQP side of a service: receives requests, hands them to the container, sends the replies.

One connection and one channel a service. It outlives the broker: whatever happens to the connection, the
container lives on, the loop connects again within a second, and a reply that can no longer be sent is dropped
(its caller has been told already). Without a broker URI (calls stay in the process) it does nothing.

The queue is durable, since RabbitMQ 4.3 refuses transient queues that are not exclusive, and auto-delete, so
that a call to a dead service is returned at once instead of waiting to be executed late. `x-expires` removes
the one that an unclean death of broker and service together leaves behind.
"""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from functools import partial
from typing import Any

import amqp
import eventlet
import structlog
from nameko.extensions import SharedExtension

from services.common.errors import ApiError, ServiceUnavailable
from services.common.rpc import wire
from services.common.rpc.broker import BROKER_ERRORS, connect, describe

TICK, DRAINING_TICK = 1.0, 0.05
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0
CLOSE_TIMEOUT = 2.0
ORPHAN_LIFE = 5_000
"""Milliseconds that a queue without a consumer lives."""
BEGUN = "The service died or lost its broker in the middle of this: it may have been done."
"""What is told of a change that comes a second time: whoever had it first may have committed it."""

log = structlog.get_logger(__name__)


class RequestConsumer(SharedExtension):  # type: ignore[misc]
    """Shared by all `rpc` methods of one service."""

    def __init__(self) -> None:
        self._entrypoints: dict[str, Any] = {}
        self._thread: Any = None
        self._connection: Any = None
        self._draining = False
        self._closing = False
        self._idle = threading.Event()
        self._idle.set()

    # The life of a nameko extension.

    def register(self, entrypoint: Any) -> None:
        service = self.container.service_name
        self._entrypoints[wire.routing_key(service, entrypoint.method_name)] = entrypoint

    def start(self) -> None:
        if self.container.config.get("AMQP_URI"):
            self._thread = self.container.spawn_managed_thread(self._run)

    def stop_receiving(self) -> None:
        """No new calls from here on; those under way still answer over the open channel."""
        self._draining = True
        self._idle.wait()

    def stop(self) -> None:
        self._draining = self._closing = True
        if self._thread is not None:
            with eventlet.Timeout(CLOSE_TIMEOUT, False):  # it may be trying to connect
                self._thread.wait()

    def kill(self) -> None:
        self._draining = self._closing = True
        self._drop()

    @property
    def receiving(self) -> bool:
        """Whether calls can reach the service now. Always true where calls stay in the process."""
        return self._thread is None or not self._idle.is_set()

    # The loop.

    def _run(self) -> None:
        pause, told = FIRST_PAUSE, False
        while not self._draining:
            try:
                self._receive(self._connect())
            except Exception as error:
                known = isinstance(error, BROKER_ERRORS)
                if not (known and told and self._idle.is_set()):
                    log.warning("broker away", error=describe(error), exc_info=not known)
                told = True
            if not self._idle.is_set():
                self._idle.set()
                pause = FIRST_PAUSE
            self._drop()
            if not self._draining:
                eventlet.sleep(pause * random.uniform(0.8, 1.0))
                pause = min(2 * pause, LAST_PAUSE)

    def _connect(self) -> Any:
        self._connection = connect(self.container.config["AMQP_URI"])
        return self._connection

    def _receive(self, connection: Any) -> None:
        """Consumes until told to stop."""
        channel = self._declare(connection)
        channel.basic_qos(0, self.container.max_workers, False)
        tag = channel.basic_consume(wire.queue_name(self.container.service_name), callback=self._take)
        self._idle.clear()
        log.info("receiving calls", service=self.container.service_name)
        while not self._closing:
            with suppress(TimeoutError):
                connection.drain_events(timeout=DRAINING_TICK if self._draining else TICK)
            connection.heartbeat_check()
            if self._draining and not self._idle.is_set():
                channel.basic_cancel(tag)
                self._idle.set()
        with eventlet.Timeout(CLOSE_TIMEOUT, False):
            connection.close()

    def _drop(self) -> None:
        """Without the farewells of AMQP: a broker that hangs would not answer them."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()

    def _declare(self, connection: Any) -> Any:
        """The channel, with exchange, queue and binding standing."""
        service = self.container.service_name
        queue = wire.queue_name(service)
        channel = connection.channel()
        channel.exchange_declare(wire.EXCHANGE, "topic", durable=True, auto_delete=False)
        declare = {"durable": True, "auto_delete": True, "arguments": {"x-expires": ORPHAN_LIFE}}
        try:
            channel.queue_declare(queue, **declare)
        except amqp.PreconditionFailed:
            # Another release declared it otherwise. What waits in it are calls whose callers have given up.
            log.warning("queue of another make is replaced", queue=queue)
            channel = connection.channel()
            channel.queue_delete(queue, if_unused=True)
            channel.queue_declare(queue, **declare)
        channel.queue_bind(queue, wire.EXCHANGE, wire.routing_key(service, "*"))
        return channel

    # One call.

    def _take(self, message: Any) -> None:
        answer = partial(self._answer, message)
        try:
            entrypoint = self._entrypoints.get(message.delivery_info["routing_key"])
            if entrypoint is None:
                raise wire.MalformedRequest(f"no method {message.delivery_info['routing_key']}")
            args, kwargs = wire.decode_request(message.body)
            header = message.headers.get(wire.CONTEXT_HEADER)
            context = wire.decode_context(header)
        except wire.MalformedRequest as error:
            log.error("malformed request", reason=str(error))
            answer(wire.encode_error(ApiError()))
            return
        if message.delivery_info["redelivered"] and not wire.repeatable(header, context):
            log.warning("call left alone: it was begun before", call=entrypoint.method_name)
            answer(wire.encode_error(ServiceUnavailable(BEGUN)))
            return
        self.container.dispatch(entrypoint, args, kwargs, context, answer)

    def _answer(self, message: Any, reply: wire.Encoded) -> None:
        """Runs in the worker. Never raises: nameko would take the container down."""
        channel, properties = message.channel, message.properties
        headers = {wire.BODY_HEADER: reply.body} if reply.body else {}
        try:
            if channel.connection is None:
                raise amqp.RecoverableConnectionError("connection closed")
            with channel.connection.frame_writer.batch():
                if properties.get("reply_to"):
                    channel.basic_publish(
                        amqp.Message(
                            reply.raw,
                            content_type=wire.CONTENT_TYPE,
                            content_encoding="utf-8",
                            delivery_mode=1,
                            correlation_id=properties.get("correlation_id"),
                            application_headers=headers,
                        ),
                        exchange=wire.EXCHANGE,
                        routing_key=properties["reply_to"],
                    )
                channel.basic_ack(message.delivery_tag)
        except Exception as error:
            log.warning("reply dropped", error=describe(error), exc_info=not isinstance(error, BROKER_ERRORS))
            # A frame may have been written in part: nothing sensible can follow it on this connection.
            if channel.connection is not None:
                channel.connection.collect()
