"""The courier: sends what is due, each attempt in a thread of its own, none waiting for another webhook's.

It is woken when events got their numbers and looks by itself each second. No transaction is open while it
sends. Several processes may have one: what one has claimed the others leave alone.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable

import structlog
from prometheus_client import Counter, Gauge

from services.common.database.kernel import milliseconds
from services.common.errors import ApiError
from services.common.events.envelope import CONTENT_TYPE
from services.common.events.outbox import Outbox
from services.common.events.webhooks import guard, sender, signature
from services.common.events.webhooks.deliveries import Attempt, Deliveries
from services.common.events.webhooks.sender import Outcome
from services.common.resource.engine import Engine

IDLE, BREATH = 1.0, 0.1
PER_WEBHOOK, TOGETHER = 4, 100
LEAVING = 4.0
NO_EVENT = "The event is older than what is kept."
DEFECT = "An error of the sender."

attempts = Counter(
    "krill_webhook_attempts",
    "Attempts to deliver; outcome: delivered, retry, failed, disabled, void",
    ["service", "outcome"],
)
waiting = Gauge("krill_webhook_waiting", "Deliveries that are not done yet", ["service"])

log = structlog.get_logger(__name__)


class Courier:
    """`clock`: milliseconds since 1970. `resolve`: the addresses of a name."""

    def __init__(
        self,
        engine: Engine,
        outbox: Outbox,
        *,
        clock: Callable[[], int] = milliseconds,
        resolve: guard.Resolve = guard.resolve,
        timeout: float = sender.TIMEOUT,
    ) -> None:
        self.deliveries = Deliveries(engine, outbox, clock)
        self._settings = engine.settings
        self._service = outbox.service
        self._clock = clock
        self._resolve = resolve
        self._timeout = timeout
        self._busy: collections.Counter[int] = collections.Counter()
        self._threads: set[threading.Thread] = set()
        self._guard = threading.Lock()
        self._woken = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be something to send. Any thread."""
        self._woken.set()

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()

    def run(self) -> None:
        """Until `stop`; attempts under way may then end, or are repeated later."""
        told = False
        while not self._stopping:
            try:
                if not self.round():
                    self._woken.wait(IDLE)
                    time.sleep(BREATH)  # what comes close together is looked for together
                told = False
            except Exception as error:
                if not told:
                    known = isinstance(error, ApiError)
                    log.warning("webhooks wait", service=self._service, reason=str(error), exc_info=not known)
                told = True
                time.sleep(IDLE)
        self.rest(LEAVING)

    def round(self) -> int:
        """Take over what is new and begin what is due; returns 0 when there is nothing more to do now."""
        self._woken.clear()
        taken = self.deliveries.take_over()
        begun = self.deliveries.claim(self._room())
        for one in begun:
            self._begin(one)
        return taken + len(begun)

    def rest(self, seconds: float) -> None:
        """Wait until no attempt is under way, but no longer than that."""
        ends = time.monotonic() + seconds
        for thread in list(self._threads):
            thread.join(max(0.0, ends - time.monotonic()))

    def measure(self) -> None:
        """Set the gauge; to be called now and then."""
        waiting.labels(self._service).set(self.deliveries.waiting())

    def _room(self) -> Callable[[int], int]:
        """What may be begun in one round."""
        with self._guard:
            busy = collections.Counter(self._busy)
        left = TOGETHER - busy.total()

        def room(webhook: int) -> int:
            nonlocal left
            given = max(0, min(PER_WEBHOOK - busy[webhook], left))
            left -= given
            busy[webhook] += given
            return given

        return room

    def _begin(self, attempt: Attempt) -> None:
        with self._guard:
            self._busy[attempt.webhook] += 1
            thread = threading.Thread(target=self._work, args=(attempt,), daemon=True, name="webhook")
            self._threads.add(thread)
        thread.start()

    def _work(self, attempt: Attempt) -> None:
        try:
            outcome = self._send(attempt)
            became = self.deliveries.record(attempt, outcome)
            attempts.labels(self._service, became).inc()
            if became == "disabled":
                log.warning("webhook disabled", webhook=attempt.webhook, reason=outcome.error)
        except ApiError as error:  # the claim ends by itself, and the attempt is repeated
            log.warning("delivery not noted", webhook=attempt.webhook, reason=str(error))
        except Exception:
            log.exception("delivery not noted", webhook=attempt.webhook)
        finally:
            with self._guard:
                self._busy[attempt.webhook] -= 1
                if not self._busy[attempt.webhook]:
                    del self._busy[attempt.webhook]
                self._threads.discard(threading.current_thread())
            self.wake()

    def _send(self, attempt: Attempt) -> Outcome:
        event = attempt.event
        if event is None:
            return Outcome(None, NO_EVENT)
        body, timestamp = event.encode(), self._clock() // 1000
        headers = {
            "Content-Type": CONTENT_TYPE,
            **signature.headers(attempt.secrets, event.id, timestamp, body),
        }
        try:
            return sender.post(attempt.url, headers, body, self._settings, self._resolve, self._timeout)
        except Exception:
            log.exception("webhook not sent", webhook=attempt.webhook)
            return Outcome(None, DEFECT)
