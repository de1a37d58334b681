"""What the demo mode puts in: the CMTSs of the lab, for all realms, each with the ways to its modems."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, insert, update

from services.common.database.columns import now
from services.docsis import models


def introduce(engine: Engine, devices: Iterable[dict[str, Any]]) -> None:
    """Make the lab's CMTSs known, or known again at their new ports. `devices`: the entries of `lab.json`."""
    c = models.cmtss
    with engine.begin() as connection:
        for one in devices:
            if one["kind"] != "cmts":
                continue
            reached = {
                "address": one["address"],
                "snmp_port": one["snmp_port"],
                "snmp_community": one["community"],
                "snmp_write_community": one["write_community"],
                "modem_port": one["modem_port"],
                "modem_community": one["modem_community"],
                "modem_write_community": one["modem_community"],
            }
            if connection.execute(update(c).where(c.c.name == one["name"]).values(**reached)).rowcount:
                continue
            made = {"shared_secret": secrets.token_hex(16), "created": now(), "updated": now()}
            new = insert(c).values(name=one["name"], **reached, **made)
            connection.execute(new)
