"""The admin log, gathered from every service's audit rows, and the history of one row.

Each service is asked for its first rows at once; here they are merged by time. A service that does not
answer is left out and named in `_errors`. Nobody sees more than his realms and his applications show him.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import orjson

from gateway import envelope
from gateway.accounts.contract import CONTRACTS, LOGGER, REQUEST_LOG
from gateway.call import Answer, Call
from services.common.contract import Contract
from services.common.errors import ApiError, InvalidInput
from services.common.resource.query import values_of
from services.common.resource.representation import dumps
from services.common.rpc.client import Pending

AUDIT = "audit"
DEEPEST = 10_000
ADDED, CHANGED, DELETED = 1, 2, 3

_FILTERS = {
    "action_time": "time",
    "action_flag": "action",
    "user": "user",
    "object_id": "object_id",
    "object_repr": "object_repr",
}
_OWN = {resource.name: contract.name for contract in CONTRACTS for resource in contract.resources}

Row = dict[str, Any]
Parameters = list[tuple[str, str]]


def admin_logs(call: Call) -> Answer:
    """A page of `{"id", "action_time", "user", "action_flag", "content_type", "object_id", "object_repr",
    "change_message"}`, newest first."""
    gathering = _Gathering(call)
    app, model = _content_type(call)
    filters = _filters(call)
    staff = call.user.is_staff or call.user.is_superuser  # what the gateway notes is administration
    for contract in call.platform.contracts:
        own = contract.name == LOGGER.name
        if AUDIT not in contract.by_name or not (staff if own else call.user.enters(*contract.groups)):
            continue
        parameters = [*filters, *([("model", model)] if model else [])]
        if app and own:
            parameters.append(("resource", ",".join(name for name, of in _OWN.items() if of == app)))
        elif app and app != contract.name:
            continue
        gathering.ask(contract, AUDIT, parameters)
    return gathering.answer()


def of_row(call: Call) -> Answer:
    """The requests about one row and the changes of it, newest first; each with `type` "request" or
    "change"."""
    contract, resource = call.action.contract, call.action.resource
    assert resource is not None and call.key is not None
    known = {"resource": resource.name, "key": call.key, "parameters": [("attrs", "id")]}
    reply = call.platform.call(contract.name, "get", known, call.context_for(contract.name), read=True)
    id_ = str(reply.meta["id"])
    names = [id_] if "," in call.key else list(dict.fromkeys((id_, call.key)))
    gathering = _Gathering(call, typed=True)
    about = [("resource", f"{contract.name}.{resource.name}"), ("object_id", ",".join(names))]
    gathering.ask(LOGGER, REQUEST_LOG.name, about)
    gathering.ask(contract, AUDIT, [("resource", resource.name), ("object_id", id_)])
    return gathering.answer()


class _Gathering:
    """Rows of several lists on their way into one page. `typed`: rows say which kind they are."""

    def __init__(self, call: Call, typed: bool = False) -> None:
        self._call = call
        self._typed = typed
        paging = [(name, value) for name, value in call.parameters if name in ("limit", "offset")]
        query = call.platform.engines[LOGGER.name].grammar.parse(REQUEST_LOG, paging)
        self._limit, self._offset = query.limit, query.offset
        if self._offset + self._limit > DEEPEST:
            raise InvalidInput({"offset": [f"Logs can be paged to row {DEEPEST}; narrow the filters."]})
        self._asked: list[tuple[str, str, Pending]] = []

    def ask(self, contract: Contract, resource: str, parameters: Parameters) -> None:
        arguments = {"resource": resource, "parameters": parameters, "limit": self._offset + self._limit}
        context = self._call.context_for(contract.name)
        pending = self._call.platform.start(contract.name, "list", arguments, context, read=True)
        self._asked.append((contract.name, resource, pending))

    def answer(self) -> Answer:
        rows: list[tuple[dt.datetime, int, Row]] = []
        errors: dict[str, Any] = {}
        count = 0
        for app, resource, pending in self._asked:
            try:
                reply = pending.result()
            except ApiError as error:
                if error.status < 500:
                    raise
                errors[app] = error.body
                continue
            count += reply.meta["count"]
            rows += self._shaped(app, resource, orjson.loads(reply.body))
        rows.sort(key=lambda one: one[:2], reverse=True)
        chosen = [row for _, _, row in rows[self._offset : self._offset + self._limit]]
        meta = {"count": count, "limit": self._limit, "offset": self._offset}
        return Answer(envelope.page(dumps(chosen), meta, self._call.request.url, errors))

    def _shaped(self, app: str, resource: str, rows: Iterable[Row]) -> list[tuple[dt.datetime, int, Row]]:
        audit = resource == AUDIT
        kind = {"type": "change" if audit else "request"} if self._typed else {}
        return [
            (
                dt.datetime.fromisoformat(row["time" if audit else "requested_at"]),
                row["id"],
                {**kind, **(_change(app, row) if audit else row)},
            )
            for row in rows
        ]


def _change(app: str, row: Row) -> Row:
    """An audit row as Django's admin log shows it."""
    message = {
        ADDED: {"added": {}},
        CHANGED: {"changed": {"fields": sorted(row["changes"])}},
        DELETED: {"deleted": {}},
    }[row["action"]]
    owner = _OWN.get(row["resource"], app) if app == LOGGER.name else app
    return {
        "id": row["id"],
        "action_time": row["time"],
        "user": row["user"],
        "action_flag": row["action"],
        "content_type": f"{owner} | {row['model']}",
        "object_id": row["object_id"],
        "object_repr": row["object_repr"],
        "change_message": [message],
    }


def _filters(call: Call) -> Parameters:
    """The request's filters under the names that audit rows have."""
    found: Parameters = []
    for name, value in call.parameters:
        field, mark, suffix = name.partition("__")
        if field in _FILTERS:
            found.append((f"{_FILTERS[field]}{mark}{suffix}", value))
        elif name == "search":
            found.append((name, value))
    return found


def _content_type(call: Call) -> tuple[str, str]:
    """App and model of `content_type=app | model`; either may be left empty."""
    given = values_of(call.parameters, "content_type")
    app, _, model = (given[-1] if given else "").partition("|")
    return app.strip(), model.strip().lower()
