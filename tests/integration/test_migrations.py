"""The migrations make the tables that the code uses, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from deploy import registry
from services.common.database.engine import Database
from services.common.database.migrate import is_current, upgrade
from services.common.settings import Settings
from tests.integration.databases import empty_database


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables."""
    url = empty_database(request, request.param, "empty", tmp_path)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("owner", registry.owners(), ids=lambda one: str(one.name))
def test_the_migrations_make_the_tables_that_the_code_uses(owner: registry.Owner, empty: Engine) -> None:
    assert not is_current(owner.migrations, owner.metadata, empty)
    upgrade(owner.migrations, owner.metadata, empty)
    assert is_current(owner.migrations, owner.metadata, empty)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), owner.metadata) == []
        if empty.dialect.name == "sqlite":
            # Not compared, and lost wherever a migration makes a table anew: ids that are never used twice.
            found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            kept = {name for name, sql in found if "AUTOINCREMENT" in sql}
            tables = owner.metadata.tables.values()
            assert kept == {one.name for one in tables if one.dialect_options["sqlite"]["autoincrement"]}


def test_a_migration_takes_longer_than_a_request_may_and_so_does_who_waits_for_it(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making an index over a million rows does."""
    url = empty_database(request, "postgres", "slow", tmp_path)
    database = Database(url, Settings(deadline=0.5))
    [owner] = [one for one in registry.owners() if one.name == "isp"]

    def long(config: Config, _: str) -> None:
        config.attributes["connection"].execute(text("SELECT pg_sleep(2.5)"))

    monkeypatch.setattr("alembic.command.upgrade", long)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(upgrade, owner.migrations, owner.metadata, database.engine) for _ in range(2)]
        assert both[0].result(60) == both[1].result(60)
    with database.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT pg_sleep(2.5)"))
    database.close()
