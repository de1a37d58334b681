"""The state number of the accounts: it grows in the transaction of every change that matters to who may do
what.

What a process remembers of users is good for one number only, so that a revocation counts at once, in every
process, for the price of one small query per request.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from gateway.accounts.models import metadata
from services.common.database.tally import Tally

MATTERS = ("users", "groups", "permissions", "realms", "tokens", "sessions")


class Version:
    def __init__(self) -> None:
        self._tally = Tally(metadata.tables["tally"])
        writes = self._tally.table.c.writes
        self._sum = select(func.coalesce(func.sum(writes), 0)).where(
            self._tally.table.c.resource.in_(MATTERS)
        )

    def read(self, connection: Connection) -> int:
        return int(connection.execute(self._sum).scalar_one())

    def bump(self, connection: Connection) -> None:
        """For changes that do not go through the engine, which does it by itself."""
        self._tally.add(connection, {("sessions", ""): 0})
