"""One platform for all that shake it, on servers of its own: durable ones, since a commit must be one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from tests.chaos.platform import Platform


@pytest.fixture(scope="package")
def shaken() -> Iterator[Platform]:
    folder = Path(tempfile.mkdtemp(prefix="krill-storm-"))
    folder.chmod(0o711)
    postgres, rabbitmq = Postgres(folder / "postgres"), RabbitMQ(folder / "rabbitmq")
    (folder / "platform").mkdir()
    started: list[Platform] = []
    try:
        postgres.launch()
        rabbitmq.start()
        postgres.start()
        platform = Platform(folder / "platform", postgres, rabbitmq)
        started.append(platform)
        yield platform.start()
    finally:
        for one in started:
            one.stop()
        rabbitmq.destroy()
        postgres.destroy()
        shutil.rmtree(folder)
