"""The events of ONUs: one sequence for each serial number, which outlives the ONU's rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from services.common.resource.writes import Write
from services.common.types import Row
from services.gpon import models
from services.gpon.contract import OltEvent, OnuEvent

NOBODY = "-"
"""The realm of events of an ONU that no realm owns: who sees everything sees them, and nobody else."""


def tell(write: Write, kind: type[OnuEvent], onu: Row, olt: str, **more: Any) -> None:
    """`onu`: `sn`, `fsp`, `onu_id`, `realm`, and if it has a CPE, its `cpe`, `cpename`, `external_id`."""
    data = {
        "sn": onu["sn"],
        "olt": olt,
        "fsp": onu["fsp"],
        "onu_id": onu.get("onu_id"),
        "cpe": onu.get("cpe"),
        "cpename": onu.get("cpename"),
        "external_id": onu.get("external_id"),
        "time": write.now,
        **more,
    }
    write.emit(kind.type, onu["sn"], _next(write.connection, onu["sn"]), onu.get("realm") or NOBODY, data)


def tell_olt(write: Write, kind: type[OltEvent], olt: Row, **more: Any) -> None:
    """`olt`: its row, with its `realms`; the event takes its next version."""
    t = models.olts
    raised = update(t).where(t.c.id == olt["id"]).values(version=t.c.version + 1).returning(t.c.version)
    sequence = int(write.connection.execute(raised).scalar_one())
    data = {name: olt[name] for name in ("id", "name", "state", "error", "realms")}
    write.emit(kind.type, olt["id"], sequence, "", {**data, **more})


def _next(connection: Connection, sn: str) -> int:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    t = models.sequences
    made = dialect.insert(t).values(sn=sn, last=1)
    raised = made.on_conflict_do_update(index_elements=[t.c.sn], set_={"last": t.c.last + 1})
    return int(connection.execute(raised.returning(t.c.last)).scalar_one())
