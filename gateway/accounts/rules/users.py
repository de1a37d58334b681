"""Rules of a user: password, rights, realms, and what ends his sessions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select, update

from gateway.accounts.models import realms, sessions, users
from gateway.accounts.rules import membership, rights
from gateway.auth.passwords import complaints
from services.common.errors import InvalidInput
from services.common.fields import REQUIRED
from services.common.resource.writes import Write
from services.common.types import Installation, Row

PERSONAL = ("username", "first_name", "last_name", "email")


def complete(
    installation: Installation, now: dt.datetime, old: Row | None, new: Row, refs: dict[str, Row]
) -> None:
    if old is None:
        new["date_joined"] = now


def check(
    installation: Installation, old: Row | None, new: Row, refs: dict[str, Row]
) -> dict[str, list[str]]:
    """A new password follows the rules; until `allow` it is still in clear."""
    if not new.get("password"):
        return {"password": [REQUIRED]}
    if _has_new_password(old, new):
        personal = {name.replace("_", " "): str(new.get(name) or "") for name in PERSONAL}
        if wrong := complaints(new["password"], personal):
            return {"password": wrong}
    return {}


def allow(tx: Write, old: Row | None, new: Row) -> None:
    if not rights.is_trusted(tx):
        caller = rights.may_touch(
            tx, old or {**new, "groups": [], "user_permissions": [], "realms": [], "is_superuser": False}
        )
        rights.may_grant(tx, caller, old, new)
        if not new["realms"] and (old is None or old["realms"]):
            raise InvalidInput({"realms": [REQUIRED]})  # without one he would be outside everybody's realms
        for name in ("username", "email"):
            if new[name] and (old is None or new[name] != old[name]):
                _unused(tx, old, name, new[name])
    fresh = set(new["realms"]) - set(old["realms"] if old else ())
    known = set(tx.connection.execute(select(realms.c.name).where(realms.c.name.in_(fresh))).scalars())
    if missing := fresh - known:
        raise InvalidInput(
            {"realms": [f'Invalid pk "{one}" - object does not exist.' for one in sorted(missing)]}
        )
    if _has_new_password(old, new):
        new["password"] = tx.reads.passwords.hash(new["password"])  # type: ignore[attr-defined]


def _unused(tx: Write, old: Row | None, name: str, value: str) -> None:
    """Nobody takes another's address: two users with one cannot log in by it (`gateway.auth.oauth`). Nor his
    name in other letter case, to be taken for him in logs."""
    theirs = select(users.c.id).where(func.lower(users.c[name]) == func.lower(value))
    if set(tx.connection.execute(theirs).scalars()) - {old["id"] if old else None}:
        raise InvalidInput({name: [f"User with this {name} already exists."]})


def created(tx: Write, row: Row, refs: dict[str, Row]) -> None:
    membership.complete(tx)
    membership.touch_groups(tx, row["groups"])
    membership.touch_realms(tx, row["realms"])


def changed(tx: Write, old: Row, row: Row, refs: dict[str, Row]) -> None:
    membership.complete(tx)
    renamed = old["username"] != row["username"]
    membership.touch_groups(tx, set(old["groups"]) ^ set(row["groups"]))
    membership.touch_realms(
        tx, set(row["realms"]) | set(old["realms"]) if renamed else set(old["realms"]) ^ set(row["realms"])
    )
    if old["password"] != row["password"] or not row["is_active"]:
        tx.connection.execute(update(sessions).where(sessions.c.user_id == row["id"]).values(revoked=True))


def removing(tx: Write, old: Row) -> None:
    if not rights.is_trusted(tx):
        rights.may_touch(tx, old)
    membership.touch_groups(tx, old["groups"])
    membership.touch_realms(tx, old["realms"])


def _has_new_password(old: Row | None, new: dict[str, Any]) -> bool:
    return old is None or bool(new["password"] != old["password"])
