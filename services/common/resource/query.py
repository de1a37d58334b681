"""The query grammar, one for all services.

Exact filters by field; suffixes `__in __ne __gt __gte __lt __lte __contains __icontains
__startswith __isnull`; a comma means any of, or is part of a text; `search`; `sort=a,-b`; `attrs`;
`joins`; `limit`/`offset` or `cursor`. Unknown parameters are ignored on reads and reported; with
`strict` (the query selects what will be changed) they are refused.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from services.common.contract import Relation, Resource
from services.common.errors import InvalidInput
from services.common.fields import (
    BIGGEST,
    NUL,
    WHOLE,
    Boolean,
    Coordinate,
    DateTime,
    Field,
    Integer,
    Number,
    Reference,
    Shown,
    Text,
)

SUFFIXES = ("in", "ne", "gt", "gte", "lt", "lte", "contains", "icontains", "startswith", "isnull")
OWN = frozenset(("limit", "offset", "cursor", "sort", "search", "attrs", "joins", "format"))
MOST_ATTRS, MOST_JOINS, MOST_FILTERS, MOST_VALUES, MOST_SORTS = 200, 10, 50, 1000, 8
DEEPEST = 2**53

_ANY_OF = frozenset(("exact", "in", "ne"))
_TEXT_ONLY = frozenset(("contains", "icontains", "startswith"))

Parameters = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """`operator` is a suffix or "exact"; `values` are stored forms (None stands for null)."""

    field: Field
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    field: Field
    descending: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: the sort values of its neighbour, and the direction to go. None: an end of the
    list.
    """

    values: tuple[Any, ...] | None
    backwards: bool = False

    def encode(self) -> str:
        packed = orjson.dumps([self.backwards, self.values], default=str)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Query:
    fields: tuple[Field, ...]
    joins: tuple[Relation, ...]
    filters: tuple[Filter, ...]
    search: tuple[str, ...]
    sort: tuple[Sort, ...]
    limit: int
    offset: int
    cursor: Cursor | None
    ignored: tuple[str, ...]

    @property
    def signature(self) -> tuple[Any, ...]:
        """What of the query decides the number of rows."""
        return tuple((f.field.name, f.operator, f.values) for f in self.filters), self.search


def listed(value: str) -> list[str]:
    """The items of a comma list; a leading `=` (HTTPie's `==` pasted into a URL) is not part of it."""
    return [item for item in (part.strip() for part in value.lstrip("=").split(",")) if item]


def values_of(parameters: Parameters, name: str) -> list[str]:
    """All items of all parameters `name`, in order, once each."""
    items = (item for key, value in parameters if key == name for item in listed(value))
    return list(dict.fromkeys(items))


