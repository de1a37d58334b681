"""Component schemas of a resource: what is read, what is taken, pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.openapi.names import component
from services.common.contract import Contract, Relation, Resource
from services.common.fields import ON_REQUEST, WRITTEN, Field, Json, Members, Text

Joined = tuple[Relation, Contract, Resource]
"""A relation that `joins` can name, and the resource on its other side with its contract."""

NULL: Json = {"type": "null"}
MISSED: Json = {"type": "object", "description": "Joins that another service did not answer: name → error."}


def ref(name: str, part: str = "schemas") -> Json:
    return {"$ref": f"#/components/{part}/{name}"}


def any_of(*schemas: Json) -> Json:
    """One of the alternatives; nested ones are laid flat."""
    flat = [each for one in schemas for each in (one["anyOf"] if set(one) == {"anyOf"} else [one])]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def read(resource: Resource, joins: Iterable[Joined], level: int) -> Json:
    """A row as it is answered. No member is required, because `attrs` chooses among them."""
    properties = {one.name: _shown(one, level) for one in resource.fields if not one.write_only}
    for relation, contract, target in joins:
        one = ref(component(contract, target))
        embedded = {"type": "array", "items": one} if relation.many else any_of(one, NULL)
        note = f"Embedded by `joins={relation.name}`."
        if relation.name not in resource.related:
            properties["_errors"] = MISSED
        if relation.name in properties:
            described = properties[relation.name]
            doc = described.pop("description", "")
            properties[relation.name] = any_of(described, embedded) | {"description": sentences(doc, note)}
        else:
            properties[relation.name] = any_of(embedded) | {"description": note}
    doc = sentences(resource.doc, "No member is required: `attrs` chooses which are answered.")
    return {"type": "object", "title": resource.title, "description": doc, "properties": properties}


def _shown(field: Field, level: int) -> Json:
    schema = dict(field.schema())
    if field.null:
        schema = nullable(schema)
    notes = [field.doc]
    if field.since == ON_REQUEST or field.since > level:
        notes.append("Only when `attrs` names it.")
    if field.secret:
        notes.append("Blank for those who may not see secrets.")
    if doc := sentences(*notes):
        schema["description"] = doc
    if field.read_only:
        schema["readOnly"] = True
    return schema


def nullable(schema: Json) -> Json:
    kind = schema.get("type")
    if not isinstance(kind, str):
        return any_of(schema, NULL)
    more = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [kind, "null"]} | more


def create(resource: Resource) -> Json:
    """The body of POST. Members it does not know are ignored, as clients send back what they were given."""
    required = [one.name for one in resource.writable if one.required]
    schema = _taken(resource, defaults=True)
    return schema | ({"required": required} if required else {})


def update(resource: Resource) -> Json:
    """The body of PATCH: every member may be left out."""
    return _taken(resource, defaults=False)


def replace(resource: Resource, changes: Json) -> Json:
    """The body of PUT: as PATCH, but what is required must be there. What is left out keeps its value."""
    required = [one.name for one in resource.writable if one.required]
    return {"allOf": [changes, {"required": required}]} if required else changes


def _taken(resource: Resource, *, defaults: bool) -> Json:
    properties = {one.name: _input(one, defaults) for one in resource.writable}
    note = "Unknown and read-only members are ignored."
    return {"type": "object", "description": note, "properties": properties}


def _input(field: Field, defaults: bool) -> Json:
    options = [field.input_schema()]
    if isinstance(field, Text) and field.pattern is not None:
        options.append(WRITTEN)  # digits that a client did not quote
    if field.null:
        options.append(NULL)
        if not isinstance(field, Text):
            options.append({"const": ""})
    elif isinstance(field, Members) or (isinstance(field, Text) and field.default == ""):
        options.append(NULL)
    schema = any_of(*options)
    notes = [field.doc]
    if field.aliases:
        notes.append(f"Also taken as {', '.join(f'`{name}`' for name in field.aliases)}.")
    if field.create_only and not defaults:
        notes.append("Set on creation; any other value is refused.")
    if doc := sentences(*notes):
        schema = schema | {"description": doc}
    default: Any = list(field.default) if isinstance(field, Members) else field.default
    if defaults and not field.required and (default is not None or field.null):
        schema = schema | {"default": default}
    if field.write_only:
        schema = schema | {"writeOnly": True}
    return schema


def page(contract: Contract, resource: Resource) -> Json:
    return paged(ref(component(contract, resource)))


def paged(item: Json) -> Json:
    """The envelope of a page; `count` is of all pages."""
    link = {"type": ["string", "null"], "format": "uri", "description": "Absolute URL of that page."}
    return {
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": "integer", "minimum": 0},
            "next": link,
            "previous": link,
            "results": {"type": "array", "items": item},
            "_errors": MISSED,
        },
    }


def log_entry() -> Json:
    """What was done to a row."""
    return {
        "type": "object",
        "properties": {
            "id": {"type": ["integer", "string"]},
            "action_time": {"type": "string", "format": "date-time"},
            "user": {"type": ["string", "null"]},
            "action_flag": {"enum": [1, 2, 3], "description": "1 addition, 2 change, 3 deletion."},
            "content_type": {"type": "string", "description": "`app | model`."},
            "object_id": {"type": "string"},
            "object_repr": {"type": "string"},
            "change_message": {},
        },
    }


def sentences(*texts: str) -> str:
    """The texts that are there, each ended by a full stop."""
    found = [text.rstrip(".") for text in texts if text]
    return f"{'. '.join(found)}." if found else ""
