"""What gunicorn does: `gunicorn -c python:gateway.server gateway.wsgi:app`. The command line comes first."""

from __future__ import annotations

import re
import socket
import struct
from typing import Any

from gunicorn.http import message

from gateway.request import IDLE, LONGEST_URL, SILENCE

worker_class = "gthread"
workers = 2
threads = 8
keepalive = IDLE
preload_app = True
control_socket_disable = True
limit_request_line = LONGEST_URL

# curl and PHP send the letters of a query as they are typed; nginx lets them through.
message.RFC9112_TARGET_INVALID = re.compile(r"[^\x21-\x7e\x80-\xff]")


def when_ready(server: Any) -> None:
    """A client that stands still, or has vanished, gives back its thread; one that has sent nothing yet has
    none. Connections inherit this from where they are accepted."""
    for listener in server.LISTENERS:
        patient(listener.sock)


def patient(listener: socket.socket) -> None:
    limit = struct.pack("ll", SILENCE, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    if hasattr(socket, "TCP_DEFER_ACCEPT") and listener.family != socket.AF_UNIX:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENCE)
