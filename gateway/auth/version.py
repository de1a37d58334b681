"""The state number of the accounts: it grows in the transaction of every change that matters to who may do
what.

What a process remembers of users is good for one number only, so that a revocation counts at once, in every
process, for the price of one small query per request.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from gateway.accounts.models import metadata
from services.common.database.prepared import Prepared
from services.common.database.tally import Tally

MATTERS = ("users", "groups", "permissions", "realms", "tokens", "sessions")


class Version:
    def __init__(self) -> None:
        self._tally = Tally(metadata.tables["tally"])
        self._sum: Prepared | None = None

    def read(self, connection: Connection) -> int:
        """One small query: it is made for every request."""
        if self._sum is None:
            table = self._tally.table
            names = or_(*(table.c.resource == name for name in MATTERS))
            statement = select(func.coalesce(func.sum(table.c.writes), 0)).where(names)
            self._sum = Prepared(statement, connection.dialect)
        return int(self._sum.rows(connection, {})[0][0])

    def bump(self, connection: Connection) -> None:
        """For changes that do not go through the engine, which does it by itself."""
        self._tally.add(connection, {("sessions", ""): 0})
