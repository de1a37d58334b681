"""Notifications of devices (SNMP traps, RFC 3416): a datagram from a device's address has it read soon.

What it says is not believed: anybody can send one, and vendors encode them as they like. It is a reason to
look, no more often than every few seconds.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from prometheus_client import Counter

from services.common.devices.polling import Poller
from services.common.errors import ApiError
from services.common.resource.background import Attached
from services.common.resource.engine import Engine
from services.common.settings import for_service

LARGEST = 65_535

received = Counter(
    "krill_traps", "Notifications of devices, by whether they came from a known one", ["service", "known"]
)

log = structlog.get_logger(__name__)


class Traps(Attached):
    """`traps = Traps(poller, devices)` in a service class. `devices(engine, address)`: the keys of those that
    have this address. Listens where `KRILL_<SERVICE>_TRAP_BIND` says; off without it."""

    def __init__(self, poller: Poller, devices: Callable[[Engine, str], Iterable[Any]]) -> None:
        self._poller = poller
        self._devices = devices
        self._socket: socket.socket | None = None
        self._stopping = False

    def attach(self, engine: Engine) -> None:
        self._engine = engine

    def start(self) -> None:
        # In the one-process mode the engine's settings are the gateway's.
        bind = self._engine.settings.trap_bind or for_service(self._engine.contract.name).trap_bind
        if not bind:
            return
        host, _, port = bind.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((host.strip("[]"), int(port)))
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self.kill()

    def kill(self) -> None:
        self._stopping = True
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        assert self._socket is not None
        while not self._stopping:
            try:
                _, sender = self._socket.recvfrom(LARGEST)
            except OSError:
                return
            try:
                self._take(str(sender[0]))
            except ApiError as error:
                log.warning("a notification is not followed", sender=sender[0], reason=str(error))

    def _take(self, sender: str) -> None:
        keys = list(self._devices(self._engine, sender))
        received.labels(self._engine.contract.name, str(bool(keys)).lower()).inc()
        for key in keys:
            self._poller.soon(key)

    def get_dependency(self, worker_ctx: Any) -> Traps:
        return self
