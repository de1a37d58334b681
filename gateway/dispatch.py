"""One request through the gateway: who, may he, what, answered.

Order (contract 10.2): authenticated → application → model permission → realm scope (in every query
of the service) → handler. Nothing is allowed unless the route table says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from random import getrandbits

from flask import Request, g

from gateway import idempotency, options
from gateway.call import Answer, Call
from gateway.handlers import answering, index, reads, transfer, writes
from gateway.platform import Platform
from gateway.principal import Principal
from gateway.routes import Action, Route
from services.common.context import Context, Scope
from services.common.errors import MethodNotAllowed, NotAuthenticated, PermissionDenied

Handler = Callable[[Call], Answer]

PREFLIGHT = {"Access-Control-Allow-Headers": "Authorization"}
"""Beside the `*` of every answer, which does not stand for it (Fetch 3.3.3)."""

_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _logs(call: Call) -> Answer:
    answer: Answer = call.platform.accounts.logs(call)
    return answer


HANDLERS: dict[str, Handler] = {
    "list": reads.list_,
    "get": reads.get,
    "related": reads.related,
    "foreign": reads.foreign,
    "answering": answering.ask,
    "create": writes.create,
    "update": writes.update,
    "delete": writes.delete,
    "bulk_create": writes.bulk_create,
    "bulk_update": writes.bulk_update,
    "bulk_delete": writes.bulk_delete,
    "operation": writes.operation,
    "import": transfer.import_,
    "logs": _logs,
    "index": index.index,
}


def handle(
    platform: Platform, request: Request, route: Route, key: str | None, places: dict[str, str]
) -> Answer:
    """The answer to a routed request; raises `ApiError`."""
    g.route = route
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return Answer(b"", 200, headers=dict(PREFLIGHT))  # a browser's, sent without credentials
    verb = "GET" if request.method == "HEAD" else request.method
    action = route.actions.get(verb)
    if action is not None and action.anonymous:
        return _run(platform, request, route, action, None, key, places)
    level = platform.settings.api_level
    if route.anonymous:
        if verb == "OPTIONS":
            return Answer.json(options.metadata(route, lambda _: True, level))
        raise MethodNotAllowed(f'Method "{request.method}" not allowed.')
    principal: Principal | None = platform.accounts.authenticator.authenticate(request)
    if principal is None:
        raise NotAuthenticated()
    g.principal = principal
    if verb == "OPTIONS":
        _enter(next(iter(route.actions.values())), principal)
        return Answer.json(options.metadata(route, lambda one: allowed(one, principal), level))
    if action is None:
        raise MethodNotAllowed(f'Method "{request.method}" not allowed.')
    if not allowed(action, principal):
        raise PermissionDenied()
    return _run(platform, request, route, action, principal, key, places)


def allowed(action: Action, principal: Principal) -> bool:
    """Whether the user may do this at all; which rows he may do it to is the scope's matter."""
    if action.staff and not (principal.is_staff or principal.is_superuser):
        return False
    if action.permission is None:
        return True
    return _enters(action, principal) and principal.may(action.permission)


def _enters(action: Action, principal: Principal) -> bool:
    return principal.enters(*action.contract.groups, *([action.below] if action.below else []))


def _enter(action: Action, principal: Principal) -> None:
    if action.permission is not None and not _enters(action, principal):
        raise PermissionDenied()


def _run(
    platform: Platform,
    request: Request,
    route: Route,
    action: Action,
    principal: Principal | None,
    key: str | None,
    places: dict[str, str],
) -> Answer:
    usual = platform.settings.deadline
    seconds = action.seconds(usual) if platform.settings.waiters else usual
    context = Context(
        scope=principal.scope if principal else Scope(),
        user=principal.username if principal else None,
        user_id=principal.id if principal else None,
        request_id=g.request_id,
        traceparent=_matching(_TRACE, request.headers.get("traceparent")),
        patient=seconds > usual,
        deadline=time.monotonic() + seconds,
    )
    g.action = action
    call = Call(platform, request, route, action, principal, context, key, places)
    with platform.patient() if context.patient else nullcontext():
        answer = HANDLERS[action.kind](call)
    if call.replayed:
        answer.headers[idempotency.REPLAYED] = "true"
    return answer


def request_id(request: Request) -> str:
    """The client's own id of the request when it is a plain one, else a new one."""
    return _matching(_REQUEST_ID, request.headers.get("X-Request-Id")) or f"{getrandbits(128):032x}"


def _matching(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text and pattern.fullmatch(text) else None
