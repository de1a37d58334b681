"""The state number of the accounts: it grows in the transaction of every change that matters to who may do
what.

What a process remembers of users is good for one number only. A process reads the number again when it has
relied on it for `LEASE` seconds, and a change is answered only when every lease on the number before it has
ended: so a revocation counts in every process from its answer on, and few requests pay for a query.
"""

from __future__ import annotations

import threading
import time

from sqlalchemy import Connection, func, or_, select

from gateway.accounts.models import metadata
from services.common.database.engine import Database
from services.common.database.tally import Tally

MATTERS = ("users", "groups", "permissions", "realms", "tokens", "sessions")
LEASE = 0.05


class Version:
    """Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tally = Tally(metadata.tables["tally"])
        table = self._tally.table
        names = or_(*(table.c.resource == name for name in MATTERS))
        self._sum = database.prepare(select(func.coalesce(func.sum(table.c.writes), 0)).where(names))
        self._reading, self._noting = threading.Lock(), threading.Lock()
        self._known = (-1, 0.0)
        # SQLite serves one process and answers within it.
        self._lease = 0.0 if database.dialect == "sqlite" else LEASE

    def read(self) -> int:
        """The number that the accounts have now, or had less than a lease ago."""
        number, until = self._known  # at once: a number with another's lease would be relied on for too long
        if time.monotonic() < until:
            return number
        # Who comes while another is reading waits for what he finds, but no longer than it would be good for.
        had = self._reading.acquire(timeout=self._lease)
        try:
            number, until = self._known
            began = time.monotonic()
            if began < until:
                return number
            number = self._database.reading(lambda connection: int(self._sum.rows(connection, {})[0][0]))
            with self._noting:
                known, until = self._known
                if number >= known:  # a number below ours is of a query that was overtaken
                    self._known = (number, max(until, began + self._lease))
                return self._known[0]
        finally:
            if had:
                self._reading.release()

    def bump(self, connection: Connection) -> None:
        """For changes that do not go through the engine, which does it by itself."""
        self._tally.add(connection, {("sessions", ""): 0})

    def settle(self) -> None:
        """After a change was committed and before it is answered: returns when no process relies on a number
        from before it."""
        time.sleep(self._lease)
