"""One process of several does a piece of work, until it or its database goes; the others stand by."""

from __future__ import annotations

from contextlib import ExitStack

from services.common.database.engine import Database


class Lead:
    """`name`: of the work, within the database. Holds one connection while it is had."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._held: ExitStack | None = None

    def had(self, database: Database) -> bool:
        """Whether it is this process that does the work; taken when nobody has it."""
        if self._held is None:
            held = ExitStack()
            if not held.enter_context(database.exclusive(self.name, wait=False)):
                held.close()
                return False
            self._held = held
        return True

    def lost(self) -> None:
        """The database was away, and the lock with it."""
        self._held = None
