"""What an installation starts with: permissions and application groups from the contracts, realms, and in
demo mode one user. Everything here may run again and again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, tuple_

from gateway.accounts.models import group_permissions, groups, permissions, users
from services.common.contract import VERBS, Contract

if TYPE_CHECKING:
    from gateway.accounts.service import Accounts

DEMO, DEMO_REALM = "demo", "pim"
DEMO_APPS = ("isp", "gpon", "docsis", "logger", "installer")
_WITHOUT_GROUP = ("me",)


def permissions_of(contracts: Iterable[Contract]) -> Iterator[dict[str, str]]:
    """`{"app", "model", "codename", "name"}` of every permission that the contracts know."""
    for contract in contracts:
        seen: set[str] = set()
        for resource in contract.resources:
            if not resource.permitted or resource.model in seen:
                continue
            seen.add(resource.model)
            title = resource.title or resource.singular
            for verb in VERBS:
                codename = f"{verb}_{resource.model}"
                yield {
                    "app": contract.name,
                    "model": resource.model,
                    "codename": codename,
                    "name": f"Can {verb} {title}",
                }
        for operation in contract.operations:
            app, _, codename = (operation.permission or "").partition(".")
            verb, _, model = codename.partition("_")
            if app == contract.name and model not in seen:
                name = f"Can {verb} {operation.path or operation.name}"
                yield {"app": app, "model": model, "codename": codename, "name": name}
        if any(field.secret for resource in contract.resources for field in resource.fields):
            yield {
                "app": contract.name,
                "model": "secret",
                "codename": "view_secret",
                "name": "Can view passwords",
            }


def ensure_permissions(connection: Connection, contracts: Iterable[Contract]) -> list[int]:
    """Adds the permissions that are missing; returns their ids."""
    known = {tuple(row) for row in connection.execute(select(permissions.c.app, permissions.c.codename))}
    fresh = [row for row in permissions_of(contracts) if (row["app"], row["codename"]) not in known]
    if not fresh:
        return []
    return list(connection.execute(insert(permissions).returning(permissions.c.id), fresh).scalars())


def ensure_groups(connection: Connection, contracts: Iterable[Contract], fresh: Sequence[int]) -> None:
    """The groups of each app, with all of the app's permissions; that of an app which only shows what
    others have, with those to view it. One that was there already gets those in `fresh` only, since somebody
    may have narrowed it."""
    contracts = list(contracts)
    app_of = {name: one.name for one in contracts if one.name not in _WITHOUT_GROUP for name in one.groups}
    for name in dict.fromkeys([*app_of, *DEMO_APPS]):
        title = f"APP: {name}"
        mine = permissions.c.app == app_of.get(name)
        if name not in app_of:
            mine = tuple_(permissions.c.app, permissions.c.codename).in_(_shown_below(name, contracts))
        granted = select(permissions.c.id).where(mine)
        id_ = connection.execute(select(groups.c.id).where(groups.c.name == title)).scalar()
        if id_ is None:
            id_ = connection.execute(insert(groups).values(name=title).returning(groups.c.id)).scalar_one()
        else:
            granted = granted.where(permissions.c.id.in_(fresh))
        if rows := [{"group_id": id_, "permission_id": one} for one in connection.execute(granted).scalars()]:
            connection.execute(insert(group_permissions), rows)


def _shown_below(name: str, contracts: Iterable[Contract]) -> list[tuple[str, str]]:
    """App and codename of what it takes to view the resources that have a path below this app."""
    return [
        (contract.name, f"view_{resource.model}")
        for contract in contracts
        for resource in contract.resources
        if any(path.startswith(f"{name}/") for path in resource.paths)
    ]


def seed_demo(accounts: Accounts, realm_names: Sequence[str]) -> None:
    """The user demo with password demo: everything in isp, one realm, no staff."""
    named = select(users.c.id).where(users.c.username == DEMO)
    if accounts.database.reading(lambda connection: connection.execute(named).one_or_none()) is not None:
        return
    realm = DEMO_REALM if DEMO_REALM in realm_names or not realm_names else realm_names[0]
    # Made with a password that passes the rules, which "demo" does not.
    id_ = accounts.create_user(
        DEMO,
        secrets.token_urlsafe(24),
        realms=[realm],
        groups=[f"APP: {app}" for app in DEMO_APPS],
        email="demo@example.net",
    )
    with accounts.database.write() as connection:
        connection.execute(
            users.update().where(users.c.id == id_).values(password=accounts.passwords.hash(DEMO))
        )
        accounts.version.bump(connection)
