"""The outbox of a service after the commit: numbers, what is still to be sent, the feed, pruning.

A transaction takes its positions when it writes and may commit long after a later one: who reads on from the
highest position that he has seen loses events. So events are numbered when they are seen to be committed,
under a lock that is held until the numbers are committed themselves: whoever sees a number has seen, or can
see, all smaller ones. Events of one subject get their numbers in the order of their positions, since a writer
holds the row until it commits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import MetaData, and_, delete, false, func, or_, select, update

from services.common.context import Scope
from services.common.database.columns import now
from services.common.database.engine import Database
from services.common.database.insertion import insert_new
from services.common.events.envelope import Envelope

AT_ONCE = 500
NUMBERED_AT_ONCE = PRUNED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event and its place among all events of its service."""

    number: int
    event: Envelope


class Outbox:
    """`service` is the events' source."""

    def __init__(self, service: str, metadata: MetaData, database: Database) -> None:
        self.service = service
        self.database = database
        self.table = metadata.tables["outbox"]
        self.sequencer = metadata.tables["sequencer"]
        numberless, unsent = self.table.c.number.is_(None), self.table.c.sent_at.is_(None)
        self._unconfirmed = or_(numberless, and_(unsent, ~numberless))  # as the two indexes have it
        self._begun = False

    # ---- numbers ------------------------------------------------------------------------------

    def number(self) -> int:
        """Number the events that are committed and have no number yet; returns how many got one. Safe with
        any number of processes at once: what one is numbering another waits for, and leaves alone."""
        t, last = self.table, self.sequencer.c.last
        place = func.row_number().over(order_by=t.c.position).label("place")
        waiting = select(t.c.position, place).where(t.c.number.is_(None)).order_by(t.c.position)
        fresh = waiting.limit(NUMBERED_AT_ONCE).cte("fresh")
        count = select(func.count()).select_from(fresh).scalar_subquery()
        moved = update(self.sequencer).where(count > 0).values(last=last + count)
        moved = moved.returning((last - count).label("before"), count.label("fresh"))
        # Still without a number, said so that a row is looked up by its position and not in the index of
        # those without one, which is full of dead entries.
        still = func.coalesce(t.c.number, 0) == 0
        numbered = update(t).where(t.c.position == fresh.c.position, still)
        self._begin()
        if self.database.dialect == "postgresql":  # one statement, one answer to wait for
            before = select(moved.cte("moved").c.before).scalar_subquery()
            with self.database.read() as connection:
                return connection.execute(numbered.values(number=before + fresh.c.place)).rowcount
        with self.database.write() as connection:
            found = connection.execute(moved).first()
            if found is not None:
                connection.execute(numbered.values(number=found.before + fresh.c.place))
        return found.fresh if found is not None else 0

    def _begin(self) -> None:
        """Before the first event ever."""
        if not self._begun:
            with self.database.write() as connection:
                insert_new(connection, self.sequencer, {"id": 1, "last": 0, "pruned": 0})
            self._begun = True

    # ---- the relay's side ---------------------------------------------------------------------

    def waiting(self) -> bool:
        """Whether there are events that no broker has confirmed."""
        first = select(self.table.c.position).where(self._unconfirmed).limit(1)
        return self.database.reading(lambda connection: connection.execute(first).first()) is not None

    def unsent(self) -> list[Numbered]:
        """Numbered events that no broker has confirmed, in their order."""
        t = self.table
        chosen = t.select().where(t.c.sent_at.is_(None), t.c.number.is_not(None)).order_by(t.c.number)
        return self._numbered(chosen.limit(AT_ONCE))

    def mark_sent(self, events: Sequence[Numbered]) -> None:
        """These were confirmed. Should that be forgotten in a crash they are sent again, which subscribers
        notice."""
        numbers = [one.number for one in events]
        marked = update(self.table).where(self.table.c.number.in_(numbers)).values(sent_at=now())
        # One statement needs no transaction around it, which takes the database three answers more.
        single = self.database.dialect == "postgresql"
        with self.database.read() if single else self.database.write() as connection:
            connection.execute(marked)

    def depth(self) -> tuple[int, float]:
        """(events not sent yet, age of the oldest of them in seconds)."""
        counted = select(func.count(), func.min(self.table.c.time)).where(self._unconfirmed)
        number, oldest = self.database.reading(lambda connection: connection.execute(counted).one())
        if not number:
            return 0, 0.0
        return int(number), max(0.0, (dt.datetime.now(dt.UTC) - oldest).total_seconds())

    # ---- the feed -----------------------------------------------------------------------------

    def after(
        self,
        number: int,
        scope: Scope,
        *,
        types: Sequence[str] = (),
        subject: str | None = None,
        limit: int = AT_ONCE,
    ) -> tuple[list[Numbered], int]:
        """(events above `number` that the scope may see, number to go on from). Never skips an event that
        appears later. `types`: full ones, or `cpe.*` for all of a resource."""
        t = self.table
        end = self.last()  # before the rows are read: what appears meanwhile is for the next time
        chosen = t.select().where(t.c.number > number, t.c.number <= end)
        if not scope.everything:
            chosen = chosen.where(t.c.realm.in_(["", *sorted(scope.realms)]))
        if types:
            whole = [one for one in types if not one.endswith(".*")]
            starts = [one.removesuffix("*") for one in types if one.endswith(".*")]
            matching = [t.c.type.in_(whole), *(t.c.type.startswith(one, autoescape=True) for one in starts)]
            chosen = chosen.where(or_(*matching))
        if subject is not None:
            chosen = chosen.where(t.c.subject == subject)
        found = self._numbered(chosen.order_by(t.c.number).limit(limit))
        reached = found[-1].number if len(found) == limit else max(end, number)
        told = ((one.number, shown(one.event, scope)) for one in found)
        return [Numbered(number, event) for number, event in told if event is not None], reached

    def numbered(self, numbers: Sequence[int]) -> dict[int, Envelope]:
        """The events with these numbers, as far as they are kept."""
        t = self.table
        return {one.number: one.event for one in self._numbered(t.select().where(t.c.number.in_(numbers)))}

    def last(self) -> int:
        """The highest number given."""
        return self._sequencer("last")

    def pruned(self) -> int:
        """Numbers up to here may be gone."""
        return self._sequencer("pruned")

    def _sequencer(self, column: str) -> int:
        chosen = select(self.sequencer.c[column])
        return int(self.database.reading(lambda connection: connection.execute(chosen).scalar()) or 0)

    def _numbered(self, statement: Any) -> list[Numbered]:
        rows = self.database.reading(lambda connection: connection.execute(statement).mappings().all())
        return [Numbered(row["number"], Envelope.of_row(self.service, dict(row))) for row in rows]

    # ---- pruning ------------------------------------------------------------------------------

    def prune(self, days: float, *, named: Sequence[str] = (), before: int | None = None) -> int:
        """Forget events from the oldest on that were sent more than `days` ago; returns how many went.

        `named`: resources whose rows have names that may come again: the last event of each such row stays,
        so that its sequence goes on. `before`: numbers from here on are still needed.
        """
        t, later = self.table, self.table.alias()
        old = now() - dt.timedelta(days=days)
        needed = select(func.min(t.c.number)).where(or_(t.c.sent_at.is_(None), t.c.sent_at >= old))
        newest = select(later.c.position).where(
            later.c.subject == t.c.subject, later.c.sequence > t.c.sequence
        )
        kept = [and_(t.c.subject.startswith(f"{name}/"), ~newest.exists()) for name in named]
        self._begin()
        with self.database.write() as connection:
            last = connection.execute(select(self.sequencer.c.last).with_for_update()).scalar_one()
            end = min(connection.execute(needed).scalar() or last + 1, before or last + 1)
            oldest = select(t.c.number).where(t.c.number < end, ~or_(false(), *kept))
            numbers = oldest.order_by(t.c.number).limit(PRUNED_AT_ONCE)
            forget = delete(t).where(t.c.number.in_(numbers)).returning(t.c.number)
            gone = connection.execute(forget).scalars().all()
            reached = end - 1 if len(gone) < PRUNED_AT_ONCE else max(gone)
            # Never less than before, though older events be needed again: what is gone stays gone.
            further = self.sequencer.c.pruned < reached
            connection.execute(update(self.sequencer).where(further).values(pruned=reached))
        return len(gone)


def shown(event: Envelope, scope: Scope) -> Envelope | None:
    """The event as who has this scope may know it, None: not at all. An event of no realm is of a row that
    all share, unless the row names the realms that it is for: each is told of its own only."""
    if scope.everything or event.realm:
        return event if scope.everything or event.realm in scope.realms else None
    realms = event.data.get("realms")
    if not realms:
        return event
    own = [one for one in realms if one in scope.realms]
    return replace(event, data={**event.data, "realms": own}) if own else None
