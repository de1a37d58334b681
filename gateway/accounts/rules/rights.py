"""Who may give which rights, and touch whom: nobody makes, or takes over, an account stronger than his own.

A write without a user (the command line) is trusted. Everything is read in the write's own transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from gateway.accounts.models import (
    group_permissions,
    groups,
    user_groups,
    user_permissions,
    user_realms,
    users,
)
from gateway.principal import family
from services.common.errors import PermissionDenied
from services.common.resource.writes import Write
from services.common.types import Row

FAMILIES = ("APP:", "HG:", "realm:")


@dataclass(frozen=True)
class Rights:
    """What somebody holds: ids of groups and effective permissions, names of realms and of family groups."""

    groups: frozenset[int]
    permissions: frozenset[int]
    realms: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(
        cls, connection: Connection, groups_: Collection[int], own: Collection[int], realms: Collection[str]
    ) -> Rights:
        """Of somebody with these groups, own permissions and realms."""
        through = select(group_permissions.c.permission_id).where(group_permissions.c.group_id.in_(groups_))
        names = connection.execute(select(groups.c.name).where(groups.c.id.in_(groups_))).scalars().all()
        known = {f"{prefix}{name}" for prefix in FAMILIES for name in family(names, prefix)}
        permissions = frozenset(connection.execute(through).scalars()) | frozenset(own)
        return cls(frozenset(groups_), permissions, frozenset(realms), frozenset(known))

    @classmethod
    def held(cls, connection: Connection, user_id: int) -> Rights:
        def column(table: Any, name: str) -> list[Any]:
            found = select(table.c[name]).where(table.c.user_id == user_id)
            return list(connection.execute(found).scalars())

        return cls.of(
            connection,
            column(user_groups, "group_id"),
            column(user_permissions, "permission_id"),
            column(user_realms, "realm"),
        )

    def covers(self, other: Rights) -> bool:
        return (
            other.permissions <= self.permissions
            and other.realms <= self.realms
            and other.names <= self.names
        )


def is_trusted(tx: Write) -> bool:
    """Whether the write is by a superuser, or by the platform itself."""
    if tx.context.user_id is None:
        return tx.context.scope.everything
    strong = select(users.c.id).where(
        users.c.id == tx.context.user_id, users.c.is_superuser, users.c.is_active
    )
    return tx.connection.execute(strong).one_or_none() is not None


def superusers_only(tx: Write) -> None:
    if not is_trusted(tx):
        raise PermissionDenied("Only a superuser may do this.")


def may_touch(tx: Write, user: Row) -> Rights:
    """The caller's rights; refuses when `user` has any right that the caller has not."""
    if tx.context.user_id is None:
        raise PermissionDenied()
    own = Rights.held(tx.connection, tx.context.user_id)
    theirs = Rights.of(tx.connection, user["groups"], user["user_permissions"], user["realms"])
    if user["is_superuser"] or not own.covers(theirs):
        raise PermissionDenied("This user has rights that you do not have.")
    return own


def may_grant(tx: Write, own: Rights, old: Row | None, new: Row) -> None:
    """Refuses a grant (of a group, permission, realm or flag) that the caller does not hold himself."""
    before: Row = old or {
        "is_staff": False,
        "is_superuser": False,
        "groups": [],
        "user_permissions": [],
        "realms": [],
    }
    if any(bool(new[flag]) != bool(before[flag]) for flag in ("is_staff", "is_superuser")):
        raise PermissionDenied("Only a superuser may make staff or superusers.")
    granted = {
        "groups": (set(new["groups"]) - set(before["groups"]), own.groups),
        "permissions": (set(new["user_permissions"]) - set(before["user_permissions"]), own.permissions),
        "realms": (set(new["realms"]) - set(before["realms"]), own.realms),
    }
    for name, (wanted, held) in granted.items():
        if not wanted <= held:
            raise PermissionDenied(f"You may only give {name} that you have yourself.")
