"""What goes to whom, kept in the database: events taken over, attempts that are due, what became of them.

Any number of processes may work on it at once. Taking over moves the webhook's `position` and adds its
deliveries in one transaction. An attempt is begun by a claim that ends by itself: when its process is killed
another one repeats it, so a delivery may arrive twice and is never forgotten.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, exists, func, insert, or_, select, true, update

from services.common.context import Context, Scope
from services.common.database.kernel import milliseconds
from services.common.events.envelope import Envelope
from services.common.events.outbox import Outbox, shown
from services.common.events.webhooks import schedule
from services.common.events.webhooks.sender import Outcome
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row

DELIVERIES = "webhook_deliveries"
PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
PING = "webhook.ping"
LEASE = 60_000
"""Milliseconds after which an attempt that nobody finished is begun again; an attempt takes much less."""

WEBHOOKS_AT_ONCE = 20
PRUNED_AT_ONCE = 5000
FOR_ERROR = 512

Room = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that was claimed. `secrets`: what signs it. `event`: None when it is not kept any more."""

    delivery: int
    version: int
    webhook: int
    url: str
    secrets: tuple[str, ...]
    event: Envelope | None


class Deliveries:
    """The webhooks of one service. `clock`: milliseconds since 1970."""

    def __init__(self, engine: Engine, outbox: Outbox, clock: Callable[[], int] = milliseconds) -> None:
        self.engine = engine
        self.database = engine.database
        self.outbox = outbox
        self.clock = clock
        self._webhooks = engine.metadata.tables["webhooks"]
        self._types = engine.metadata.tables["webhook_types"]
        self._table = engine.metadata.tables[DELIVERIES]

    # ---- from the outbox ----------------------------------------------------------------------

    def take_over(self) -> int:
        """A delivery for each event that a webhook has not got yet, a batch of them for those that are most
        behind; returns how many webhooks got on."""
        w = self._webhooks
        last = select(self.outbox.sequencer.c.last).scalar_subquery()
        behind = select(w.c.id, w.c.realm, w.c.position).where(w.c.active, w.c.position < last)
        chosen = behind.order_by(w.c.position).limit(WEBHOOKS_AT_ONCE)
        rows = self.database.reading(lambda connection: connection.execute(chosen).all())
        if rows:
            self._take(rows)
        return len(rows)

    def _take(self, rows: Sequence[Any]) -> None:
        d, w, types = self._table, self._webhooks, self._types_of([row.id for row in rows])
        found = []
        for row in sorted(rows, key=lambda one: one.id):  # locks are taken in one order by all
            news = self.outbox.after(row.position, _of_realm(row.realm), types=types.get(row.id, ()))
            found.append((row, *news))
        now = self.clock()
        with self.database.write() as connection:
            for row, events, reached in found:
                still = and_(w.c.id == row.id, w.c.position == row.position, w.c.active)
                if not connection.execute(update(w).where(still).values(position=reached)).rowcount:
                    continue  # another process took them, or nobody wants them any more
                new = [
                    _new(row.id, row.realm, one.number, one.event.id, one.event.type, now) for one in events
                ]
                if new:
                    connection.execute(insert(d), new)

    def _types_of(self, ids: Sequence[int]) -> Mapping[int, list[str]]:
        t, found = self._types, dict[int, list[str]]()
        chosen = select(t.c.webhook_id, t.c.type).where(t.c.webhook_id.in_(ids))
        for id_, type_ in self.database.reading(lambda connection: connection.execute(chosen).all()):
            found.setdefault(id_, []).append(type_)
        return found

    def ping(self, connection: Connection, webhook: int, realm: str, event: str) -> int:
        """Add a test event; it has a number of its own, below zero. Returns the delivery's id."""
        d = self._table
        connection.execute(
            select(self._webhooks.c.id).where(self._webhooks.c.id == webhook).with_for_update()
        )
        lowest = select(func.min(d.c.number)).where(d.c.webhook_id == webhook, d.c.number < 0)
        number = int(connection.execute(lowest).scalar() or 0) - 1
        new = _new(webhook, realm, number, event, PING, self.clock())
        return int(connection.execute(insert(d).values(**new).returning(d.c.id)).scalar_one())

    def replay(self, connection: Connection, webhook: int, which: Any) -> int:
        """Deliveries of `webhook` that have ended and fit the condition are as new; returns how many."""
        d = self._table
        fresh = {"state": PENDING, "attempts": 0, "due": self.clock(), "ended": None}
        again = update(d).where(d.c.webhook_id == webhook, d.c.state != PENDING, which)
        return int(connection.execute(again.values(**fresh, version=d.c.version + 1)).rowcount)

    # ---- attempts -----------------------------------------------------------------------------

    def claim(self, room: Room) -> list[Attempt]:
        """Begin what is due. `room(webhook)`: how many attempts more it may have now; a failing one has one.

        Among the deliveries of a failing webhook it is the turn of one that was tried least, so that a
        message that its receiver cannot take does not stand in the way of others.
        """
        now, chosen = self.clock(), list[tuple[Row, Row]]()
        rows = self._ready(now)
        random.shuffle(rows)  # where room is short each gets some of it
        for webhook, due in rows:
            chosen += ((webhook, one) for one in self._due(webhook, due, room(webhook["id"]), now))
        if not chosen:
            return []
        chosen.sort(key=lambda one: (one[0]["id"], one[1]["id"]))  # locks are taken in one order by all
        with self.database.write() as connection:
            begun = [one for one in chosen if self._begin(connection, *one, now)]
        numbers = [delivery["number"] for _, delivery in begun if delivery["number"] > 0]
        events = self.outbox.numbered(numbers) if numbers else {}
        return [self._attempt(webhook, delivery, events, now) for webhook, delivery in begun]

    def _ready(self, now: int) -> list[tuple[Row, Any]]:
        """Webhooks with something due, and which of their deliveries that is."""
        w, d = self._webhooks, self._table
        pending = and_(d.c.webhook_id == w.c.id, d.c.state == PENDING, d.c.due <= now)
        reachable = and_(w.c.active, or_(w.c.failing_since.is_(None), w.c.paused_until <= now))
        kinds = [(reachable, d.c.number > 0), (true(), d.c.number < 0)]
        return [
            (dict(row), kind)
            for condition, kind in kinds
            for row in self.database.reading(
                lambda connection, condition=condition, kind=kind: (  # type: ignore[misc]
                    connection.execute(select(w).where(condition, exists().where(pending, kind)))
                    .mappings()
                    .all()
                )
            )
        ]

    def _due(self, webhook: Row, kind: Any, room: int, now: int) -> list[Row]:
        d = self._table
        if room <= 0:
            return []
        failing = webhook["failing_since"] is not None
        chosen = select(d).where(d.c.webhook_id == webhook["id"], d.c.state == PENDING, d.c.due <= now, kind)
        order = (d.c.attempts, d.c.due, d.c.id) if failing else (d.c.due, d.c.id)
        chosen = chosen.order_by(*order).limit(1 if failing else room)
        rows = self.database.reading(lambda connection: connection.execute(chosen).mappings().all())
        return [dict(row) for row in rows]

    def _begin(self, connection: Connection, webhook: Row, delivery: Row, now: int) -> bool:
        """Whether it was still there to be claimed."""
        w, d = self._webhooks, self._table
        if webhook["failing_since"] is not None and delivery["number"] > 0:
            same = and_(w.c.id == webhook["id"], w.c.paused_until == webhook["paused_until"])
            if not connection.execute(update(w).where(same).values(paused_until=now + LEASE)).rowcount:
                return False
        same = and_(d.c.id == delivery["id"], d.c.version == delivery["version"])
        claimed = update(d).where(same).values(due=now + LEASE, version=d.c.version + 1)
        return bool(connection.execute(claimed).rowcount)

    def _attempt(self, webhook: Row, delivery: Row, events: Mapping[int, Envelope], now: int) -> Attempt:
        secrets = [webhook["secret"]]
        if webhook["former_secret"] and now < webhook["former_until"]:
            secrets.append(webhook["former_secret"])
        if delivery["number"] < 0:
            event: Envelope | None = self._ping_of(webhook, delivery)
        elif (event := events.get(delivery["number"])) is not None:
            event = shown(event, _of_realm(webhook["realm"]))
        return Attempt(
            delivery=delivery["id"],
            version=delivery["version"] + 1,
            webhook=webhook["id"],
            url=webhook["url"],
            secrets=tuple(secrets),
            event=event,
        )

    def _ping_of(self, webhook: Row, delivery: Row) -> Envelope:
        created: dt.datetime = delivery["created"]
        return Envelope(
            id=delivery["event"],
            source=self.outbox.service,
            type=PING,
            subject=f"webhooks/{webhook['id']}",
            sequence=0,
            realm=webhook["realm"],
            time=created.isoformat(),
            dataschema=f"urn:krill:{self.outbox.service}:{PING}:1",
            data={},
        )

    # ---- what became of them ------------------------------------------------------------------

    def record(self, attempt: Attempt, outcome: Outcome) -> str:
        """Returns `delivered`, `retry`, `failed`, `disabled`, or `void`: another process has claimed the
        delivery since, or it is gone."""
        w, d, now = self._webhooks, self._table, self.clock()
        context = Context(scope=Scope(everything=True), user="webhooks")
        with self.engine.writing(context) as write:
            mine = select(w).where(w.c.id == attempt.webhook).with_for_update()
            webhook = write.connection.execute(mine).mappings().one_or_none()
            same = select(d).where(d.c.id == attempt.delivery, d.c.version == attempt.version)
            delivery = write.connection.execute(same.with_for_update()).mappings().one_or_none()
            if webhook is None or delivery is None:
                return "void"
            tried = delivery["attempts"] + 1
            done = outcome.delivered
            last = delivery["number"] < 0 or tried >= len(schedule.SCHEDULE)
            given_up = last or outcome.gone or attempt.event is None
            state = DELIVERED if done else FAILED if given_up else PENDING
            due = now if state != PENDING else now + int(1000 * max(schedule.pause(tried), outcome.wait))
            write.connection.execute(
                update(d)
                .where(d.c.id == attempt.delivery)
                .values(
                    state=state,
                    attempts=tried,
                    due=due,
                    status=outcome.status,
                    error=outcome.error[:FOR_ERROR],
                    ended=None if state == PENDING else _instant(now),
                    version=d.c.version + 1,
                )
            )
            if done:
                self._recovered(write, dict(webhook), now)
            elif attempt.event is None:
                return FAILED
            elif delivery["number"] > 0 and self._failing(write, dict(webhook), outcome, now):
                return "disabled"
        return "retry" if state == PENDING else state

    def _recovered(self, write: Write, webhook: Row, now: int) -> None:
        """What waited goes out; after a long outage also what has failed in it, before its next turn."""
        w, d = self._webhooks, self._table
        if webhook["failing_since"] is None:
            return
        well = {"failing_since": None, "paused_until": None, "version": w.c.version + 1}
        write.connection.execute(update(w).where(w.c.id == webhook["id"]).values(**well))
        if now - _milliseconds(webhook["failing_since"]) >= 1000 * schedule.LONG:
            hurry(write.connection, d, webhook["id"], now)

    def _failing(self, write: Write, webhook: Row, outcome: Outcome, now: int) -> bool:
        """Slow down; whether the webhook is disabled."""
        w = self._webhooks
        since = webhook["failing_since"] or _instant(now)
        failing = max(0.0, (now - _milliseconds(since)) / 1000)
        values: Row = {"paused_until": now + int(1000 * max(schedule.probe(failing), outcome.wait))}
        if webhook["failing_since"] is None:
            values |= {"failing_since": since, "version": w.c.version + 1}
        write.connection.execute(update(w).where(w.c.id == webhook["id"]).values(**values))
        reason = None
        if outcome.gone:
            reason = "The receiver answered 410: it is gone."
        elif failing >= schedule.WHOLE:
            reason = f"Nothing was taken for {schedule.WHOLE // 3600} hours. {outcome.error}"[:255]
        if reason is None or not webhook["active"]:
            return False
        write.change("webhooks", webhook["id"], {"active": False, "disabled_reason": reason})
        return True

    # ---- keeping house ------------------------------------------------------------------------

    def needed(self) -> int | None:
        """The number from which on events are still needed by active webhooks, None: none is."""
        w, d = self._webhooks, self._table
        behind = select(func.min(w.c.position) + 1).where(w.c.active)
        waiting = select(func.min(d.c.number)).where(
            d.c.state == PENDING, d.c.number > 0, exists().where(w.c.id == d.c.webhook_id, w.c.active)
        )

        def work(connection: Connection) -> list[int | None]:
            return [connection.execute(one).scalar() for one in (behind, waiting)]

        return min((one for one in self.database.reading(work) if one is not None), default=None)

    def prune(self, days: float) -> int:
        """Forget deliveries that ended more than `days` ago, a batch of them; returns how many."""
        d = self._table
        old = d.c.ended < _instant(self.clock()) - dt.timedelta(days=days)
        chosen = select(d.c.id).where(old).limit(PRUNED_AT_ONCE).scalar_subquery()
        with self.database.write() as connection:
            return int(connection.execute(delete(d).where(d.c.id.in_(chosen))).rowcount)

    def waiting(self) -> int:
        """How many deliveries are pending."""
        d = self._table
        counted = select(func.count()).select_from(d).where(d.c.state == PENDING)
        return int(self.database.reading(lambda connection: connection.execute(counted).scalar_one()))


def _of_realm(realm: str) -> Scope:
    return Scope(frozenset((realm,)))


def hurry(connection: Connection, deliveries: Table, webhook: int, now: int) -> None:
    """What waits for its next turn has it now."""
    d = deliveries  # one that is under way has its claim as `due`: it is left alone
    waiting = and_(d.c.webhook_id == webhook, d.c.state == PENDING, d.c.due > now + LEASE)
    connection.execute(update(d).where(waiting).values(due=now))


def _new(webhook: int, realm: str, number: int, event: str, type_: str, now: int) -> Row:
    return {
        "webhook_id": webhook,
        "realm": realm,
        "number": number,
        "event": event,
        "type": type_,
        "state": PENDING,
        "attempts": 0,
        "due": now,
        "created": _instant(now),
    }


def _instant(moment: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment // 1000, dt.UTC)


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)
