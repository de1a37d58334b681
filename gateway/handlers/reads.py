"""Lists, details and relations, of both API versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from gateway import envelope, joins
from gateway.call import Answer, Call
from gateway.handlers import export
from services.common.contract import Contract, Resource
from services.common.errors import InvalidInput, PermissionDenied
from services.common.resource.query import values_of
from services.common.resource.representation import dumps
from services.common.rpc.reply import Reply

FORMATS = {"json": "json", "csv": "csv", "ndjson": "ndjson", "api": "json"}
"""`api` was the real product's HTML."""
ACCEPTED = {"text/csv": "csv", "application/x-ndjson": "ndjson", "application/jsonl": "ndjson"}


def list_(call: Call) -> Answer:
    resource = _resource(call)
    shape = _shape(call)
    chosen = joins.foreign(call, call.action.contract, resource)
    if shape != "json":
        parameters = legacy_parameters(call, resource) if call.action.legacy else call.parameters
        arguments: dict[str, Any] = {"resource": resource.name, "parameters": parameters}
        return export.stream(call, "list", arguments, resource, shape)
    if call.action.legacy:
        return _bare(call, resource)
    arguments = {
        "resource": resource.name,
        "parameters": joins.parameters(call, chosen),
        "foreign": list(chosen),
    }
    reply = _read(call, "list", arguments)
    return _page(call, reply, chosen)


def get(call: Call) -> Answer:
    resource = _resource(call)
    chosen = joins.foreign(call, call.action.contract, resource)
    arguments = {
        "resource": resource.name,
        "key": call.key,
        "parameters": legacy_parameters(call, resource)
        if call.action.legacy
        else joins.parameters(call, chosen),
        "foreign": list(chosen),
    }
    return _object(call, _read(call, "get", arguments), chosen)


def related(call: Call) -> Answer:
    """`/{resource}/{key}/{relation}`: a page, an unpaged array, or one object."""
    resource, relation = _resource(call), call.action.relation
    assert relation is not None and call.action.target is not None
    contract, target = call.action.target
    may_see(call, contract, target)
    joins.foreign(call, contract, target)
    arguments: dict[str, Any] = {"resource": resource.name, "key": call.key, "relation": relation.name}
    arguments["parameters"] = call.parameters
    if call.action.nested is not None:
        arguments["parameters"] = _columns(call, call.action.nested.columns)
    if relation.many and (shape := _shape(call)) != "json":
        return export.stream(call, "related", arguments, target, shape)
    reply = _read(call, "related", arguments)
    if call.action.nested is not None:
        reply = replace(reply, body=_arranged(reply.body, call.action.nested.columns))
    if not relation.many:
        return _object(call, reply, {})
    if not relation.paged:
        return _answer(call, reply.body, reply)
    return _page(call, reply, {})


def foreign(call: Call) -> Answer:
    """A relation that another service adds to this resource: its rows that belong to the one named here."""
    relation = call.action.relation
    assert relation is not None and call.action.target is not None
    contract, target = call.action.target
    may_see(call, call.action.contract, _resource(call))
    may_see(call, contract, target)
    joins.foreign(call, contract, target)
    extension = call.platform.extensions(call.action.contract, _resource(call))[relation.name][1]
    arguments = {"resource": _resource(call).name, "key": call.key, "parameters": [("attrs", extension.on)]}
    own = orjson.loads(_read(call, "get", arguments).body)[extension.on]
    parameters = [*call.parameters, (relation.by, str(own))]
    found = {"resource": target.name, "parameters": parameters}
    reply = call.platform.call(contract.name, "list", found, call.context_for(contract.name), read=True)
    if relation.many:
        return _page(call, reply, {})
    rows = orjson.loads(reply.body)
    return Answer.json(rows[0] if rows else None)


def may_see(call: Call, contract: Contract, resource: Resource) -> None:
    if resource.permitted and not call.user.may(f"{contract.name}.view_{resource.model}"):
        raise PermissionDenied()


def legacy_parameters(call: Call, resource: Resource) -> list[tuple[str, str]]:
    """The request's parameters, narrowed to the members that API v1 has."""
    assert resource.legacy is not None
    level = call.platform.settings.api_level
    shown = [one.name for one in resource.emitted(level) if one.name not in resource.legacy.omit]
    return _columns(call, tuple(shown))


def _columns(call: Call, columns: tuple[str, ...]) -> list[tuple[str, str]]:
    asked = values_of(call.parameters, "attrs")
    chosen = [name for name in columns if not asked or name in asked]
    rest = [(name, value) for name, value in call.parameters if name != "attrs"]
    return [*rest, ("attrs", ",".join(chosen or ["id"]))]


def _arranged(body: bytes, columns: tuple[str, ...]) -> bytes:
    """The rows with their members in the order of `columns`."""
    rows = orjson.loads(body)
    return dumps([{**{name: row[name] for name in columns if name in row}, **row} for row in rows])


def _bare(call: Call, resource: Resource) -> Answer:
    """A v1 list: an array without a page around it; all rows, or the slice that `limit` asks for."""
    arguments: dict[str, Any] = {"resource": resource.name, "parameters": legacy_parameters(call, resource)}
    if any(name == "limit" for name, _ in call.parameters):
        reply = _read(call, "list", arguments)
        return _answer(call, reply.body, reply)
    return export.array(call, "list", arguments)


def _read(call: Call, method: str, arguments: dict[str, Any]) -> Reply:
    app = call.action.contract.name
    return call.platform.call(app, method, arguments, call.context_for(app), read=True)


def _page(call: Call, reply: Reply, chosen: joins.Foreign) -> Answer:
    body, errors = reply.body, None
    if chosen:
        rows = orjson.loads(body)
        errors = joins.compose(call, chosen, rows)
        body = dumps(rows)
    return _answer(call, envelope.page(body, reply.meta, call.request.url, errors), reply)


def _object(call: Call, reply: Reply, chosen: joins.Foreign) -> Answer:
    body = reply.body
    if chosen:
        row = orjson.loads(body)
        if errors := joins.compose(call, chosen, [row]):
            row["_errors"] = errors
        body = dumps(row)
    return _answer(call, body, reply, version=reply.meta["version"])


def _answer(call: Call, body: bytes, reply: Reply, version: Any = None) -> Answer:
    headers = {"ETag": envelope.etag(body, version)}
    if ignored := reply.meta.get("ignored"):
        headers["X-Ignored-Parameters"] = printable(ignored)
    asked = call.request.headers.get("If-None-Match")
    if asked and envelope.none_match(asked, headers["ETag"]):
        return Answer(b"", 304, headers=headers)
    return Answer(body, headers=headers)


def printable(names: list[str]) -> str:
    """Client-made names in a header: printable ASCII only, and not too many."""
    text = ", ".join(names)[:500]
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def _shape(call: Call) -> str:
    """The form of a list that the request asks for: `format=`, else the Accept header."""
    asked = [value for name, value in call.parameters if name == "format" and value]
    if asked:
        if asked[-1].lower() not in FORMATS:
            raise InvalidInput({"format": [f'"{asked[-1][:40]}" is not a valid choice.']})
        return FORMATS[asked[-1].lower()]
    accept = call.request.headers.get("Accept", "").lower()
    if not any(kind in accept for kind in ACCEPTED):
        return "json"
    best = call.request.accept_mimetypes.best_match(["application/json", *ACCEPTED], "application/json")
    return ACCEPTED.get(best or "", "json")


def _resource(call: Call) -> Resource:
    assert call.action.resource is not None
    return call.action.resource
