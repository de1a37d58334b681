"""A receiver of webhooks on loopback: keeps what it was sent and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    def verify(self, secret: str) -> dict[str, Any]:
        """The event, if the reference library finds the signature right; else it raises."""
        return Webhook(secret).verify(self.body, self.headers)


Answer = tuple[int, dict[str, str]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # who finds no place waits a second and more before he knocks again


@dataclass
class Receiver:
    """`answer(received)`: status and headers."""

    answer: Callable[[Received], Answer] = lambda _: (204, {})
    taken: list[Received] = field(default_factory=list)
    """What was answered with 2xx."""
    asked: list[Received] = field(default_factory=list)
    """All requests."""

    def __enter__(self) -> Receiver:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                one = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                outer.asked.append(one)
                status, headers = outer.answer(one)
                if 200 <= status < 300:
                    outer.taken.append(one)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the name that the server looks for

            def log_message(self, *_: Any) -> None:
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self._thread = threading.Thread(target=lambda: self.server.serve_forever(0.02), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def wait(self, number: int, seconds: float = 60.0) -> list[Received]:
        """What was taken, once it is so many."""
        ends = time.monotonic() + seconds
        while len(self.taken) < number:
            assert time.monotonic() < ends, f"{len(self.taken)} of {number} came, {len(self.asked)} asked"
            time.sleep(0.01)
        return self.taken
