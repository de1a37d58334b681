"""The CMTSs as they are entered: rows with their credentials, and the ways to them and to their modems."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from services.common.devices.access import SnmpAccess
from services.common.devices.entered import snmp_access
from services.common.devices.errors import DeviceRefused
from services.common.devices.snmp import Snmp
from services.common.resource.engine import Engine
from services.common.types import Row
from services.docsis import models

TIMEOUT, RETRIES = 2.0, 2
MODEM_TIMEOUT, MODEM_RETRIES = 1.5, 1
"""Seconds that an agent has for an answer, and how often it is asked again."""


def cmts_ids(engine: Engine) -> list[int]:
    ids = select(models.cmtss.c.id).order_by(models.cmtss.c.id)
    return engine.database.reading(lambda connection: list(connection.execute(ids).scalars()))


def cmts(engine: Engine, id_: int) -> Row | None:
    """The row with its `realms`, and the `zone` that its clock is in; credentials included: never to be
    shown, logged or kept."""

    def work(connection: Any) -> Row | None:
        found = connection.execute(select(models.cmtss).where(models.cmtss.c.id == id_)).mappings().first()
        if found is None:
            return None
        theirs = select(models.cmts_realms.c.realm).where(models.cmts_realms.c.cmts_id == id_)
        realms = sorted(connection.execute(theirs).scalars())
        return {**found, "realms": realms, "zone": engine.settings.zone}

    return engine.database.reading(work)


def only_realm(row: Row) -> str | None:
    """The realm that everything on this CMTS belongs to, where there is one."""
    return row["realms"][0] if len(row["realms"]) == 1 else None


def of_cmts(row: Row, *, writing: bool = False) -> Snmp:
    """The way to a CMTS, not open yet. Raises `DeviceRefused` where nothing may be written."""
    if writing and row["snmp_version"] != "3" and not row["snmp_write_community"]:
        raise DeviceRefused("It has no community for writing.", device=row["name"])
    community = row["snmp_write_community"]
    access = snmp_access(row, write_community=community, timeout=TIMEOUT, retries=RETRIES)
    return Snmp(row["name"], access)


def of_modem(row: Row, mac: str, ip: str, *, writing: bool = False) -> Snmp:
    """The way to a modem, whose name is its MAC. `row`: of its CMTS. Raises `DeviceRefused` where we have no
    community for it."""
    community, write_community = row["modem_community"], row["modem_write_community"]
    if not (write_community if writing else community):
        raise DeviceRefused(f"{row['name']} has no community for its modems.", device=mac)
    access = SnmpAccess(
        address=ip,
        port=row["modem_port"],
        community=community or write_community,
        write_community=write_community,
        timeout=MODEM_TIMEOUT,
        retries=MODEM_RETRIES,
    )
    return Snmp(mac, access)
