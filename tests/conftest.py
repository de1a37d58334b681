"""Private servers that a test session shares; a test makes its own databases and queues there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from tests.servers import Embedded, Real, Server

# The same examples in every run, on every machine, however slow it is: what fails fails for everybody.
hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the servers' users can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="krill-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[Postgres]:
    server = Postgres(server_folder / "postgres", fast=True)
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def rabbitmq(server_folder: Path) -> Iterator[RabbitMQ]:
    server = RabbitMQ(server_folder / "rabbitmq", fast=True)
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The platform in one process."""
    server = Embedded(tmp_path_factory.mktemp("embedded"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, rabbitmq: RabbitMQ) -> Iterator[Real]:
    """The platform on RabbitMQ and PostgreSQL."""
    server = Real(tmp_path_factory.mktemp("real"), postgres, rabbitmq)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session", params=["embedded", "real"])
def server(request: pytest.FixtureRequest) -> Server:
    """The platform both ways: a test that takes it runs twice."""
    found: Server = request.getfixturevalue(request.param)
    return found
