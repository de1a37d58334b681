"""A client for services of the same green process: no broker, the same bytes, the same errors, the same
deadlines.

Arguments, context and replies pass through `wire` as they would over AMQP, so that both modes behave alike.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import eventlet
from eventlet.event import Event
from nameko.rpc import Rpc

from services.common.context import Context
from services.common.errors import ApiError, DeadlineExceeded, ServiceUnavailable
from services.common.rpc import wire
from services.common.rpc.container import Container
from services.common.rpc.reply import Reply


class LocalPending:
    def __init__(self, context: Context) -> None:
        self._deadline = context.deadline
        self._answered = Event()

    def answer(self, outcome: wire.Encoded | ApiError) -> None:
        self._answered.send(outcome)

    def result(self) -> Reply:
        outcome = self._answered.wait(timeout=max(0.0, self._deadline - time.monotonic()))
        if outcome is None:
            raise DeadlineExceeded()
        if isinstance(outcome, ApiError):
            raise outcome
        return wire.decode_reply(*outcome)


class LocalClient:
    """Dispatches to the registered containers; `max_pending` bounds the calls under way."""

    def __init__(self, max_pending: int = 1000) -> None:
        self._max_pending = max_pending
        self._under_way: set[int] = set()
        self._numbers = itertools.count()
        self._containers: list[Container] = []
        self._methods: dict[tuple[str, str], tuple[Container, Rpc]] = {}
        self._closed = False

    def register(self, container: Container) -> None:
        """Makes the rpc methods of a started container callable."""
        self._containers.append(container)
        for entrypoint in container.entrypoints:
            if isinstance(entrypoint, Rpc):
                self._methods[container.service_name, entrypoint.method_name] = container, entrypoint

    def start(
        self, service: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> LocalPending:
        args, kwargs = wire.decode_request(wire.encode_request(arguments))
        travelled = wire.decode_context(wire.encode_context(context))
        pending = LocalPending(context)
        container, entrypoint = self._methods.get((service, method), (None, None))
        if self._closed or len(self._under_way) >= self._max_pending or not self._serves(service):
            pending.answer(ServiceUnavailable())
        elif container is None:
            pending.answer(ApiError())
        elif not context.remaining:
            pending.answer(DeadlineExceeded())
        else:
            number = next(self._numbers)
            self._under_way.add(number)

            def answer(reply: wire.Encoded) -> None:
                self._under_way.discard(number)
                pending.answer(reply)

            container.dispatch(entrypoint, args, kwargs, travelled, answer)
        return pending

    def call(
        self, service: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> Reply:
        return self.start(service, method, arguments, context, read=read).result()

    def close(self) -> None:
        """Stops the containers too: they live in this process for this client alone."""
        self._closed = True
        pile = eventlet.GreenPile()
        for container in self._containers:
            pile.spawn(container.stop)
        for _ in pile:
            pass

    def _serves(self, service: str) -> bool:
        return any(c.service_name == service and c.started for c in self._containers)
