"""Answers: what went well, and the errors with their frozen codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gateway.idempotency import REPLAYED
from gateway.openapi.schemas import any_of, ref
from services.common import errors
from services.common.devices import errors as device_errors
from services.common.fields import Json
from services.common.resource.reads import CSV, NDJSON
from services.common.settings import Settings

JSON = "application/json"

EVERYWHERE = (429, 503, 504)
"""Statuses that any operation may answer: too many attempts, a service that is away, one that is slow."""

PROTECTED = (401, 403)

_SHOWN = ("X-Request-Id",)
_WITH: dict[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def headers() -> dict[str, Json]:
    """Response headers, by component name. The required ones are always there."""

    def header(doc: str, *, required: bool = False, kind: str = "string") -> Json:
        return {"description": doc, "required": required, "schema": {"type": kind}}

    return {
        "X-Request-Id": header("Names the request in every log and event.", required=True),
        "X-Ignored-Parameters": header("Query parameters and attributes that were not understood."),
        "ETag": header("Version of the answer, for `If-Match` and `If-None-Match`."),
        "Retry-After": header("Seconds to wait before trying again.", required=True, kind="integer"),
        "WWW-Authenticate": header("How to authenticate.", required=True),
        "Allow": header("The verbs of this path.", required=True),
        "Location": header("Where to go.", required=True),
        REPLAYED: header("`true`: the answer that this request got before."),
    }


def codes() -> dict[int, list[str]]:
    """Status → the frozen codes that it may carry."""
    found: dict[int, list[str]] = defaultdict(list)
    for kind in _kinds():
        found[kind.status].append(kind.code)
    return dict(found)


def problems() -> dict[str, Json]:
    """Error bodies by component name: `Error404` and so on, and `FieldErrors`."""
    found: dict[str, Json] = {
        "FieldErrors": {
            "type": "object",
            "description": "Member, parameter or `non_field_errors` → what is wrong with it.",
            "minProperties": 1,
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        }
    }
    for status, known in codes().items():
        found[f"Error{status}"] = {
            "type": "object",
            "required": ["detail", "code"],
            "properties": {
                "detail": {"type": "string", "description": "For people; may change."},
                "code": {"enum": known, "description": "For programs; never changes its meaning."},
            },
        }
    return found


def failures(settings: Settings) -> dict[str, Json]:
    """Error answers by component name."""
    docs: dict[int, str] = {}
    for kind in _kinds():
        docs.setdefault(kind.status, kind.message)
    docs[413] = f"The body has more than {settings.max_body} bytes."
    found: dict[str, Json] = {}
    for status in codes():
        body = ref(f"Error{status}")
        if status == 400:
            body = any_of(ref("FieldErrors"), body)
        found[f"Error{status}"] = answer(docs[status], body, shown=_WITH.get(status, ()))
    return found


def _kinds() -> list[type[errors.ApiError]]:
    """The errors that cross every boundary of the platform: those of the shared kernel, and of devices."""
    known = {**vars(errors), **vars(device_errors)}.values()
    return [one for one in known if isinstance(one, type) and issubclass(one, errors.ApiError)]


def answer(doc: str, body: Json | None = None, *, shown: Iterable[str] = (), **contents: Json) -> Json:
    """A response object; `contents`: bodies of other types than JSON, by media type."""
    made: Json = {"description": doc, "headers": {name: ref(name, "headers") for name in (*_SHOWN, *shown)}}
    content = ({JSON: {"schema": body}} if body is not None else {}) | contents
    return made | ({"content": content} if content else {})


def exported(item: str) -> dict[str, Json]:
    """The other content types of a list: all its pages, streamed."""
    return {
        CSV: {"schema": {"type": "string", "description": "RFC 4180, with a header line; all pages."}},
        NDJSON: {"schema": {"type": "string", "description": f"One {item} a line; all pages."}},
    }


def responses(good: dict[int, Json], statuses: Iterable[int]) -> dict[str, Json]:
    """The responses of an operation: the good ones, and references to the errors."""
    failed = {one: ref(f"Error{one}", "responses") for one in {*statuses} & {*codes()} - {*good}}
    return {str(status): one for status, one in sorted((good | failed).items())}
