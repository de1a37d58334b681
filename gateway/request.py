"""A request as clients really send it: what should have been percent-encoded is taken all the same. And what
both servers allow them, gunicorn and the one of `krill run`."""

from __future__ import annotations

import re
from typing import Any

import flask

LONGEST_URL = 8190
IDLE = 75
"""Seconds that a connection is kept for a next request."""
SILENCE = 60
"""Seconds that a client may neither send nor take anything in the middle of a request."""

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


class Request(flask.Request):
    """With a query in ASCII, whatever came."""

    def __init__(self, environ: dict[str, Any], *args: Any, **more: Any) -> None:
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():
            environ["QUERY_STRING"] = encoded(query.encode("latin-1")).decode()
        super().__init__(environ, *args, **more)


def encoded(raw: bytes) -> bytes:
    """Text of a URL, its bytes beyond ASCII percent-encoded; what is not UTF-8 is Latin-1, as to Django."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        raw = raw.decode("latin-1").encode()
    return _BEYOND_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), raw)
