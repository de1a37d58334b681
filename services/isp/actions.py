"""Actions on devices as rows: asked for, handed out, reported on, and ended in time whatever happens.

Each function does its work in the transaction that it is given; the rules are in `domain/action.py`. Every
change of state is one new version of the row and one event with that version.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, cast, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.common.actions import ActionReported
from services.common.context import Context, Scope
from services.common.database.columns import now as this_second
from services.common.database.unit_of_work import ADDED, CHANGED
from services.common.errors import Conflict, InvalidInput, NotFound, NotOffered
from services.common.events.envelope import Envelope
from services.common.fields import REQUIRED, Integer
from services.common.resource.engine import Engine
from services.common.resource.query import Query
from services.common.resource.sql import values
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.isp import models
from services.isp.contract import ACTIONS, CPES, ActionEvent
from services.isp.domain import action

AT_ONCE = 500
OPENED_AT_ONCE = 5000
MOST_LATE = 20
JOINING = 5
CATCHING_UP = 4.0
"""Seconds in which executors that could not be heard (we, the broker or the database were away) are."""

TIMEOUT = Integer(name="timeout", minimum=action.SHORTEST, maximum=action.LONGEST)

_t = models.actions
_KEPT = {
    "id": "cpe",
    "internal_id": "cpename",
    "external_id": "external_id",
    "realm": "realm",
    "tech": "tech",
    "model_id": "model",
    "sn": "sn",
    "mac": "mac",
}
"""Columns of a CPE → what its actions keep of them."""

_DECIDING = (
    "is_bitstream",
    "model.tr069",
    "model.diagnostics",
    "bridge",
    "disable_provision",
    "disable_reconfig",
)
"""Columns of a CPE that make an `action.Device`, in its order."""

# ---- what requests ask for ----------------------------------------------------------------------


def request(write: Write, key: str, kind: str, body: Any) -> Reply:
    """Ask the CPE with this key to do something: a new action, or the equal one that is still open."""
    id_ = write.reads.resolve(write.connection, CPES, key, write.context)
    given = members(body)
    timeout = taken_timeout(write, kind, given)
    parameters, errors = action.parameters(kind, given)
    if errors:
        raise InvalidInput(errors)
    name, device = devices(write, write.reads.grammar.parse(CPES, ()), models.cpes.c.id == id_)[id_]
    refused = action.refusal(kind, device)
    if refused is not None:
        raise NotOffered(f"{name} does not offer {kind}. {refused.text}", reason=refused.reason)
    for _ in range(JOINING):
        handed = {"state": action.DISPATCHED, "attempts": 1, "dispatched": write.now}
        if new := opened(write, [id_], kind, parameters, timeout, **handed):
            made = dict(write.connection.execute(select(_t).where(_t.c.id == new[0])).mappings().one())
            _audit(write, ADDED, made, {})
            tell(write, made)
            return answer(write, new[0])
        equal = select(_t.c.id).where(_t.c.open_key == action.open_key(id_, kind, parameters))
        if (open_ := write.connection.execute(equal).scalar()) is not None:
            return answer(write, open_)
    raise Conflict("Equal actions on this CPE keep ending; try again.")


def request_by_body(write: Write, body: Any) -> Reply:
    """`request` with everything in the body: `cpe`, `kind`, `parameters`, `timeout`."""
    given = members(body)
    errors = {name: ["Unknown member."] for name in given.keys() - {"cpe", "kind", "parameters", "timeout"}}
    errors |= {name: [REQUIRED] for name in ("cpe", "kind") if given.get(name) is None}
    cpe, kind = given.get("cpe"), given.get("kind")
    if cpe is not None and (isinstance(cpe, bool) or not isinstance(cpe, (int, str))):
        errors["cpe"] = ["Expected a key of a CPE."]
    parameters = known_kind(kind, given, errors)
    if errors:
        raise InvalidInput(errors)
    if (timeout := given.get("timeout")) is not None:
        parameters = {**parameters, "timeout": timeout}
    try:
        return request(write, str(cpe), str(kind), parameters)
    except NotFound:
        raise InvalidInput({"cpe": [f'Invalid pk "{cpe}" - object does not exist.']}) from None


def cancel(write: Write, key: str) -> Reply:
    """End an action that is still here; ask for the end of one that was handed out."""
    row = write.row(ACTIONS, write.reads.resolve(write.connection, ACTIONS, key, write.context), lock=True)
    if row["state"] in action.ENDED:
        raise Conflict(f"The action has ended: it is {row['state']}.")
    if row["state"] == action.REQUESTED:
        row = move(write, [row["id"]], action.CANCELLED)[0]
        _audit(write, CHANGED, row, {"state": [action.REQUESTED, action.CANCELLED]})
    elif not row["cancel_requested"]:
        row = _set(write, [row["id"]], cancel_requested=True)[0]
        _audit(write, CHANGED, row, {"cancel_requested": [False, True]})
        tell(write, row, "cancel_requested")
    return answer(write, row["id"])


def answer(write: Write, id_: int) -> Reply:
    """202 with the action as it is now."""
    query = write.reads.grammar.parse(ACTIONS, ())
    shown = write.reads.one(write.connection, write.context, ACTIONS, id_, query)
    return Reply(b'{"result":"ok","action":%b}' % shown.body, {"status": 202, "about": ["actions", id_]})


# ---- what executors report ----------------------------------------------------------------------


def report(write: Write, event: Envelope) -> None:
    """Take note of what an executor says. What comes too late changes nothing, and is kept as `late`."""
    known = {name: value for name, value in event.data.items() if name in ActionReported.model_fields}
    told = ActionReported(**known)  # a newer executor may say more
    row = write.row(ACTIONS, told.action, lock=True)
    if not action.takes(row, told.attempt, told.state):
        noted = {"time": event.time, "source": event.source, "attempt": told.attempt, "state": told.state}
        _set(write, [row["id"]], late=[*(row["late"] or ()), noted][-MOST_LATE:])
    elif told.state == action.RUNNING:
        lease = ahead(write.now, told.lease) if told.lease is not None else None
        due = min(lease or row["deadline"], row["deadline"])
        held = {"lease": lease, "due": due, "repeatable": told.repeatable}
        if row["state"] == action.RUNNING:
            _set(write, [row["id"]], **held)
        else:
            move(write, [row["id"]], action.RUNNING, **held)
    else:
        result = {} if told.result is None else {"result": told.result}
        error = told.error or action.ERRORS.get(told.state)
        move(write, [row["id"]], told.state, error=error, **result)


# ---- what time does -----------------------------------------------------------------------------


def tend(engine: Engine, at: dt.datetime | None = None) -> bool:
    """Do what is due: hand out what was requested, try again or end what ran out of time. One process at a
    time does it. Returns whether there is more. `at`: the instant that it takes for now.

    A lease that ran out says nothing while its renewal may be on its way."""
    now = at or this_second()
    due = [_t.c.due <= now]
    if engine.hearing() < CATCHING_UP:
        due.append(or_(_t.c.state != action.RUNNING, _t.c.deadline <= now))
    waiting = select(_t.c.id).where(*due).limit(1)
    if engine.database.reading(lambda connection: connection.execute(waiting).first()) is None:
        return False
    with engine.database.exclusive("actions", wait=False) as had:
        return had and _tend(engine, now, due) == AT_ONCE


def _tend(engine: Engine, now: dt.datetime, which: Sequence[ColumnElement[bool]]) -> int:
    context = Context(scope=Scope(everything=True), user="actions")
    with engine.writing(context) as write:
        due = select(_t).where(*which).order_by(_t.c.due, _t.c.id).limit(AT_ONCE)
        rows = write.connection.execute(due.with_for_update(skip_locked=True)).mappings().all()
        steps: dict[str, list[int]] = {}
        for row in rows:
            if (step := action.overdue(dict(row), now)) is not None:
                steps.setdefault(step, []).append(row["id"])
        for step, ids in steps.items():
            if step == action.DISPATCHED:
                move(write, ids, step, attempts=_t.c.attempts + 1, lease=None, due=_t.c.deadline)
            else:
                move(write, ids, step, error=action.ERRORS[step])
    return len(rows)


# ---- rows ---------------------------------------------------------------------------------------


def devices(write: Write, query: Query, *inside: Any) -> dict[int, tuple[str, action.Device]]:
    """The visible CPEs that the query finds: id → (name, what decides what it offers)."""
    source = write.reads.source(CPES, write.context)
    paths = ("id", "internal_id", *_DECIDING)
    columns = [source.column(path).label(f"c{index}") for index, path in enumerate(paths)]
    chosen = select(*columns).where(*source.where(query), *inside).select_from(source.tables())
    found = write.connection.execute(chosen.order_by(source.table.c.id), values(write.context, CPES, query))
    return {row[0]: (row[1], action.Device(*row[2:])) for row in found}


def opened(
    write: Write, cpes: Sequence[int], kind: str, parameters: Row, timeout: float, **more: Any
) -> list[int]:
    """A new action for each of these CPEs that has no equal one still open; their ids. `more`: columns that
    differ from those of an action that waits to be handed out."""
    deadline = ahead(write.now, timeout)
    same = {
        "kind": kind,
        "parameters": parameters,
        "state": action.REQUESTED,
        "attempts": 0,
        "requested_by": write.context.user,
        "requested": write.now,
        "deadline": deadline,
        "due": deadline if "dispatched" in more else write.now,
        **more,
    }
    c, ids = models.cpes.c, []
    key = cast(c.id, String).concat(action.open_key("", kind, parameters))
    columns = [*_KEPT.values(), "open_key", *same]
    bound = [literal(value, _t.c[name].type) for name, value in same.items()]
    chosen = [*(c[name] for name in _KEPT), key, *bound]
    dialect: Any = postgresql if write.unit.dialect == "postgresql" else sqlite
    for start in range(0, len(cpes), OPENED_AT_ONCE):
        these = select(*chosen).where(c.id.in_(cpes[start : start + OPENED_AT_ONCE])).order_by(c.id)
        made = dialect.insert(_t).from_select(columns, these)
        made = made.on_conflict_do_nothing(index_elements=["open_key"]).returning(_t.c.id, _t.c.realm)
        for id_, realm in write.connection.execute(made):
            write.unit.wrote(ACTIONS.name, realm, 1)
            ids.append(id_)
    return ids


def move(write: Write, ids: Iterable[int], state: str, **more: Any) -> list[Row]:
    """Bring actions to another state, with an event each. The caller holds the rows and knows that they may
    go there."""
    moment = {action.DISPATCHED: "dispatched", action.RUNNING: "started"}.get(state, "finished")
    moved = {"state": state, moment: write.now, **more}
    if state in action.ENDED:
        moved |= {"open_key": None, "due": None, "lease": None}
    rows = _set(write, ids, **moved)
    for row in rows:
        tell(write, row)
    return rows


def tell(write: Write, row: Row, what: str | None = None) -> None:
    """The event of the row's newest version."""
    data = {name: row[name] for name in ActionEvent.model_fields if name != "attempt"}
    data["attempt"] = row["attempts"]
    write.emit(f"action.{what or row['state']}", row["id"], row["version"], row["realm"], data)


