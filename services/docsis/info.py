"""`…/cpes/{id}/info` of a DOCSIS CPE (contract 2.4): its modem now, or as it was last seen."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from services.common.devices.errors import DeviceError
from services.common.errors import NotFound
from services.common.resource.engine import Engine
from services.common.types import Row
from services.docsis import models
from services.docsis.domain import levels, registration
from services.docsis.domain.enumerations import BLOCKED, OFFLINE, ONLINE
from services.docsis.domain.mac import colons
from services.docsis.questions import Questions

OF_CHANNELS = {
    "dnatt": ("downstream", "att"),
    "dnrx": ("downstream", "rx"),
    "dnsnr": ("downstream", "snr"),
    "dncorr": ("downstream", "corr"),
    "dnko": ("downstream", "ko"),
    "upatt": ("upstream", "att"),
    "uptx": ("upstream", "tx"),
    "upsnr": ("upstream", "snr"),
    "upcorr": ("upstream", "corr"),
    "upko": ("upstream", "ko"),
}
"""Metrics that each channel has, too: list of the detail, member of its rows."""

_m, _c, _a = models.cable_modems, models.cmtss, models.alarms


def of_cpe(engine: Engine, questions: Questions, cpe: Row) -> Row:
    """`cpe`: isp's row of it, which the caller may see."""
    row = _modem(engine, cpe)
    if row is None:
        return _told({"state": OFFLINE, "cmts": "", "registration_id": None, "ip": None}, [], None, [])
    alarms, fell = _alarms(engine, row["mac"]), _last_down(engine, row["mac"])
    try:
        detail = questions.detail(engine, row)
    except (DeviceError, NotFound):
        shown = {name: row[name] for name in ("cmts", "registration_id", "ip", "model", *models.LEVELS)}
        tags = registration.tags(
            *(row["cmts"], row["md"], row["fibernode"]),
            *(row["downstream"].split(","), row["upstream"].split(",")),
        )
        return _told({**shown, "state": OFFLINE, "reg_tags": tags}, alarms, fell, [])
    address = detail["ip"] if detail["state"] != OFFLINE else None  # which a CMTS remembers for long
    shown = {**detail, "registration_id": detail["id"], "ip": address}
    return _told(shown, alarms, fell, detail["service_flows"])


def _told(modem: Row, alarms: list[Row], fell: dt.datetime | None, flows: list[Row]) -> Row:
    up = modem["state"] in (ONLINE, BLOCKED)
    values = _values(modem)
    number = modem["registration_id"]
    return {
        "alarms": alarms,
        "dnbw": modem.get("dnbw") or 0.0,
        "upbw": modem.get("upbw") or 0.0,
        "ips": [one for one in (modem["ip"], modem.get("ipv6")) if one] or [registration.NO_ADDRESS],
        "output": registration.output(modem["state"], modem["cmts"], number, modem["ip"]).strip(),
        "registration": {
            "host": modem["cmts"],
            "id": "" if number is None else str(number),
            "last_down_time": fell,
            "related_services": [],
            "states": [modem["state"]],
            "tags": modem.get("reg_tags") or [],
        },
        "services": {name: _service(name, modem, values) for name in levels.SERVICES},
        "state": "up" if up else "down",
        "state_id": 0 if up else 1,
        "tech": {
            "type_name": modem.get("model") or "",
            "downstream": modem.get("downstream") or [],
            "upstream": modem.get("upstream") or [],
            "system_description": modem.get("system_description") or {},
            "service_flows": flows,
        },
        "uptime": modem.get("uptime") or 0,
    }


def _values(modem: Row) -> dict[str, float | None]:
    """The metrics of the modem, from a detail or from its row."""
    down, up = modem.get("downstream_total"), modem.get("upstream_total")
    if down is None or up is None:
        return {name: modem.get(name) for name in levels.METRICS}
    found = {f"dn{name}": value for name, value in down.items()}
    found |= {f"up{name}": value for name, value in up.items()}
    return found | {name: modem.get(name) for name in ("cmtsinvups", "cminvups")}


def _service(name: str, modem: Row, values: dict[str, float | None]) -> Row:
    return {
        "output": levels.output_of(name, values) if modem["state"] != OFFLINE else "",
        "state_id": levels.state_of(name, values),
        "perfdatas": [
            levels.performance(one, values.get(one), _items(one, modem)) for one in levels.SERVICES[name]
        ],
    }


def _items(metric: str, modem: Row) -> list[tuple[str, float | None]]:
    """The metric by channel."""
    listed, member = OF_CHANNELS.get(metric, ("", ""))
    rows: Any = modem.get(listed)
    if not isinstance(rows, list):
        return []
    return [(row["itf_name"] or str(row["chanid"]), row[member]) for row in rows]


def _modem(engine: Engine, cpe: Row) -> Row | None:
    """The modem of the CPE: by its MAC, which a reading may not have given an owner yet."""
    which = _m.c.cpe == cpe["id"]
    if cpe.get("mac"):
        which |= _m.c.mac == colons(cpe["mac"])
    chosen = select(_m, _c.c.name.label("cmts")).join(_c, _c.c.id == _m.c.cmts_id).where(which)
    found = engine.database.reading(
        lambda one: one.execute(chosen.order_by(_m.c.observed_at.desc()).limit(1)).mappings().first()
    )
    return dict(found) if found is not None else None


def _alarms(engine: Engine, mac: str) -> list[Row]:
    chosen = select(_a).where(_a.c.mac == mac, _a.c.end_time.is_(None)).order_by(_a.c.id)
    rows = engine.database.reading(lambda one: one.execute(chosen).mappings().all())
    return [
        {"admin_status": "init", **{name: row[name] for name in ("level", "type", "name", "extra")}}
        for row in rows
    ]


def _last_down(engine: Engine, mac: str) -> dt.datetime | None:
    h = models.state_changes.c
    chosen = select(h.time).where(h.mac == mac, h.kind == OFFLINE).order_by(h.id.desc()).limit(1)
    found: dt.datetime | None = engine.database.reading(lambda one: one.execute(chosen).scalar())
    return found
