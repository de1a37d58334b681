"""Joins across services: one batched call per relation and page, all at once, under the request's deadline.

A neighbour that is down does not take the page with it: its member is null, and `_errors` says why.
"""

from __future__ import annotations

from typing import Any

import orjson

from gateway.call import Call
from services.common.contract import Contract, Extension, Resource
from services.common.errors import ApiError, PermissionDenied
from services.common.resource.query import values_of

MOST_ROWS = 10_000

Foreign = dict[str, tuple[Contract, Extension]]


def foreign(call: Call, contract: Contract, resource: Resource) -> Foreign:
    """The joins of this request that other services answer. Raises `PermissionDenied` for any join that
    shows what the user may not see."""
    chosen: Foreign = {}
    if not (names := values_of(call.parameters, "joins")):
        return chosen
    known = call.platform.extensions(contract, resource)
    for name in names:
        if name in known:
            chosen[name] = known[name]
            other, extension = known[name]
            _allow(call, other, other.by_name[extension.relation.to], name)
        elif (relation := resource.related.get(name)) is not None:
            _allow(call, contract, contract.by_name[relation.to], name)
    return chosen


def _allow(call: Call, contract: Contract, resource: Resource, name: str) -> None:
    if resource.permitted and not call.user.may(f"{contract.name}.view_{resource.model}"):
        raise PermissionDenied(f'You do not have permission to join "{name}".')


def parameters(call: Call, joins: Foreign) -> list[tuple[str, str]]:
    """The request's parameters, with the members that the joins hang on among the `attrs`."""
    needed = sorted({extension.on for _, extension in joins.values()})
    if not needed or not values_of(call.parameters, "attrs"):
        return call.parameters
    return [*call.parameters, ("attrs", ",".join(needed))]


def compose(call: Call, joins: Foreign, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the joined members into the rows; returns relation → error for those that could not be had."""
    pending = {}
    for name, (contract, extension) in joins.items():
        relation = extension.relation
        keys = sorted({str(row[extension.on]) for row in rows if row.get(extension.on) is not None})
        if keys:
            arguments = {
                "resource": relation.to,
                "parameters": [(f"{relation.by}__in", ",".join(keys))],
                "limit": MOST_ROWS,
            }
            context = call.context_for(contract.name)
            pending[name] = call.platform.start(contract.name, "list", arguments, context, read=True)
    errors: dict[str, Any] = {}
    wanted = set(values_of(call.parameters, "attrs"))
    for name, (_, extension) in joins.items():
        relation = extension.relation
        grouped: dict[str, list[Any]] = {}
        try:
            found = orjson.loads(pending[name].result().body) if name in pending else []
        except ApiError as error:
            errors[name] = error.body
            found = None
        for one in found or ():
            key = str(one[relation.by])
            grouped.setdefault(key, []).append({k: v for k, v in one.items() if k not in relation.omit})
        for row in rows:
            matches = grouped.get(str(row.get(extension.on)), [])
            one = None if found is None else matches if relation.many else (matches or [None])[0]
            row[name] = one
    for _, extension in joins.values():
        if wanted and extension.on not in wanted:
            for row in rows:
                row.pop(extension.on, None)
    return errors
