"""The feed as clients read it: cursors, filters, and the refusal of what is no cursor or no type."""

from __future__ import annotations

import base64
import binascii

import orjson

from services.common.context import Context, Scope
from services.common.contract import Contract
from services.common.errors import CursorExpired, InvalidInput
from services.common.events.contract import MOST, PAGE
from services.common.events.outbox import Outbox
from services.common.resource.query import Parameters, listed
from services.common.rpc.reply import Reply

LATEST = "latest"
KNOWN = ("after", "type", "subject", "realm", "limit")


def read(contract: Contract, outbox: Outbox, context: Context, parameters: Parameters) -> Reply:
    """`{"results": [envelopes], "next": cursor, "more": bool}`. Raises `InvalidInput`, `CursorExpired`."""
    pairs = list(parameters)
    given = dict(pairs)
    errors: dict[str, list[str]] = {
        name: ["Null characters are not allowed."] for name, value in pairs if "\0" in value
    }
    types = [one for name, value in pairs if name == "type" for one in listed(value)]
    if unknown := [one for one in types if not contract.publishes(one)]:
        errors["type"] = [f'"{one[:128]}" is no type of event here.' for one in unknown]
    after = given.get("after", "")
    number = 0 if after in ("", LATEST) else _number(contract.name, after)
    if number is None:
        errors["after"] = ["Invalid cursor."]
    if errors or number is None:
        raise InvalidInput(errors)
    ignored = {"ignored": [name for name, _ in pairs if name not in KNOWN]}
    last = outbox.last()
    if after == LATEST:
        return Reply(_answer(contract.name, [], last, more=False), ignored)
    found, reached = outbox.after(
        number,
        _narrowed(context.scope, given.get("realm")),
        types=types,
        subject=given.get("subject"),
        limit=_limit(given.get("limit")),
    )
    # Looked at after the rows: what was pruned while they were read would be missing without a word.
    if number > last or (after and number < outbox.pruned()):
        raise CursorExpired()
    events = [orjson.Fragment(one.event.encode()) for one in found]
    return Reply(_answer(contract.name, events, reached, more=reached < last), ignored)


def cursor(service: str, number: int) -> str:
    return base64.urlsafe_b64encode(f"{service}:{number}".encode()).decode().rstrip("=")


def _number(service: str, token: str) -> int | None:
    """The number that a cursor of this service stands for."""
    try:
        name, _, digits = (
            base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii").partition(":")
        )
    except (binascii.Error, ValueError):
        return None
    plain = digits.isascii() and digits.isdecimal() and len(digits) < 19
    return int(digits) if plain and name == service and cursor(service, int(digits)) == token else None


def _answer(service: str, events: list[orjson.Fragment], reached: int, *, more: bool) -> bytes:
    return orjson.dumps({"results": events, "next": cursor(service, reached), "more": more})


def _narrowed(scope: Scope, realm: str | None) -> Scope:
    """Of one realm alone, which must be the caller's."""
    if realm is None:
        return scope
    return Scope(frozenset((realm,)) if scope.everything or realm in scope.realms else frozenset())


def _limit(text: str | None) -> int:
    number = int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return min(number or PAGE, MOST)
