"""Rules of a group: superusers alone change what a group is and who is in it."""

from __future__ import annotations

from gateway.accounts.rules import membership, rights
from services.common.resource.writes import Write
from services.common.types import Row


def allow(tx: Write, old: Row | None, new: Row) -> None:
    rights.superusers_only(tx)


def created(tx: Write, row: Row, refs: dict[str, Row]) -> None:
    membership.touch_users(tx, row["users"])


def changed(tx: Write, old: Row, row: Row, refs: dict[str, Row]) -> None:
    membership.touch_users(tx, set(old["users"]) ^ set(row["users"]))


def removing(tx: Write, old: Row) -> None:
    rights.superusers_only(tx)
    membership.touch_users(tx, old["users"])
