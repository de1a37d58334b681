"""Memberships have two sides: what a write of one side must do for the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Table, select, update

from gateway.accounts.models import groups, realms, user_realms, users
from services.common.resource.writes import Write


def complete(tx: Write) -> None:
    """Give realm memberships written from one side the names and ids of the other."""
    links = user_realms.c
    realm_id = select(realms.c.id).where(realms.c.name == links.realm).scalar_subquery()
    username = select(users.c.username).where(users.c.id == links.user_id).scalar_subquery()
    tx.connection.execute(
        update(user_realms).where(links.realm_id.is_(None)).values(realm_id=realm_id, username=username)
    )
    realm = select(realms.c.name).where(realms.c.id == links.realm_id).scalar_subquery()
    user_id = select(users.c.id).where(users.c.username == links.username).scalar_subquery()
    tx.connection.execute(
        update(user_realms).where(links.user_id.is_(None)).values(realm=realm, user_id=user_id)
    )


def touch_groups(tx: Write, ids: Collection[int]) -> None:
    """Their list of users changed, and so their version."""
    _touch(tx, groups, groups.c.id, ids)


def touch_realms(tx: Write, names: Collection[str]) -> None:
    _touch(tx, realms, realms.c.name, names)


def touch_users(tx: Write, ids: Iterable[int] = (), names: Iterable[str] = ()) -> None:
    """Their groups or realms changed, and so their version."""
    _touch(tx, users, users.c.id, list(ids))
    _touch(tx, users, users.c.username, list(names))


def _touch(tx: Write, table: Table, key: Any, values: Collection[Any]) -> None:
    if values:
        tx.connection.execute(update(table).where(key.in_(list(values))).values(version=table.c.version + 1))
