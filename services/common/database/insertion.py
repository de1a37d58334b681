"""An insert that leaves a row that is already there alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Whether the row is new. One with its key that another transaction is writing is waited for."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(new.returning(*table.primary_key)).first() is not None
