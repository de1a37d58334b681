"""The relay: carries committed events from the outbox to their subscribers, in order, none lost.

It is woken by each commit of its own process that wrote events, and looks by itself now and then for those
that a killed process left. An event is marked as sent when the broker has confirmed it; a crash in between
sends it again. Two events of one subject are never on their way at once, so that a refused one is not
overtaken by its successor. Of several replicas one publishes at a time; the others wait for their turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.common.errors import ApiError
from services.common.events.outbox import Numbered, Outbox
from services.common.events.transport import Publisher, Undelivered

IDLE = 1.0
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0
LOCK, TURN = "relay", 1.0
"""Who carries events holds the lock for so many seconds, then others may."""

depth = Gauge("krill_outbox_depth", "Events not confirmed by the broker yet", ["service"])
lag = Gauge("krill_outbox_lag_seconds", "Age of the oldest event not confirmed yet", ["service"])
sent = Counter("krill_outbox_sent", "Events that the broker confirmed", ["service"])
batch_seconds = Histogram(
    "krill_outbox_batch_seconds", "From reading a batch to its last confirm", ["service"]
)

log = structlog.get_logger(__name__)


class Relay:
    """`listeners` are called after new events got their numbers (couriers of webhooks wait for that)."""

    def __init__(self, outbox: Outbox, publisher: Publisher) -> None:
        self.outbox = outbox
        self.publisher = publisher
        self.listeners: list[Callable[[], None]] = []
        self._woken = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """Events were committed. Any thread."""
        self._woken.set()

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()

    def run(self) -> None:
        """Until `stop`."""
        pause, told = FIRST_PAUSE, False
        while not self._stopping:
            try:
                if not self.round():
                    self._woken.wait(IDLE)
                pause, told = FIRST_PAUSE, False
            except (Undelivered, ApiError) as error:
                if not told:
                    log.warning("events wait", service=self.outbox.service, reason=str(error))
                told = True
                time.sleep(pause)
                pause = min(2 * pause, LAST_PAUSE)
            except Exception:
                log.exception("the relay failed", service=self.outbox.service)
                time.sleep(LAST_PAUSE)
        self.publisher.close()

    def round(self) -> int:
        """Number and send what is there; returns how many events were sent. Raises `Undelivered`.

        Every answer that the database or the broker is waited for delays all events that come meanwhile, so
        the lock is kept while there is more. Others lose nothing by that: it is their events, too, that are
        carried."""
        if not self._woken.is_set() and not self.outbox.waiting():
            return 0
        done = 0
        with self.outbox.database.exclusive(LOCK):
            end = time.monotonic() + TURN
            while not self._stopping and time.monotonic() < end:
                self._woken.clear()
                if self.outbox.number():
                    for listener in self.listeners:
                        listener()
                batch = self.outbox.unsent()
                if not batch:
                    break
                with batch_seconds.labels(self.outbox.service).time():
                    for window in windows(batch):
                        self.publisher.publish([one.event for one in window])
                        self.outbox.mark_sent(window)
                sent.labels(self.outbox.service).inc(len(batch))
                done += len(batch)
        return done

    def measure(self) -> None:
        """Set the gauges; to be called now and then."""
        number, age = self.outbox.depth()
        depth.labels(self.outbox.service).set(number)
        lag.labels(self.outbox.service).set(age)


def windows(events: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """The events in order, cut wherever a subject comes again."""
    window: list[Numbered] = []
    subjects: set[str] = set()
    for one in events:
        if one.event.subject in subjects:
            yield window
            window, subjects = [], set()
        window.append(one)
        subjects.add(one.event.subject)
    if window:
        yield window
