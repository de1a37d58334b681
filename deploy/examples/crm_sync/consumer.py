"""The queue: a durable copy of what the platform publishes, that waits for us while we are away.

Messages are acknowledged when their batch is committed, so a kill at any moment brings them again. The queue
has a single active consumer: of several processes one is served, in order, and the others stand by.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from deploy.examples.crm_sync.database import Database
from deploy.examples.crm_sync.event import Event

EXCHANGE, QUEUE = "isp.events", "crm-sync"
TYPES = ("customer.*", "cpe.*", "pots.*", "action.*")
UNLIMITED = 2**31 - 1
"""RabbitMQ 4 drops what it delivered 20 times unless told otherwise; 3.10 does not take -1 for "never"."""
QUEUE_ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-single-active-consumer": True,
    "x-delivery-limit": UNLIMITED,
}
NOT_FOUND = 404
PREFETCH, BATCH = 200, 100
TICK = 0.5
HEARTBEAT, PATIENCE = 10, 5
FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0

log = logging.getLogger("crm_sync")


class Consumer:
    """Runs in the caller's thread until `stopping` is set, whatever becomes of the broker."""

    def __init__(
        self, uri: str, database: Database, rebuild: Callable[[], None], stopping: threading.Event
    ) -> None:
        self._parameters = pika.URLParameters(uri)
        self._parameters.heartbeat = HEARTBEAT
        self._parameters.socket_timeout = self._parameters.stack_timeout = PATIENCE
        self._database = database
        self._rebuild = rebuild
        self._stopping = stopping

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                with pika.BlockingConnection(self._parameters) as connection:
                    self._declare(connection)
                    if not self._database.behind:
                        pause = FIRST_PAUSE
                        self._consume(connection.channel())
                if self._database.behind:
                    self._rebuild()
            except (AMQPError, OSError) as error:  # of the broker, or of the API in a rebuild
                log.warning("again in %.1f s: %r", pause, error)
                self._stopping.wait(pause)
                pause = min(2 * pause, LAST_PAUSE)

    def _declare(self, connection: pika.BlockingConnection) -> None:
        """A queue that is not there yet, or not any more, has missed what was published before now."""
        try:
            connection.channel().queue_declare(QUEUE, passive=True)
        except ChannelClosedByBroker as error:
            if error.reply_code != NOT_FOUND:
                raise
            self._database.fall_behind()
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, "topic", durable=True)
        channel.queue_declare(QUEUE, durable=True, arguments=QUEUE_ARGUMENTS)
        for pattern in TYPES:
            channel.queue_bind(QUEUE, EXCHANGE, pattern)

    def _consume(self, channel: BlockingChannel) -> None:
        channel.basic_qos(prefetch_count=PREFETCH)
        batch: list[Event] = []
        log.info("in step, waiting for events")
        for method, _, body in channel.consume(QUEUE, inactivity_timeout=TICK):
            if method is not None:
                batch += self._read(body)
                if len(batch) < BATCH and channel.get_waiting_message_count():
                    continue
                self._database.apply(batch)
                channel.basic_ack(method.delivery_tag, multiple=True)
                batch = []
            if self._stopping.is_set():
                return

    def _read(self, body: bytes) -> list[Event]:
        try:
            return [Event.decode(body)]
        except ValueError as error:
            log.exception("refused a message that is no event")
            self._database.refuse(body, str(error))
            return []
