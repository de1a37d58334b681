"""The executor's one table: what it was handed, and how far it is with it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, text

from services.common.database.columns import BigInt, JsonB, version
from services.common.database.kernel import metadata_of_service

metadata = metadata_of_service()

_waiting = text("state = 'noted'")

# One row an action, of its newest attempt. `tries`: how often this attempt was begun.
runs = Table(
    "runs",
    metadata,
    Column("action", BigInt, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("cpe", BigInt, nullable=False),
    Column("cpename", String(64), nullable=False),
    Column("realm", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("parameters", JsonB, nullable=False),
    Column("state", String(16), nullable=False, comment="noted, begun or done"),
    Column("tries", Integer, nullable=False),
    version(),
    Index("ix_runs_noted", "action", postgresql_where=_waiting, sqlite_where=_waiting),
)
