"""isp's engine as a publisher, and a reader: another service with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.common.database.engine import Database
from tests.integration.databases import empty_database
from tests.integration.engine.conftest import on_file, on_postgres, on_server, on_sqlite, stocked, world
from tests.integration.engine.world import SETTINGS
from tests.integration.events.reader import Reader

__all__ = ["on_file", "on_postgres", "on_server", "on_sqlite", "stocked", "world"]


@pytest.fixture(params=["sqlite", "postgres"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    database = Database(empty_database(request, request.param, "reader", folder), SETTINGS)
    yield Reader(database)
    database.close()
