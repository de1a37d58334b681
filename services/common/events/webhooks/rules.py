"""The behaviour of the resources `webhooks` and `webhook-deliveries`."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from services.common.database.kernel import milliseconds
from services.common.errors import InvalidInput
from services.common.events.webhooks import guard, signature
from services.common.events.webhooks.deliveries import DELIVERIES, hurry
from services.common.resource.writes import Write
from services.common.settings import Settings
from services.common.types import Row


def complete(settings: Settings, now: dt.datetime, old: Row | None, new: Row, refs: dict[str, Row]) -> None:
    if old is None:
        new["secret"] = new["secret"] or signature.new_secret()
    elif (new["active"] and not old["active"]) or new["url"] != old["url"]:
        new["failing_since"] = new["disabled_reason"] = None


def check(settings: Settings, old: Row | None, new: Row, refs: dict[str, Row]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if old is None or new["url"] != old["url"]:
        try:
            guard.check_url(new["url"], settings)
        except guard.Refused as error:
            errors["url"] = [str(error)]
    if old is None:
        try:
            signature.key_of(new["secret"])
        except ValueError as error:
            errors["secret"] = [str(error)]
    return errors


def allow(write: Write, old: Row | None, new: Row) -> None:
    """Types that exist; a new webhook begins with the events that come after it."""
    fresh = set(new["types"]) - set(old["types"] if old else ())
    unknown = sorted(one for one in fresh if not write.reads.contract.publishes(one))
    if unknown:
        raise InvalidInput({"types": [f'"{one}" is no event type of this service.' for one in unknown]})
    if old is None:
        last = select(write.unit.table("sequencer").c.last)
        new["position"] = write.connection.execute(last).scalar() or 0


def changed(write: Write, old: Row, row: Row, refs: dict[str, Row]) -> None:
    """What waits is tried at once, for what it failed on may be mended now."""
    if row["url"] != old["url"] or (row["active"] and not old["active"]):
        hurry(write.connection, write.unit.table(DELIVERIES), row["id"], milliseconds())


def next_attempt(settings: Settings, state: str, due: int) -> str | None:
    if state != "pending":
        return None
    return dt.datetime.fromtimestamp(due // 1000, settings.zone).isoformat()
