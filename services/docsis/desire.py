"""What the books want: isp's events mark a CPE as changed, and what it is now is asked of isp itself.

Events say that something changed, never what to do: whoever missed some, got them twice or late, ends with
the same desire. At the start, and once a day, all DOCSIS CPEs are gone through.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import insert, select, update

from services.common.census import Census
from services.common.database.kernel import milliseconds
from services.common.events.envelope import Envelope
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row
from services.docsis import models
from services.docsis.domain import desire
from services.docsis.domain.desire import TECH
from services.docsis.domain.mac import colons
from services.docsis.observing import working

AT_ONCE = 200
ATTRS = "id,internal_id,external_id,realm,tech,mac,profile,active,access,disable_provision,is_bitstream"
SOURCES = {
    "isp": ("cpe.created", "cpe.updated", "cpe.deleted", "cpe_profile.updated"),
    "docsis": ("cmts.updated", "cmts.deleted"),
}
OF_FILES = frozenset(("shared_secret", "quality", "max_cpe", "disable_provision", "realms"))
"""Members of a CMTS that its modems' files hang on."""

_t = models.provisionings


def heard(write: Write, event: Envelope) -> None:
    """An event: the CPEs that it concerns are to be looked at again."""
    kind, data = event.type, event.data
    if kind == "cmts.updated":
        if OF_FILES & set(data["changed"]):
            mark(write, _t.c.gone.is_(False), stale=False)
    elif kind == "cmts.deleted":  # with it what was known of its modems: which one has them now is to be seen
        there = _t.c.state.in_((desire.APPLIED, desire.WRITTEN))
        mark(write, there & _t.c.cmts_id.is_(None), stale=False)
    elif kind == "cpe.deleted":
        mark(write, _t.c.cpe == data["id"], gone=True)
    elif kind == "cpe_profile.updated":
        mark(write, _t.c.profile == data["id"])
    elif not mark(write, _t.c.cpe == data["id"], held=False) and data["tech"] == TECH:
        begin(write, data)


def begin(write: Write, cpe: Row, *, adopted: bool = False) -> None:
    """A CPE that was not known. `adopted`: nor is it new: its modem may have been at work for long."""
    values = {
        "adopted": adopted,
        "cpe": cpe["id"],
        "cpename": cpe["internal_id"],
        "external_id": cpe["external_id"],
        "realm": cpe["realm"],
        "mac": colons(cpe["mac"]) if cpe["mac"] else None,
        "state": desire.PENDING,
        "due": milliseconds(),
    }
    write.connection.execute(insert(_t).values(**values))
    own(write, values["mac"], values)


def mark(write: Write, which: Any, *, stale: bool = True, **more: Any) -> int:
    """They are due; `stale`: isp is to be asked again, too."""
    values = {"due": milliseconds(), "attempts": 0, **({"stale": True} if stale else {}), **more}
    return int(write.connection.execute(update(_t).where(which).values(**values)).rowcount)


def mark_modems(engine: Engine, macs: Iterable[str]) -> None:
    """Modems that have come, or come back: whether they have their files."""
    known = sorted(macs)
    for start in range(0, len(known), AT_ONCE):
        these = known[start : start + AT_ONCE]
        mine = select(_t.c.id).where(_t.c.mac.in_(these)).limit(1)
        if engine.database.reading(lambda one, m=mine: one.execute(m).first()) is not None:  # type: ignore[misc]
            with working(engine) as write:
                mark(write, _t.c.mac.in_(these), stale=False)


def own(write: Write, mac: str | None, cpe: Row | None) -> None:
    """The modem with this MAC is this CPE's from now on; None: nobody's, which the next reading makes that of
    its CMTS's only realm."""
    m = models.cable_modems
    if cpe is not None:
        others = (m.c.cpe == cpe["cpe"], m.c.mac != (mac or ""))
        lost = update(m).where(*others).values(cpe=None, cpename=None, external_id=None, realm=None)
        write.connection.execute(lost)
    if mac is not None:
        names = ("cpe", "cpename", "external_id", "realm")
        values = {name: cpe[name] if cpe else None for name in names}
        write.connection.execute(update(m).where(m.c.mac == mac).values(**values))


# ---- what isp says ------------------------------------------------------------------------------


def refresh(engine: Engine, id_: int, cpe: int) -> Row:
    """The row with what isp says of its CPE now; `gone` where isp has it no more, or of another technology.
    Raises `ApiError` when isp does not answer."""
    parameters = [("id", str(cpe)), ("attrs", ATTRS), ("joins", "profile")]
    asked = {"resource": "cpes", "parameters": parameters}
    found = orjson.loads(engine.neighbour("isp", "list", asked).body)
    told = found[0] if found and found[0]["tech"] == TECH else None
    with working(engine) as write:
        mine = _t.c.id == id_
        row = dict(write.connection.execute(select(_t).where(mine).with_for_update()).mappings().one())
        if told is None:
            changed: Row = {"gone": True, "stale": False}
        else:
            changed = {
                "gone": False,
                "stale": False,
                "cpename": told["internal_id"],
                "external_id": told["external_id"],
                "realm": told["realm"],
                "mac": colons(told["mac"]) if told["mac"] else None,
                "profile": (told["profile"] or {}).get("id"),
                "wanted": desire.wanted(told).to_json(),
            }
        write.connection.execute(update(_t).where(mine).values(**changed, version=_t.c.version + 1))
        if told is not None:
            own(write, changed["mac"], {"cpe": cpe, **changed})
    return {**row, **changed}


def census() -> Census:
    """Of all DOCSIS CPEs. The modem of one that it finds may have been at work for long."""
    return Census(TECH, lambda write, cpe: begin(write, cpe, adopted=True), mark)
