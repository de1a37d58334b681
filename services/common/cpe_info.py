"""What `…/cpes/{key}/info` answers, of whatever technology: one shape for the services of all of them."""

from __future__ import annotations

from typing import Any

from services.common.contract import Answering

Schema = dict[str, Any]

NEEDS = (
    *("id", "internal_id", "external_id", "realm", "tech", "model", "sn", "mac", "mtamac", "wanmac"),
    *("line_profile", "is_bitstream", "active", "access", "disable_provision"),
)
"""The members of the CPE that the owning service is given."""

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_TIME_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}


def _record(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


_MEASURED = {
    "metric": _TEXT,
    "value": {"type": ["number", "null"], "description": "null when it cannot be measured"},
    "uom": _TEXT,
    "min": _NUMBER,
    "max": _NUMBER,
    "thresholds": {
        **_list(_NUMBER),
        "description": "four: critical and warning below, warning and critical above; two: warning, critical",
    },
}
_PERFDATA = _record(
    {**_MEASURED, "items": _list({**_record(_MEASURED, channel=_TEXT), "description": "by channel"})}
)
_ALARM = _record(dict.fromkeys(("level", "type", "admin_status", "name", "extra"), _TEXT))
_REGISTRATION = _record(
    {
        "host": {**_TEXT, "description": "what it is registered on"},
        "id": {**_TEXT, "description": "its position there, such as `0/5/14-2`"},
        "last_down_time": _TIME_OR_NULL,
        "related_services": _list(_TEXT),
        "states": _list(_TEXT),
        "tags": _list(_TEXT),
    }
)
_SERVICE_PORT = _record(
    {
        "id": _WHOLE,
        "user_vlan": {"type": ["integer", "null"]},
        "service_vlan": {"type": ["integer", "null"]},
        "inbound_traffic_table_name": _TEXT_OR_NULL,
        "outbound_traffic_table_name": _TEXT_OR_NULL,
        "native_vlan": {"type": ["integer", "null"], "description": "1: the native one"},
    },
    tag_transform=_TEXT_OR_NULL,
)
_TECH = {
    **_record(
        {},
        line_profile=_TEXT_OR_NULL,
        service_profile=_TEXT_OR_NULL,
        type_name={**_TEXT, "description": "the model, as the device itself says it"},
        service_ports=_list(_SERVICE_PORT),
        ethernet_ports=_list({"type": "object"}),
        downstream=_list({"type": "object"}),
        upstream=_list({"type": "object"}),
        system_description={"type": ["object", "null"]},
        service_flows=_list({"type": "object"}),
    ),
    "description": "What only its technology has.",
}

INFO = _record(
    {
        "alarms": _list(_ALARM),
        "dnbw": {**_NUMBER, "description": "bit/s now"},
        "upbw": {**_NUMBER, "description": "bit/s now"},
        "ips": _list(_TEXT),
        "output": _TEXT,
        "registration": _REGISTRATION,
        "services": {
            "type": "object",
            "additionalProperties": _record(
                {
                    "output": _TEXT,
                    "state_id": {"enum": [0, 1, 2, 3], "description": "ok, warning, critical, unknown"},
                    "perfdatas": _list(_PERFDATA),
                }
            ),
        },
        "state": {"enum": ["up", "down"]},
        "state_id": {"enum": [0, 1]},
        "tech": _TECH,
        "uptime": {**_WHOLE, "description": "seconds"},
    },
    distance={**_WHOLE, "description": "metres; -1: unknown"},
)


def info_of(tech: str, *, seconds: float = 30.0, needs: tuple[str, ...] = NEEDS) -> Answering:
    """`info` of the CPEs of a technology, among the `answers` of the contract of who owns it."""
    return Answering(
        target="isp.cpes",
        name="info",
        on="tech",
        value=tech,
        needs=needs,
        seconds=seconds,
        paths=("monitoring/cpes",),
        response=INFO,
        statuses=(200, 404, 502),
        doc="Asks the device now: state, registration, signal, traffic and alarms. What cannot be reached is "
        "told as it was last seen, as `down`.",
    )
