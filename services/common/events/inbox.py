"""The receiving side of a subscription: each event is handled once, in order, or held for later.

The event's id is written in the transaction in which it is handled: what arrives again is noticed. A handler
that fails leaves the event `waiting`, with growing pauses; what comes of the same subject waits behind it,
all else goes on. After its last try an event is `parked`, until the operator has it replayed or dropped, and
its subject goes on without it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from sqlalchemy import delete, func, insert, select, update

from services.common.context import Context, Scope
from services.common.database.insertion import insert_new
from services.common.database.kernel import milliseconds
from services.common.errors import ApiError, ServiceUnavailable
from services.common.events.envelope import Envelope
from services.common.resource.engine import Engine
from services.common.resource.writes import Write

WAITING, PARKED = "waiting", "parked"
FOR_ERROR = 4000
RETRIED_AT_ONCE = 100

_handled = Counter(
    "krill_events_handled", "By subscription; outcome: ok, again, held, parked", ["subscription", "outcome"]
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """`name` is unique within the service and never changes: its queue and its inbox bear it. `sources`:
    service → types, or patterns of routing keys (`action.*`). `handle(write, event)` works in the transaction
    that is given to it and does nothing outside of it."""

    name: str
    sources: Mapping[str, Sequence[str]]
    handle: Callable[[Write, Envelope], None]


class Inbox:
    """One subscription of one service, on the service's own database."""

    def __init__(self, engine: Engine, subscription: Subscription) -> None:
        self.engine = engine
        self.subscription = subscription
        self._inbox = engine.metadata.tables["inbox"]
        self._held = engine.metadata.tables["held"]
        self._retries = engine.settings.retries

    @property
    def name(self) -> str:
        return self.subscription.name

    def wants(self, source: str, type_: str) -> bool:
        patterns = self.subscription.sources.get(source, ())
        return any(_matches(pattern.split("."), type_.split(".")) for pattern in patterns)

    def take(self, events: Sequence[Envelope]) -> None:
        """Handle or hold all of them, in one transaction. Raises `ServiceUnavailable` when nothing was
        done: the events are then to be given again."""
        with self.engine.writing(Context()) as write:
            h = self._held
            mine = select(h.c.subject).where(h.c.subscription == self.name, h.c.state == WAITING)
            blocked = set(write.connection.execute(mine).scalars())
            outcomes = [self._take(write, event, blocked) for event in events]
        for outcome in outcomes:
            _handled.labels(self.name, outcome).inc()

    def park(self, event: Envelope, reason: str) -> None:
        """Hold an event that cannot even be tried."""
        with self.engine.writing(Context()) as write:
            if self._is_new(write, event):
                self._hold(write, event, PARKED, reason, 0, 0)
        _handled.labels(self.name, PARKED).inc()

    def retry(self) -> int:
        """Try what is due again, oldest first; of one subject no later event before an earlier one. Returns
        how many were tried. One process at a time does it."""
        h = self._held
        oldest = (
            select(func.min(h.c.id))
            .where(h.c.subscription == self.name, h.c.state == WAITING)
            .group_by(h.c.subject)
        )
        due = select(h.c.id).where(h.c.id.in_(oldest), h.c.due <= milliseconds()).order_by(h.c.id)
        ids = self.engine.database.reading(
            lambda connection: list(connection.execute(due.limit(RETRIED_AT_ONCE)).scalars())
        )
        if not ids:
            return 0
        with self.engine.database.exclusive(f"retry {self.name}", wait=False) as had:
            for id_ in ids if had else ():
                self._retry(id_)
        return len(ids) if had else 0

    def prune(self, days: float) -> int:
        """Forget the ids of events that were handled more than `days` ago."""
        old = milliseconds() - int(days * 86_400_000)
        t = self._inbox
        with self.engine.database.write() as connection:
            gone = delete(t).where(t.c.subscription == self.name, t.c.received < old)
            return int(connection.execute(gone).rowcount)

    # ---- one event ----------------------------------------------------------------------------

    def _take(self, write: Write, event: Envelope, blocked: set[str]) -> str:
        if not self._is_new(write, event):
            return "again"
        if event.subject in blocked:
            self._hold(write, event, WAITING, "Waits for an earlier event of its subject.", milliseconds(), 0)
            return "held"
        error = self._handle(write, event)
        if error is None:
            return "ok"
        blocked.add(event.subject)
        first = milliseconds() + int(1000 * self._retries[0]) if self._retries else 0
        self._hold(write, event, WAITING if self._retries else PARKED, error, first, 1)
        return "held"

    def _is_new(self, write: Write, event: Envelope) -> bool:
        seen = {"subscription": self.name, "event": event.id, "received": milliseconds()}
        return insert_new(write.connection, self._inbox, seen)

    def _handle(self, write: Write, event: Envelope) -> str | None:
        """What went wrong, None when nothing did; then the handler's work is in the transaction."""
        context = Context(
            scope=Scope(everything=True),
            user=f"{event.source} events",
            request_id=event.request_id or event.id,
            traceparent=event.traceparent,
        )
        write.acting(context)
        try:
            with write.item():
                self.subscription.handle(write, event)
        except ServiceUnavailable:
            raise  # the database is away: nothing was tried
        except Exception as error:
            if write.connection.invalidated:
                raise
            log.warning(
                "event not handled",
                subscription=self.name,
                event_id=event.id,
                type=event.type,
                exc_info=not isinstance(error, ApiError),
            )
            return "".join(traceback.format_exception(error))[-FOR_ERROR:]
        return None

    def _hold(self, write: Write, event: Envelope, state: str, error: str, due: int, attempts: int) -> None:
        held = insert(self._held).values(
            subscription=self.name,
            event=event.id,
            source=event.source,
            type=event.type,
            subject=event.subject,
            realm=event.realm,
            envelope=event.to_json(),
            state=state,
            attempts=attempts,
            error=error,
            due=due,
            received=write.now,
        )
        write.connection.execute(held)

    def _retry(self, id_: int) -> None:
        h = self._held
        with self.engine.writing(Context()) as write:
            found = select(h).where(h.c.id == id_, h.c.state == WAITING).with_for_update()
            row = write.connection.execute(found).mappings().one_or_none()
            if row is None:
                return
            error = self._handle(write, Envelope.from_json(row["envelope"]))
            if error is None:
                write.connection.execute(delete(h).where(h.c.id == id_))
                return
            tried = row["attempts"] + 1
            left = tried <= len(self._retries)
            pause = self._retries[tried - 1] if left else 0
            write.connection.execute(
                update(h)
                .where(h.c.id == id_)
                .values(
                    state=WAITING if left else PARKED,
                    attempts=tried,
                    error=error,
                    due=milliseconds() + int(1000 * pause),
                    version=h.c.version + 1,
                )
            )
        if not left:
            _handled.labels(self.name, PARKED).inc()
            log.error("event parked", subscription=self.name, event_id=row["event"], type=row["type"])


def _matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a routing key matches as RabbitMQ's topic exchanges see it: `*` one word, `#` any number."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_matches(pattern[1:], words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _matches(pattern[1:], words[1:])
