"""What the demo mode puts in: the OLTs of the lab, and a VLAN map that fits them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, func, insert, select, update

from services.common.database.columns import now
from services.gpon import models
from services.gpon.domain.provisioning import INTERNET, MANAGEMENT, TELEPHONY

REALM = "pim"
PROFILE = "ftth"
"""Of the lab's OLTs, as line and as service profile."""

VLAN_MAP = (
    {"service": MANAGEMENT, "gem": 1, "service_vlan": 933, "user_vlan": 20, "inbound": "management"},
    {"service": INTERNET, "gem": 2, "service_vlan": 1100, "user_vlan": 1021},
    {"service": TELEPHONY, "gem": 3, "service_vlan": 934, "user_vlan": 1024, "inbound": "voip"},
)


def introduce(engine: Engine, devices: Iterable[dict[str, Any]]) -> None:
    """Make the lab's OLTs known, or known again at their new ports. `devices`: the entries of `lab.json`."""
    with engine.begin() as connection:
        for one in devices:
            if one["kind"] != "olt":
                continue
            reached = {
                "address": one["address"],
                "snmp_port": one["snmp_port"],
                "snmp_community": one["community"],
                "ssh_port": one.get("ssh_port", 22),  # some are read only
                "ssh_username": one.get("user"),
                "ssh_password": one.get("password"),
                "ssh_host_key": one.get("host_key"),
            }
            known = update(models.olts).where(models.olts.c.name == one["name"]).values(**reached)
            if connection.execute(known).rowcount:
                continue
            made = {"vendor": one["vendor"], "line_profile": PROFILE, "service_profile": PROFILE}
            moments = {"created": now(), "updated": now()}
            new = insert(models.olts).values(name=one["name"], **reached, **made, **moments)
            id_ = connection.execute(new.returning(models.olts.c.id)).scalar_one()
            connection.execute(insert(models.olt_realms).values(olt_id=id_, realm=REALM))
        if not connection.execute(select(func.count()).select_from(models.services)).scalar():
            rows = [{"line_profile": "", "outbound": row.get("inbound", ""), **row} for row in VLAN_MAP]
            for row in rows:
                connection.execute(insert(models.services).values(**row))
