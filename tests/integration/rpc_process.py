"""Service processes and clients for the rpc tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from services.common.context import Context
from services.common.errors import DeadlineExceeded, ServiceUnavailable
from services.common.rpc.amqp import AmqpClient

ROOT = Path(__file__).parents[2]


def environment(uri: str, **more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "KRILL_AMQP_URI": uri, "KRILL_WORKERS": "16", **more}


class ServiceProcess:
    def __init__(self, uri: str, log: Path, *names: str, **settings: str) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.rpc_toy", *(names or ("toy", "other"))],
                env=environment(uri, **settings), cwd=ROOT, stderr=out, stdout=out,
            )  # fmt: skip

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def lines(self) -> list[dict[str, Any]]:
        whole = self.log.read_bytes().split(b"\n")[:-1]  # what follows the last one is being written
        return [orjson.loads(line) for line in whole if line.startswith(b"{")]

    def wait_for(self, event: str, within: float = 60.0) -> None:
        """Until the process has logged the event."""
        end = time.monotonic() + within
        while not any(line["event"] == event for line in self.lines()):
            assert time.monotonic() < end, f"no {event!r} in the log: {self.log.read_text()[-2000:]}"
            time.sleep(0.02)


@contextmanager
def service(uri: str, log: Path, *names: str, **settings: str) -> Iterator[ServiceProcess]:
    process = ServiceProcess(uri, log, *names, **settings)
    try:
        yield process
    finally:
        if process.alive:
            process.signal(signal.SIGCONT)
            process.kill()


def answers(client: AmqpClient, within: float = 60.0, name: str = "toy") -> float:
    """Seconds until the service answers a call again."""
    began = time.monotonic()
    while True:
        try:
            client.call(name, "echo", {}, Context().within(2))
        except (ServiceUnavailable, DeadlineExceeded):
            if time.monotonic() - began > within:
                raise
            time.sleep(0.02)
        else:
            return time.monotonic() - began
