"""The CRM's database: its rows, and how far it is, always in the same transaction.

An event is applied once: its id is noted with what it changes. It is never applied over a newer one of its
subject. Rows are replaced as a whole, since an event carries the whole row: what is applied late or again
does no harm.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.examples.crm_sync.event import Event

MIRRORED: Mapping[str, tuple[str, ...]] = {
    "customers": (
        *("id", "external_id", "name", "surname", "address", "city", "postalcode", "country", "comment"),
        *("realm",),
    ),
    "cpes": (
        *("id", "external_id", "customer", "internal_id", "model", "tech", "profile", "sn", "mac", "access"),
        *("active", "address", "city", "notes", "realm"),
    ),
    "potses": ("id", "cpe", "order", "cli", "label", "language", "voicemail", "realm"),
    "actions": ("id", "cpe", "external_id", "kind", "state", "requested_by", "batch", "result", "error"),
}
"""Resource of the API → what the CRM keeps of its rows. Tables and columns bear the API's names."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (event TEXT PRIMARY KEY, copies INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subjects (subject TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS applied (
    place INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, subject TEXT NOT NULL,
    sequence INTEGER NOT NULL, type TEXT NOT NULL, time INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS refused (received INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS progress (
    id INTEGER PRIMARY KEY CHECK (id = 1), behind INTEGER NOT NULL, cursor TEXT
);
INSERT OR IGNORE INTO progress VALUES (1, 1, NULL);
"""
"""`applied`: what was done, in this order, at nanoseconds since 1970. `progress`: whether a rebuild is due,
and with a cursor that its rows are loaded and the feed is applied that far."""


class Database:
    """For one thread. Every public method is one transaction, on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(SCHEMA)
        for table, columns in MIRRORED.items():
            named = ", ".join(f'"{one}"' for one in columns[1:])
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, {named})")

    def close(self) -> None:
        self._connection.close()

    @property
    def behind(self) -> bool:
        """Whether events may have been missed, so that a rebuild is due."""
        return bool(self._one("SELECT behind FROM progress"))

    @property
    def cursor(self) -> str | None:
        """How far the feed is applied in a rebuild; None: its rows are not loaded yet."""
        found: str | None = self._one("SELECT cursor FROM progress")
        return found

    def fall_behind(self) -> None:
        """A rebuild is due, from its beginning."""
        with self._transaction():
            self._connection.execute("UPDATE progress SET behind = 1, cursor = NULL")

    def catch_up(self) -> None:
        """The rebuild is done."""
        with self._transaction():
            self._connection.execute("UPDATE progress SET behind = 0, cursor = NULL")

    def replace(self, rows: Iterable[tuple[str, Mapping[str, Any]]], cursor: str) -> None:
        """These (resource, row) and no others. `cursor`: where the feed was before they were read."""
        with self._transaction():
            for table in MIRRORED:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
            for table, row in rows:
                self._keep(table, row)
            self._connection.execute("UPDATE progress SET cursor = ?", (cursor,))

    def apply(self, events: Sequence[Event], cursor: str | None = None) -> None:
        """`cursor`: where the feed goes on after them."""
        with self._transaction():
            done = [one for one in events if one.resource in MIRRORED and self._is_due(one)]
            for one in done:
                self._apply(one)
            now = time.time_ns()
            self._connection.executemany(
                "INSERT INTO applied (event, subject, sequence, type, time) VALUES (?, ?, ?, ?, ?)",
                [(one.id, one.subject, one.sequence, one.type, now) for one in done],
            )
            if cursor is not None:
                self._connection.execute("UPDATE progress SET cursor = ?", (cursor,))

    def refuse(self, body: bytes, reason: str) -> None:
        """Keep a message that is no event, for somebody to look at."""
        with self._transaction():
            self._connection.execute("INSERT INTO refused VALUES (?, ?, ?)", (time.time_ns(), reason, body))

    def _is_due(self, event: Event) -> bool:
        """Whether it is here for the first time, and none of its subject that is newer was before it."""
        copies = self._one(
            "INSERT INTO inbox VALUES (?, 1) ON CONFLICT DO UPDATE SET copies = copies + 1 RETURNING copies",
            event.id,
        )
        newest = self._one(
            "INSERT INTO subjects VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence "
            "WHERE excluded.sequence > sequence RETURNING sequence",
            *(event.subject, event.sequence),
        )
        return bool(copies == 1 and newest is not None)

    def _apply(self, event: Event) -> None:
        if event.deletes:
            id_ = event.data["id"]
            self._connection.execute(f"DELETE FROM {event.resource} WHERE id = ?", (id_,))  # noqa: S608
        else:
            self._keep(event.resource, event.data)

    def _keep(self, table: str, row: Mapping[str, Any]) -> None:
        values = [stored(row.get(one)) for one in MIRRORED[table]]
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)  # noqa: S608

    def _one(self, statement: str, *values: Any) -> Any:
        found = self._connection.execute(statement, values).fetchone()
        return found and found[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def stored(value: Any) -> Any:
    """A member as SQLite keeps it: objects and lists as JSON."""
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value
