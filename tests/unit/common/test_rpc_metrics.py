"""The health pages of a process."""

from __future__ import annotations

from typing import Any

from services.common import metrics


def get(app: Any, path: str) -> tuple[str, bytes]:
    answered = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answered["status"] = status
        answered["length"] = dict(headers)["Content-Length"]

    body = b"".join(app({"PATH_INFO": path}, start_response))
    assert answered["length"] == str(len(body))
    return answered["status"], body


def well() -> None:
    pass


def ill() -> None:
    raise ConnectionError("postgresql://krill:hunter2@db/ is away")


def test_readiness_names_what_failed_and_no_more():
    status, body = get(metrics.health_app({"database": ill, "broker": well}), "/readyz")
    assert status == "503 Service Unavailable"
    assert body == b'{"status":"failed","failed":["database"]}'


def test_a_process_that_is_not_ready_still_lives():
    app = metrics.health_app({"database": ill})
    assert get(app, "/healthz")[0] == "200 OK"


def test_an_open_breaker_shows_in_the_metrics():
    class Breaker:
        open = False

    breaker = Breaker()
    metrics.watch_breaker("isp", breaker)
    app = metrics.health_app({})
    assert b'krill_rpc_breaker_open{service="isp"} 0.0' in get(app, "/metrics")[1]
    breaker.open = True
    assert b'krill_rpc_breaker_open{service="isp"} 1.0' in get(app, "/metrics")[1]
