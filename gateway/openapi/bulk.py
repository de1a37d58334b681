"""Schemas of bulk requests and imports.

An item that is wrong is answered by itself, so that only the shape around the items is demanded.
"""

from __future__ import annotations

from gateway.openapi.names import component
from gateway.openapi.schemas import any_of, ref
from services.common.contract import Contract, Resource
from services.common.fields import Boolean, Json
from services.common.resource.engine import MOST_ITEMS

_FLAG = Boolean(name="flag").input_schema()
_FLAGS: Json = {
    "atomic": {**_FLAG, "description": "All items or none.", "default": False},
    "dry_run": {**_FLAG, "description": "Tell, and change nothing.", "default": False},
}
_ANYTHING: Json = {"description": "Whatever else stands here is answered with errors of its own."}


def create(contract: Contract, resource: Resource) -> Json:
    """`{"items": [...]}`, or the bare list."""
    items = several(ref(component(contract, resource, "Create")))
    return any_of(_closed({"items": items}, ["items"]), items)


def update(contract: Contract, resource: Resource) -> Json:
    """The same changes for many rows, or for each row its own."""
    changes = ref(component(contract, resource, "Update"))
    item = {"allOf": [changes, {"required": ["id"], "properties": {"id": _key()}}]}
    return any_of(
        _closed({"ids": _keys(), "changes": any_of(changes, {"type": "object"})}, ["ids", "changes"]),
        _closed({"items": several(item)}, ["items"]),
        several(item),
    )


def delete() -> Json:
    """`{"ids": [...]}`."""
    return _closed({"ids": _keys()}, ["ids"])


def _key() -> Json:
    return {"type": ["integer", "string"], "description": "The row's id, or another of its keys."}


def _keys() -> Json:
    return several(_key())


def several(item: Json) -> Json:
    """A list of items, each of which may also be wrong."""
    return {"type": "array", "maxItems": MOST_ITEMS, "items": any_of(item, _ANYTHING)}


def _closed(properties: Json, required: list[str]) -> Json:
    return {
        "type": "object",
        "properties": {**properties, **_FLAGS},
        "required": required,
        "additionalProperties": False,
    }


def answer() -> Json:
    """What became of each item: one of `created`, `updated`, `deleted` counts those that were done."""
    count = {"type": "integer", "minimum": 0}
    result = {
        "type": "object",
        "required": ["index", "status"],
        "properties": {
            "index": count | {"description": "Place of the item in the request."},
            "status": {"type": "integer", "description": "Of the item alone; 424: undone, as others failed."},
            "id": {"type": ["integer", "string"]},
            "errors": {"type": "object"},
        },
    }
    return {
        "type": "object",
        "required": ["results", "errors"],
        "properties": {
            "created": count,
            "updated": count,
            "deleted": count,
            "results": {"type": "array", "items": result},
            "errors": {"type": "object", "description": "By the item's id, or its place where it has none."},
            "dry_run": {"const": True},
        },
    }


def import_answer() -> Json:
    """What became of an import's lines."""
    count = {"type": "integer", "minimum": 0}
    error = {
        "type": "object",
        "required": ["line", "errors"],
        "properties": {"line": {"type": "integer", "minimum": 1}, "errors": {"type": "object"}},
    }
    return {
        "type": "object",
        "required": ["id", "lines", "created", "failed", "errors", "complete"],
        "properties": {
            "id": {"type": "string", "description": "Name of the import: send it again to resume."},
            "lines": count,
            "created": count,
            "failed": count,
            "errors": {"type": "array", "items": error},
            "complete": {
                "type": "boolean",
                "description": "Whether the file was read to its end. If not: mend it, and send it again "
                "under the same `id`.",
            },
        },
    }
