"""What is common to all connections to the broker that are made with kombu and py-amqp."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import amqp
from amqp.connection import NEGOTIATE_CAPABILITIES
from amqp.method_framing import frame_writer
from kombu.connection import Connection as KombuConnection
from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

HEARTBEAT = 10
CONNECT_TIMEOUT = 5.0
RETRY_PAUSE = 0.05
READ = 16_384
SOCKET = {socket.TCP_NODELAY: 1, socket.TCP_USER_TIMEOUT: 5_000}

BROKER_ERRORS = (OperationalError, *amqp.Connection.connection_errors, *amqp.Connection.channel_errors)


class Frames:
    """py-amqp's `frame_writer`. The frames of a `batch` go out as one, and so do those that come while others
    are on their way."""

    def __init__(self, connection: Any, transport: Any) -> None:
        self._transport = transport
        self._waiting: list[bytes] = []
        self._sending = threading.Lock()
        self._batches = 0
        self._encode = frame_writer(connection, SimpleNamespace(write=self._keep))

    def __call__(self, *frame: Any) -> None:
        self._encode(*frame)
        if not self._batches:
            self._send()

    @contextmanager
    def batch(self) -> Iterator[None]:
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
        self._send()

    def _keep(self, frame: memoryview) -> None:
        self._waiting.append(bytes(frame))

    def _send(self) -> None:
        with self._sending:
            data = b"".join(self._waiting)
            self._waiting.clear()
            if data:
                self._transport.write(data)


def _opened(connection: Any, transport: Any) -> Frames:
    """Called when connected, before the first frame. One system call takes all that has come, where py-amqp
    takes a frame's head, its body and its last byte with one each; it keeps what it did not ask for."""
    receive = transport._quick_recv
    transport._quick_recv = lambda wanted: receive(max(wanted, READ))
    return Frames(connection, transport)


class Connection(pyamqp.Connection):  # type: ignore[misc]
    """With the capability `connection.blocked` py-amqp reads the socket before each publish: a worker would
    read while the loop is reading too, and take messages and parts of frames from it."""

    negotiate_capabilities: ClassVar = {**NEGOTIATE_CAPABILITIES, "connection.blocked": False}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, frame_writer=_opened, **options)


class Transport(pyamqp.Transport):  # type: ignore[misc]
    Connection = Connection


def connect(uri: str, *, heartbeat: int = HEARTBEAT) -> Any:
    """An open connection. Raises one of `BROKER_ERRORS`."""
    connection = KombuConnection(  # type: ignore[no-untyped-call]
        uri,
        heartbeat=heartbeat,
        connect_timeout=CONNECT_TIMEOUT,
        transport=Transport,
        transport_options={"socket_settings": SOCKET},
        # Without a name any trusted certificate would do; kombu's own choice makes `localhost` an address.
        ssl={"server_hostname": urlsplit(uri).hostname} if uri.startswith("amqps:") else False,
    )
    connection.ensure_connection(max_retries=1, interval_start=RETRY_PAUSE)  # type: ignore[no-untyped-call]
    return connection


def describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
