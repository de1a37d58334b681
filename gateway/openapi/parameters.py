"""Parameters: the query grammar as a resource has it, keys, conditions."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.idempotency import HEADER, PATTERN
from gateway.openapi.names import component
from gateway.openapi.schemas import ref
from services.common.contract import Contract, Resource
from services.common.fields import Boolean, Coordinate, Field, Integer, Json, Number, Reference, Shown, Text
from services.common.resource.query import (
    MOST_ATTRS,
    MOST_FILTERS,
    MOST_JOINS,
    MOST_SORTS,
    MOST_VALUES,
    OWN,
    SUFFIXES,
)
from services.common.settings import Settings

_TIMES = {"date": "YYYY-MM-DD", "datetime": "ISO 8601, in the installation's zone unless it names one"}
PAGING = ("limit", "offset", "cursor")
TEXT: Json = {"type": "string"}
_NUMBER = "-?[0-9]{1,18}"

GRAMMAR = f"""Every list takes the same query parameters. An exact filter is named after a member; a comma
means *any of* (at most {MOST_VALUES} values) or is part of the one text that is meant, `null` (for other than
texts also nothing) means *without a value*. A suffix compares otherwise:
{", ".join(f"`__{name}`" for name in SUFFIXES)}, for example
`created__gte=2023-01-01`, `name__icontains=ana`, `profile__isnull=true`; `__contains`, `__icontains` and
`__startswith` are for texts. At most {MOST_FILTERS} filters, {MOST_ATTRS} attributes, {MOST_JOINS} joins and
{MOST_SORTS} sort keys go into one request. A malformed value of a known member is 400. Unknown parameters are
ignored and named in `X-Ignored-Parameters`. A leading `=` in the values of `attrs` and `joins` is not part of
them."""


def common(settings: Settings) -> dict[str, Json]:
    """The parameters that are the same everywhere, by component name."""
    most = settings.max_page_size
    size = {"type": "integer", "minimum": 1, "maximum": most, "default": settings.page_size}
    start = {"type": "integer", "minimum": 0, "default": 0}
    name = {"type": "string", "maxLength": 64, "pattern": r"^[A-Za-z0-9_.-]+$"}
    docs: dict[str, tuple[str, Json, str]] = {
        "limit": (
            "limit",
            _or_text(size),
            f"Rows on a page, at most {most}. What is no number is the default.",
        ),
        "offset": ("offset", _or_text(start), "Rows to skip. What is no number is 0."),
        "cursor": (
            "cursor",
            TEXT,
            "Instead of `offset`: empty for the first page, then as `next` and `previous` carry it. Pages "
            "keep their place while rows come and go, and a far page costs no more than the first.",
        ),
        "search": (
            "search",
            TEXT,
            "Words, parted by blanks or commas, that must all occur in the row, in any of its searched "
            "members.",
        ),
        "format": (
            "format",
            {"enum": ["json", "csv", "ndjson", "api", ""]},
            "Instead of `Accept`, unless empty; `api` is `json`.",
        ),
        "atomic": ("atomic", _flag(), "All items or none."),
        "dry-run": ("dry_run", _flag(), "Tell what would be done, and change nothing."),
        "import-id": (
            "id",
            name,
            "Name of the import; the same name again goes on after the last line kept.",
        ),
    }
    return {key: _query(*one) for key, one in docs.items()} | {
        "if-match": _header(
            "If-Match", "Only when the row still has one of these entity tags; 412 otherwise."
        ),
        "if-none-match": _header("If-None-Match", "304 when the row still has one of these entity tags."),
        "idempotency-key": _header(
            HEADER,
            "A name of the client's for this request (best a UUID), so that it may be sent again when no "
            "answer came: for 24 hours the same request of the same user is done once and answered with the "
            "same bytes. 409 `idempotency_key_in_use` while the first one is under way, 422 "
            "`idempotency_key_reused` for another request. What was refused is not kept.",
            pattern=PATTERN,
        ),
    }


def of_resource(contract: Contract, resource: Resource, foreign: list[str]) -> dict[str, Json]:
    """The parameters of one resource, by component name. `foreign`: joins that other services add."""
    prefix = component(contract, resource)
    members = [one.name for one in resource.fields if not one.write_only]
    joins = [name for name, one in resource.related.items() if one.joined] + foreign
    sorts = [one.name for one in resource.fields if one.filtered and one.name not in OWN]
    found = {
        f"{prefix}.key": _key(resource),
        f"{prefix}.attrs": _query(
            "attrs",
            _several(TEXT),
            f"Members to answer, unknown ones are ignored: {', '.join(f'`{name}`' for name in members)}.",
            listed=True,
        ),
        f"{prefix}.sort": _query(
            "sort",
            _several({"enum": [*sorts, *(f"-{name}" for name in sorts)]}),
            f"Sort keys, `-` for descending; by default `{','.join(resource.sort)}`.",
            listed=True,
        ),
    }
    if joins:
        names = _several({"enum": joins})
        found[f"{prefix}.joins"] = _query("joins", names, "Relations to embed.", listed=True)
    if resource.upsert is not None:
        found[f"{prefix}.upsert"] = _query(
            "upsert",
            {"enum": [resource.upsert]},
            f"A row that has the body's `{resource.upsert}` in its realm is changed, as PATCH does, instead "
            "of one more being made. Needs the permission to change too.",
        )
    for field in _filters(resource):
        found[f"{prefix}.filter.{field.name}"] = _query(field.name, _filter(field), _told(field))
    return found


def place(name: str, schema: Json | None) -> Json:
    """What is named in the path of an operation, besides a row's key."""
    described = {"type": "string", "minLength": 1, **(schema or {})}
    return {"name": name, "in": "path", "required": True, "schema": described}


