"""isp's engine as a publisher, and a reader: another service with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.postgres import Postgres
from services.common.database.engine import Database
from tests.integration.engine.conftest import on_file, on_postgres, on_server, on_sqlite, stocked, world
from tests.integration.engine.world import SETTINGS
from tests.integration.events.reader import Reader

__all__ = ["on_file", "on_postgres", "on_server", "on_sqlite", "stocked", "world"]

_numbers = iter(range(1_000_000))


@pytest.fixture(params=["sqlite", "postgres"])
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[Reader]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('reader') / 'reader.db'}"
    else:
        url = postgres.create_database(f"reader{next(_numbers)}")
    database = Database(url, SETTINGS)
    yield Reader(database)
    database.close()
