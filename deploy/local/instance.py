"""What the private servers have in common: a folder, ports and a password chosen once, and a life cycle.

Everything an instance needs stands in its folder, so that any later process finds it again, running or
not. It never touches a server that it did not start, and never listens beyond loopback.
"""

from __future__ import annotations

import random
import secrets
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

from deploy.local import state
from deploy.local.account import Account, settle, unsettle
from deploy.local.process import Process
from deploy.local.unit import await_ready

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below Linux's ephemeral range, so that no outgoing connection takes a port while its server restarts."""

_given: set[int] = set()


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on, and that was not given before: who got it may not listen yet."""
    for port in random.sample(PORTS, 200):
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port from {PORTS.start} to {PORTS.stop}")


class Instance(ABC):
    """A private server in the folder `place`. `fast` trades durability for speed: for tests only."""

    name: ClassVar[str]
    user: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    patience: ClassVar[float] = 60.0

    def __init__(self, place: Path, *, fast: bool = False, say: Callable[[str], None] = print) -> None:
        self.place = place
        self.fast = fast
        self.account = Account.for_server(self.user)
        self.home = settle(place, self.account, say)
        self.log = self.home / f"{self.name}.log"
        self._state_file = self.home / "instance.json"
        known = state.load(self._state_file) or {}
        self.password: str = known.get("password") or secrets.token_hex(24)
        self.ports: dict[str, int] = known.get("ports", {})
        self._processes = [Process.from_json(data) for data in known.get("processes", ())]
        for name in self.port_names:
            self.ports.setdefault(name, free_port())
        self._save()

    # What a server adds.

    @abstractmethod
    def _prepare(self) -> None:
        """Makes the data and the configuration, as far as they are missing."""

    @abstractmethod
    def _launch(self) -> list[Process]:
        """Starts the server, its main process last, without waiting for it."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers a client with the password."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it listens, as a URL without the password."""

    # What all have.

    @property
    def process(self) -> Process | None:
        return self._processes[-1] if self._processes else None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.alive

    def launch(self) -> None:
        """Starts it unless it runs, and returns at once."""
        if self.alive:
            return
        self._end()
        for name, port in self.ports.items():
            if not port_is_free(port):
                self.ports[name] = free_port()
        self._prepare()
        self._processes = self._launch()
        self._save()

    def start(self) -> Self:
        """Starts it unless it runs; returns when it is ready. Raises StartError."""
        self.launch()
        await_ready(self)
        return self

    def stop(self) -> None:
        """Orderly; kills what does not end in time."""
        self._end()

    def kill(self) -> None:
        """SIGKILL for every process of the server, as a crash would."""
        for process in reversed(self._processes):
            process.kill()
        self._processes = []
        self._save()

    def restart(self) -> None:
        self.stop()
        self.start()

    def destroy(self) -> None:
        """Stops it and deletes its data."""
        self.stop()
        unsettle(self.place)

    def describe(self) -> dict[str, Any]:
        """For the state file: no secret in it."""
        return {
            "name": self.name,
            "address": self.address,
            "log": str(self.log),
            "stop_signal": self.stop_signal.name,
            "processes": [process.to_json() for process in self._processes],
        }

    def _end(self) -> None:
        for process in reversed(self._processes):
            process.stop(self.stop_signal if process is self.process else signal.SIGTERM)
        self._processes = []
        self._save()

    def _save(self) -> None:
        data = {
            "password": self.password,
            "ports": self.ports,
            "processes": [process.to_json() for process in self._processes],
        }
        state.save(self._state_file, data)
