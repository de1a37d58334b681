"""Empty databases of both kinds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql

from deploy.local.postgres import Postgres
from services.common.database.engine import Database


def empty_database(request: pytest.FixtureRequest, kind: str, name: str, folder: Path) -> str:
    """The URL of a new one: `sqlite`, a file in the folder, or `postgres`, on the server of this run."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/{name}.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create_database(f"{name}_{time.time_ns()}")


@contextmanager
def away(postgres: Postgres, database: Database) -> Iterator[None]:
    """Meanwhile the server lets nobody into this database; who is in it is put out."""
    name = database.engine.url.database
    let = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with postgres.connect() as connection:
        connection.execute(let.format(sql.Identifier(name or ""), sql.SQL("false")))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(let.format(sql.Identifier(name or ""), sql.SQL("true")))
            database.close()  # else the first write finds a dead connection
