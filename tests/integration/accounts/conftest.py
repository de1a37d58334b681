"""Accounts on PostgreSQL: one database for all tests, put back before each to what the first start leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from psycopg import Connection, sql
from pydantic import SecretStr
from sqlalchemy import MetaData

from deploy.local.postgres import Postgres
from gateway.accounts import models
from services.common.database.engine import Database
from services.common.settings import Settings
from services.isp import models as isp_models
from tests.unit.gateway.accounts.conftest import accounts, gateway, prepare, settings_in

__all__ = ["accounts", "gateway"]

NAME = "accounts_{service}"
OWNERS = {"gateway": models.metadata, "isp": isp_models.metadata}


@pytest.fixture(scope="session")
def prepared(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    for owner in OWNERS:
        postgres.create_database(NAME.format(service=owner))
    folder = tmp_path_factory.mktemp("prepared")
    made = settings_in(folder, database_url=SecretStr(postgres.url(NAME)), db_pool=24)
    prepare(made)
    isp = Database(made.database("isp"), made)
    isp_models.metadata.create_all(isp.engine)
    isp.close()
    for owner, metadata in OWNERS.items():
        with postgres.connect(NAME.format(service=owner)) as connection:
            _keep(connection, metadata)
    return made


@pytest.fixture
def settings(postgres: Postgres, prepared: Settings, tmp_path: Path) -> Settings:
    for owner, metadata in OWNERS.items():
        with postgres.connect(NAME.format(service=owner)) as connection:
            _put_back(connection, metadata)
    folder = Path(shutil.copytree(prepared.data_dir, tmp_path / "data"))
    return prepared.model_copy(update={"data_dir": folder})


def _keep(connection: Connection, metadata: MetaData) -> None:
    connection.execute("CREATE SCHEMA kept")
    for table in metadata.sorted_tables:
        name = sql.Identifier(table.name)
        connection.execute(sql.SQL("CREATE TABLE kept.{} AS TABLE public.{}").format(name, name))


_CONTINUE = sql.SQL(
    "SELECT setval(pg_get_serial_sequence({}, {}), (SELECT coalesce(max({}), 0) + 1 FROM {}), false)"
)


def _put_back(connection: Connection, metadata: MetaData) -> None:
    tables = metadata.sorted_tables
    names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
    steps = [sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names)]
    for table in tables:
        name = sql.Identifier(table.name)
        steps.append(sql.SQL("INSERT INTO {} SELECT * FROM kept.{}").format(name, name))
        if table.autoincrement_column is not None:
            column = table.autoincrement_column.name
            steps.append(
                _CONTINUE.format(sql.Literal(table.name), sql.Literal(column), sql.Identifier(column), name)
            )
    connection.execute(sql.SQL("; ").join(steps))
