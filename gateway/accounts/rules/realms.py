"""Rules of a realm: superusers alone make one and say who is in it."""

from __future__ import annotations

from sqlalchemy import select

from gateway.accounts.models import users
from gateway.accounts.rules import membership, rights
from services.common.errors import InvalidInput
from services.common.resource.writes import Write
from services.common.types import Row


def allow(tx: Write, old: Row | None, new: Row) -> None:
    rights.superusers_only(tx)
    fresh = set(new["users"]) - set(old["users"] if old else ())
    known = set(tx.connection.execute(select(users.c.username).where(users.c.username.in_(fresh))).scalars())
    if missing := fresh - known:
        raise InvalidInput(
            {"users": [f'Invalid pk "{one}" - object does not exist.' for one in sorted(missing)]}
        )


def created(tx: Write, row: Row, refs: dict[str, Row]) -> None:
    membership.complete(tx)
    membership.touch_users(tx, names=row["users"])


def changed(tx: Write, old: Row, row: Row, refs: dict[str, Row]) -> None:
    membership.complete(tx)
    membership.touch_users(tx, names=set(old["users"]) ^ set(row["users"]))


def removing(tx: Write, old: Row) -> None:
    rights.superusers_only(tx)
    membership.touch_users(tx, names=old["users"])
