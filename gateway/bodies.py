"""Request bodies: JSON or form, bounded, UTF-8. What is wrong is told; nothing is guessed."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from services.common.errors import MalformedBody, TooLarge, UnsupportedMediaType

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
UTF8 = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))


def parsed(request: Request, limit: int) -> Any:
    """The body's value: what JSON says, or a form as an object of strings (lists where a name repeats)."""
    if (request.content_length or 0) > limit:
        raise TooLarge(f"A request body may have {limit} bytes.")
    mimetype = request.mimetype
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in UTF8:
        raise UnsupportedMediaType(f'Unsupported charset "{charset}" in request; send UTF-8.')
    if mimetype in FORMS:
        form = request.form
        return {name: values[0] if len(values) == 1 else values for name, values in form.lists()}
    raw = read(request, limit)
    if not raw:
        return {}
    if mimetype and mimetype != "application/json" and not mimetype.endswith("+json"):
        raise UnsupportedMediaType(f'Unsupported media type "{mimetype}" in request.')
    return loads(raw)


def read(request: Request, limit: int) -> bytes:
    """The raw body, at most `limit` bytes."""
    request.max_content_length = limit
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise TooLarge(f"A request body may have {limit} bytes.") from None


def loads(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"JSON parse error - {error}") from None
