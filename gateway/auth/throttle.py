"""Limits on guessing: an attempt is counted before it is looked at, and given back when it was right.

Counters are rows that one atomic statement raises, so the limits hold for all gateway processes together,
however many attempts come at once.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.accounts.models import login_failures
from services.common.database.engine import Database
from services.common.errors import Throttled

PAIR, ADDRESS, USERNAME = "pair", "address", "username"


@dataclass(frozen=True, slots=True)
class Limit:
    most: int
    seconds: int


LIMITS = {
    PAIR: Limit(5, 300),
    ADDRESS: Limit(50, 300),
    # High, for whoever knows a name could lock its owner out.
    USERNAME: Limit(100, 3600),
}

Subjects = dict[str, str]


def network(address: str | None) -> str:
    """Whom an address stands for: itself, or its /64, since that is what one subscriber gets (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def subjects(username: str | None, address: str | None) -> Subjects:
    """What an attempt counts against; without a user name (tokens), the address alone."""
    where = network(address)
    if username is None:
        return {ADDRESS: where}
    name = username.replace("\0", "")[:150]
    return {ADDRESS: where, PAIR: f"{name} {where}", USERNAME: name}


class Throttle:
    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = postgresql if database.dialect == "postgresql" else sqlite
        self._insert = dialect.insert

    def attempt(self, who: Subjects) -> None:
        """Count an attempt. Raises `Throttled`, and then does not count it."""
        now = int(time.time())
        with self._database.write() as connection:
            over = [row for row in self._raise(connection, who, now) if row.count > LIMITS[row.kind].most]
            if over:
                self._lower(connection, who)
        if over:
            wait = max(row.until for row in over) - now
            minutes = math.ceil(wait / 60)
            raise Throttled(
                f"Too many attempts. Try again in {minutes} minute{'s' * (minutes != 1)}.", retry_after=wait
            )

    def forgive(self, who: Subjects) -> None:
        """The attempt was right: it does not count, and what this user got wrong from here is forgotten."""
        with self._database.write() as connection:
            self._hold(connection, who)
            self._lower(connection, {kind: subject for kind, subject in who.items() if kind != PAIR})
            if PAIR in who:
                connection.execute(delete(login_failures).where(_are({PAIR: who[PAIR]})))

    def tidy(self) -> None:
        """Forget windows that have ended."""
        with self._database.write() as connection:
            connection.execute(delete(login_failures).where(login_failures.c.until < int(time.time())))

    def _hold(self, connection: Connection, who: Subjects) -> None:
        """Lock the rows in the order of `_raise`, so that no two logins wait for each other."""
        table = login_failures.c
        connection.execute(select(table.kind).where(_are(who)).order_by(table.kind).with_for_update()).all()

    def _raise(self, connection: Connection, who: Subjects, now: int) -> list[Row]:
        rows = [
            {"kind": kind, "subject": subject, "count": 1, "until": now + LIMITS[kind].seconds}
            for kind, subject in sorted(who.items())
        ]
        table = login_failures.c
        statement = self._insert(login_failures).values(rows)
        over = table.until <= now
        raised = statement.on_conflict_do_update(
            index_elements=[table.kind, table.subject],
            set_={
                "count": case((over, 1), else_=table.count + 1),
                "until": case((over, statement.excluded.until), else_=table.until),
            },
        ).returning(table.kind, table.count, table.until)
        return [Row(*row) for row in connection.execute(raised)]

    def _lower(self, connection: Connection, who: Subjects) -> None:
        table = login_failures.c
        connection.execute(
            update(login_failures).where(_are(who), table.count > 0).values(count=table.count - 1)
        )


@dataclass(frozen=True, slots=True)
class Row:
    kind: str
    count: int
    until: int


def _are(who: Subjects) -> ColumnElement[bool]:
    table = login_failures.c
    return or_(*(and_(table.kind == kind, table.subject == subject) for kind, subject in sorted(who.items())))
