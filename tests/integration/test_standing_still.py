"""A server of the database that stands still: it answers nothing, and nothing says that it is gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import literal, select, text

from deploy.local.postgres import Postgres
from services.common.database.engine import Database, patient, unhurried
from services.common.errors import ServiceUnavailable
from services.common.settings import Settings

ONE = select(literal(1))


def read(database: Database) -> Any:
    return database.reading(lambda connection: connection.execute(ONE).scalar_one())


def read_prepared(database: Database) -> Any:
    return database.reading(lambda connection: database.prepare(ONE).rows(connection, {})[0][0])


def write(database: Database) -> Any:
    with database.write() as connection:
        return connection.execute(ONE).scalar_one()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    found = Database(postgres.create_database("still"), Settings(deadline=3.0))
    yield found
    found.close()


@pytest.mark.parametrize("work", [read, read_prepared, write])
def test_it_is_given_up_and_left(database: Database, work: Callable[[Database], Any]) -> None:
    servers = []
    for pool in (database.engine, database.reader):
        with pool.connect() as connection:
            servers.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    for server in servers:
        os.kill(server, signal.SIGSTOP)
    with ThreadPoolExecutor() as aside:
        try:
            with pytest.raises(ServiceUnavailable):
                aside.submit(work, database).result(60)
            assert aside.submit(work, database).result(60) == 1, "another one serves us"
        finally:
            for server in servers:
                os.kill(server, signal.SIGCONT)


def test_what_may_take_long_takes_long(database: Database) -> None:
    with database.write() as connection, unhurried(connection):
        connection.execute(text("SELECT pg_sleep(5)"))
    with database.reader.connect() as connection:
        connection.detach()
        connection.execute(text("SET statement_timeout = 0"))
        with patient(connection):
            connection.execute(text("SELECT pg_sleep(5)"))
