"""An invented event of a class, for documents and tests: members are filled by their names, else by type.

A class may give examples of its own (`Field(examples=[…])`), which go first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from uuid import UUID

from services.common.events.envelope import Envelope
from services.common.events.event import Event, dataschema
from services.common.events.schemas import of_data
from services.common.fields import Json

TIME = "2026-11-02T09:30:00+01:00"
REALM = "pim"

INVENTED: dict[str, Any] = {
    "access": True,
    "active": True,
    "address": "Calle del Faro 12",
    "catv": 0,
    "city": "Cartagena",
    "cli": "968000001",
    "context": 2,
    "country": "es",
    "cpe": 350,
    "cpename": "pim0350",
    "customer": 74,
    "downstream": "600M",
    "dtmf": "auto",
    "ethernet": 4,
    "external_id": "crm-1203",
    "id": 350,
    "internal_id": "pim0350",
    "internet_access": True,
    "is_router": True,
    "label": "Office",
    "latitude": "37.6048000",
    "line_profile": "internet",
    "locality": "Los Dolores",
    "longitude": "-0.9863000",
    "mac": "7483c2000001",
    "model": "HG8245H",
    "name": "Ana",
    "notes": "",
    "order": 1,
    "postalcode": "30310",
    "pots": 2,
    "profile": 3,
    "realm": REALM,
    "realms": ["pim"],
    "sn": "4857544300000001",
    "surname": "Ruiz Vidal",
    "tech": "gpon",
    "topology": "CTO-0012",
    "tr069": True,
    "upstream": "600M",
    "vendor": "Huawei",
    "wifi": 2,
    "wifi_ssid": "Faro 12",
}

_OF_TYPE: dict[str, Any] = {"boolean": False, "integer": 1, "number": 1.5, "string": "example", "object": {}}
_OF_FORMAT = {
    "date-time": TIME,
    "date": "2026-11-30",
    "uuid": "01a19b61-2f40-7000-8000-000000000350",
}
_PYTHON: dict[str, Any] = {"boolean": bool, "integer": int, "number": float, "string": str}


def sample(service: str, kind: type[Event]) -> Envelope:
    """Raises pydantic's `ValidationError` when what was invented does not fit the class."""
    members: Json = of_data(kind).get("properties", {})
    verb = kind.type.rpartition(".")[2]
    invented = {name: _value(name, one, verb) for name, one in members.items()}
    if "changed" in invented:
        invented["changed"] = list(members)[1:2]  # the first is the id
    data = kind(**invented).model_dump(mode="json")
    urn = dataschema(service, kind.type, kind.version)
    return Envelope(
        id=_uuid7(urn),
        source=service,
        type=kind.type,
        subject=f"{kind.subject}/{data.get('id', 350)}",
        sequence=1 if verb == "created" else 17,
        realm=data.get("realm", "" if "realms" in data else REALM),
        time=TIME,
        dataschema=urn,
        data=data,
        request_id=_uuid7(kind.type),
    )


def _value(name: str, schema: Json, verb: str) -> Any:
    """Of a state, the one that the verb of the event's type tells."""
    known = INVENTED.get(name)
    null = {"type": "null"} in schema.get("anyOf", ())
    for one in schema.get("anyOf", (schema,)):
        if examples := schema.get("examples"):
            return examples[0]
        if "enum" in one:
            return verb if verb in one["enum"] else one["enum"][0]
        if one.get("type") == "array" and not null:
            return known if isinstance(known, list) else [_value(name, one.get("items", {}), verb)]
        if "properties" in one:
            return {member: _value(member, each, verb) for member, each in one["properties"].items()}
        if one.get("format") in _OF_FORMAT:
            return _OF_FORMAT[one["format"]]
        if type(known) is _PYTHON.get(one.get("type", "")):
            return known
    return None if null else _OF_TYPE[schema.get("type", "object")]


def _uuid7(text: str) -> str:
    """Of the moment of the samples, and the same for the same text."""
    moment = int(dt.datetime.fromisoformat(TIME).timestamp() * 1000)
    rest = hashlib.sha256(text.encode()).hexdigest()
    return str(UUID(f"{moment:012x}7{rest[:3]}8{rest[3:6]}{rest[6:18]}"))
