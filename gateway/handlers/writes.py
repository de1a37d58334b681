"""Create, update, delete, bulk and operations: parsed here, done by the service that owns the resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

from gateway import envelope, idempotency, joins
from gateway.bodies import FORMS
from gateway.call import Answer, Call
from gateway.handlers import acting
from gateway.handlers.reads import legacy_parameters
from gateway.routes import permission
from services.common.context import Context, Scope
from services.common.contract import Operation, Resource
from services.common.errors import Busy, InvalidInput, NotFound, PermissionDenied
from services.common.fields import Boolean
from services.common.rpc.reply import Reply

MANY, LONGER = 100, 3.0
"""More items than so many may take so many times as long as a request usually may."""

_SWITCH = Boolean(name="switch")


def create(call: Call) -> Answer:
    resource = _resource(call)
    body = _said(call, resource)
    if isinstance(body, list) and resource.bulk:
        return _bulk(call, "bulk_create", {"items": body}, {})
    arguments = {"resource": resource.name, "body": body, "parameters": _shown(call, resource)}
    reply = _write(call, "create", arguments | _upsert(call, resource))
    answer = _object(reply)
    if answer.status == 201:
        answer.headers["Location"] = f"{call.request.path.rstrip('/')}/{reply.meta['id']}"
    return answer


def update(call: Call) -> Answer:
    resource = _resource(call)
    arguments = {
        "resource": resource.name,
        "key": call.key,
        "body": _said(call, resource),
        "partial": call.request.method == "PATCH",
        "versions": envelope.versions(call.request.headers),
        "parameters": _shown(call, resource),
    }
    return _object(_write(call, "update", arguments))


def delete(call: Call) -> Answer:
    versions = envelope.versions(call.request.headers)
    _write(call, "delete", {"resource": _resource(call).name, "key": call.key, "versions": versions})
    return Answer(b"", 204)


def bulk_create(call: Call) -> Answer:
    body = call.body
    if isinstance(body, list):
        body = {"items": body}
    members = _members(body, {"items"})
    return _bulk(call, "bulk_create", {"items": members.get("items")}, members)


def bulk_update(call: Call) -> Answer:
    """`{"ids", "changes"}` gives many rows the same changes; `{"items"}` each its own."""
    body = {"items": call.body} if isinstance(call.body, list) else call.body
    members = _members(body, {"ids", "changes", "items"})
    if "items" in members:
        if "ids" in members or "changes" in members:
            raise InvalidInput({"items": ["Send either items, or ids and changes."]})
        return _bulk(call, "bulk_update", {"items": members["items"]}, members)
    ids, changes = members.get("ids"), members.get("changes")
    if not isinstance(ids, list):
        raise InvalidInput({"ids": ["Expected a list of ids."]})
    if not isinstance(changes, dict):
        raise InvalidInput({"changes": ["Expected an object with the members to change."]})
    return _bulk(call, "bulk_update", {"items": [{**changes, "id": one} for one in ids]}, members)


def bulk_delete(call: Call) -> Answer:
    members = _members(call.body, {"ids"})
    if not isinstance(members.get("ids"), list):
        raise InvalidInput({"ids": ["Expected a list of ids."]})
    return _bulk(call, "bulk_delete", {"ids": members["ids"]}, members)


def operation(call: Call) -> Answer:
    """An operation of a service: RPC `<singular>_<name>`; the gateway's own have a handler here."""
    action = call.action
    assert action.operation is not None
    method = action.operation.name
    if action.resource is not None:
        method = f"{action.resource.singular}_{method}"
    own = call.platform.accounts.operations.get(f"{action.contract.name}.{method}")
    if own is not None:
        answer: Answer = own(call)
        return answer
    if action.operation.acts and acting.only_looks(call.request):
        return acting.looked(call)
    seconds = acting.patience(call, action.operation)
    arguments: dict[str, Any] = {"parameters": call.parameters}
    if call.key is not None:
        arguments["key"] = call.key
    if call.places:
        arguments["places"] = _places(call, action.operation)
    if action.operation.request is not None:
        arguments["body"] = acting.asked(call, action.operation)
    method = method.replace("-", "_")
    changes = action.operation.changes(call.request.method.replace("HEAD", "GET"))
    reply = _write(call, method, arguments) if changes else _read(call, method, arguments)
    return acting.answered(call, action.operation, reply, seconds)