def shown(contract: Contract, resource: Resource, known: dict[str, Json]) -> list[Json]:
    """References to what chooses the members of an answer."""
    prefix = component(contract, resource)
    return [ref(name, "parameters") for name in (f"{prefix}.attrs", f"{prefix}.joins") if name in known]


def listed(contract: Contract, resource: Resource, known: dict[str, Json], *, paged: bool) -> list[Json]:
    """References to everything that a list takes."""
    prefix = component(contract, resource)
    names = [*(PAGING if paged else ()), "search", f"{prefix}.sort"]
    names += [f"{prefix}.filter.{one.name}" for one in _filters(resource)]
    return [*shown(contract, resource, known), *(ref(name, "parameters") for name in names)]


def _filters(resource: Resource) -> Iterator[Field]:
    return (one for one in resource.fields if one.filtered and one.name not in OWN)


def _filter(field: Field) -> Json:
    """What an exact filter takes. A text filter takes any text, since it may be what nothing equals."""
    if isinstance(field, Text):
        return {"type": "string"}
    if isinstance(field, Boolean):
        return _commas(_words(field).removeprefix("^").removesuffix("$"))
    if isinstance(field, (Integer, Shown)):
        return _commas(_NUMBER)
    if isinstance(field, Reference) and not field.textual:
        return _commas("[1-9][0-9]{0,17}")
    if isinstance(field, Coordinate):
        return _commas(r"-?[0-9]{1,2}(\.[0-9]{1,30})?")
    if isinstance(field, Number):
        return _commas(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
    return {"type": "string"}


def _commas(item: str) -> Json:
    return {"type": "string", "pattern": f"^({item}|null)?(,({item}|null)?)*$"}


def _told(field: Field) -> str:
    notes = [f"Exact filter by `{field.name}`"]
    if field.kind in _TIMES:
        notes.append(_TIMES[field.kind])
    if field.secret:
        notes.append("ignored for those who may not see secrets")
    return f"{'; '.join(notes)}."


def _key(resource: Resource) -> Json:
    number = resource.keys == ("id",) and not resource.textual_id
    schema: Json = {"type": "integer", "minimum": 1} if number else {"type": "string", "minLength": 1}
    tried = ", then ".join(f"`{name}`" for name in resource.keys)
    doc = f"Compared with {tried}; more than one match is 409." if len(resource.keys) > 1 else f"Its {tried}."
    return {
        "name": "key",
        "in": "path",
        "required": True,
        "schema": schema,
        "description": doc,
    }


def _flag() -> Json:
    return {"type": "string", "pattern": _words(Boolean(name="flag")), "default": "false"}


def _words(field: Boolean) -> str:
    """The pattern of the words for true and false."""
    return next(str(one["pattern"]) for one in field.input_schema()["anyOf"] if "pattern" in one)


def _several(item: Json) -> Json:
    """A comma list. How many it may name is told in `GRAMMAR`: names that stand there twice count once."""
    return {"type": "array", "items": item}


def _or_text(schema: Json) -> Json:
    return {"anyOf": [schema, TEXT]}


def _query(name: str, schema: Json, doc: str, *, listed: bool = False) -> Json:
    style = {"style": "form", "explode": False} if listed else {}
    return {"name": name, "in": "query", "schema": schema, "description": doc, **style}


def _header(name: str, doc: str, **schema: str) -> Json:
    return {"name": name, "in": "header", "schema": {"type": "string", **schema}, "description": doc}
