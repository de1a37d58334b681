"""Event types: frozen classes that say what an event of a type carries. Pure data.

The classes of a resource's `created`, `updated` and `deleted` are made from its declaration; others are
written in a service's `contract.py` as subclasses of `Event`. A published class only ever gains optional
members (decision 0014): a higher `version` tells that there are more. What would break a subscriber gets a
new type.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from services.common.contract import Resource
from services.common.fields import (
    Boolean,
    Date,
    DateTime,
    Document,
    Integer,
    Members,
    Number,
    Reference,
    Text,
)
from services.common.fields import Field as Declared

VERBS = ("created", "updated", "deleted")


class Event(BaseModel):
    """The `data` of an event. `type` is its routing key, `subject` the resource whose row it is about; the
    envelope's subject is `<subject>/<id>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    subject: ClassVar[str]
    version: ClassVar[int] = 1
    doc: ClassVar[str] = ""


def dataschema(service: str, type_: str, version: int = 1) -> str:
    """The URN that names an event class of a service, as the envelope's `dataschema`."""
    return f"urn:krill:{service}:{type_}:{version}"


def told(resource: Resource) -> list[Declared]:
    """The members that the events of a resource carry: what is stored and no secret."""
    return [
        one
        for one in resource.fields
        if (isinstance(one, Members) or (not one.derived and "." not in one.source))
        and not one.secret
        and not one.write_only
    ]


def of_resource(resource: Resource) -> dict[str, type[Event]]:
    """The classes of a resource's own events, by type."""
    members: dict[str, Any] = {one.name: _member(one) for one in told(resource)}
    if resource.asks:
        doc = "what the change asks of the network, in this order"
        members["asks"] = (tuple[Literal[*resource.asks], ...], Field(description=doc))  # type: ignore[valid-type]
    changed = (tuple[str, ...], Field(description="the members that the write changed"))
    title = resource.title or resource.singular
    found: dict[str, type[Event]] = {}
    for verb in VERBS:
        more: dict[str, Any] = {"changed": changed} if verb == "updated" else {}
        name = f"{resource.singular.title().replace('_', '')}{verb.title()}"
        made = create_model(name, __base__=Event, **members, **more)
        made.type, made.subject = f"{resource.singular}.{verb}", resource.name
        made.doc = f"{title} {verb}: the row as it is {'now' if verb != 'deleted' else 'no more'}."
        found[made.type] = made
    return found


def _member(field: Declared) -> tuple[Any, Any]:
    doc = field.doc
    if isinstance(field, Text) and field.choices:
        doc = "; ".join(filter(None, (doc, f"one of {', '.join(field.choices)}")))
    kind = _python_type(field)
    if field.late:
        return kind | None, Field(default=None, description=doc)
    return kind | None if field.null else kind, Field(description=doc)


def _python_type(field: Declared) -> Any:
    match field:
        case Members():
            return tuple[str, ...] if field.textual else tuple[int, ...]
        case Boolean():
            return bool
        case Integer():
            return int
        case Number():
            return float
        case Reference():
            return str if field.textual else int
        case DateTime():
            return dt.datetime
        case Date():
            return dt.date
        case Document():
            return dict[str, Any] | list[Any]
        case _:
            return str
