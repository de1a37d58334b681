"""From a declaration and a query to SQL: only the columns asked for, always within a scope.

A statement on a resource cannot be built without a scope: `Source` takes it and puts it into every
condition it makes. Statements hold names, never values (`f0_1`: the second value of the first
filter), so that one statement serves all requests of the same shape; `values` gives what to bind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Label,
    MetaData,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from services.common.context import Context
from services.common.contract import (
    Contract,
    Everyone,
    InRealm,
    OwnedBy,
    Resource,
    SharedWith,
    Through,
    Within,
)
from services.common.fields import AllOf, Concat, Count, Field, Members, Reference, Text
from services.common.resource.query import Filter, Query, Sort

_ESCAPE = "/"


def shape_of_scope(context: Context) -> str:
    """How a scope is written in SQL: all rows, none, those of one realm or of several."""
    scope = context.scope
    if scope.everything:
        return "all"
    return f"{len(scope.realms)} realms"


def shape_of_query(query: Query) -> tuple[Any, ...]:
    """What of a query changes the text of its statements; its values do not."""
    filters = tuple((f.field.name, f.operator, tuple(v is None for v in f.values)) for f in query.filters)
    terms = tuple(_number(term) is not None for term in query.search)
    order = tuple((one.field.name, one.descending) for one in query.sort)
    cursor: Any = None
    if query.cursor is not None:
        nulls = query.cursor.values and tuple(value is None for value in query.cursor.values)
        cursor = (query.cursor.backwards, nulls)
    isnull = tuple(f.values[0] for f in query.filters if f.operator == "isnull")
    return filters, isnull, terms, order, cursor, bool(query.offset), tuple(one.name for one in query.joins)


def values(context: Context, resource: Resource, query: Query | None = None) -> dict[str, Any]:
    """What to bind to the names in the statements of this caller and query."""
    bound: dict[str, Any] = {"user_id": context.user_id}
    for index, realm in enumerate(sorted(context.scope.realms)):
        bound[f"realm{index}"] = realm
    if query is None:
        return bound
    for index, one in enumerate(query.filters):
        for place, value in enumerate(one.values):
            bound[f"f{index}_{place}"] = _written(one, value)
    for index, term in enumerate(query.search):
        bound[f"s{index}"] = like(term)
        bound[f"s{index}_id"] = _number(term)
        for field in resource.fields:
            if field.searched and isinstance(field, Text) and field.normalize is not None:
                bound[f"s{index}_{field.name}"] = field.parse(term)
    if query.cursor is not None:
        bound.update({f"k{index}": value for index, value in enumerate(query.cursor.values or ())})
    bound["offset"] = query.offset
    return bound


def _written(one: Filter, value: Any) -> Any:
    return like(value) if one.operator == "icontains" else value


def escaped(text: str) -> str:
    """The text as a LIKE pattern that matches only itself."""
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return text


def like(text: str) -> str:
    return f"%{escaped(text)}%"


def referenced(resource: Resource, query: Query) -> set[str]:
    """The other resources whose rows decide with the query's filters and search which rows there are."""
    fields = [one.field for one in query.filters]
    if query.search:
        fields += [one for one in resource.fields if one.searched]
    paths = {path.lstrip("!") for field in fields for path in getattr(field, "of", (field.source,))}
    heads = {path.partition(".")[0] for path in paths if "." in path}
    return {one.to for one in resource.references() if one.name in heads}