def _places(call: Call, operation: Operation) -> dict[str, str]:
    """What is named in the path. Raises `NotFound` for what its schema says cannot be."""
    for name, value in call.places.items():
        schema = operation.places.get(name, {})
        fits = re.search(schema.get("pattern", ""), value) and value in schema.get("enum", (value,))
        if not fits:
            raise NotFound()
    return call.places


def write_context(call: Call) -> Context:
    """The context of a write. Who sees every realm may still only write to realms that exist."""
    app = call.action.contract.name
    context = call.context_for(app)
    if not context.scope.everything:
        return context
    return replace(context, scope=Scope(frozenset(call.platform.accounts.realm_names()), everything=True))


def _write(call: Call, method: str, arguments: dict[str, Any]) -> Reply:
    """The way of every write: one call, which a client may name to send it again."""
    context = idempotency.claiming(call, write_context(call), method, arguments)
    return call.noted(call.platform.call(call.action.contract.name, method, arguments, context))


def _read(call: Call, method: str, arguments: dict[str, Any]) -> Reply:
    app = call.action.contract.name
    return call.platform.call(app, method, arguments, call.context_for(app), read=True)


def _bulk(call: Call, method: str, arguments: dict[str, Any], members: dict[str, Any]) -> Answer:
    resource = _resource(call)
    arguments["resource"] = resource.name
    known = {"atomic", "dry_run"}
    if method == "bulk_create":
        arguments |= _upsert(call, resource)
        known.add("upsert")
    for name in ("atomic", "dry_run"):
        given = [*call.request.args.getlist(name), *([members[name]] if name in members else [])]
        try:
            switches = {_SWITCH.clean(one) for one in given}
        except ValueError as error:
            raise InvalidInput({name: [str(error)]}) from None
        if len(switches) > 1:
            raise InvalidInput({name: ["The query and the body contradict each other."]})
        arguments[name] = True in switches
    if unknown := sorted(set(call.request.args) - known):
        raise InvalidInput({name: ["Unknown parameter."] for name in unknown})
    with _time_for(call, arguments.get("items", arguments.get("ids"))):
        reply = _write(call, method, arguments)
    return Answer(reply.body, reply.meta["status"])


@contextmanager
def _time_for(call: Call, items: Any) -> Iterator[None]:
    """More time than a request usually has where there are many items, and a thread that may be kept so
    long."""
    with ExitStack() as held:
        if isinstance(items, list) and len(items) > MANY:
            with suppress(Busy):
                held.enter_context(call.platform.patient())
                seconds = call.platform.settings.deadline * LONGER
                call.context = replace(call.context.within(seconds), patient=True)
        yield


def _upsert(call: Call, resource: Resource) -> dict[str, bool]:
    """What `?upsert=` says: that a row with the body's key in another system is to be changed instead."""
    given = set(call.request.args.getlist("upsert"))
    if not given:
        return {}
    if given != {resource.upsert}:
        told = f'Expected "{resource.upsert}".' if resource.upsert else f"{resource.name} have no such key."
        raise InvalidInput({"upsert": [told]})
    change = permission(call.action.contract, resource, "change")
    if change is not None and not call.user.may(change):
        raise PermissionDenied()
    return {"upsert": True}


def _members(body: Any, known: set[str]) -> dict[str, Any]:
    """The members of a bulk body. An unknown one is refused: it may have been meant to narrow the change."""
    if not isinstance(body, dict):
        raise InvalidInput({"non_field_errors": ["Expected an object."]})
    unknown = sorted(set(body) - known - {"atomic", "dry_run"})
    if unknown:
        raise InvalidInput({name: ["Unknown member."] for name in unknown})
    return body


def _shown(call: Call, resource: Resource) -> list[tuple[str, str]]:
    """Query parameters of a write: only what shapes the answer."""
    if call.action.legacy:
        joins.foreign(call, call.action.contract, resource)
        return legacy_parameters(call, resource)
    return [(name, value) for name, value in call.parameters if name == "attrs"]


def _said(call: Call, resource: Resource) -> Any:
    """The body. What a form leaves empty where that is no value, it leaves out, as to REST framework."""
    if call.request.mimetype not in FORMS:
        return call.body
    told = {one.name for one in resource.fields if one.tells_empty}
    return {name: value for name, value in call.body.items() if value != "" or name in told}


def _object(reply: Reply) -> Answer:
    tag = envelope.etag(reply.body, reply.meta["version"])
    return Answer(reply.body, reply.meta.get("status", 200), headers={"ETag": tag})


def _resource(call: Call) -> Resource:
    assert call.action.resource is not None
    return call.action.resource
