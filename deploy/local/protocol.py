"""HTTP/1.1 as eventlet's server speaks it, with what it lacks to speak it as gunicorn does."""

from __future__ import annotations

import re
from typing import Any

import eventlet.wsgi
from eventlet.wsgi import HttpProtocol

from gateway.request import IDLE, LONGEST_URL, SILENCE, encoded

ORIGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
"""What stands before the path where a proxy is, or seems to be, asked (RFC 9112, 3.2.2)."""


class Protocol(HttpProtocol):
    path: str

    def setup(self) -> None:
        super().setup()
        self.capitalize_response_headers = False  # `ETag` is not `Etag` to every client

    def _read_request_line(self) -> bytes:
        """One empty line before it is none (RFC 9112, 2.2)."""
        line = super()._read_request_line()
        return encoded((super()._read_request_line() if line == b"\r\n" else line) or b"")

    def get_environ(self) -> dict[str, Any]:
        path = ORIGIN.sub("", self.path).partition("#")[0]
        self.path = path if path.startswith(("/", "*")) else f"/{path}"
        environ: dict[str, Any] = super().get_environ()
        if "Content-Type" not in self.headers:
            environ["CONTENT_TYPE"] = ""  # and not text/plain
        body = environ["eventlet.input"]
        if body.should_send_hundred_continue:
            # At once: what is answered without the body would be followed by a cut that nobody was told of.
            if self.request_version == "HTTP/1.1":
                body.send_hundred_continue_response()
            body.is_hundred_continue_response_sent = True
        return environ


def serve(listener: Any, app: Any) -> None:
    """Answer requests until it is killed."""
    eventlet.wsgi.server(
        listener,
        app,
        log_output=False,
        max_size=256,
        protocol=Protocol,
        url_length_limit=LONGEST_URL,
        keepalive=IDLE,
        socket_timeout=SILENCE,
        debug=False,
    )
