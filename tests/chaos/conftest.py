"""The platform that the chaos tests do harm to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from tests.servers import Real


@pytest.fixture(scope="package")
def platform() -> Iterator[Real]:
    """A platform for being killed, on servers that are durable: a commit is one."""
    folder = Path(tempfile.mkdtemp(prefix="krill-chaos-"))
    folder.chmod(0o711)
    postgres, rabbitmq = Postgres(folder / "postgres"), RabbitMQ(folder / "rabbitmq")
    (folder / "platform").mkdir()
    started: list[Real] = []
    try:
        postgres.start()
        rabbitmq.start()
        server = Real(folder / "platform", postgres, rabbitmq)
        started.append(server)
        yield server.start()
    finally:
        for one in started:
            one.stop()
        rabbitmq.destroy()
        postgres.destroy()
        shutil.rmtree(folder)
