"""What the books want: isp's events mark a CPE as changed, and what it is now is asked of isp itself.

Events say that something changed, never what to do: whoever missed some, got them twice or late, ends with
the same desire. At the start, and once a day, all GPON CPEs are gone through.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import insert, or_, select, update

from services.common.census import Census
from services.common.database.kernel import milliseconds
from services.common.events.envelope import Envelope
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row
from services.gpon import models
from services.gpon.domain import provisioning
from services.gpon.observing import working

TECH = "gpon"
JOINS = "profile,model,potses"
ATTRS = (
    "id,internal_id,external_id,realm,tech,sn,model,profile,line_profile,tv_profile,active,access,"
    "disable_provision,is_bitstream,topology"
)

SOURCES = {
    "isp": (
        "cpe.created",
        "cpe.updated",
        "cpe.deleted",
        "pots.updated",
        "cpe_profile.updated",
        "model.updated",
    ),
    "gpon": ("olt.updated", "olt.deleted", "service.*", "validation.*", "nap.*"),
}

_t = models.provisionings


def heard(write: Write, event: Envelope) -> None:
    """An event: the CPEs that it concerns are to be looked at again."""
    kind, data = event.type, event.data
    if event.source == "gpon":
        _heard_here(write, kind, data)
    elif kind == "cpe.deleted":
        mark(write, _t.c.cpe == data["id"], gone=True)
    elif kind.startswith("cpe."):
        if not mark(write, _t.c.cpe == data["id"], held=False) and data["tech"] == TECH:
            begin(write, data)
    elif kind.startswith("pots."):
        mark(write, _t.c.cpe == data["cpe"])
    elif kind.startswith("cpe_profile."):
        mark(write, _t.c.profile == data["id"])
    elif kind.startswith("model."):
        mark(write, _t.c.model == data["id"])


def _heard_here(write: Write, kind: str, data: Row) -> None:
    """What was changed of the network's own rules. VLAN maps are compared with the next round's devices."""
    if kind == "olt.updated":
        on_it = _t.c.olt_id == data["id"]
        mark(write, or_(on_it, _t.c.reason == provisioning.OLT_DISABLED), stale=False)
    elif kind == "olt.deleted":  # with it what was done on it: they wait until their ONUs are heard elsewhere
        mark(write, (_t.c.state == provisioning.APPLIED) & _t.c.olt_id.is_(None), stale=False)
    elif kind.startswith("service."):
        mark(write, _t.c.state.in_((provisioning.APPLIED, provisioning.BLOCKED)), stale=False)
    elif kind.startswith("validation."):
        mark(write, _t.c.reason == "validation", stale=False)
    elif kind.startswith("nap."):
        mark(write, _t.c.realm == data["realm"])


def look(engine: Engine, cpes: set[int]) -> None:
    """Something was seen of their ONUs. What is waiting for its time, after a failure, goes on waiting."""
    if cpes:
        with engine.database.write() as connection:
            idle = update(_t).where(_t.c.cpe.in_(sorted(cpes)), _t.c.due.is_(None))
            connection.execute(idle.values(due=milliseconds()))


def begin(write: Write, cpe: Row) -> None:
    """A CPE that was not known: `id`, `internal_id`, `realm`, `sn`."""
    values = {
        "cpe": cpe["id"],
        "cpename": cpe["internal_id"],
        "realm": cpe["realm"],
        "sn": cpe["sn"],
        "state": provisioning.PENDING,
        "drift": [],
        "applied": {},
        "former_sns": [],
        "due": milliseconds(),
    }
    write.connection.execute(insert(_t).values(**values))


def mark(write: Write, which: Any, *, stale: bool = True, **more: Any) -> int:
    """They are due; `stale`: isp is to be asked again, too."""
    values = {"due": milliseconds(), "attempts": 0, **({"stale": True} if stale else {}), **more}
    return int(write.connection.execute(update(_t).where(which).values(**values)).rowcount)


# ---- what isp says ------------------------------------------------------------------------------


def refresh(engine: Engine, provisioning_row: Row) -> Row:
    """The row with what isp says of its CPE now. Raises `ApiError` when isp does not answer."""
    parameters = [("id", str(provisioning_row["cpe"])), ("attrs", ATTRS), ("joins", JOINS)]
    found = orjson.loads(engine.neighbour("isp", "list", {"resource": "cpes", "parameters": parameters}).body)
    with working(engine) as write:
        mine = _t.c.id == provisioning_row["id"]
        row = dict(write.connection.execute(select(_t).where(mine).with_for_update()).mappings().one())
        told = _told(row, found[0] if found else None, write)
        write.connection.execute(update(_t).where(mine).values(**told))
        return {**row, **told}


def _told(row: Row, cpe: Row | None, write: Write) -> Row:
    """The columns that follow from what isp says. One that is gone, or of another technology, leaves."""
    if cpe is None or cpe["tech"] != TECH:
        return {"gone": True, "stale": False, "former_sns": _with(row["former_sns"], row["sn"])}
    former = row["former_sns"]
    if row["sn"] and row["sn"] != cpe["sn"]:
        former = _with(former, row["sn"])
    return {
        "gone": False,
        "stale": False,
        "cpe_row": cpe,
        "profile": (cpe["profile"] or {}).get("id"),
        "model": (cpe["model"] or {}).get("id"),
        "cpename": cpe["internal_id"],
        "realm": cpe["realm"],
        "sn": cpe["sn"],
        "former_sns": [one for one in former if one != cpe["sn"]],
        "nap_id": _nap(write, cpe),
    }


def _with(former: list[str], sn: str | None) -> list[str]:
    return sorted({*former, *([sn] if sn else [])})


def _nap(write: Write, cpe: Row) -> int | None:
    """The NAP that the CPE names, by name or UUID, in its realm."""
    if not cpe["topology"]:
        return None
    t = models.naps
    named = or_(t.c.name == cpe["topology"], t.c.uuid == cpe["topology"])
    found = select(t.c.id).where(t.c.realm == cpe["realm"], named).order_by(t.c.id).limit(1)
    return write.connection.execute(found).scalar()


def census() -> Census:
    """Of all GPON CPEs."""
    return Census(TECH, begin, mark)
