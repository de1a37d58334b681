"""What makes a service publish its events and handle those of others.

The relay and each subscription have green threads of their own: handling events takes no worker from calls.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import eventlet

from services.common.events.amqp import AmqpPublisher
from services.common.events.consumer import EventConsumer
from services.common.events.inbox import Inbox, Subscription
from services.common.events.outbox import Outbox
from services.common.events.relay import Relay
from services.common.events.transport import LocalBus, Publisher
from services.common.events.webhooks.courier import Courier
from services.common.resource.background import Loop
from services.common.resource.engine import Engine
from services.common.rpc.entrypoint import Provider

STOPPING = 5.0
RETRY_TICK = 0.5


class EventsProvider(Provider):  # type: ignore[misc]
    """`events = EventsProvider(subscriptions)` in a service class: what the service handles."""

    def __init__(self, subscriptions: Sequence[Subscription] = ()) -> None:
        self.subscriptions = subscriptions
        self.inboxes: list[Inbox] = []
        self.courier: Courier | None = None
        self._threads: list[Any] = []
        self._loops: list[Any] = []
        self._started = math.inf

    def attach(self, engine: Engine, config: dict[str, Any]) -> None:
        """Called by the provider of the engine, once that is made."""
        self._engine = engine
        service = engine.contract.name
        uri: str | None = config.get("AMQP_URI")
        bus: LocalBus = config["BUS"]
        self.outbox = Outbox(service, engine.metadata, engine.database)
        publisher: Publisher = AmqpPublisher(uri, service) if uri else bus
        self.relay = Relay(self.outbox, publisher)
        engine.wake = self.relay.wake  # type: ignore[method-assign]
        engine.hearing = self.hearing  # type: ignore[method-assign]
        self._loops = [self.relay]
        if "webhooks" in engine.contract.by_name:
            self.courier = Courier(engine, self.outbox)
            self.relay.listeners.append(self.courier.wake)
            self._loops.append(self.courier)
        for one in self.subscriptions:
            inbox = Inbox(engine, one)
            self.inboxes.append(inbox)
            if uri:
                self._loops.append(EventConsumer(uri, f"{service}.{one.name}", inbox))
            else:
                bus.register(inbox)
        if self.inboxes:
            self._loops.append(Loop(self._retry, RETRY_TICK))

    def hearing(self) -> float:
        """Seconds for which the events of others have come and been taken without a break."""
        consumers = [one.hearing for one in self._loops if isinstance(one, EventConsumer)]
        return min(time.monotonic() - self._started, *consumers, math.inf)

    def start(self) -> None:
        self._started = time.monotonic()
        self._threads = [eventlet.spawn(one.run) for one in self._loops]

    def stop(self) -> None:
        for one in self._loops:
            one.stop()
        with eventlet.Timeout(STOPPING, False):
            for thread in self._threads:
                thread.wait()

    def kill(self) -> None:
        for thread in self._threads:
            thread.kill()

    def forget(self) -> None:
        """Prune what is older than it need be kept; a batch at a time."""
        days = self._engine.settings.event_days
        named = [one.name for one in self._engine.contract.resources if one.textual_id]
        needed = self.courier.deliveries.needed() if self.courier else None
        while self.outbox.prune(days, named=named, before=needed):
            eventlet.sleep(0)
        while self.courier and self.courier.deliveries.prune(days):
            eventlet.sleep(0)
        for inbox in self.inboxes:
            inbox.prune(days)

    def measure(self) -> None:
        """Set the gauges; to be called now and then."""
        self.relay.measure()
        if self.courier:
            self.courier.measure()

    def get_dependency(self, worker_ctx: Any) -> EventsProvider:
        return self

    def _retry(self) -> bool:
        """What is due of each inbox; whether there was anything."""
        return sum(inbox.retry() for inbox in self.inboxes) > 0
