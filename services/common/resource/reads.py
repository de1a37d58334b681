"""Reads: lists, details, relations and exports of the resources of one service.

A read is one SQL statement for the rows, one for what each join or member set adds to the page,
and one for the counters. Nothing here writes.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Label, Select, bindparam, func, select

from services.common.context import Context
from services.common.contract import Contract, Relation, Resource, SharedWith
from services.common.database.engine import Database
from services.common.database.prepared import Prepared
from services.common.database.tally import Tally
from services.common.errors import AmbiguousKey, InvalidInput, NotFound
from services.common.fields import BIGGEST, Breakdown, Children, Field, Members, Text
from services.common.resource.query import DEEPEST, Cursor, Grammar, Parameters, Query
from services.common.resource.representation import Representation, csv_lines, dumps, ndjson
from services.common.resource.sql import (
    Source,
    count,
    page,
    referenced,
    shape_of_query,
    shape_of_scope,
    values,
)
from services.common.rpc.reply import Reply
from services.common.settings import Settings

MOST_JOINED = 10_000
MOST_STATEMENTS = 2000
KEY_NUMBERS = (1, 10, 50, 100, 250, 500, 1000, MOST_JOINED)

Objects = list[dict[str, Any]]
Rows = list[Any]

CSV, NDJSON = "text/csv", "application/x-ndjson"


class Reads:
    """`list`, `get` and `related` of a service's resources. Bodies are ready JSON."""

    def __init__(self, contract: Contract, metadata: Any, database: Database, settings: Settings) -> None:
        self.contract = contract
        self.metadata = metadata
        self.database = database
        self.settings = settings
        self.tally = Tally(metadata.tables["tally"])
        self.grammar = Grammar(settings.zone, settings.api_level, settings.page_size, settings.max_page_size)
        self._shapes: dict[tuple[Any, ...], Representation] = {}
        self._statements: dict[tuple[Any, ...], Prepared] = {}

    def local(self, moment: dt.datetime | None) -> dt.datetime | None:
        """In the installation's zone, as what is kept is shown."""
        return moment and moment.astimezone(self.settings.zone)

    # ---- parts --------------------------------------------------------------------------------

    @cached_property
    def _rules(self) -> dict[str, Any]:
        named = ((one.name, one.rules) for one in self.contract.resources)
        return {name: importlib.import_module(path) if path else None for name, path in named}

    def rules(self, resource: Resource) -> Any:
        """The module of plain functions with the resource's behaviour, None without one."""
        return self._rules[resource.name]

    def resource(self, name: str) -> Resource:
        try:
            return self.contract.by_name[name]
        except KeyError:
            raise NotFound(f"No resource {name} here.") from None

    def source(self, resource: Resource, context: Context) -> Source:
        return Source(self.contract, self.metadata, resource, context)

    def shape(self, resource: Resource, fields: Sequence[Field], secrets: bool) -> Representation:
        key = (resource.name, tuple(one.name for one in fields), secrets)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) > 1024:
                self._shapes.clear()
            found = self._shapes[key] = Representation(fields, self.rules(resource), self.settings, secrets)
        return found

    def statement(self, context: Context, *shape: Any, build: Callable[[], Select[Any]]) -> Prepared:
        """The statement of this shape, built once: making one of sixty columns costs more than running it."""
        key = (shape_of_scope(context), context.secrets, *shape)
        found = self._statements.get(key)
        if found is None:
            if len(self._statements) >= MOST_STATEMENTS:
                self._statements.clear()
            found = self._statements[key] = self.database.prepare(build())
        return found

    # ---- keys ---------------------------------------------------------------------------------

    def resolve(self, connection: Connection, resource: Resource, key: str, context: Context) -> Any:
        """The id of the one visible row that `key` names; the resource's keys are tried in their order, but
        "00350" is sooner another system's key than 350."""
        source = self.source(resource, context)
        padded = key.startswith("0")
        for name in sorted(resource.keys, key=lambda one: one == "id") if padded else resource.keys:
            field = resource.by_name[name]
            column = source.value(field)
            if name == "id" and not resource.textual_id:
                if not _is_id(key):
                    continue
                condition = column == int(key)
            else:
                if "\0" in key or not isinstance(field, Text):
                    continue
                condition = column == key
            statement = select(source.table.c.id).where(source.visible(), condition).limit(2)
            found = connection.execute(statement, values(context, resource)).all()
            if len(found) > 1:
                raise AmbiguousKey()
            if found:
                return found[0][0]
        raise NotFound()

    # ---- list ---------------------------------------------------------------------------------

    def list(
        self,
        context: Context,
        resource: str,
        parameters: Parameters = (),
        shape: str = "json",
        foreign: Iterable[str] = (),
        limit: int | None = None,
        header: bool = True,
    ) -> Reply:
        """A page of rows: body = JSON array (or CSV/NDJSON text); meta: count, limit, offset, next,
        previous, ignored.

        `foreign`: joins that the caller composes itself. `shape`: "json", "ndjson", "csv" (the last
        two without count). `limit` overrides the client's page size.
        """
        declared = self.resource(resource)
        query = self.grammar.parse(
            declared, parameters, secrets=context.secrets, foreign=foreign, limit=limit
        )
        return self._answer(context, declared, query, shape=shape, header=header)

    def _answer(
        self,
        context: Context,
        resource: Resource,
        query: Query,
        *,
        within: tuple[Relation, Any] | None = None,
        shape: str = "json",
        header: bool = True,
    ) -> Reply:
        form = self.shape(resource, query.fields, context.secrets)

        def work(connection: Connection) -> tuple[Objects, dict[str, Any]]:
            members, meta = self._page(connection, context, resource, query, form, within)
            if shape == "json":
                meta["count"] = self._count(connection, context, resource, query, within)
            return members, meta

        members, meta = self.database.reading(work)
        if shape == "csv":
            return Reply(csv_lines(form.fields, members, header=header), meta | {"content_type": CSV})
        if shape == "ndjson":
            return Reply(ndjson(members), meta | {"content_type": NDJSON})
        return Reply(dumps(members), meta)

    def _page(
        self,
        connection: Connection,
        context: Context,
        resource: Resource,
        query: Query,
        form: Representation,
        within: tuple[Relation, Any] | None,
    ) -> tuple[Objects, dict[str, Any]]:
        def build() -> Select[Any]:
            source = self.source(resource, context)

            def columns() -> list[Label[Any]]:
                # After the members: the row's id, what its joins hang on, and the keys of the next cursor.
                joined = [source.table.c.id, *(self._local_key(source, one) for one in query.joins)]
                sorting = [source.value(one.field) for one in query.sort] if query.cursor else []
                return form.columns(source, [*joined, *sorting])

            return page(source, columns, query, *self._inside(source, within))

        parent = within and within[0].by
        shape = ("page", resource.name, parent, *form.names, shape_of_query(query), query.limit)
        statement = self.statement(context, *shape, build=build)
        bound = self._values(context, resource, query, within)
        rows = [] if query.offset >= DEEPEST // 2 else statement.rows(connection, bound)
        meta: dict[str, Any] = {"limit": query.limit, "offset": query.offset, "ignored": list(query.ignored)}
        if query.cursor is not None:
            rows, links = _turned(rows, query, len(query.sort))
            meta.update(links)
        members = form.members(rows)
        self._complete(connection, context, resource, form.fields, query.joins, rows, members, form.width)
        return members, meta

    def _count(
        self,
        connection: Connection,
        context: Context,
        resource: Resource,
        query: Query,
        within: tuple[Relation, Any] | None,
    ) -> int:
        def build() -> Select[Any]:
            source = self.source(resource, context)
            return count(source, query, *self._inside(source, within))

        def counted() -> int:
            shape = ("count", resource.name, within and within[0].by, shape_of_query(query))
            bound = self._values(context, resource, query, within)
            return int(self.statement(context, *shape, build=build).rows(connection, bound)[0][0])

        # The books are kept by writes of the resource: what has none of its own (pick lists, audit) is
        # counted.
        if within is not None or not resource.tallied:
            return counted()
        others = referenced(resource, query)
        rows, state = self.tally.read(connection, resource.name, context.scope, others)
        if not query.filters and not query.search:
            return rows
        scope = None if context.scope.everything else context.scope.realms
        return self.tally.counted((resource.name, scope, query.signature), state, counted)

    # ---- detail -------------------------------------------------------------------------------

    def get(
        self,
        context: Context,
        resource: str,
        key: str,
        parameters: Parameters = (),
        foreign: Iterable[str] = (),
    ) -> Reply:
        """One row: body = JSON object; meta: id, version, ignored."""
        declared = self.resource(resource)
        query = self.grammar.parse(declared, parameters, secrets=context.secrets, foreign=foreign)

        def work(connection: Connection) -> Reply:
            if not declared.textual_id and _is_id(key) and not key.startswith("0"):
                try:  # the common case in one statement
                    return self.one(connection, context, declared, int(key), query)
                except NotFound:
                    pass  # it may still be the row's key in another system
            return self.one(
                connection, context, declared, self.resolve(connection, declared, key, context), query
            )

        return self.database.reading(work)

    def one(
        self, connection: Connection, context: Context, resource: Resource, id_: Any, query: Query
    ) -> Reply:
        """The row with this id as `query` wants it; `NotFound` when it is not visible."""
        form = self.shape(resource, query.fields, context.secrets)

        def build() -> Select[Any]:
            source = self.source(resource, context)
            joined = [self._local_key(source, one) for one in query.joins]
            columns = form.columns(source, [source.table.c.id, *joined, source.table.c.version])
            chosen = source.table.c.id == bindparam("id")
            return select(*columns).where(source.visible(), chosen).select_from(source.tables())

        shape = ("one", resource.name, *form.names, tuple(one.name for one in query.joins))
        bound = {**values(context, resource), "id": id_}
        rows = self.statement(context, *shape, build=build).rows(connection, bound)
        if not rows:
            raise NotFound()
        members = form.members(rows)
        self._complete(connection, context, resource, form.fields, query.joins, rows, members, form.width)
        return Reply(dumps(members[0]), {"id": id_, "version": rows[0][-1], "ignored": list(query.ignored)})

    # ---- relations ----------------------------------------------------------------------------

    def related(
        self,
        context: Context,
        resource: str,
        key: str,
        relation: str,
        parameters: Parameters = (),
        shape: str = "json",
        foreign: Iterable[str] = (),
        limit: int | None = None,
        header: bool = True,
    ) -> Reply:
        """What is on the other side of a relation: a page as `list` gives it, an unpaged array, or one
        object.
        """
        declared = self.resource(resource)
        link = declared.related[relation]
        target = self.contract.by_name[link.to]
        query = self.grammar.parse(target, parameters, secrets=context.secrets, foreign=foreign, limit=limit)

        def other(connection: Connection) -> Any:
            id_ = self.resolve(connection, declared, key, context)
            if link.many:
                return id_
            source = self.source(declared, context)
            return connection.execute(
                select(self._local_key(source, link))
                .select_from(source.tables())
                .where(source.table.c.id == id_)
            ).scalar_one()

        found = self.database.reading(other)
        if not link.many:
            if found is None:
                raise NotFound()
            return self.database.reading(lambda c: self.one(c, context, target, found, query))
        if not link.paged:
            parsed = self.grammar.parse(
                target,
                [*parameters, ("sort", link.sort)],
                secrets=context.secrets,
                foreign=foreign,
                limit=MOST_JOINED,
            )
            return self._answer(context, target, parsed, within=(link, found), shape=shape, header=header)
        return self._answer(context, target, query, within=(link, found), shape=shape, header=header)

    def _local_key(self, source: Source, relation: Relation) -> Any:
        """The column here that a relation hangs on."""
        return source.table.c.id if relation.many else source.value(source.resource.by_name[relation.by])

    def _inside(self, source: Source, within: tuple[Relation, Any] | None) -> Rows:
        """The condition that rows belong to a parent, if any; its key is bound as `parent`."""
        if within is None:
            return []
        return [source.value(source.resource.by_name[within[0].by]) == bindparam("parent")]

    def _values(
        self, context: Context, resource: Resource, query: Query, within: tuple[Relation, Any] | None
    ) -> dict[str, Any]:
        bound = values(context, resource, query)
        return bound if within is None else {**bound, "parent": within[1]}

    def _complete(
        self,
        connection: Connection,
        context: Context,
        resource: Resource,
        fields: Sequence[Field],
        joins: Sequence[Relation],
        rows: Sequence[Any],
        members: Objects,
        width: int,
    ) -> None:
        """Fill in member sets, children, breakdowns and joins of a page, one statement each."""
        ids = [row[width] for row in rows]
        for field in fields:
            if isinstance(field, Members):
                table = self.metadata.tables[field.table]
                mine, theirs = table.c[field.mine], table.c[field.theirs]
                statement = select(mine, theirs).where(mine.in_(ids)).order_by(theirs)
                if not context.scope.everything and resource.scoping == SharedWith(field=field.name):
                    statement = statement.where(theirs.in_(context.scope.realms))  # others' are their affair
                _spread(members, field.name, ids, connection.execute(statement).all())
            elif isinstance(field, Children):
                other = self.source(self.contract.by_name[field.of], context)
                by = other.value(other.resource.by_name[field.by])
                chosen = (
                    select(by, other.table.c.id)
                    .where(by.in_(ids), other.visible())
                    .order_by(other.table.c.id)
                )
                found = connection.execute(
                    chosen.select_from(other.tables()), values(context, other.resource)
                ).all()
                _spread(members, field.name, ids, found)
            elif isinstance(field, Breakdown):
                other = self.source(self.contract.by_name[field.of], context)
                by, per = (other.value(other.resource.by_name[name]) for name in (field.by, field.per))
                counted = select(by, per, func.count()).where(by.in_(ids), other.visible())
                grouped = counted.select_from(other.tables()).group_by(by, per).order_by(by, per)
                numbers = connection.execute(grouped, values(context, other.resource)).all()
                _spread(members, field.name, ids, [(mine, pair) for mine, *pair in numbers])
                for member in members:
                    member[field.name] = dict(member[field.name])
        for index, relation in enumerate(joins):
            keys = [row[width + 1 + index] for row in rows]
            related = self._joined(connection, context, relation, {key for key in keys if key is not None})
            for member, key in zip(members, keys, strict=True):
                mine = related.get(key, [])
                member[relation.name] = mine if relation.many else next(iter(mine), None)

    def _joined(
        self, connection: Connection, context: Context, relation: Relation, keys: set[Any]
    ) -> dict[Any, Objects]:
        """The related rows of a whole page, by the key they hang on."""
        if not keys:
            return {}
        target = self.contract.by_name[relation.to]
        emitted = [one for one in target.emitted(self.settings.api_level) if one.name not in relation.omit]
        form = self.shape(target, emitted, context.secrets)

        # As many names as the next round number, so that pages of any size share a few statements.
        number = next(size for size in KEY_NUMBERS if size >= len(keys))
        listed = sorted(keys)
        listed += listed[-1:] * (number - len(listed))

        def build() -> Select[Any]:
            source = self.source(target, context)
            key = source.value(target.by_name[relation.by]) if relation.many else source.table.c.id
            order = source.order(self.grammar.parse(target, [("sort", relation.sort)]).sort)
            columns = form.columns(source, [source.table.c.id, key])
            wanted = key.in_([bindparam(f"key{index}", type_=key.type) for index in range(number)])
            statement = select(*columns).where(source.visible(), wanted).order_by(*order)
            return statement.limit(MOST_JOINED + 1).select_from(source.tables())

        shape = ("join", target.name, relation.by, relation.sort, number, *form.names)
        statement = self.statement(context, *shape, build=build)
        bound = values(context, target) | {f"key{index}": key for index, key in enumerate(listed)}
        rows = statement.rows(connection, bound)
        if len(rows) > MOST_JOINED:
            raise InvalidInput(
                {"joins": [f"{relation.name} has too many rows here; ask for a smaller page."]}
            )
        members = form.members(rows)
        self._complete(connection, context, target, form.fields, (), rows, members, form.width)
        grouped: dict[Any, Objects] = defaultdict(list)
        for row, member in zip(rows, members, strict=True):
            grouped[row[-1]].append(member)
        return grouped


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 20 and int(key) <= BIGGEST


def _spread(members: Objects, name: str, ids: Rows, pairs: Iterable[Any]) -> None:
    grouped: dict[Any, Rows] = defaultdict(list)
    for mine, theirs in pairs:
        grouped[mine].append(theirs)
    for member, id_ in zip(members, ids, strict=True):
        member[name] = grouped.get(id_, [])


def _turned(rows: Rows, query: Query, keys: int) -> tuple[Rows, dict[str, Any]]:
    """The page in its forward order, and the cursors of its neighbours."""
    assert query.cursor is not None
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    if query.cursor.backwards:
        rows.reverse()
    begun = query.cursor.values is not None
    before = more if query.cursor.backwards else begun
    after = begun if query.cursor.backwards else more
    links: dict[str, Any] = {"next": None, "previous": None}
    if rows and after:
        links["next"] = Cursor(tuple(rows[-1][-keys:])).encode()
    if rows and before:
        links["previous"] = Cursor(tuple(rows[0][-keys:]), backwards=True).encode()
    return rows, links
