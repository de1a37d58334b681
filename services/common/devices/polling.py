"""When devices are asked: each at its own pace, so many at once, and rarely while they do not answer.

One process polls a service's devices, until it or its database goes; the others stand by. A device that is
slow holds one place, never the others; one that does not answer is asked again after growing pauses.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.common.database.lead import Lead
from services.common.errors import ApiError
from services.common.resource.engine import Engine

TICK = 0.2
AT_ONCE = 8
JITTER = 0.1
QUIET = 2.0
"""Seconds between two readings, whatever the reason."""
FIRST_PAUSE, LAST_PAUSE = 1.0, 10.0
"""Times the interval: between the questions to a device that did not answer once, and many times."""

polled = Counter("krill_polls", "Readings of devices", ["service", "outcome"])
seconds = Histogram("krill_poll_seconds", "How long a reading of a device takes", ["service"])
behind = Gauge("krill_poll_behind_seconds", "By how much the most overdue device is late", ["service"])

log = structlog.get_logger(__name__)


@dataclass
class Turn:
    """When a device is asked next (`time.monotonic()`), and how often it did not answer in a row."""

    due: float
    failures: int = 0
    busy: bool = False
    asked: float = 0.0
    again: bool = False


class Poller:
    """`Background(Poller(devices, read))` in a service class.

    `devices(engine)`: the keys of those to be asked. `read(engine, key)`: asks one and keeps what it says;
    raises `ApiError` when it does not answer, which it has then told of itself. `interval(engine)`: seconds
    between two readings of a device.
    """

    def __init__(
        self,
        devices: Callable[[Engine], Iterable[Any]],
        read: Callable[[Engine, Any], None],
        interval: Callable[[Engine], float],
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._devices = devices
        self._read = read
        self._interval = interval
        self._turns: dict[Any, Turn] = {}
        self._lead = Lead("poll")
        self._places = threading.Semaphore(at_once)

    def __call__(self, engine: Engine) -> bool:
        """Begin what is due; false: look again after a while."""
        with self._lead.working(engine.database) as leads:
            if leads:
                self._round(engine)
        return False

    def _round(self, engine: Engine) -> None:
        interval, now = self._interval(engine), time.monotonic()
        keys = list(self._devices(engine))
        for gone in self._turns.keys() - set(keys):
            del self._turns[gone]
        for key in keys:
            if key not in self._turns:  # the first readings are spread, too
                self._turns[key] = Turn(now + random.uniform(0, min(interval, 2.0)))
        waiting = sorted((turn.due, key) for key, turn in self._turns.items() if not turn.busy)
        behind.labels(engine.contract.name).set(max(0.0, now - waiting[0][0]) if waiting else 0.0)
        for due, key in waiting:
            if due > now or not self._places.acquire(blocking=False):
                return
            turn = self._turns[key]
            turn.busy = True
            threading.Thread(target=self._take_turn, args=(engine, key, turn, interval), daemon=True).start()

    def _take_turn(self, engine: Engine, key: Any, turn: Turn, interval: float) -> None:
        try:
            self._ask(engine, key, turn)
            pause = interval
        except ApiError:
            pause = interval * min(FIRST_PAUSE * 2 ** (turn.failures - 1), LAST_PAUSE)
        except Exception:
            log.exception("a reading failed", service=engine.contract.name, device=key)
            pause = interval * LAST_PAUSE
        finally:
            self._places.release()
        pause *= random.uniform(1 - JITTER, 1 + JITTER)
        # In this order, and as `soon` does it: a hint that comes meanwhile moves `due`, or is seen here.
        turn.due = time.monotonic() + pause
        turn.busy = False
        if turn.again:
            turn.again, turn.due = False, time.monotonic() + QUIET

    def _ask(self, engine: Engine, key: Any, turn: Turn) -> None:
        service, began = engine.contract.name, time.monotonic()
        try:
            self._read(engine, key)
        except ApiError as error:
            turn.failures += 1
            polled.labels(service, error.code).inc()
            raise
        finally:
            turn.asked = time.monotonic()
        turn.failures = 0
        polled.labels(service, "ok").inc()
        seconds.labels(service).observe(time.monotonic() - began)

    def soon(self, key: Any, after: float = 0.0) -> None:
        """Ask the device before its time, in so many seconds, but not again at once: there is a reason to
        look."""
        if (turn := self._turns.get(key)) is not None:
            turn.again = turn.busy  # what is being read may be what was before
            turn.due = min(turn.due, max(turn.asked + QUIET, time.monotonic() + after))
