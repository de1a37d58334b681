"""One action on many devices: found by a filter, counted, written as rows that are handed out in turn."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select

from services.common.errors import InvalidInput
from services.common.fields import REQUIRED, Boolean, Integer
from services.common.log import MASK
from services.common.resource.query import OWN, Query
from services.common.resource.representation import dumps
from services.common.resource.sql import count, values
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.isp import actions, models
from services.isp.contract import ACTION_BATCHES, CPES
from services.isp.domain import action

MEMBERS = frozenset(("kind", "parameters", "filter", "all", "max", "dry_run", "timeout"))
USUAL_MOST = 1000
SHOWN = 10

_SWITCH = Boolean(name="switch")


def request(write: Write, body: Any) -> Reply:
    """Ask all CPEs that the filter finds and that offer it to do something. 202 with the batch; 200 with the
    numbers alone, and nothing written, when it is a dry run."""
    given = actions.members(body)
    errors = {name: ["Unknown member."] for name in given.keys() - MEMBERS}
    if given.get("kind") is None:
        errors["kind"] = [REQUIRED]
    asked = actions.known_kind(given.get("kind"), given, errors)
    dry_run, everything = (_switch(given, name, errors) for name in ("dry_run", "all"))
    most = _most(write, given, errors)
    pairs = _pairs(given.get("filter"), everything, errors)
    if errors:
        raise InvalidInput(errors)
    kind: str = given["kind"]
    timeout = actions.taken_timeout(write, kind, given)
    parameters, wrong = action.parameters(kind, asked)
    if wrong:
        raise InvalidInput(wrong)
    query = write.reads.grammar.parse(CPES, pairs, secrets=write.context.secrets, strict=True)
    matched = _matched(write, query, most)
    found = actions.devices(write, query) if matched else {}
    refusals = {cpe: action.refusal(kind, device) for cpe, (_, device) in found.items()}
    offering = [cpe for cpe, refused in refusals.items() if refused is None]
    batch: Row = {
        "kind": kind,
        "parameters": parameters,
        "filter": _told(pairs),
        "matched": len(found),
        "offered": len(offering),
        "joined": 0,
        "skipped": dict(Counter(one.reason for one in refusals.values() if one is not None)),
    }
    if dry_run:
        batch["joined"] = _open(write, offering, kind, parameters)
        batch["ids"] = offering[:SHOWN]
        return Reply(dumps({**batch, "dry_run": True}))
    realms = _realms(write, query) or sorted(write.context.scope.realms)
    told = {"requested_by": write.context.user, "requested": write.now, "realms": realms}
    made = write.create(ACTION_BATCHES.name, {**batch, **told})
    new = actions.opened(write, offering, kind, parameters, timeout, batch=made["id"])
    if joined := len(offering) - len(new):
        write.change(ACTION_BATCHES.name, made["id"], {"joined": joined}, silently=True)
    return _shown(write, made["id"], 202)


def cancel(write: Write, key: str) -> Reply:
    """End what of the batch has not been handed out."""
    id_ = write.reads.resolve(write.connection, ACTION_BATCHES, key, write.context)
    write.row(ACTION_BATCHES, id_, lock=True)
    t = models.actions.c
    waiting = select(t.id).where(t.batch == id_, t.state == action.REQUESTED).with_for_update()
    ids = list(write.connection.execute(waiting).scalars())
    if ids:
        actions.move(write, ids, action.CANCELLED)
    write.change(ACTION_BATCHES.name, id_, {"cancelled": True})
    return _shown(write, id_, 200)


def _shown(write: Write, id_: int, status: int) -> Reply:
    query = write.reads.grammar.parse(ACTION_BATCHES, ())
    shown = write.reads.one(write.connection, write.context, ACTION_BATCHES, id_, query)
    return Reply(shown.body, {"status": status, "about": [ACTION_BATCHES.name, id_]})


def _matched(write: Write, query: Query, most: int) -> int:
    """How many CPEs the query finds; refuses more than `most`."""
    source = write.reads.source(CPES, write.context)
    bound = values(write.context, CPES, query)
    number = int(write.connection.execute(count(source, query), bound).scalar_one())
    if number > most:
        text = f"{number} CPEs match, more than the {most} allowed; narrow the filter or raise max."
        raise InvalidInput({"max": [text]})
    return number


def _realms(write: Write, query: Query) -> list[str]:
    """The realms of the CPEs that the query finds."""
    source = write.reads.source(CPES, write.context)
    realm = source.table.c.realm
    chosen = select(realm).where(*source.where(query)).select_from(source.tables()).distinct()
    bound = values(write.context, CPES, query)
    return list(write.connection.execute(chosen.order_by(realm), bound).scalars())


def _open(write: Write, cpes: list[int], kind: str, parameters: Row) -> int:
    """How many of the CPEs have an equal action that is still open."""
    t = models.actions.c
    of_kind = select(t.open_key).where(t.open_key.is_not(None), t.kind == kind)
    open_ = set(write.connection.execute(of_kind).scalars())
    return sum(action.open_key(cpe, kind, parameters) in open_ for cpe in cpes)


# ---- what the request says ----------------------------------------------------------------------


def _switch(given: Row, name: str, errors: dict[str, list[str]]) -> bool:
    try:
        return name in given and _SWITCH.clean(given[name])
    except ValueError as error:
        errors[name] = [str(error)]
        return False


def _most(write: Write, given: Row, errors: dict[str, list[str]]) -> int:
    value = given.get("max")
    limit = write.settings.action_batch
    if value is None:
        return min(USUAL_MOST, limit)
    try:
        return Integer(name="max", minimum=1, maximum=limit).clean(value)
    except ValueError as error:
        errors["max"] = [str(error)]
        return 0


def _pairs(given: Any, everything: bool, errors: dict[str, list[str]]) -> list[tuple[str, str]]:
    """The filter as the list of CPEs takes it. Nothing in it may mean anything but which CPEs are meant."""
    if given is not None and not isinstance(given, dict):
        errors["filter"] = ["Expected an object of filters."]
        return []
    if everything and given:
        errors["all"] = ["Give either a filter, or all."]
    if not everything and not given:
        errors["filter"] = ["An empty filter finds every CPE; if that is meant, say all: true."]
    pairs: list[tuple[str, str]] = []
    for name, value in (given or {}).items():
        text = _text(value)
        if name in OWN - {"search"}:
            errors[name] = ["Unknown parameter."]
        elif text is None:
            errors[name] = ["Expected a text, a number, true, false, null or a list of them."]
        else:
            pairs.append((name, text))
    return pairs


def _told(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The filter as it is kept and shown: who may see a batch need not see the passwords it was found by."""
    secret = {one.name for one in CPES.fields if one.secret}
    return {name: MASK if name.partition("__")[0] in secret else value for name, value in pairs}


def _text(value: Any) -> str | None:
    """A filter's value as a query string writes it; None for what it cannot write."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case list() if value:
            parts = [None if isinstance(one, list) else _text(one) for one in value]
            return None if None in parts else ",".join(str(one) for one in parts)
        case _:
            return None
