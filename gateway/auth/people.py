"""A user as authentication needs him: one row, and everything he may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from gateway.accounts.models import (
    group_permissions,
    groups,
    permissions,
    realms,
    user_groups,
    user_permissions,
    user_realms,
    users,
)
from gateway.principal import Principal


@dataclass(frozen=True, slots=True)
class Person:
    """`password` is the stored hash; `principal` carries profile members in its `details`."""

    id: int
    password: str
    is_active: bool
    principal: Principal


def load(connection: Connection, user_id: int) -> Person | None:
    """The user with his effective permissions; a superuser has all, and is in every realm."""
    user = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if user is None:
        return None

    def names(statement: Select[Any]) -> frozenset[str]:
        return frozenset(connection.execute(statement).scalars())

    mine = user_realms.c.user_id == user.id
    in_realms = select(realms.c.name) if user.is_superuser else select(user_realms.c.realm).where(mine)
    in_groups = select(groups.c.name).join(user_groups).where(user_groups.c.user_id == user.id)
    own = select(user_permissions.c.permission_id).where(user_permissions.c.user_id == user.id)
    through = (
        select(group_permissions.c.permission_id)
        .join(user_groups, user_groups.c.group_id == group_permissions.c.group_id)
        .where(user_groups.c.user_id == user.id)
    )
    granted = permissions.c.id.in_(own.union(through))
    if user.is_superuser:
        granted = permissions.c.id.is_not(None)
    name = permissions.c.app + "." + permissions.c.codename
    profile = {key: getattr(user, key) for key in ("email", "first_name", "last_name", "language")}
    principal = Principal(
        id=user.id,
        username=user.username,
        is_staff=user.is_staff,
        is_superuser=user.is_superuser,
        realms=names(in_realms),
        permissions=names(select(name).where(granted)),
        groups=names(in_groups),
        details=profile,
    )
    return Person(user.id, user.password, user.is_active, principal)
