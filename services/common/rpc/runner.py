"""Runs service classes: as a process of their own behind a broker, or embedded in the caller's green process.

nameko's command line is not used (it breaks on new setuptools). A process waits for a broker that is not
there yet, starts a dead container again, stops gracefully on SIGTERM or SIGINT, and at once on the second of
them.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import eventlet
import eventlet.wsgi
import structlog
from eventlet.event import Event
from eventlet.patcher import is_monkey_patched

from services.common import metrics
from services.common.events.transport import LocalBus
from services.common.rpc.amqp import AmqpClient
from services.common.rpc.client import Client
from services.common.rpc.consumer import RequestConsumer
from services.common.rpc.container import Container
from services.common.rpc.local import LocalClient
from services.common.settings import Settings

FIRST_PAUSE = 0.15
DEATHS, WITHIN = 5, 60.0
"""A container that dies so often within so many seconds takes the process down: its supervisor shall see it.
"""

Checks = dict[str, Callable[[], None]]

log = structlog.get_logger(__name__)


def config_for(
    settings: Settings, amqp_uri: str | None, client: Client, bus: LocalBus | None = None
) -> dict[str, Any]:
    """nameko's configuration, as `container.config` shows it to dependency providers, which find the settings
    there. `client`: the way to other services. `bus`: what carries events where there is no broker."""
    return {
        "AMQP_URI": amqp_uri,
        "BUS": bus,
        "CLIENT": client,
        "max_workers": settings.workers,
        "settings": settings,
    }


def embed(services: Sequence[type], settings: Settings) -> LocalClient:
    """Starts the services in this process, which must be green, without a broker. Closing the client stops
    them."""
    _require_green()
    client, bus = LocalClient(), LocalBus(complete=False)
    for service in services:
        container = Container(service, config_for(settings, None, client, bus))
        container.start()
        client.register(container)
    bus.complete = True
    return client


def run_services(services: Sequence[type], settings: Settings, checks: Checks | None = None) -> int:
    """Runs until told to stop. Returns the process's exit code: 0 after a signal, 1 when a container keeps
    dying. `checks` say whether the process is ready, besides the connection to the broker; each raises when
    not."""
    _require_green()
    if settings.amqp is None:
        raise ValueError("a service process needs KRILL_AMQP_URI")
    process = _Process(services, settings)
    process.serve_health(settings, {"broker": process.check_broker, **(checks or {})})
    return process.run()


def _require_green() -> None:
    if not is_monkey_patched("socket"):
        raise RuntimeError("services.common.rpc.green.patch() must run before anything else is imported")


class _Process:
    def __init__(self, services: Sequence[type], settings: Settings) -> None:
        self._services = services
        assert settings.amqp is not None
        self._config = config_for(settings, settings.amqp, AmqpClient(settings.amqp))
        self._containers: dict[type, Container] = {}
        self._end = Event()
        self._stopping = False

    def run(self) -> int:
        on_signal(self._signalled)
        for service in self._services:
            eventlet.spawn(self._supervise, service)
        code: int = self._end.wait()
        self._stopping = True
        stops = [eventlet.spawn(container.stop) for container in self._containers.values()]
        for stop in stops:
            stop.wait()
        log.info("stopped", code=code)
        return code

    def serve_health(self, settings: Settings, checks: Checks) -> None:
        if settings.metrics_port:
            listener = eventlet.listen((settings.metrics_host, settings.metrics_port))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            eventlet.spawn(eventlet.wsgi.server, listener, metrics.health_app(checks), log_output=False)

    def check_broker(self) -> None:
        """Raises when a service cannot be called."""
        for service in self._services:
            container = self._containers.get(service)
            consumer = container and container.shared_extensions.get(RequestConsumer)
            if not consumer or not consumer.receiving:
                raise ConnectionError("not receiving calls")

    def _supervise(self, service: type) -> None:
        deaths: list[float] = []
        while not self._stopping:
            container = self._containers[service] = Container(service, self._config)
            try:
                container.start()
                container.wait()
            except Exception:
                log.exception("container died", service=container.service_name)
                container.kill()
            if self._stopping:
                return
            now = time.monotonic()
            deaths = [death for death in deaths if now - death < WITHIN] + [now]
            if len(deaths) >= DEATHS:
                self._finish(1)
                return
            eventlet.sleep(FIRST_PAUSE * 2 ** len(deaths))

    def _signalled(self) -> None:
        if self._stopping or self._end.ready():
            log.warning("killed by a second signal")
            sys.exit(1)
        self._finish(0)

    def _finish(self, code: int) -> None:
        if not self._end.ready():
            self._end.send(code)


def on_signal(react: Callable[[], None]) -> None:
    """For a green process: calls `react` in a green thread on SIGTERM and SIGINT. A handler of Python cannot
    switch green threads and does not wake the hub; the wakeup descriptor does."""
    receiving, sending = socket.socketpair()
    sending.setblocking(False)
    signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        while receiving.recv(1):
            react()
        sending.close()

    eventlet.spawn(wait)
