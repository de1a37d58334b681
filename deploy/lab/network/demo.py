"""The subscribers of the lab from isp's database, so that the devices of the demo are there and online.

Not those on another operator's network, that left, or whose serial is a placeholder which several share.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from deploy import registry
from deploy.lab.network import invent
from deploy.lab.network.invent import Subscriber
from deploy.lab.network.plan import Plan

MOST = 1_500
"""Of each technology: what fits one OLT."""


def plan() -> Plan:
    """A small lab for what isp has; without its database only what waits."""
    from services.isp import models as tables

    owner = next(one for one in registry.services() if one.name == "isp")
    database = owner.database()
    try:
        if not inspect(database.engine).has_table(tables.cpes.name):
            return invent.small((), ())
        with database.engine.connect() as connection:
            onus = _subscribers(connection, "gpon", "sn")
            modems = _subscribers(connection, "docsis", "mac")
    finally:
        database.close()
    return invent.small(
        [one for one in onus if one.id[8:] != invent.PLACEHOLDER and one.id not in invent.WAITING], modems
    )


def _subscribers(connection: Connection, tech: str, key: str) -> list[Subscriber]:
    from services.isp import models as tables

    cpes, models, profiles = tables.cpes, tables.models, tables.cpe_profiles
    found = connection.execute(
        select(
            cpes.c.internal_id,
            cpes.c[key],
            cpes.c.model_id,
            cpes.c.access,
            profiles.c.downstream,
            models.c.ethernet,
            models.c.pots,
            models.c.catv,
            cpes.c.line_profile,
        )
        .join(models, models.c.id == cpes.c.model_id)
        .outerjoin(profiles, profiles.c.id == cpes.c.profile_id)
        .where(cpes.c.tech == tech, cpes.c.active, ~cpes.c.is_bitstream, cpes.c[key].is_not(None))
        .order_by(cpes.c.id)
        .limit(MOST)
    )
    return [
        Subscriber(
            name, id_, model, speed if access else None, ethernet or 1, pots, catv, line or "residential"
        )
        for name, id_, model, access, speed, ethernet, pots, catv, line in found
    ]
