"""One row of the request log, in the form of drf-tracking: what was asked, by whom, and how it ended.

Secrets are masked by name at any depth, and a body that is too long is cut.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

import orjson
from flask import Request, Response
from werkzeug.exceptions import HTTPException

from gateway.bodies import FORMS, value_of
from gateway.principal import Principal
from gateway.routes import Action
from services.common.errors import ApiError
from services.common.log import MASK, SECRETS

MOST_BYTES = 8 * 1024
_SECRET = re.compile(rf"{SECRETS}|refresh|verifier|^code$|^key$", re.IGNORECASE)
_NUL = "\0"

_METHODS = {
    ("list", "GET"): "list",
    ("get", "GET"): "retrieve",
    ("create", "POST"): "create",
    ("update", "PUT"): "update",
    ("update", "PATCH"): "partial_update",
    ("delete", "DELETE"): "destroy",
}


def entry(request: Request, response: Response, facts: Any) -> dict[str, Any]:
    """The row of a request that was routed. `facts` has `began` (perf_counter), `action`, `principal`,
    `error`."""
    action, principal, error = facts.get("action"), facts.get("principal"), facts.get("error")
    took = time.perf_counter() - facts.began
    view, method = view_of(action, request.method)
    key = (request.view_args or {}).get("key")
    if key is None and response.status_code == 201 and "Location" in response.headers:
        key = response.headers["Location"].rstrip("/").rpartition("/")[2]
    return {
        "requested_at": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=took),
        "user_id": principal.id if principal else None,
        "user": principal.username if principal else None,
        "realms": _realms(principal) if principal else None,
        "remote_addr": (request.remote_addr or "")[:45] or None,
        "response_ms": round(took * 1000),
        "status_code": response.status_code,
        "method": request.method[:16],
        "path": _text(request.path)[:2048],
        "host": _text(request.host)[:255],
        "view": view,
        "view_method": method,
        "query_params": kept(request.args.to_dict()) or None,
        "data": _data(request) if principal or (action is not None and action.anonymous) else None,
        "response": None,
        "errors": _errors(error) if error is not None else None,
        "outcome": "error" if response.status_code >= 400 else "ok",
        **_object(action, key),
    }


def _realms(principal: Principal) -> str | None:
    """What the user could see then, as `,dem,pim,`; None: everything."""
    return None if principal.is_superuser else ",".join(["", *sorted(principal.realms), ""])


def _errors(error: ApiError) -> Any:
    """What the request was refused with. Its `code` is a word of ours, and no secret of that name."""
    masked = kept(error.body)
    return masked | {"code": error.code} if error.body.get("code") == error.code else masked


def _object(action: Action | None, key: str | None) -> dict[str, str | None]:
    if action is None or action.resource is None or key is None:
        return {"resource": None, "object_id": None}
    return {"resource": f"{action.contract.name}.{action.resource.name}", "object_id": _text(key)[:64]}


def view_of(action: Action | None, verb: str) -> tuple[str | None, str | None]:
    """The names that the real product logs: `isp.CpeViewSet`, `partial_update`."""
    if action is None:
        return None, None
    name = action.resource.singular if action.resource is not None else action.contract.name or "root"
    camel = "".join(part.capitalize() for part in re.split(r"[-_]", name))
    view = f"{action.contract.name}.{camel}ViewSet".lstrip(".")
    if action.operation is not None:
        return view, action.operation.name
    if action.relation is not None:
        return view, action.relation.name
    return view, _METHODS.get((action.kind, "GET" if verb == "HEAD" else verb), action.kind)


def kept(value: Any) -> Any:
    """The value as the log keeps it: masked, and when its JSON is too long the beginning of it as a text."""
    masked = _masked("", value)
    text = orjson.dumps(masked, default=str)
    if len(text) <= MOST_BYTES:
        return masked
    return {"truncated": text[:MOST_BYTES].decode(errors="ignore")}


def _masked(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool) and _SECRET.search(name):
        return MASK
    match value:
        case dict():
            return {_text(str(key)): _masked(str(key), member) for key, member in value.items()}
        case list() | tuple():
            return [_masked(name, member) for member in value]
        case str():
            return _text(value)
        case _:
            return value


def _text(value: str) -> str:
    """PostgreSQL stores no NUL."""
    return value.replace(_NUL, "\ufffd")


def _data(request: Request) -> Any:
    """The body, when it is a JSON or form one of a size that is worth keeping; files are not."""
    length = request.content_length or 0
    if not 0 < length <= MOST_BYTES * 8:
        return None
    if request.mimetype not in ("", "application/json", *FORMS):
        return None
    try:
        value = value_of(request, request.get_data())
    except (ApiError, ValueError, HTTPException):
        return None  # the request was answered with what is wrong with it
    return kept(value) if isinstance(value, (dict, list)) else None