def _number(term: str) -> int | None:
    return int(term) if term.isascii() and term.isdecimal() and len(term) < 19 else None


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

    def value(self, field: Field) -> ColumnElement[Any]:
        """The SQL expression of a field."""
        if isinstance(field, AllOf):
            return and_(*(self._holds(item) for item in field.of))
        if isinstance(field, Concat):
            parts: list[ColumnElement[str]] = [
                literal(item.strip("'")) if item.startswith("'") else cast(self.column(item), String)
                for item in field.of
            ]
            whole = parts[0]
            for part in parts[1:]:
                whole = whole.concat(part)
            return whole
        if isinstance(field, Count):
            other = Source(self.contract, self.metadata, self.contract.by_name[field.of], self.context)
            by = other.resource.by_name[field.by]
            counted = select(func.count()).select_from(other.table)
            return counted.where(
                other.column(by.source) == self.table.c.id, other.visible()
            ).scalar_subquery()
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
            return self.table.c[scoping.column] == bindparam(
                "user_id", type_=self.table.c[scoping.column].type
            )
        if scope.everything or isinstance(scoping, Everyone):
            return true()
        if not scope.realms:
            return false()
        if isinstance(scoping, InRealm):
            column = self.table.c[scoping.column]
            return (
                or_(column.is_(None), self._in_realms(column)) if scoping.shared else self._in_realms(column)
            )
        if isinstance(scoping, Through):
            return self._through(self.resource.by_name[scoping.field])
        members = self.resource.by_name[scoping.field]
        assert isinstance(members, Members)
        linked = self.metadata.tables[members.table]
        mine = linked.c[members.mine] == self.table.c.id
        theirs = linked.c[members.theirs]
        inside = self._in_realms(theirs)
        if isinstance(scoping, SharedWith):
            return or_(~exists().where(mine), exists().where(mine, inside))
        assert isinstance(scoping, Within)
        return and_(exists().where(mine), ~exists().where(mine, not_(inside)))

    def _through(self, reference: Field) -> ColumnElement[bool]:
        """Whether the row that the reference names is in the caller's scope."""
        assert isinstance(reference, Reference)
        other = Source(self.contract, self.metadata, self.contract.by_name[reference.to], self.context)
        # A name of its own: it may stand within a statement on the same table.
        other.table = other.table.alias(f"{self.table.name}_{reference.name}_seen")  # type: ignore[assignment]
        return exists().where(other.table.c.id == self.column(reference.source), other.visible())

    def _in_realms(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """One realm as an equality, which lets an index on (realm, …) give the order."""
        number = len(self.context.scope.realms)
        if number == 1:
            return column == bindparam("realm0")
        return column.in_([bindparam(f"realm{index}") for index in range(number)])

    def matches(self, index: int, one: Filter) -> ColumnElement[bool]:
        """The condition of the filter at this place of the query."""
        column = self.value(one.field)
        operator = one.operator
        if operator == "isnull":
            return column.is_(None) if one.values[0] else column.is_not(None)
        if operator == "contains":
            return func.strpos(cast(column, String), bindparam(f"f{index}_0")) > 0
        if operator == "startswith":
            return func.starts_with(cast(column, String), bindparam(f"f{index}_0"), type_=Boolean())
        if operator == "icontains":
            return contains(column, f"f{index}_0")
        if operator in ("exact", "ne"):
            found = self._any_of(index, one, column)
            return found if operator == "exact" else func.coalesce(not_(found), true())
        if one.values[0] is None:
            return false()
        value = self._bound(f"f{index}_0", column)
        compare = {"gt": column.__gt__, "gte": column.__ge__, "lt": column.__lt__, "lte": column.__le__}
        return compare[operator](value)

    def _any_of(self, index: int, one: Filter, column: ColumnElement[Any]) -> ColumnElement[bool]:
        present = [place for place, value in enumerate(one.values) if value is not None]
        conditions: list[ColumnElement[bool]] = []
        if present:
            folded = isinstance(one.field, Text) and not one.field.case_matters
            compared = func.lower(column) if folded else column
            bound = [self._bound(f"f{index}_{place}", column) for place in present]
            names = [func.lower(one) for one in bound] if folded else bound
            conditions.append(compared == names[0] if len(names) == 1 else compared.in_(names))
        if len(present) < len(one.values):
            conditions.append(column.is_(None))
        return or_(*conditions)

    def _bound(self, name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
        # Any number may be asked for, also one that the column could not hold.
        return bindparam(name, type_=BigInteger() if isinstance(column.type, Integer) else column.type)

    def found(self, index: int, term: str) -> ColumnElement[bool]:
        """The rows in which any searched field contains the term, or equals it in its stored form."""
        conditions: list[ColumnElement[bool]] = []
        for field in self.resource.fields:
            if not field.searched or not isinstance(field, Text):
                continue
            column = self.value(field)
            conditions.append(contains(column, f"s{index}"))
            if field.normalize is not None:
                conditions.append(column == bindparam(f"s{index}_{field.name}"))
        if _number(term) is not None and not self.resource.textual_id:
            conditions.append(self.table.c.id == bindparam(f"s{index}_id"))
        return or_(false(), *conditions)

    def where(self, query: Query) -> list[ColumnElement[bool]]:
        """Scope, filters and search: what decides which rows there are."""
        return [
            self.visible(),
            *(self.matches(index, one) for index, one in enumerate(query.filters)),
            *(self.found(index, term) for index, term in enumerate(query.search)),
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

    def beyond(self, query: Query) -> ColumnElement[bool]:
        """The rows after (or, backwards, before) the cursor's row in the query's order."""
        assert query.cursor is not None and query.cursor.values is not None
        sort, backwards = query.sort, query.cursor.backwards
        columns = [self.value(one.field) for one in sort]
        bound = [self._bound(f"k{index}", column) for index, column in enumerate(columns)]
        directions = {one.descending for one in sort}
        if len(directions) == 1 and not any(self.nullable(one.field) for one in sort):
            descending = directions.pop() != backwards
            ours: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
            theirs: Any = bound[0] if len(bound) == 1 else tuple_(*bound)
            past: ColumnElement[bool] = ours < theirs if descending else ours > theirs
            return past
        alternatives: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for one, column, name, value in zip(sort, columns, bound, query.cursor.values, strict=True):
            missing = value is None
            alternatives.append(and_(*equal, _past(column, name, missing, one.descending != backwards)))
            equal.append(column.is_(None) if missing else column == name)
        return or_(*alternatives)


def _past(column: ColumnElement[Any], bound: Any, missing: bool, descending: bool) -> ColumnElement[bool]:
    """Strictly after a value where nulls come last (ascending) or first (descending)."""
    if descending:
        return column.is_not(None) if missing else column < bound
    return false() if missing else or_(column > bound, column.is_(None))


def contains(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the bound pattern occurs, letter case aside."""
    return func.lower(cast(column, String)).like(func.lower(bindparam(name, type_=String())), escape=_ESCAPE)


def page(
    source: Source,
    chosen: Callable[[], Sequence[Label[Any]]],
    query: Query,
    *inside: ColumnElement[bool],
) -> Select[Any]:
    """One page of rows: by offset, or from the cursor on (then one row more than the limit, to know of a
    next). `chosen` gives the columns.
    """
    conditions = [*source.where(query), *inside]
    # Written out: for a limit that it does not know, the database plans to fetch a tenth of the table.
    limit = literal_column(str(query.limit + (query.cursor is not None)), Integer)
    if query.cursor is not None and query.cursor.values is not None:
        conditions.append(source.beyond(query))
    order = source.order(query.sort, query.cursor is not None and query.cursor.backwards)
    if query.cursor is not None or not query.offset:
        statement = select(*chosen()).where(*conditions).order_by(*order).limit(limit)
        return statement.select_from(source.tables())
    # Deep pages: walk a narrow index to the page, and only then fetch its wide rows. The walk is written
    # before the columns are: a table that only they need would keep it from being one on the index alone.
    walk = select(source.table.c.id).where(*conditions).order_by(*order).select_from(source.tables())
    ids = walk.limit(limit).offset(bindparam("offset")).subquery("chosen")
    columns = chosen()
    tables = source.tables().join(ids, ids.c.id == source.table.c.id)
    return select(*columns).select_from(tables).order_by(*order)


def count(source: Source, query: Query, *inside: ColumnElement[bool]) -> Select[Any]:
    conditions = [*source.where(query), *inside]
    return select(func.count()).select_from(source.tables()).where(*conditions)