@dataclass(frozen=True, slots=True)
class Grammar:
    """How this installation reads queries: zone of times without offset, level, page sizes."""

    zone: ZoneInfo
    level: int
    page_size: int
    max_page_size: int

    def parse(
        self,
        resource: Resource,
        parameters: Parameters,
        *,
        secrets: bool = False,
        strict: bool = False,
        foreign: Iterable[str] = (),
        limit: int | None = None,
    ) -> Query:
        """The `Query` that the parameters say, or `InvalidInput` naming the parameter.

        `foreign`: joins that another service answers, not errors here. `limit`: the page size when
        the caller is not a client (exports).
        """
        pairs = [(key, value) for key, value in parameters]
        errors: dict[str, list[str]] = {}
        ignored: list[str] = []
        filters: list[Filter] = []
        for key, value in pairs:
            if "\0" in key or (key in OWN and "\0" in value):
                errors[key.replace("\0", "?")] = [NUL]
                continue
            if key in OWN:
                continue
            found = self._filter(resource, key, value, secrets, errors)
            if found is not None:
                filters.append(found)
            elif key not in errors:
                ignored.append(key)
        if len(filters) > MOST_FILTERS:
            errors["non_field_errors"] = [f"No more than {MOST_FILTERS} filters are allowed."]
        fields, unknown = self._fields(resource, values_of(pairs, "attrs"), errors)
        ignored += [f"attrs={name}" for name in unknown]
        joins = self._joins(resource, values_of(pairs, "joins"), set(foreign), errors)
        sort = self._sort(resource, values_of(pairs, "sort"), secrets, errors)
        last = dict(pairs)
        cursor = self._cursor(last["cursor"], sort, errors) if "cursor" in last else None
        if strict and ignored:
            errors.update({name: ["Unknown parameter."] for name in ignored})
        if errors:
            raise InvalidInput(errors)
        return Query(
            fields=fields,
            joins=joins,
            filters=tuple(filters),
            search=tuple(last.get("search", "").replace(",", " ").split()[:8]),
            sort=sort,
            limit=limit or self._limit(last.get("limit")),
            offset=_count(last.get("offset"), 0),
            cursor=cursor,
            ignored=tuple(dict.fromkeys(ignored)),
        )

    def _limit(self, text: str | None) -> int:
        return min(_count(text, 0) or self.page_size, self.max_page_size)

    def _fields(
        self, resource: Resource, names: list[str], errors: dict[str, list[str]]
    ) -> tuple[tuple[Field, ...], list[str]]:
        if len(names) > MOST_ATTRS:
            errors["attrs"] = [f"No more than {MOST_ATTRS} attributes are allowed."]
        if not names:
            return resource.emitted(self.level), []
        wanted = set(names)
        fields = tuple(one for one in resource.fields if one.name in wanted and not one.write_only)
        return fields, [name for name in names if name not in resource.by_name]

    def _joins(
        self, resource: Resource, names: list[str], foreign: set[str], errors: dict[str, list[str]]
    ) -> tuple[Relation, ...]:
        if len(names) > MOST_JOINS:
            errors["joins"] = [f"No more than {MOST_JOINS} joins are allowed."]
            return ()
        known = {name: one for name, one in resource.related.items() if one.joined}
        for name in names:
            if name not in known and name not in foreign:
                choices = ", ".join(sorted([*known, *foreign])) or "none"
                errors.setdefault("joins", []).append(
                    f'"{name}" is not a relation; known relations: {choices}.'
                )
        return tuple(known[name] for name in names if name in known)

    def _sort(
        self, resource: Resource, names: list[str], secrets: bool, errors: dict[str, list[str]]
    ) -> tuple[Sort, ...]:
        keys: dict[str, Sort] = {}
        for name in (names or list(resource.sort))[: MOST_SORTS + 1]:
            bare = name.removeprefix("-")
            field = resource.by_name.get(bare)
            if field is None or not field.filtered or (field.secret and not secrets):
                errors.setdefault("sort", []).append(f'"{bare}" is not a sort key.')
            else:
                for one in field.sorts or (bare,):
                    keys.setdefault(one, Sort(resource.by_name[one], name.startswith("-")))
        if len(names) > MOST_SORTS:
            errors["sort"] = [f"No more than {MOST_SORTS} sort keys are allowed."]
        keys.setdefault("id", Sort(resource.by_name["id"], False))
        return tuple(keys.values())

    def _filter(
        self, resource: Resource, key: str, text: str, secrets: bool, errors: dict[str, list[str]]
    ) -> Filter | None:
        """The filter that a parameter says; None when it is no filter of this resource."""
        name, mark, operator = key.partition("__")
        field = resource.by_name.get(name)
        operator = operator if mark else "exact"
        if field is None or not field.filtered or (mark and operator not in SUFFIXES):
            return None
        if field.secret and not secrets:
            return None
        if operator in _TEXT_ONLY and not isinstance(field, Text):
            return None
        try:
            if operator == "isnull":
                return Filter(field, "isnull", (Boolean(name=name).parse(text),))
            if operator in _TEXT_ONLY:
                if "\0" in text:
                    raise ValueError(NUL)
                return Filter(field, operator, (text,))
            parts = text.split(",") if operator in _ANY_OF else [text]
            if len(parts) > MOST_VALUES:
                raise ValueError(f"No more than {MOST_VALUES} values are allowed.")
            if len(parts) > 1 and isinstance(field, Text) and not (field.choices or field.normalize):
                parts.append(text)  # a stored text may have commas of its own: "Coslada, Madrid"
            return Filter(
                field, "exact" if operator == "in" else operator, tuple(self._value(field, p) for p in parts)
            )
        except ValueError as error:
            errors.setdefault(key, []).append(str(error))
            return None

    def _value(self, field: Field, text: str) -> Any:
        if text == "null" or (text == "" and not isinstance(field, Text)):
            return None
        if isinstance(field, Integer) and WHOLE.fullmatch(text):
            number = int(text)
            if not -BIGGEST <= number <= BIGGEST:
                raise ValueError("A valid integer is required.")
            return number
        value = field.parse(text)
        if isinstance(field, DateTime) and value.tzinfo is None:
            return value.replace(tzinfo=self.zone)
        return value

    def _cursor(self, token: str, sort: tuple[Sort, ...], errors: dict[str, list[str]]) -> Cursor | None:
        if not token:
            return Cursor(None)
        try:
            backwards, values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            if values is None:
                return Cursor(None, bool(backwards))
            if len(values) != len(sort):
                raise ValueError
            restored = tuple(_restored(one.field, value) for one, value in zip(sort, values, strict=True))
            return Cursor(restored, bool(backwards))
        except (ValueError, TypeError, binascii.Error, UnicodeEncodeError):
            errors["cursor"] = ["Invalid cursor."]
            return None


def _restored(field: Field, value: Any) -> Any:
    """A sort value of a cursor as the database compares it."""
    if value is None:
        return None
    if isinstance(field, DateTime):
        return field.clean(value)
    if isinstance(field, Boolean):
        return bool(value)
    if isinstance(field, (Integer, Reference, Coordinate, Number, Shown)):
        return field.clean(value)
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return dt.date.fromisoformat(value) if field.kind == "date" else value


def _count(text: str | None, otherwise: int) -> int:
    """A non-negative number from a query string, `otherwise` when it is none (as REST framework does)."""
    if text is None or not text.strip().isascii() or not text.strip().isdecimal():
        return otherwise
    stripped = text.strip()
    return min(int(stripped), DEEPEST) if len(stripped) < 20 else DEEPEST
