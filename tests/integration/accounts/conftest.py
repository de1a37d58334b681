"""Accounts on PostgreSQL: each test gets a copy of a database that was prepared once."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.common.settings import Settings
from tests.unit.gateway.accounts.conftest import accounts, gateway, prepare, settings_in

__all__ = ["accounts", "gateway"]


@pytest.fixture(scope="session")
def prepared(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder, and the name of a database as `krill migrate` and the first start leave it."""
    url = postgres.create_database("prepared_gateway").replace("prepared_gateway", "prepared_{service}")
    return prepare(settings_in(tmp_path_factory.mktemp("prepared"), database_url=SecretStr(url))), "prepared_gateway"


@pytest.fixture
def settings(postgres: Postgres, prepared: tuple[Path, str], tmp_path: Path) -> Iterator[Settings]:
    folder, template = prepared
    name = f"test_{uuid.uuid4().hex}"
    copies = {f"{name}_gateway": template, f"{name}_isp": "template0"}
    with postgres.connect() as connection:
        for copy, source in copies.items():
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(copy), sql.Identifier(source)))
    url = postgres.url(f"{name}_{{service}}")
    yield settings_in(Path(shutil.copytree(folder, tmp_path / "data")), database_url=SecretStr(url), db_pool=24)
    with postgres.connect() as connection:
        for copy in copies:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(copy)))
