"""What is common to all connections to the broker that are made with kombu and py-amqp."""

from __future__ import annotations

import socket
from typing import Any, ClassVar

import amqp
from amqp.connection import NEGOTIATE_CAPABILITIES
from kombu.connection import Connection as KombuConnection
from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

HEARTBEAT = 10
CONNECT_TIMEOUT = 5.0
RETRY_PAUSE = 0.05
SOCKET = {socket.TCP_NODELAY: 1, socket.TCP_USER_TIMEOUT: 5_000}

BROKER_ERRORS = (OperationalError, *amqp.Connection.connection_errors, *amqp.Connection.channel_errors)


class Connection(pyamqp.Connection):  # type: ignore[misc]
    """With the capability `connection.blocked` py-amqp reads the socket before each publish: a worker would
    read while the loop is reading too, and take messages and parts of frames from it."""

    negotiate_capabilities: ClassVar = {**NEGOTIATE_CAPABILITIES, "connection.blocked": False}


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
        ssl=uri.startswith("amqps:"),
    )
    connection.ensure_connection(max_retries=1, interval_start=RETRY_PAUSE)  # type: ignore[no-untyped-call]
    return connection


def describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
