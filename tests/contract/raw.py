"""Requests as bytes on a socket, for what no client library would send, and what every refusal looks like."""

from __future__ import annotations

import http.client
import json
import re
import socket
from contextlib import suppress
from typing import Any

import requests

from services.common import errors
from tests.servers import Server

CODES = {one.code for one in errors._all(errors.ApiError)} - {"internal_error"}
"""The frozen codes that a client may see; the one of our own defects is not among them."""

INSIDES = re.compile(r'Traceback|File "|sqlalchemy|psycopg|sqlite3|orjson|\[SQL|object at 0x|literal for')
"""Texts of our own machinery, which no answer shows."""


class Wire:
    """A connection to the server. Answers come as (status, headers, body)."""

    def __init__(self, server: Server, seconds: float = 30.0) -> None:
        self.host = f"127.0.0.1:{server.port}"
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=seconds)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def head(self, method: str, target: str, **headers: str) -> None:
        """Send a request line and headers; `_` in a name stands for a hyphen."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def answer(self, method: str = "GET") -> tuple[int, http.client.HTTPMessage, bytes]:
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        return response.status, response.headers, response.read()

    def send_until_refused(self, body: bytes) -> None:
        """Send a body to a server that may stop reading at any moment."""
        with suppress(BrokenPipeError, ConnectionResetError):  # its answer is still to be read
            self.socket.sendall(body)

    def closed(self) -> bool:
        """Whether the other side has closed the connection, in whatever way."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def serves(self, target: str, **headers: str) -> bool:
        """Whether the connection still answers a request with 200; False when it is closed."""
        try:
            self.head("GET", target, **headers)
            return self.answer()[0] == 200
        except (ConnectionError, http.client.BadStatusLine):
            assert self.closed()
            return False


def refused(answer: requests.Response, *statuses: int) -> Any:
    """The body of a refusal, which must be told the way all are: a frozen code, or messages by field."""
    told(answer.status_code, answer.headers, answer.text, *statuses)
    return answer.json()


def told(status: int, headers: Any, text: str, *statuses: int) -> None:
    assert status in (statuses or (400,)), (status, text[:300])
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Request-Id"]
    assert not INSIDES.search(text), text[:500]
    body = json.loads(text)
    assert isinstance(body, dict)
    assert body
    if "code" in body:
        assert body["code"] in CODES
        assert isinstance(body["detail"], str)
    else:
        for name, messages in body.items():
            assert isinstance(messages, list), (name, messages)
            assert all(isinstance(one, str) and one for one in messages), (name, messages)
