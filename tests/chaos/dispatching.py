"""`python -m tests.chaos.dispatching`: isp as others do it, which commits and then dispatches its events.

There is no relay: what a write emitted is published from memory after its commit, as nameko's own
`EventDispatcher` and its examples have it. The outbox is written all the same, but nobody reads it: it is the
record of what should have been told.
"""

# ruff: noqa: E402 - the process must be green before anything else is imported
from __future__ import annotations

from services.common.rpc import green

green.patch()

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from services.common import log
from services.common.context import Context
from services.common.events.amqp import AmqpPublisher
from services.common.events.envelope import Envelope
from services.common.events.outbox import Numbered
from services.common.events.provider import EventsProvider
from services.common.events.relay import windows
from services.common.resource import service
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.rpc.runner import run_services
from services.common.settings import for_service
from services.isp.service import IspService

BUSY = 0.1
"""Seconds between commit and dispatch in a process that has other things to do as well: long enough beside a
request, also on a slow machine, for a kill to meet it."""


class DispatchingEngine(Engine):
    """`publisher` is for one call at a time."""

    publisher: AmqpPublisher
    publishing = threading.Lock()

    @contextmanager
    def writing(self, context: Context) -> Iterator[Write]:
        with super().writing(context) as write:
            yield write
            emitted = [Envelope.of_row(self.contract.name, row) for row in write.unit._outbox]
        time.sleep(BUSY)
        with self.publishing:
            for window in windows([Numbered(0, one) for one in emitted]):
                self.publisher.publish([one.event for one in window])


class WithoutRelay(EventsProvider):
    def attach(self, engine: Engine, config: dict[str, Any]) -> None:
        super().attach(engine, config)
        self._loops.remove(self.relay)
        assert isinstance(engine, DispatchingEngine)
        engine.publisher = AmqpPublisher(config["AMQP_URI"], engine.contract.name)


class DispatchingIsp(IspService):
    events = WithoutRelay(IspService.events.subscriptions)


service.Engine = DispatchingEngine  # type: ignore[attr-defined]

if __name__ == "__main__":
    settings = for_service("isp")
    log.configure(settings, "isp")
    sys.exit(run_services([DispatchingIsp], settings))
