"""The engine on SQLite and on PostgreSQL: empty for each test, made by the migrations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from deploy.local.postgres import Postgres
from services.common.database.engine import Database
from services.common.database.migrate import upgrade
from services.common.database.tally import Tally
from services.isp.models import metadata
from tests.integration.engine.world import SETTINGS, World

MIGRATIONS = "services.isp.migrations"


def migrated(url: str) -> Database:
    database = Database(url, SETTINGS)
    upgrade(MIGRATIONS, metadata, database.engine)
    return database


@pytest.fixture(scope="session")
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    database = migrated(f"sqlite:///{tmp_path_factory.mktemp('engine') / 'isp.db'}")
    yield World(database)
    database.close()


@pytest.fixture(scope="session")
def on_server(postgres: Postgres) -> Iterator[World]:
    database = migrated(postgres.create_database("engine"))
    yield World(database)
    database.close()


def emptied(world: World) -> World:
    """The same engine, which keeps the statements it has made, on empty tables."""
    with world.database.write() as connection:
        if world.dialect == "sqlite":
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
            connection.exec_driver_sql("DELETE FROM sqlite_sequence")
        else:
            names = ", ".join(f'"{name}"' for name in metadata.tables)
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    world.engine.tally = Tally(metadata.tables["tally"])
    return world


@pytest.fixture
def on_sqlite(on_file: World) -> World:
    return emptied(on_file)


@pytest.fixture
def on_postgres(on_server: World) -> World:
    return emptied(on_server)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    """An empty database of either kind."""
    found: World = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.fixture
def stocked(world: World) -> World:
    """With models, profiles and contexts to choose from."""
    world.model("HG8245H", vendor="Huawei", pots=2, diagnostics=True)
    world.model("SOFTPHONE", tech="voip", pots=1)
    world.model("BRIDGE", tech="ethernet", is_router=False)
    return world
