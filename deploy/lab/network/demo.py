"""The subscribers of the lab from isp's books, so that what the demo has is on the network: configured as
gpon wants it, and online.

Not those on another operator's network, that left, or whose serial is a placeholder which several share.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, inspect, select

from deploy import registry
from deploy.lab.network import invent
from deploy.lab.network.invent import Subscriber
from deploy.lab.network.plan import FlowPlan, Plan
from services.gpon.demo import VLAN_MAP
from services.gpon.domain.provisioning import Service, wanted
from services.isp import models as tables

MOST = 20_000
"""Of each technology."""
PLACEHOLDER = "00000000"


def _service(row: dict[str, Any]) -> Service:
    table = row.get("inbound", "")
    return Service(
        row["service"],
        row["gem"],
        row["service_vlan"],
        row["user_vlan"],
        table,
        table,
        row.get("native_port"),
    )


SERVICES = [_service(row) for row in VLAN_MAP]


def plan() -> Plan:
    """A lab for what isp has; without its database only what waits."""
    owner = next(one for one in registry.services() if one.name == "isp")
    database = owner.database()
    try:
        if not inspect(database.engine).has_table(tables.cpes.name):
            return invent.lab((), ())
        with database.engine.connect() as connection:
            onus = [_onu(row) for row in _cpes(connection, "gpon", "sn") if _is_a_serial(row["id"])]
            modems = [_modem(row) for row in _cpes(connection, "docsis", "mac")]
    finally:
        database.close()
    return invent.lab(onus, modems)


def _is_a_serial(sn: str) -> bool:
    return len(sn) == 16 and sn[8:] != PLACEHOLDER and sn not in invent.WAITING


def _cpes(connection: Connection, tech: str, key: str) -> list[dict[str, Any]]:
    """Rows of `cpes` with `id` (serial or MAC), `profile` and `potses`, and the sizes of their models."""
    cpes, models, profiles, potses = tables.cpes, tables.models, tables.cpe_profiles, tables.potses
    found = connection.execute(
        select(
            cpes.c.internal_id,
            cpes.c[key].label("id"),
            cpes.c.sn,
            cpes.c.model_id,
            cpes.c.tv_profile,
            cpes.c.active,
            cpes.c.access,
            cpes.c.id.label("cpe"),
            profiles.c.downstream,
            profiles.c.upstream,
            profiles.c.internet_access,
            models.c.ethernet,
            models.c.pots,
            models.c.catv,
        )
        .join(models, models.c.id == cpes.c.model_id)
        .outerjoin(profiles, profiles.c.id == cpes.c.profile_id)
        .where(cpes.c.tech == tech, cpes.c.active, ~cpes.c.is_bitstream, cpes.c[key].is_not(None))
        .order_by(cpes.c.id)
        .limit(MOST)
    ).mappings()
    numbers: dict[int, list[str]] = defaultdict(list)
    for cpe, cli in connection.execute(
        select(potses.c.cpe_id, potses.c.cli).where(potses.c.cli.is_not(None))
    ):
        numbers[cpe].append(cli)
    return [
        {
            **row,
            "profile": {name: row[name] for name in ("downstream", "upstream", "internet_access")},
            "potses": [{"cli": cli} for cli in numbers[row["cpe"]]],
        }
        for row in found
    ]


def _onu(row: dict[str, Any]) -> Subscriber:
    want = wanted(row, SERVICES, "", "")
    return Subscriber(
        row["internal_id"],
        row["id"],
        row["model_id"],
        tuple(
            FlowPlan(
                vlan=port.service_vlan,
                user_vlan=port.user_vlan,
                gem=port.gem,
                inbound=port.inbound,
                outbound=port.outbound,
            )
            for port in want.ports
            if port.inbound and port.outbound
        ),
        dict(want.native),
        want.rf,
        ethernet=row["ethernet"] or 1,
        pots=row["pots"],
        catv=row["catv"],
    )


def _modem(row: dict[str, Any]) -> Subscriber:
    down, up = (_bits(row[way]) for way in ("downstream", "upstream"))
    return Subscriber(row["internal_id"], row["id"], row["model_id"], down=down, up=up)


def _bits(speed: str | None) -> int:
    """`50M` → bit/s."""
    return int((speed or "1M").removesuffix("M")) * 1_000_000
