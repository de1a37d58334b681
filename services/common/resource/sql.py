"""From a declaration and a query to SQL: only the columns asked for, always within a scope.

A statement on a resource cannot be built without a `Scope`: `Source` takes it and puts it into
every condition it makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Label,
    MetaData,
    Select,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from services.common.context import Context
from services.common.contract import Contract, Everyone, InRealm, OwnedBy, Resource, SharedWith, Within
from services.common.fields import AllOf, Concat, Count, Field, Members, Reference, Text
from services.common.resource.query import Cursor, Filter, Query, Sort


class Source:
    """The rows of one resource that one caller may see, and the columns reachable from them."""

    def __init__(self, contract: Contract, metadata: MetaData, resource: Resource, context: Context) -> None:
        self.contract = contract
        self.metadata = metadata
        self.resource = resource
        self.context = context
        self.table = metadata.tables[resource.table]
        self._reached: dict[str, Any] = {}

    def column(self, path: str) -> ColumnElement[Any]:
        """The column `path` names: of the table, or through a to-one reference (`model.tr069`)."""
        head, mark, rest = path.partition(".")
        if not mark:
            return self.table.c[path]
        if head not in self._reached:
            reference = self.resource.by_name[head]
            assert isinstance(reference, Reference)
            target = self.contract.by_name[reference.to]
            self._reached[head] = self.metadata.tables[target.table].alias(f"{self.table.name}_{head}")
        return self._reached[head].c[rest]  # type: ignore[no-any-return]

    def tables(self) -> FromClause:
        """The table with the to-one tables that `column` has reached, outer-joined."""
        joined: FromClause = self.table
        for name, target in self._reached.items():
            reference = self.resource.by_name[name]
            joined = joined.outerjoin(target, self.column(reference.source) == target.c.id)
        return joined

    def reached(self) -> set[str]:
        """The resources whose tables `column` has reached."""
        found = (self.resource.by_name[name] for name in self._reached)
        return {field.to for field in found if isinstance(field, Reference)}

    def value(self, field: Field) -> ColumnElement[Any]:
        """The SQL expression of a field."""
        if isinstance(field, AllOf):
            return and_(*(self._holds(item) for item in field.of))
        if isinstance(field, Concat):
            parts = (
                literal(item.strip("'")) if item.startswith("'") else cast(self.column(item), String)
                for item in field.of
            )
            first, *rest = parts
            for part in rest:
                first = first.concat(part)
            return first
        if isinstance(field, Count):
            other = Source(self.contract, self.metadata, self.contract.by_name[field.of], self.context)
            by = other.resource.by_name[field.by]
            counted = select(func.count()).select_from(other.table)
            return counted.where(other.column(by.source) == self.table.c.id, other.visible()).scalar_subquery()
        return self.column(field.source)

    def _holds(self, item: str) -> ColumnElement[bool]:
        if item.endswith("?"):
            return self.column(item[:-1]).is_not(None)
        if item.startswith("!"):
            return not_(self.column(item[1:]))
        return self.column(item).is_(True)

    # ---- conditions ---------------------------------------------------------------------------

    def visible(self) -> ColumnElement[bool]:
        """The rows in the caller's scope. Deny by default: no realms, no rows."""
        fixed = [self.table.c[name] == value for name, value in self.resource.where]
        return and_(true(), *fixed, self._scope())

    def _scope(self) -> ColumnElement[bool]:
        scoping, scope = self.resource.scoping, self.context.scope
        if isinstance(scoping, OwnedBy):
            return self.table.c[scoping.column] == self.context.user_id
        if scope.everything or isinstance(scoping, Everyone):
            return true()
        realms = sorted(scope.realms)
        if isinstance(scoping, InRealm):
            column = self.table.c[scoping.column]
            inside = in_(column, realms)
            return or_(column.is_(None), inside) if scoping.shared and realms else inside
        members = self.resource.by_name[scoping.field]
        assert isinstance(members, Members)
        linked = self.metadata.tables[members.table]
        mine = linked.c[members.mine] == self.table.c.id
        theirs = linked.c[members.theirs]
        if isinstance(scoping, SharedWith):
            if not realms:
                return false()
            return or_(~exists().where(mine), exists().where(mine, theirs.in_(realms)))
        assert isinstance(scoping, Within)
        return and_(exists().where(mine), ~exists().where(mine, theirs.not_in(realms)))

    def matches(self, one: Filter) -> ColumnElement[bool]:
        column = self.value(one.field)
        operator, values = one.operator, one.values
        if operator == "isnull":
            return column.is_(None) if values[0] else column.is_not(None)
        if operator in ("contains", "startswith"):
            like = getattr(column, operator)
            return like(values[0], autoescape=True)  # type: ignore[no-any-return]
        if operator == "icontains":
            return contains(column, values[0])
        if operator == "exact":
            return self._any_of(one.field, column, values)
        if operator == "ne":
            return func.coalesce(not_(self._any_of(one.field, column, values)), True)
        if values[0] is None:
            return false()
        compare = {"gt": column.__gt__, "gte": column.__ge__, "lt": column.__lt__, "lte": column.__le__}
        return compare[operator](values[0])

    def _any_of(self, field: Field, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
        present = [value for value in values if value is not None]
        conditions: list[ColumnElement[bool]] = []
        if present:
            if isinstance(field, Text) and not field.case_matters:
                folded = func.lower(column)
                conditions.append(folded.in_([value.lower() for value in present]))
            else:
                conditions.append(in_(column, present))
        if len(present) < len(values):
            conditions.append(column.is_(None))
        return or_(*conditions)

    def found(self, term: str) -> ColumnElement[bool]:
        """The rows in which any searched field contains the term, or equals it in its stored form."""
        conditions: list[ColumnElement[bool]] = []
        for field in self.resource.fields:
            if not field.searched or not isinstance(field, Text):
                continue
            column = self.value(field)
            conditions.append(contains(column, term))
            if field.normalize is not None and (stored := field.parse(term)) != term:
                conditions.append(column == stored)
        if term.isdecimal() and len(term) < 19 and not self.resource.textual_id:
            conditions.append(self.table.c.id == int(term))
        return or_(false(), *conditions)

    def where(self, query: Query) -> list[ColumnElement[bool]]:
        """Scope, filters and search: what decides which rows there are."""
        return [
            self.visible(),
            *(self.matches(one) for one in query.filters),
            *(self.found(term) for term in query.search),
        ]

    # ---- order --------------------------------------------------------------------------------

    def order(self, sort: Iterable[Sort], backwards: bool = False) -> list[ColumnElement[Any]]:
        """ORDER BY with nulls last when ascending and first when descending, on every database."""
        keys: list[ColumnElement[Any]] = []
        for one in sort:
            column = self.value(one.field)
            descending = one.descending != backwards
            key = column.desc() if descending else column.asc()
            if self.nullable(one.field):
                key = key.nulls_first() if descending else key.nulls_last()
            keys.append(key)
        return keys

    def nullable(self, field: Field) -> bool:
        if isinstance(field, (AllOf, Concat, Count)) or "." in field.source:
            return True
        return bool(self.table.c[field.source].nullable)

    def beyond(self, sort: Sequence[Sort], cursor: Cursor) -> ColumnElement[bool]:
        """The rows after (or, backwards, before) the cursor's row in this order."""
        assert cursor.values is not None
        directions = {one.descending for one in sort}
        plain = not any(self.nullable(one.field) for one in sort)
        columns = [self.value(one.field) for one in sort]
        if plain and len(directions) == 1:
            descending = directions.pop() != cursor.backwards
            if len(columns) == 1:
                return columns[0] < cursor.values[0] if descending else columns[0] > cursor.values[0]
            ours, theirs = tuple_(*columns), tuple_(*cursor.values)
            return ours < theirs if descending else ours > theirs
        alternatives: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for one, column, value in zip(sort, columns, cursor.values, strict=True):
            alternatives.append(and_(*equal, _past(column, value, one.descending != cursor.backwards)))
            equal.append(column.is_(None) if value is None else column == value)
        return or_(*alternatives)


def _past(column: ColumnElement[Any], value: Any, descending: bool) -> ColumnElement[bool]:
    """Strictly after `value` where nulls come last (ascending) or first (descending)."""
    if descending:
        return column.is_not(None) if value is None else column < value
    return false() if value is None else or_(column > value, column.is_(None))


def in_(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """`column IN values`; one value as an equality, which lets an index on (column, …) give the order."""
    if not values:
        return false()
    return column == values[0] if len(values) == 1 else column.in_(values)


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether the text occurs, letter case aside; `%` and `_` stand for themselves."""
    return func.lower(cast(column, String)).contains(text.lower(), autoescape=True)


def page(source: Source, columns: Sequence[Label[Any]], query: Query) -> Select[Any]:
    """One page of rows: by offset, or from the cursor on (then one row more than the limit, to know of a next)."""
    conditions = source.where(query)
    if query.cursor is not None:
        if query.cursor.values is not None:
            conditions.append(source.beyond(query.sort, query.cursor))
        order = source.order(query.sort, query.cursor.backwards)
        statement = select(*columns).where(*conditions).order_by(*order).limit(query.limit + 1)
        return statement.select_from(source.tables())
    order = source.order(query.sort)
    if not query.offset:
        statement = select(*columns).where(*conditions).order_by(*order).limit(query.limit)
        return statement.select_from(source.tables())
    # Deep pages: walk the narrow index to the page, and only then fetch its wide rows.
    ids = select(source.table.c.id).where(*conditions).order_by(*order).limit(query.limit).offset(query.offset)
    chosen = ids.select_from(source.tables()).subquery("chosen")
    tables = source.tables().join(chosen, chosen.c.id == source.table.c.id)
    return select(*columns).select_from(tables).order_by(*order)


def count(source: Source, query: Query) -> Select[Any]:
    conditions = source.where(query)
    return select(func.count()).select_from(source.tables()).where(*conditions)
