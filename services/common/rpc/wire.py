"""The bytes of a call: nameko's own protocol, so that a stock nameko client or service tool still understands
us.

Request: `{"args": [], "kwargs": {…}}`. Reply: `{"result": {"meta": {…}, "body": …}, "error": null}`. The body
is spliced in as it is; where it stands is told in a header, so that the client cuts it out and parses only
the rest. Both transports pass through here, which is what makes them answer alike. Knows neither AMQP
library.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from services.common import errors
from services.common.context import Context
from services.common.errors import ApiError
from services.common.rpc.reply import Reply

EXCHANGE = "nameko-rpc"
CONTEXT_HEADER = "krill.context"
BODY_HEADER = "krill.body"
CONTENT_TYPE = "application/json"
ERROR_PATH = f"{ApiError.__module__}.{ApiError.__qualname__}"
"""`exc_path` of every error that crosses; `exc_args` is then what `errors.from_wire` takes."""


class MalformedRequest(Exception):
    """A request that no client of ours sends."""


class Encoded(NamedTuple):
    """A reply on its way: `body` is `start:end` of the body within `raw`, None for an error."""

    raw: bytes
    body: str | None


def queue_name(service: str) -> str:
    return f"rpc-{service}"


def routing_key(service: str, method: str) -> str:
    return f"{service}.{method}"


def encode_request(arguments: dict[str, Any]) -> bytes:
    return b'{"args":[],"kwargs":' + orjson.dumps(arguments) + b"}"


def decode_request(raw: bytes | str) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments. Raises MalformedRequest."""
    try:
        request = orjson.loads(raw)
        args, kwargs = request["args"], request["kwargs"]
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedRequest("the body of a request is {args, kwargs}") from error
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise MalformedRequest("args must be a list and kwargs an object")
    return args, kwargs


def _clock() -> str | None:
    """Names the monotonic clock, which all processes of one machine share; None where it has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


CLOCK = _clock()


def encode_context(context: Context, *, read: bool = False) -> str:
    """Between machines the deadline travels as what is left of it. Within one it also travels as it is, since
    a request that waited in the buffers of a stalled process looks fresh otherwise. `read`: the call changes
    nothing."""
    described = {**context.to_wire(), "clock": CLOCK, "deadline": context.deadline, "read": read}
    return orjson.dumps(described).decode()


def repeatable(header: str | bytes | None, context: Context) -> bool:
    """Whether a call may be executed a second time: it changes nothing, or its answer is remembered."""
    return context.keyed or (header is not None and bool(orjson.loads(header).get("read")))


def decode_context(header: str | bytes | None) -> Context:
    """Without a header (a stock nameko client): a context that sees nothing. Raises MalformedRequest."""
    if header is None:
        return Context()
    try:
        described = orjson.loads(header)
        context = Context.from_wire(described)
        if CLOCK is not None and described.get("clock") == CLOCK:
            context = replace(context, deadline=float(described["deadline"]))
        return context
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedRequest("the context header cannot be read") from error


def encode_reply(reply: object) -> Encoded:
    """Raises TypeError or ValueError when a method returned something else than the `Reply` it promised."""
    if not isinstance(reply, Reply):
        raise TypeError(f"an rpc method returns a Reply, not {type(reply).__name__}")
    body = reply.body if reply.is_json else orjson.dumps(reply.body.decode())
    head = b'{"result":{"meta":' + orjson.dumps(reply.meta) + b',"body":'
    span = f"{len(head)}:{len(head) + len(body)}"
    return Encoded(b"".join((head, body or b"null", b'},"error":null}')), span)


def encode_error(error: ApiError) -> Encoded:
    described = {
        "exc_type": type(error).__name__,
        "exc_path": ERROR_PATH,
        "exc_args": errors.to_wire(error),
        "value": str(error),
    }
    return Encoded(orjson.dumps({"result": None, "error": described}, default=str), None)


def decode_reply(raw: bytes, body: str | None) -> Reply:
    """Raises the ApiError that the reply carries, or a plain ApiError for one that is not of ours."""
    if body is None:
        raise _decode_error(orjson.loads(raw)["error"])
    start, end = map(int, body.split(":"))
    blank = b"" if start == end else b"null"
    reply = Reply(raw[start:end], orjson.loads(raw[:start] + blank + raw[end:])["result"]["meta"])
    return reply if reply.is_json else Reply(orjson.loads(reply.body).encode(), reply.meta)


def _decode_error(described: dict[str, Any] | None) -> ApiError:
    if described is None or described.get("exc_path") != ERROR_PATH:
        return ApiError()
    return errors.from_wire(described["exc_args"])
