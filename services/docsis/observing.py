"""What a reading of a CMTS changes: rows of what there is, events, changes and alarms of what is different.

So many modems are written in one transaction that no other work waits long. A modem that a reading does not
have keeps its state for one more: agents leave rows out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from services.common.context import Context, Scope
from services.common.devices.alarms import Alarms
from services.common.devices.errors import DeviceError
from services.common.devices.snmp import unread
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row
from services.docsis import models
from services.docsis.contract import (
    MODEM_EVENTS,
    CmtsEvent,
    CmtsReachable,
    CmtsUnreachable,
    ModemEvent,
)
from services.docsis.devices import only_realm
from services.docsis.domain import changes, codewords
from services.docsis.domain.changes import FULL_SERVICE, Condition
from services.docsis.domain.changes import PARTIAL_SERVICE as PARTIAL
from services.docsis.domain.enumerations import OFFLINE, ONLINE
from services.docsis.reading import TOLD_BY, Reading, documents, untold

CMTS_UNREACHABLE, PARTIAL_SERVICE, MASS_OUTAGE = "cmts_unreachable", "partial_service", "mass_outage"
"""Alarms."""

NOBODY = "-"
"""The realm of events of a modem that no realm owns: who sees everything sees them, and nobody else."""

AT_ONCE = 80
FEWEST, SHARE = 4, 0.5
"""A fiber node with so many modems down at once, and so large a share of its modems, has an outage of its
own."""

TOLD = (
    *("registration_id", "state", "status", "partial", "lacking", "md", "fibernode", "md_ifindex"),
    *("md_cm_sg_id", "rcs_id", "tcs_id", "downstream", "upstream", "ip", "ipv6", "last_reg_time"),
    *("uprx", "upsnr", "upcorr", "upko", "counters"),
)
KEPT = (
    "cmts_id",
    *TOLD,
    "cpe",
    "cpename",
    "external_id",
    "realm",
    "since",
    "missed",
    "observed_at",
    "version",
)
_OF_MODEM = ("dnatt", "dnrx", "dnsnr", "upatt", "uptx", "dncorr", "dnko")

_t = models.cable_modems


def working(engine: Engine) -> Any:
    return engine.writing(Context(scope=Scope(everything=True), user="docsis"))


def _alarms(write: Write, cmts: Row) -> Alarms:
    return Alarms(write, models.alarms, cmts_id=cmts["id"])


# ---- a CMTS -------------------------------------------------------------------------------------


def unreachable(engine: Engine, cmts: Row, error: DeviceError) -> None:
    """It did not answer: said once, and with what it said."""
    with working(engine) as write:
        row = _locked(write, cmts)
        if row is None:
            return
        told = {"state": "down", "error": str(error)}
        write.connection.execute(update(models.cmtss).where(models.cmtss.c.id == cmts["id"]).values(**told))
        if row["state"] != "down":
            tell_cmts(write, CmtsUnreachable, {**row, **told})
            alarm = {"level": "critical", "type": "communications", "realm": only_realm(row)}
            _alarms(write, row).begin("", CMTS_UNREACHABLE, **alarm)


def keep(engine: Engine, cmts: Row, reading: Reading) -> set[str]:
    """Keep what was read. Returns the MACs of modems that are new here, or in another state than before:
    whether they have their files is to be looked at."""
    with working(engine) as write:
        row = _locked(write, cmts)
        if row is None:
            return set()
        baseline = row["observed_at"] is None
        _keep_facts(write, row, reading)
    if reading.modems is None:
        return set()
    found: set[str] = set()
    for macs in _batches(sorted(reading.modems)):
        owners = engine.database.reading(lambda connection, m=macs: owners_of(connection, m))  # type: ignore[misc]
        with working(engine) as write:
            found |= _keep_modems(write, row, macs, reading.modems, owners, baseline=baseline)
        time.sleep(0)  # others are green threads of this process
    _keep_missing(engine, row, reading)
    with working(engine) as write:
        _look_for_outages(write, row)
    return found


def keep_one(engine: Engine, cmts: Row, mac: str, modem: Row, kept: Row) -> set[str]:
    """Keep what was seen of one modem, as `keep` does; its change is told once, whoever saw it first. `kept`:
    columns that only a look at the modem itself tells."""
    owners = engine.database.reading(lambda connection: owners_of(connection, [mac]))
    with working(engine) as write:
        moved = _keep_modems(write, cmts, [mac], {mac: modem}, owners, baseline=False)
        told = {**kept, "polled_at": write.now}
        write.connection.execute(update(_t).where(_t.c.mac == mac).values(**told))
    return moved


def _batches(macs: Sequence[str]) -> Iterator[Sequence[str]]:
    return (macs[start : start + AT_ONCE] for start in range(0, len(macs), AT_ONCE))


def _locked(write: Write, cmts: Row) -> Row | None:
    found = select(models.cmtss).where(models.cmtss.c.id == cmts["id"]).with_for_update()
    row = write.connection.execute(found).mappings().first()
    return None if row is None else {**row, "realms": cmts["realms"]}


def _keep_facts(write: Write, row: Row, reading: Reading) -> None:
    facts = reading.facts
    told: Row = {
        "vendor": facts.vendor,
        "model": facts.model and facts.model[:128],
        "software_version": facts.software_version and facts.software_version[:128],
        "sysdescr": facts.sysdescr,
        "uptime": facts.uptime,
        "state": "up",
        "error": unread({**reading.topology.failed, **reading.failed}),
        **documents(reading.topology),
    }
    for name in untold(reading.topology):
        if row[name]:
            told[name] = row[name]
    if reading.modems is not None:
        told["observed_at"] = write.now
    write.connection.execute(update(models.cmtss).where(models.cmtss.c.id == row["id"]).values(**told))
    if row["state"] == "down":
        tell_cmts(write, CmtsReachable, {**row, **told})
        _alarms(write, row).end("", CMTS_UNREACHABLE)


# ---- modems -------------------------------------------------------------------------------------


def owners_of(connection: Connection, macs: Iterable[str]) -> dict[str, Row]:
    """MAC → the CPE that has it: `cpe`, `cpename`, `external_id`, `realm`."""
    p = models.provisionings.c
    columns = (p.mac, p.cpe, p.cpename, p.external_id, p.realm)
    found = connection.execute(
        select(*columns).where(p.mac.in_(list(macs)), p.gone.is_(False)).order_by(p.cpe)
    )
    return {row["mac"]: dict(row) for row in found.mappings()}


def owned(owner: Row | None, cmts: Row) -> Row:
    """Whose the modem is: its CPE's realm, else the only one of its CMTS, else nobody's."""
    owner = owner or {}
    return {
        "cpe": owner.get("cpe"),
        "cpename": owner.get("cpename"),
        "external_id": owner.get("external_id"),
        "realm": owner.get("realm") or only_realm(cmts),
    }


def _keep_modems(
    write: Write,
    cmts: Row,
    macs: Sequence[str],
    modems: dict[str, Row],
    owners: dict[str, Row],
    *,
    baseline: bool,
) -> set[str]:
    mine = select(_t).where(_t.c.mac.in_(macs))
    there = {row["mac"]: dict(row) for row in write.connection.execute(mine).mappings()}
    fresh: list[Row] = []
    changed: list[Row] = []
    moved: set[str] = set()
    told = _Told(write, cmts)
    for mac in macs:
        old = there.get(mac)
        told_of = {**_as_known(old, cmts), **modems[mac]}
        new = {**told_of, **owned(owners.get(mac), cmts), "cmts_id": cmts["id"], "missed": 0}
        if old is not None and old["cmts_id"] != cmts["id"] and not _takes_over(old, new):
            continue
        if old is None or (old["cmts_id"], old["state"]) != (cmts["id"], new["state"]):
            moved.add(mac)
        new |= _shares(old, new)
        before = Condition(old["state"], old["partial"]) if old is not None else None
        kinds = changes.changes(before, Condition(new["state"], new["partial"]), baseline=baseline)
        version = old["version"] if old is not None else 1
        same = old is not None and old["state"] == new["state"]
        new |= {
            "mac": mac,
            "since": old["since"] if old is not None and same else write.now,
            "observed_at": write.now,
            "version": version + len(kinds),
        }
        if old is None:
            fresh.append({**dict.fromkeys(models.LEVELS), **new})
        else:
            changed.append({"b_id": old["id"], **{name: new[name] for name in KEPT}})
        for place, kind in enumerate(kinds, 1):
            told.add(kind, new, old["state"] if old is not None else None, version + place)
    if fresh:
        write.connection.execute(insert(_t), fresh)
    _update(write, changed, KEPT)
    told.send()
    return moved


def _as_known(old: Row | None, cmts: Row) -> Row:
    """What is taken for a column that a reading does not tell: what it was here."""
    if old is not None and old["cmts_id"] == cmts["id"]:
        return {name: old[name] for name in TOLD_BY}
    return {**dict.fromkeys(TOLD_BY), "partial": False, "lacking": 0, "downstream": "", "upstream": ""}


def _takes_over(old: Row, new: Row) -> bool:
    """Whether the modem is at this CMTS now, though another listed it last: two may remember it."""
    return bool(new["state"] == ONLINE or (old["state"] == OFFLINE and new["state"] != OFFLINE))


def _shares(old: Row | None, new: Row) -> Row:
    """Corrected and lost codewords since the last reading, upstream, in percent."""
    if new["state"] != ONLINE:
        return {"upcorr": None, "upko": None}
    cmts = new["cmts_id"]
    before = readings(cmts, old["counters"]) if old is not None and old["cmts_id"] == cmts else {}
    after = readings(cmts, new["counters"])
    counted = codewords.together(codewords.between(before.get(ch), one) for ch, one in after.items())
    corrected, lost = counted.shares if counted is not None else (None, None)
    return {"upcorr": corrected, "upko": lost}


def readings(cmts_id: int, counters: Row | None) -> dict[int, codewords.Reading]:
    """Kept counters by channel."""
    if not counters:
        return {}
    return {
        channel: codewords.Reading(
            source=(cmts_id, counters["id"], channel),
            at=counters["at"],
            unerrored=unerrored,
            corrected=corrected,
            uncorrectable=uncorrectable,
            bits=bits,
            uptime=counters["uptime"],
        )
        for channel, unerrored, corrected, uncorrectable, bits in counters["rows"]
    }


def _keep_missing(engine: Engine, cmts: Row, reading: Reading) -> None:
    """Modems that the CMTS does not list any more."""
    assert reading.modems is not None
    listed = reading.modems
    mine = select(_t.c.mac).where(_t.c.cmts_id == cmts["id"], _t.c.state != OFFLINE)
    missing = [
        mac
        for mac in engine.database.reading(lambda connection: connection.execute(mine).scalars().all())
        if mac not in listed
    ]
    for macs in _batches(sorted(missing)):
        with working(engine) as write:
            _miss(write, cmts, macs)
        time.sleep(0)


def _miss(write: Write, cmts: Row, macs: Sequence[str]) -> None:
    rows = select(_t).where(_t.c.cmts_id == cmts["id"], _t.c.mac.in_(macs)).with_for_update()
    changed = []
    told = _Told(write, cmts)
    for old in write.connection.execute(rows).mappings().all():
        before = Condition(old["state"], old["partial"])
        after = changes.missed(before, old["missed"] + 1)
        kinds = changes.changes(before, after, baseline=False)
        new = {**old, "state": after.state, "partial": after.partial, "missed": old["missed"] + 1}
        if kinds:
            new |= {"since": write.now, "status": "", "lacking": 0, "ip": None, "version": old["version"] + 1}
            new |= dict.fromkeys(("uprx", "upsnr", "upcorr", "upko", "counters"))
            told.add(kinds[0], new, old["state"], new["version"])
        changed.append({"b_id": old["id"], **{name: new[name] for name in KEPT}})
    _update(write, changed, KEPT)
    told.send()


def _update(write: Write, rows: list[Row], columns: Sequence[str]) -> None:
    if rows:
        values: Row = {name: bindparam(name) for name in columns}
        write.connection.execute(update(_t).where(_t.c.id == bindparam("b_id")).values(**values), rows)


def _look_for_outages(write: Write, cmts: Row) -> None:
    """Fiber nodes of which many modems went down since the reading before this one."""
    recent = cmts["observed_at"] or write.now
    is_down = _t.c.state == OFFLINE
    numbers = (
        func.count(),
        func.sum(case((is_down, 1), else_=0)),
        func.sum(case((is_down & (_t.c.since > recent), 1), else_=0)),
    )
    mine = select(_t.c.fibernode, *numbers).where(_t.c.cmts_id == cmts["id"], _t.c.fibernode.is_not(None))
    counted = {row[0]: tuple(row[1:]) for row in write.connection.execute(mine.group_by(_t.c.fibernode))}
    alarms = _alarms(write, cmts)
    for node, (total, _, fell) in counted.items():
        if fell >= FEWEST and fell >= SHARE * total:
            told = {"level": "critical", "type": "equipment", "fibernode": node, "affected_modems": fell}
            alarms.begin(node, MASS_OUTAGE, **told, realm=only_realm(cmts))
    for node in alarms.subjects(MASS_OUTAGE):
        total, down, _ = counted.get(node, (0, 0, 0))
        if down < SHARE * total or not total:
            alarms.end(node, MASS_OUTAGE)


# ---- telling ------------------------------------------------------------------------------------


class _Told:
    """What changed about modems of a CMTS: an event, a row of the history, and for some an alarm."""

    def __init__(self, write: Write, cmts: Row) -> None:
        self._write = write
        self._cmts = cmts
        self._told: list[tuple[str, Row, str | None, int]] = []

    def add(self, kind: str, row: Row, former: str | None, sequence: int) -> None:
        self._told.append((kind, row, former, sequence))

    def send(self) -> None:
        """Once their rows are written."""
        if not self._told:
            return
        macs = [row["mac"] for _, row, _, _ in self._told]
        ids = select(_t.c.mac, _t.c.id).where(_t.c.mac.in_(macs))
        by_mac = {row.mac: row.id for row in self._write.connection.execute(ids)}
        history = []
        alarms = _alarms(self._write, self._cmts)
        for kind, row, former, sequence in self._told:
            self._event(MODEM_EVENTS[kind], by_mac[row["mac"]], row, former, sequence)
            history.append(
                {
                    "mac": row["mac"],
                    "cmts_id": self._cmts["id"],
                    "kind": kind,
                    "former": former,
                    "fibernode": row["fibernode"],
                    "cpe": row["cpe"],
                    "cpename": row["cpename"],
                    "realm": row["realm"],
                    "time": self._write.now,
                }
            )
            if kind == PARTIAL:
                alarms.begin(
                    row["mac"],
                    PARTIAL_SERVICE,
                    mac=row["mac"],
                    host_name=row["cpename"],
                    fibernode=row["fibernode"],
                    level="warning",
                    type="servicequality",
                    extra=f"lacking={row['lacking']}",
                    realm=row["realm"],
                )
            elif kind in (FULL_SERVICE, OFFLINE):
                alarms.end(row["mac"], PARTIAL_SERVICE)
        self._write.connection.execute(insert(models.state_changes), history)

    def _event(self, kind: type[ModemEvent], id_: int, row: Row, former: str | None, sequence: int) -> None:
        data = {
            "mac": row["mac"],
            "cmts": self._cmts["name"],
            "former": former,
            "time": self._write.now,
            **{
                name: row[name]
                for name in ("registration_id", "state", "status", "md", "fibernode", "ip", "lacking")
            },
            **{name: row[name] for name in ("cpe", "cpename", "external_id")},
        }
        self._write.emit(kind.type, id_, sequence, row["realm"] or NOBODY, data)


def tell_cmts(write: Write, kind: type[CmtsEvent], cmts: Row) -> None:
    """`cmts`: its row, with its `realms`; the event takes its next version."""
    t = models.cmtss
    raised = update(t).where(t.c.id == cmts["id"]).values(version=t.c.version + 1).returning(t.c.version)
    sequence = int(write.connection.execute(raised).scalar_one())
    data = {name: cmts[name] for name in ("id", "name", "state", "error", "realms")}
    write.emit(kind.type, cmts["id"], sequence, "", data)
