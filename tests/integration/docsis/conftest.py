"""docsis on SQLite and on PostgreSQL, empty for each test, beside isp and agents that speak SNMP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import MetaData, delete

from deploy.local.postgres import Postgres
from services.common.database.engine import Database
from services.common.database.migrate import upgrade
from services.common.devices.access import SnmpAccess
from services.common.devices.snmp import Snmp
from services.docsis import detail, devices
from services.docsis.models import metadata
from services.isp.models import metadata as isp_metadata
from tests.integration.docsis import agents as playing
from tests.integration.docsis.agents import LOOPBACK, NOBODY, Agents
from tests.integration.docsis.network import Network
from tests.integration.engine.world import SETTINGS, World

OWNERS = (("isp", isp_metadata), ("docsis", metadata))


@pytest.fixture(scope="session")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    with playing.running(tmp_path_factory.mktemp("snmp")) as found:
        yield found


def _migrated(urls: dict[str, str], folder: Path) -> dict[str, Database]:
    # What waits for a lock gives up after the usual time: one test waits for that.
    settings = SETTINGS.model_copy(update={"data_dir": folder, "deadline": 5.0})
    found = {name: Database(urls[name], settings) for name, _ in OWNERS}
    for name, tables in OWNERS:
        upgrade(f"services.{name}.migrations", tables, found[name].engine)
    return found


@pytest.fixture(scope="session")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    folder = tmp_path_factory.mktemp("docsis")
    databases = _migrated({name: f"sqlite:///{folder / name}.db" for name, _ in OWNERS}, folder)
    yield databases
    for one in databases.values():
        one.close()


@pytest.fixture(scope="session")
def on_server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    folder = tmp_path_factory.mktemp("docsis-server")
    databases = _migrated({name: postgres.create_database(f"docsis_{name}") for name, _ in OWNERS}, folder)
    yield databases
    for one in databases.values():
        one.close()


def _emptied(database: Database, tables: MetaData) -> Database:
    with database.write() as connection:
        if database.dialect == "sqlite":
            for table in reversed(tables.sorted_tables):
                connection.execute(delete(table))
            connection.exec_driver_sql("DELETE FROM sqlite_sequence")
        else:
            names = ", ".join(f'"{name}"' for name in tables.tables)
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    return database


def _way(device: str, access: SnmpAccess) -> Snmp:
    silent = access.community == NOBODY or access.address != LOOPBACK
    return Snmp(device, replace(access, timeout=0.4, retries=0) if silent else access)


@pytest.fixture(params=["on_files", "on_server"])
def network(
    request: pytest.FixtureRequest, agents: Agents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Network:
    """An empty database of either kind. Agents that are silent are so after less time than real ones; those
    that answer are given time, for they are in Python, and the machine may be busy."""
    monkeypatch.setattr(devices, "Snmp", _way)
    monkeypatch.setattr(detail, "PAUSE", 0.05)
    databases: dict[str, Database] = request.getfixturevalue(request.param)
    for name, tables in OWNERS:
        _emptied(databases[name], tables)
    settings = databases["docsis"].settings.model_copy(update={"data_dir": tmp_path})
    isp = World(databases["isp"])
    isp.model("CM500", tech="docsis", vendor="Northlight")
    return Network(databases["docsis"], isp, agents, settings)
