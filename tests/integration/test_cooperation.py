"""A service makes sure that its database driver lets green threads go on, however busy the machine is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres

ROOT = Path(__file__).parents[2]
GREEN = "from services.common.rpc import green; green.patch()"
BLOCKING = "import eventlet; eventlet.monkey_patch()"
"""The driver waits in C, where no hub can take over."""
PROVE = """
import sys
from services.common.database import engine
from services.common.settings import Settings
engine.BLOCKED = int(sys.argv[2])
engine.Database(sys.argv[1], Settings()).prove_cooperative()
"""
BUSY = """
import time, eventlet
def hog():
    while True:
        time.sleep(0)
        end = time.perf_counter() + 0.3
        while time.perf_counter() < end:
            pass
eventlet.spawn(hog)
"""


def proved(url: str, *before: str, blocked: int = 60_000) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "\n".join((*before, PROVE)), url, str(blocked)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("busy", ["", BUSY], ids=["at rest", "busy"])
def test_a_driver_that_lets_others_go_on_is_taken(postgres: Postgres, busy: str) -> None:
    done = proved(postgres.url("postgres"), GREEN, busy)
    assert done.returncode == 0, done.stderr


def test_a_driver_that_blocks_the_process_is_refused(postgres: Postgres) -> None:
    done = proved(postgres.url("postgres"), BLOCKING, blocked=1000)
    assert done.returncode == 1
    assert "the database driver blocks green threads" in done.stderr


def test_a_service_starts_without_its_database(postgres: Postgres) -> None:
    away = postgres.url("postgres").replace(f":{postgres.ports['sql']}/", ":1/")
    assert proved(away, GREEN).returncode == 0