def _set(write: Write, ids: Iterable[int], **new: Any) -> list[Row]:
    changed = update(_t).where(_t.c.id.in_(list(ids))).values(**new, version=_t.c.version + 1)
    rows = [dict(one) for one in write.connection.execute(changed.returning(_t)).mappings()]
    for row in rows:
        write.unit.wrote(ACTIONS.name, row["realm"])
    return rows


def _audit(write: Write, what: int, row: Row, changes: Row) -> None:
    label = f"{row['kind']} {row['cpename']}"
    write.unit.audit(what, ACTIONS.name, ACTIONS.model, row["id"], label, row["realm"], changes)


# ---- what requests say --------------------------------------------------------------------------


def members(body: Any) -> Row:
    """The body, which must be an object."""
    if not isinstance(body, dict):
        raise InvalidInput({"non_field_errors": ["Expected an object."]})
    return dict(body)


def known_kind(kind: Any, given: Row, errors: dict[str, list[str]]) -> Row:
    """The parameters in a body that names the kind; says in `errors` what is wrong with either."""
    if kind is not None and (not isinstance(kind, str) or kind not in action.KINDS):
        errors["kind"] = [f'"{kind}" is not a valid choice.']
    parameters = given.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        errors["parameters"] = ["Expected an object."]
        return {}
    return dict(parameters or {})


def taken_timeout(write: Write, kind: str, given: Row) -> float:
    """The seconds that the action may take; takes `timeout` out of `given`."""
    asked = given.pop("timeout", None)
    if asked is None:
        return write.settings.action_timeout or action.TIMEOUTS[kind]
    try:
        return TIMEOUT.clean(asked)
    except ValueError as error:
        raise InvalidInput({"timeout": [str(error)]}) from None


def ahead(now: dt.datetime, seconds: float) -> dt.datetime:
    """At least so many seconds after this instant, of which `now` has only the whole seconds."""
    whole = now + dt.timedelta(seconds=seconds + 1)
    return whole.replace(microsecond=0)
