"""What is common to all connections to the broker that are made with kombu and py-amqp."""

from __future__ import annotations

import socket

import amqp
from kombu.exceptions import OperationalError

HEARTBEAT = 10
CONNECT_TIMEOUT = 5.0
TRANSPORT = {
    "socket_settings": {socket.TCP_NODELAY: 1, socket.TCP_USER_TIMEOUT: 5_000},
    # With the capability `connection.blocked` py-amqp reads the socket before each publish: a worker would
    # read while the loop is reading too, and take parts of frames from it.
    "client_properties": {
        "capabilities": {
            "consumer_cancel_notify": True,
            "connection.blocked": False,
            "authentication_failure_close": True,
        }
    },
}

BROKER_ERRORS = (OperationalError, *amqp.Connection.connection_errors, *amqp.Connection.channel_errors)


def describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
