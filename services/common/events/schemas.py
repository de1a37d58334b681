"""JSON Schemas of what travels: the envelope, and the `data` of each event class.

They are for those who read events. These must take members that they do not know, since a class may gain
some: so the schemas are open, although what is written is held to the class exactly.
"""

from __future__ import annotations

from typing import Any

from services.common.events.event import Event, dataschema
from services.common.fields import Json

ENVELOPE: Json = {
    "type": "object",
    "title": "Envelope",
    "description": "CloudEvents 1.0 in its JSON form; `realm` and `sequence` are extensions of ours.",
    "required": [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "realm",
        "sequence",
        "data",
    ],
    "properties": {
        "specversion": {"type": "string", "const": "1.0", "description": "of CloudEvents"},
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "UUIDv7. The same each time that the event arrives",
        },
        "source": {
            "type": "string",
            "format": "uri",
            "description": "the service, `urn:krill:isp`",
        },
        "type": {"type": "string", "description": "what happened to what, `cpe.updated`: the routing key"},
        "subject": {
            "type": "string",
            "pattern": "^[^/]+/.+$",
            "description": "the row it is about, `cpes/350`: resource and id",
        },
        "time": {"type": "string", "format": "date-time", "description": "of the change (RFC 3339)"},
        "datacontenttype": {"type": "string", "const": "application/json", "description": "of `data`"},
        "dataschema": {
            "type": "string",
            "format": "uri",
            "description": "URN of what `data` holds: service, type, version",
        },
        "realm": {
            "type": "string",
            "description": "the tenant it belongs to; empty for what realms share",
        },
        "sequence": {
            "type": "integer",
            "minimum": 1,
            "maximum": 2**31 - 1,
            "description": "grows with each event of a subject, not by ones: the higher one is the later one",
        },
        "requestid": {
            "type": "string",
            "description": "`X-Request-Id` of the request that caused it",
        },
        "traceparent": {"type": "string", "description": "W3C trace context of that request"},
        "data": {"type": "object", "description": "what happened; see the type"},
    },
}

_PLACES = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")


def of_data(kind: type[Event]) -> Json:
    """The schema of a class's `data`: whole, without references to anything."""
    schema = kind.model_json_schema(mode="serialization")
    found = _plain(schema, schema.get("$defs", {}))
    return {**found, "title": kind.__name__, "description": kind.doc}


def of_event(service: str, kind: type[Event], envelope: Json, data: Json) -> Json:
    """The schema of a whole event; `envelope` and `data` may be references."""
    return {
        "allOf": [
            envelope,
            {
                "type": "object",
                "properties": {
                    "source": {"const": f"urn:krill:{service}"},
                    "type": {"const": kind.type},
                    "subject": {"pattern": f"^{kind.subject}/"},
                    "dataschema": {"const": dataschema(service, kind.type, kind.version)},
                    "data": data,
                },
            },
        ]
    }


def _plain(schema: Any, defined: Json) -> Any:
    """The schema as pydantic makes it, opened, with its references resolved and its noise taken out."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**defined[schema["$ref"].rpartition("/")[2]], **schema}
    found: Json = {}
    for name, value in schema.items():
        if name in _PLACES and isinstance(value, dict):
            found[name] = _plain(value, defined)
        elif name in _LISTS:
            found[name] = [_plain(one, defined) for one in value]
        elif name == "properties":
            found[name] = {member: _plain(one, defined) for member, one in value.items()}
        elif name == "const":
            found["enum"] = [value]  # which may grow
        elif name not in ("$ref", "$defs", "title") and (name, value) not in (
            ("description", ""),
            ("additionalProperties", False),
        ):
            found[name] = value
    return found
