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
        self._held = ExitStack()
        self._lives: Callable[[], bool] | None = None

    def had(self, database: Database) -> bool:
        """Whether it is this process that does the work; taken when nobody has it. Who finds that he has lost
        it leaves this round to others."""
        if self._lives is None:
            self._lives = self._held.enter_context(database.held(self.name, wait=False))
            had = self._lives is not None
        else:
            had = self._lives()
        if not had:
            self.lost()
        return had

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
        """The lock is another's, or went with the database; its connection is given back."""
        self._lives = None
        self._held.close()
