"""The platform with a service that it does not know."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from tests.contract.toy.platform import Extended, fill
from tests.servers import Session


@pytest.fixture(scope="session")
def extended(postgres: Postgres) -> Iterator[Extended]:
    """With a broker of its own: services of the same name share their calls."""
    folder = Path(tempfile.mkdtemp(prefix="krill-toy-"))
    folder.chmod(0o711)
    (folder / "platform").mkdir()
    rabbitmq = RabbitMQ(folder / "rabbitmq", fast=True)
    started: list[Extended] = []
    try:
        rabbitmq.start()
        server = Extended(folder / "platform", postgres, rabbitmq)
        started.append(server)
        server.start()
        fill(server)
        yield server
    finally:
        for one in started:
            one.stop()
        rabbitmq.destroy()
        shutil.rmtree(folder)


@pytest.fixture
def joiner(extended: Extended) -> Iterator[Session]:
    yield extended.session("joiner")
    extended.delay(None)
