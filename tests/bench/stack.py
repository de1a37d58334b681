"""All that a run starts: private PostgreSQL and RabbitMQ, gunicorns, services. It ends what it started.

Everything listens on loopback, on ports that are free, with data in a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from deploy.local.instance import LOOPBACK, free_port
from deploy.local.postgres import Postgres
from deploy.local.process import Process
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.unit import StartError

ROOT = Path(__file__).resolve().parents[2]
WORKERS, THREADS = 2, 4
CONNECTIONS = 16
"""Of the load. A worker takes hardly more than half of them: left to chance, one worker often gets all
and the other idles, which made ratios jump by a factor of two."""
PATIENCE = 60.0
GUNICORN = (
    "--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS),
    "--worker-connections", str(CONNECTIONS // WORKERS + 1), "--keep-alive", "75",
    "--no-control-socket", "--log-level", "warning",
)  # fmt: skip


class Stack:
    """A context manager. `launch` and `gunicorn` belong to a group, which ends when the next one begins."""

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._all = ExitStack()
        self._group = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="krill-bench-")))
            self.folder.chmod(0o711)  # the servers' own users pass through it
            # Where nothing but the loading of rows writes, only that gains by being fast.
            self.postgres = Postgres(self.folder / "postgres", fast=not self._durable)
            undo.callback(self.postgres.destroy)
            self.postgres.start()
            self.rabbitmq = RabbitMQ(self.folder / "rabbitmq")
            undo.callback(self.rabbitmq.destroy)
            self.rabbitmq.start()
            self._all = undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        with self._all:
            self._group.close()

    def new_group(self) -> None:
        self._group.close()

    def run(self, *arguments: str, env: Mapping[str, str]) -> None:
        """`python arguments…` to its end; its output is shown when it fails."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=_environment(env),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    def launch(self, name: str, *arguments: str, env: Mapping[str, str]) -> Process:
        """`python arguments…` in the background."""
        process = Process.launch(
            [sys.executable, *arguments], log=self.log(name), cwd=ROOT, env=_environment(env)
        )
        self._group.callback(process.stop)
        return process

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def gunicorn(self, name: str, application: str, env: Mapping[str, str]) -> tuple[str, Process]:
        """Serves a WSGI application with the settings that all share: (host and port, process)."""
        address = f"{LOOPBACK}:{free_port()}"
        process = self.launch(name, "-m", "gunicorn", application, "--bind", address, *GUNICORN, env=env)
        deadline = time.monotonic() + PATIENCE
        while not _answers(address):
            if not process.alive:
                raise StartError(name, "ended while starting", self.log(name))
            if time.monotonic() > deadline:
                raise StartError(name, f"is not ready after {PATIENCE:.0f} s", self.log(name))
            time.sleep(0.1)
        return address, process


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Only what any program needs: settings of the shell must not reach one contestant and not another."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


def _answers(address: str) -> bool:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True
