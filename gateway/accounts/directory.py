"""The engine of the gateway's own resources: any service's engine, with three rules of visibility on top.

Superusers are hidden from everybody else; lists of users show only those the caller may see; a global
bookmark is read by all. Nothing else shows more than the scope of its declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, String, and_, bindparam, func, not_, or_, select, true

from gateway.accounts.contract import AUTH, BOOKMARKS, PERMISSIONS, REALMS, REQUEST_LOG, USERS
from gateway.accounts.fields import Granted
from gateway.auth.passwords import Passwords
from gateway.auth.version import MATTERS, Version
from services.common.context import Context
from services.common.contract import Contract, Relation, Resource
from services.common.database.engine import Database
from services.common.errors import Conflict
from services.common.fields import Field
from services.common.resource.engine import Engine
from services.common.resource.sql import Source, values
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.settings import Settings

Usage = Callable[[str, Context], dict[str, dict[str, int]]]
"""The rows that a realm has: app → resource → number, apps without rows left out."""


class Visible(Source):
    """What a caller sees of the gateway's own rows."""

    def visible(self) -> ColumnElement[bool]:
        everything, table = self.context.scope.everything, self.table
        match self.resource.name:
            case USERS.name if not everything:
                return and_(super().visible(), not_(table.c.is_superuser))
            case BOOKMARKS.name:
                return or_(super().visible(), table.c["global"].is_(True))
            case REQUEST_LOG.name if everything:
                return true()
            case REQUEST_LOG.name:
                users = Visible(AUTH, self.metadata, USERS, self.context)
                theirs = select(users.table.c.id).where(users.visible())
                return or_(super().visible(), and_(table.c.user_id.in_(theirs), self._within(table.c.realms)))
            case _:
                return super().visible()

    def _within(self, realms: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether the caller has all of them, which are written as `,dem,pim,`."""
        left = realms
        for index in range(len(self.context.scope.realms)):
            left = func.replace(left, "," + bindparam(f"realm{index}", type_=String) + ",", ",")
        return left == ","


class Directory(Engine):
    """`realm_usage`: who still has rows of a realm; set by whoever can ask the services."""

    def __init__(
        self,
        contract: Contract,
        metadata: Any,
        database: Database,
        settings: Settings,
        passwords: Passwords,
        version: Version,
    ) -> None:
        super().__init__(contract, metadata, database, settings)
        self.passwords = passwords
        self._version = version
        self.realm_usage: Usage = lambda realm, context: {}

    def source(self, resource: Resource, context: Context) -> Source:
        return Visible(self.contract, self.metadata, resource, context)

    @contextmanager
    def writing(self, context: Context) -> Iterator[Write]:
        """As any engine; a change of who may do what has reached every process when this ends."""
        with super().writing(context) as write:
            yield write
        if not write.unit.resources.isdisjoint(MATTERS):
            self._version.settle()

    def delete(self, context: Context, resource: str, key: str, versions: list[int] | None = None) -> Reply:
        """As any engine; a realm that has data is a `Conflict` with `usage`. The services are asked first,
        since a write never waits for anything but the database."""
        if resource == REALMS.name:
            if (answered := self.answered(context)) is not None:
                return answered
            name = orjson.loads(self.get(context, resource, key).body)["name"]
            if usage := self.realm_usage(name, context):
                raise Conflict(f'Realm "{name}" still has data.', usage=usage)
        return super().delete(context, resource, key, versions)

    def _complete(
        self,
        connection: Connection,
        context: Context,
        resource: Resource,
        fields: Sequence[Field],
        joins: Sequence[Relation],
        rows: Sequence[Any],
        members: list[dict[str, Any]],
        width: int,
    ) -> None:
        super()._complete(connection, context, resource, fields, joins, rows, members, width)
        for field in fields:
            if isinstance(field, Granted):
                self._describe(connection, context, field.name, members)
            elif field.name == "users" and not context.scope.everything:
                people = Visible(AUTH, self.metadata, USERS, context)
                shown = people.table.c.username if resource.name == REALMS.name else people.table.c.id
                listed = {one for member in members for one in member["users"]}
                statement = select(shown).where(people.visible(), shown.in_(listed))
                seen = set(connection.execute(statement, values(context, USERS)).scalars())
                for member in members:
                    member["users"] = [one for one in member["users"] if one in seen]

    def _describe(
        self, connection: Connection, context: Context, name: str, members: list[dict[str, Any]]
    ) -> None:
        """Permissions as objects in place of their ids."""
        wanted = {one for member in members for one in member[name]}
        form = self.shape(PERMISSIONS, PERMISSIONS.emitted(self.settings.api_level), secrets=False)
        source = self.source(PERMISSIONS, context)
        statement = select(*form.columns(source)).where(source.table.c.id.in_(wanted))
        found = {one["id"]: one for one in form.members(connection.execute(statement).all())}
        for member in members:
            member[name] = [found[one] for one in member[name]]
