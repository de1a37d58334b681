"""Counts the SQL statements of a piece of work, whichever way they are run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from services.common.database import prepared
from services.common.database.engine import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run on this database inside the block."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    for engine in (database.engine, database.reader):
        event.listen(engine, "before_cursor_execute", note)
    prepared.watchers.append(found.append)
    try:
        yield found
    finally:
        prepared.watchers.remove(found.append)
        for engine in (database.engine, database.reader):
            event.remove(engine, "before_cursor_execute", note)
