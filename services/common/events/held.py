"""What the operator does with parked events: have them tried again, or drop them. Both leave an audit row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from services.common.contract import Resource
from services.common.database.kernel import milliseconds
from services.common.database.unit_of_work import CHANGED
from services.common.events.contract import parked_resource
from services.common.events.inbox import PARKED, WAITING
from services.common.resource.writes import Write

PARKED_EVENTS: Resource = parked_resource()


def replay(write: Write, id_: int) -> None:
    """Due at once, with all its pauses before it. Raises `NotFound` when it is not parked (any more)."""
    row = write.row(PARKED_EVENTS, id_, lock=True)
    held = write.unit.table("held")
    again = {"state": WAITING, "attempts": 0, "due": milliseconds(), "version": row["version"] + 1}
    write.connection.execute(update(held).where(held.c.id == id_).values(**again))
    _note(write, row)


def drop(write: Write, id_: int) -> None:
    """Never handled. Raises `NotFound` when it is not parked (any more)."""
    write.remove(PARKED_EVENTS, id_)


def _note(write: Write, row: dict[str, Any]) -> None:
    label = " ".join(row[name] for name in PARKED_EVENTS.label)
    change = {"state": [PARKED, WAITING]}
    names = PARKED_EVENTS.name, PARKED_EVENTS.model
    write.unit.audit(CHANGED, *names, row["id"], label, row["realm"], change)
