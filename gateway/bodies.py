"""Request bodies: JSON or form, bounded, whole, in UTF-8 or the charset that they name. What is wrong is
told; nothing is guessed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from flask import Request
from werkzeug.formparser import FormDataParser

from services.common.errors import MalformedBody, TooLarge, UnsupportedMediaType

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FORMS = (URLENCODED, MULTIPART)
UTF_8 = "utf-8"
CODECS = {
    **dict.fromkeys((UTF_8, "utf8", "us-ascii", "ascii"), UTF_8),
    **dict.fromkeys(("iso-8859-1", "latin-1", "latin1"), "latin-1"),
    **dict.fromkeys(("iso-8859-15", "latin-9", "latin9"), "iso-8859-15"),
    **dict.fromkeys(("windows-1252", "cp1252"), "cp1252"),
}
"""By charset: UTF-8, and what older clients write in, or say that they do of bodies that are ASCII."""
BLOCK = 65_536
MOST_MEMBERS = 20_000
"""Of a form: taking each apart costs far more than its two or three bytes."""
DEEPEST = 200
"""Levels of objects and lists in JSON: its log and a call wrap it, and carry no more than 254."""


def parsed(request: Request, limit: int) -> Any:
    """The body's value: what JSON says, or a form as an object of strings (lists where a name repeats)."""
    codec_of(request)
    raw = read(request, limit)
    return value_of(request, raw) if raw else {}


def value_of(request: Request, raw: bytes) -> Any:
    """What the body `raw` of the request says."""
    mimetype, codec = request.mimetype, codec_of(request)
    try:
        if mimetype in FORMS:
            return _form(request, raw, codec)
        if mimetype and mimetype != "application/json" and not mimetype.endswith("+json"):
            raise UnsupportedMediaType(f'Unsupported media type "{mimetype}" in request.')
        return loads(raw if codec == UTF_8 else raw.decode(codec).encode())
    except UnicodeDecodeError:
        raise MalformedBody(f"The body is not {codec.upper()}.") from None


def codec_of(request: Request) -> str:
    """The codec of the body's text. Raises `UnsupportedMediaType`."""
    charset = request.mimetype_params.get("charset", UTF_8).lower()
    codec = CODECS.get(charset)
    if codec is None or (codec != UTF_8 and request.mimetype == MULTIPART):
        raise UnsupportedMediaType(f'Unsupported charset "{charset}" in request; send UTF-8.')
    return codec


def require_utf8(request: Request) -> None:
    if codec_of(request) != UTF_8:
        raise UnsupportedMediaType("Unsupported charset in request; send UTF-8.")


def read(request: Request, limit: int) -> bytes:
    """The whole raw body, at most `limit` bytes. It can be read from the request again."""
    if (request.content_length or 0) > limit:
        raise TooLarge(f"A request body may have {limit} bytes.")
    raw = bytearray()
    for block in blocks(request):
        raw += block
        if len(raw) > limit:
            raise TooLarge(f"A request body may have {limit} bytes.")
    body = bytes(raw)
    request.environ["wsgi.input"] = io.BytesIO(body)
    request.environ["CONTENT_LENGTH"] = str(len(body))
    request.environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body


def blocks(request: Request) -> Iterator[bytes]:
    """The raw body as it arrives, of an announced length or in chunks; `MalformedBody` when it is cut off."""
    coding = request.headers.get("Transfer-Encoding", "").strip().lower()
    if coding not in ("", "chunked"):
        raise MalformedBody(f'Unsupported transfer coding "{coding}".')
    length = None if coding else (request.content_length or 0)
    source = request.environ["wsgi.input"]
    taken = 0
    while length is None or taken < length:
        try:
            block = source.read(BLOCK if length is None else min(BLOCK, length - taken))
        except Exception as error:  # each server has its own for a broken or malformed chunk
            raise MalformedBody("The body could not be read to its end.") from error
        if not block:
            break
        taken += len(block)
        yield block
    if length is not None and taken < length:
        raise MalformedBody("The body ended before its announced length.")


def _form(request: Request, raw: bytes, codec: str) -> dict[str, Any]:
    text = raw.decode(codec)
    files: list[tuple[str, str]] = []
    if request.mimetype == URLENCODED:
        if text.count("&") >= MOST_MEMBERS:
            raise TooLarge(f"A form may have {MOST_MEMBERS} members.")
        pairs = parse_qsl(text, keep_blank_values=True, encoding=codec, errors="strict")
    else:
        request.form_data_parser_class = partial(FormDataParser, silent=False)  # type: ignore[assignment]
        try:
            pairs = list(request.form.items(multi=True))
            files = [(name, one.filename) for name, one in request.files.items(multi=True) if one.filename]
        except ValueError:
            raise MalformedBody("The multipart form could not be read.") from None
    values: dict[str, list[Any]] = {}
    for name, value in [*pairs, *((name, {"filename": file}) for name, file in files)]:
        if name is None:
            raise MalformedBody("A part of the form has no name.")
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def loads(raw: bytes) -> Any:
    """The value of a JSON text. Raises `MalformedBody`, also when it is nested too deeply."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"JSON parse error - {error}") from None
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _is_too_deep(value):
        raise MalformedBody(f"JSON parse error - more than {DEEPEST} levels of objects and lists.")
    return value


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [member for one in level for member in _members(one) if isinstance(member, (dict, list))]
    return bool(level)


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
