"""Who takes part: a name, an address, a token; and a keep-alive client for single requests."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from deploy.local.process import Process

CPES = "/api/v2/isp/cpes/"
LOGIN = "/api/v2/auth/login/"


@dataclass(frozen=True)
class Contestant:
    """`process` is the gunicorn that answers at `address` (host and port); no token: nobody asks for one."""

    name: str
    address: str
    process: Process
    token: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True)
class Account:
    """The user of the run, with the same realms and password everywhere."""

    name: str
    realms: tuple[str, ...]
    password: str = field(repr=False)

    def login(self, address: str) -> str:
        """An access token from the contestant at `address`."""
        body = json.dumps({"username": self.name, "password": self.password})
        connection = HTTPConnection(address, timeout=30)
        connection.request("POST", LOGIN, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"login at {address} answered {answer.status}: {text[:200]!r}")
        token: str = json.loads(text)["access"]
        return token


class Client:
    """One connection, kept alive. Every answer but 200 is an error."""

    def __init__(self, contestant: Contestant) -> None:
        self._contestant = contestant
        self._connection = HTTPConnection(contestant.address, timeout=120)

    def get(self, path: str) -> bytes:
        self._connection.request("GET", path, headers=self._contestant.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self._contestant.name} {path} answered {answer.status}: {body[:300]!r}")
        return body

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def timed(self, path: str) -> tuple[float, bytes]:
        """(milliseconds, body)."""
        begin = time.perf_counter()
        body = self.get(path)
        return (time.perf_counter() - begin) * 1000, body

    def stream(self, path: str, chunk: int = 1 << 20) -> Iterator[bytes]:
        """A long body in pieces of at most `chunk` bytes."""
        self._connection.request("GET", path, headers=self._contestant.headers)
        answer = self._connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{self._contestant.name} {path} answered {answer.status}")
        while piece := answer.read(chunk):
            yield piece

    def close(self) -> None:
        self._connection.close()
