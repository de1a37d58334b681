"""Prometheus metrics of a process and the small WSGI application that shows them beside its health.

A call is labelled with service and method, never with a user, a realm or an id: those have no bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

CALL = ["service", "method"]

_served = Counter("krill_rpc_served", "Calls answered; outcome: `ok` or an error code", [*CALL, "outcome"])
_served_seconds = Histogram("krill_rpc_served_seconds", "From receipt to reply", CALL, buckets=BUCKETS)
_called = Counter("krill_rpc_called", "Calls made; outcome: `ok` or an error code", [*CALL, "outcome"])
_called_seconds = Histogram("krill_rpc_called_seconds", "From call to answer", CALL, buckets=BUCKETS)
_breaker_open = Gauge(
    "krill_rpc_breaker_open", "1 while calls to a silent service are held back", ["service"]
)
broker_connected = Gauge("krill_rpc_broker_connected", "1 while the client is connected to the broker")

log = structlog.get_logger(__name__)


def served(service: str, method: str, outcome: str, seconds: float) -> None:
    """A call that this process answered."""
    _series(_served, service, method, outcome).inc()
    _series(_served_seconds, service, method).observe(seconds)


def called(service: str, method: str, outcome: str, seconds: float) -> None:
    """A call that this process made."""
    _series(_called, service, method, outcome).inc()
    _series(_called_seconds, service, method).observe(seconds)


@cache
def _series(metric: Any, *labels: str) -> Any:
    """The one series of a metric; the library looks it up under a lock, several times a request."""
    return metric.labels(*labels)


class Opens(Protocol):
    @property
    def open(self) -> bool: ...


def watch_breaker(service: str, breaker: Opens) -> None:
    _breaker_open.labels(service).set_function(lambda: float(breaker.open))


def health_app(
    checks: dict[str, Callable[[], None]],
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """`/healthz` (the process lives), `/readyz` (every check passes, else 503 with the names of those that
    failed), `/metrics`. A check raises when something is not ready; what it raised is logged, not shown."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        kind = "application/json"
        match environ["PATH_INFO"]:
            case "/healthz":
                status, body = "200 OK", b'{"status":"ok"}'
            case "/readyz":
                failed = [name for name, check in checks.items() if not _passes(name, check)]
                status = "503 Service Unavailable" if failed else "200 OK"
                body = orjson.dumps({"status": "failed" if failed else "ok", "failed": failed})
            case "/metrics":
                status, body, kind = "200 OK", generate_latest(), CONTENT_TYPE_LATEST
            case _:
                status, body = "404 Not Found", b'{"detail":"Not found."}'
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return app


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises means not ready, and is logged
        log.warning("not ready", check=name, error=f"{type(error).__name__}: {error}")
        return False
    return True
