"""One process of several does a piece of work, until it or its database goes; the others stand by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from services.common.database.engine import Database
from services.common.errors import ApiError


class Lead:
    """`name`: of the work, within the database. Holds one connection while it is had."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._held: ExitStack | None = None
        self._lives: Callable[[], bool] | None = None

    def had(self, database: Database) -> bool:
        """Whether it is this process that does the work; taken when nobody has it. Who finds that he has lost
        it leaves this round to others."""
        if self._lives is not None:
            if self._lives():
                return True
            self.lost()
            return False
        held = ExitStack()
        self._lives = held.enter_context(database.held(self.name, wait=False))
        if self._lives is None:
            held.close()
            return False
        self._held = held
        return True

    @contextmanager
    def working(self, database: Database) -> Iterator[bool]:
        """A round of the work; whether it is this process that does it. When the database fails in it, the
        lock is taken to be gone."""
        try:
            yield self.had(database)
        except ApiError:
            self.lost()
            raise

    def lost(self) -> None:
        """The database was away, and the lock with it."""
        held, self._held, self._lives = self._held, None, None
        if held is not None:
            held.close()
