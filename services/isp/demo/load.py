"""The transaction that many rows are written in, and what a table needs after it. Nothing here knows what
the rows mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, MetaData, func, select, text

from services.common.database.engine import patient, unhurried


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction for all of it, as long as it takes: the limits are for requests."""
    with engine.execution_options(immediate=True).begin() as connection, unhurried(connection):
        if connection.dialect.name == "postgresql":
            # On a server that commits lazily, `settle` could not mark unflushed rows as visible to all.
            connection.execute(text("SET LOCAL synchronous_commit = on"))
        yield connection


def advance_sequences(connection: Connection, metadata: MetaData) -> None:
    """Makes the next automatic id of each table follow the ids in use; SQLite does it by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.tables.values():
        key = table.autoincrement_column
        if key is None:
            continue
        highest = connection.scalar(select(func.max(key)))
        if highest is not None:
            sequence = func.pg_get_serial_sequence(table.name, key.name)
            connection.execute(select(func.setval(sequence, highest)))


def settle(engine: Engine, metadata: MetaData) -> None:
    """Planner statistics, and on PostgreSQL the visibility map, which index-only scans need."""
    if engine.dialect.name != "postgresql":
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        return
    names = ", ".join(map(engine.dialect.identifier_preparer.quote, metadata.tables))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # these settings must not go back to the pool
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET synchronous_commit = on"))
        with patient(connection):
            connection.execute(text(f"VACUUM (ANALYZE) {names}"))
