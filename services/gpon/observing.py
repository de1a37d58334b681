"""What a reading of an OLT changes: rows of what there is, events and alarms of what is different.

A PON's ONUs are written in one transaction of their own, so that no other work waits long. An ONU that a
reading does not have stays for one more: agents leave rows out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from services.common.context import Context, Scope
from services.common.devices.alarms import Alarms
from services.common.devices.errors import DeviceError
from services.common.devices.snmp import unread
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row
from services.gpon import models
from services.gpon.contract import (
    OltReachable,
    OltUnreachable,
    OnuAlarm,
    OnuDiscovered,
    OnuDyingGasp,
    OnuLos,
    OnuOffline,
    OnuOnline,
    OnuState,
    PonOutage,
)
from services.gpon.devices import only_realm
from services.gpon.domain import naming, observing, provisioning, waiting
from services.gpon.drivers.base import Unconfigured, together
from services.gpon.reading import LEVELS, Reading, short
from services.gpon.telling import tell, tell_olt

MISSED = 2
"""Readings without it after which an ONU is gone."""

_STATES: dict[str, type[OnuState]] = {
    one.type: one for one in (OnuOnline, OnuOffline, OnuLos, OnuDyingGasp, OnuAlarm)
}
_t = models.onus
_COMPARED = tuple(
    one.name
    for one in _t.c
    if one.name not in {"id", "olt_id", "observed_at", "optics_at", "version", "uptime", "missed", *LEVELS}
)
_CONFIGURED = frozenset(("description", "line_profile", "service_profile"))


def working(engine: Engine) -> Any:
    return engine.writing(Context(scope=Scope(everything=True), user="gpon"))


def _alarms(write: Write, olt: Row) -> Alarms:
    return Alarms(write, models.alarms, olt_id=olt["id"])


# ---- an OLT -------------------------------------------------------------------------------------


def unreachable(engine: Engine, olt: Row, error: DeviceError) -> None:
    """It did not answer: said once, and with what it said."""
    with working(engine) as write:
        row = _locked(write, olt)
        if row is None:
            return
        told = {"state": "down", "error": str(error)}
        if row["state"] == "down":
            if row["error"] != told["error"]:
                write.connection.execute(
                    update(models.olts).where(models.olts.c.id == olt["id"]).values(**told)
                )
            return
        write.connection.execute(update(models.olts).where(models.olts.c.id == olt["id"]).values(**told))
        tell_olt(write, OltUnreachable, {**row, **told})
        _alarms(write, row).begin("", "olt_unreachable", level="critical", type="communications")


def keep(engine: Engine, olt: Row, reading: Reading) -> set[int]:
    """Keep what was read; returns the ids of CPEs whose provisioning has to look again."""
    touched: set[int] = set()
    known = _subscribers(engine, _serials(engine, olt["id"], reading))
    with working(engine) as write:
        row = _locked(write, olt)
        if row is None:
            return touched
        first = row["loaded_at"] is None
        if _rebooted(row, reading):
            touched |= _all_of(write, row)
        _keep_facts(write, row, reading)
        _keep_pons(write, row, reading)
    by_pon: dict[str, dict[int, Row]] = defaultdict(dict)
    for one in reading.onus:
        by_pon[one["fsp"]][one["onu_id"]] = one
    for fsp in sorted(_pons_of(engine, olt["id"], reading) | by_pon.keys()):
        with working(engine) as write:
            found = list(by_pon[fsp].values())
            touched |= _keep_onus(write, row, fsp, found, known, reading, first=first)
    if reading.unconfigured is not None:
        with working(engine) as write:
            touched |= _keep_unconfigured(write, row, reading.unconfigured, known)
    return touched


def _locked(write: Write, olt: Row) -> Row | None:
    found = select(models.olts).where(models.olts.c.id == olt["id"]).with_for_update()
    row = write.connection.execute(found).mappings().first()
    return None if row is None else {**row, "realms": olt["realms"]}


def _keep_facts(write: Write, row: Row, reading: Reading) -> None:
    facts = reading.facts
    told: Row = {
        "vendor": reading.vendor,
        "model": short(facts.model, 128),
        "software_version": short(facts.version, 128),
        "sysdescr": facts.sysdescr,
        "uptime": facts.uptime,
        "temperature": facts.temperature,
        "cpu": facts.cpu,
        "state": "up",
        "error": unread(reading.failed),
        "observed_at": write.now,
    }
    if reading.pon is None:
        told["loaded_at"] = write.now
    write.connection.execute(update(models.olts).where(models.olts.c.id == row["id"]).values(**told))
    if row["state"] == "down":
        tell_olt(write, OltReachable, {**row, **told})
        _alarms(write, row).end("", "olt_unreachable")


def _rebooted(row: Row, reading: Reading) -> bool:
    """Whether it began anew since it was read last, perhaps with an older configuration."""
    before, after = row["uptime"], reading.facts.uptime
    return before is not None and after is not None and after < before


def _all_of(write: Write, row: Row) -> set[int]:
    t = models.provisionings
    return set(write.connection.execute(select(t.c.cpe).where(t.c.olt_id == row["id"])).scalars())


def _keep_pons(write: Write, row: Row, reading: Reading) -> None:
    t = models.pons
    mine = select(t.c.id, t.c.fsp).where(t.c.olt_id == row["id"])
    there = {fsp: id_ for id_, fsp in write.connection.execute(mine)}
    fresh, changed = [], []
    for position, one in together(reading.pons).items():
        pon = naming.Pon(*position)
        values = {
            "ifindex": one.ifindex,
            "type": one.type,
            "admin_state": one.admin_state,
            "oper_state": one.oper_state,
            "tx_power": one.tx_power,
            "bias": one.bias,
            "temperature": one.temperature,
            "voltage": one.voltage,
            "observed_at": write.now,
        }
        if pon.fsp in there:
            changed.append({"b_id": there[pon.fsp], **values})
        else:
            fresh.append({"olt_id": row["id"], "fsp": pon.fsp, **pon._asdict(), **values})
    if fresh:
        write.connection.execute(insert(t), fresh)
    if changed:
        columns = [name for name in changed[0] if name != "b_id"]
        statement = update(t).where(t.c.id == bindparam("b_id"))
        write.connection.execute(statement.values({name: bindparam(name) for name in columns}), changed)


def _pons_of(engine: Engine, olt_id: int, reading: Reading) -> set[str]:
    """The PONs that there are rows of ONUs of, as far as they were read."""
    if reading.pon is not None:
        return {reading.pon.fsp}
    mine = select(_t.c.fsp).where(_t.c.olt_id == olt_id).distinct()
    return engine.database.reading(lambda connection: set(connection.execute(mine).scalars()))


# ---- ONUs ---------------------------------------------------------------------------------------


def _keep_onus(
    write: Write,
    olt: Row,
    fsp: str,
    found: list[Row],
    known: dict[str, Row],
    reading: Reading,
    *,
    first: bool,
) -> set[int]:
    mine = select(_t).where(_t.c.olt_id == olt["id"], _t.c.fsp == fsp)
    there = {row["onu_id"]: dict(row) for row in write.connection.execute(mine).mappings()}
    touched: set[int] = set()
    fresh: list[Row] = []
    same: list[int] = []
    levels: list[Row] = []
    went_down: list[str] = []
    alarms = _alarms(write, olt)
    for one in found:
        old = there.pop(one["onu_id"], None)
        if old is not None and not one["sn"]:  # nothing said of who it is: nobody else
            one = {**one, "sn": old["sn"]}
        owner = known.get(one["sn"] or "", {})
        new = {**one, **_owned(owner, olt)}
        if old is not None and old["sn"] != new["sn"]:  # another ONU in this place
            _remove(write, old)
            old = None
        if old is None:
            fresh.append({"olt_id": olt["id"], "observed_at": write.now, **_with_levels(new, reading, write)})
            if owner:
                touched.add(owner["cpe"])
        elif changed := _changes(old, new, full=reading.full):
            moved = _t.c.id == old["id"]
            changed |= {"version": old["version"] + 1, "observed_at": write.now, "missed": 0}
            if old["status"] != "online" == new["status"]:
                changed["optics_at"] = None  # its levels are of before it went
            write.connection.execute(update(_t).where(moved).values(**changed))
            if owner and any(old[name] is not None for name in _CONFIGURED & changed.keys()):
                touched.add(owner["cpe"])
            if owner.get("reason") == provisioning.DUPLICATE and "status" in changed:
                touched.add(owner["cpe"])
        else:
            same.append(old["id"])
        if old is not None and reading.levels:
            levels.append({"b_id": old["id"], **{name: new.get(name) for name in LEVELS}})
        before = None if old is None else old["state"]
        if new["sn"] and not (first and old is None):
            _tell_state(write, olt, before, new, owner)
        if new["sn"] and before == observing.ONLINE != new["state"]:
            went_down.append(new["state"])
        _registered(write, olt, before, new)
        _alarm(alarms, new)
    if fresh:
        write.connection.execute(insert(_t), fresh)
    if same:
        seen = update(_t).where(_t.c.olt_id == olt["id"], _t.c.fsp == fsp, _t.c.id.in_(same))
        write.connection.execute(seen.values(observed_at=write.now, missed=0))
    if levels:
        columns: Row = {name: bindparam(name) for name in LEVELS}
        statement = update(_t).where(_t.c.id == bindparam("b_id")).values(**columns, optics_at=write.now)
        write.connection.execute(statement, levels)
    for old in there.values():
        if old["missed"] + 1 >= MISSED:
            _remove(write, old)
            alarms.end_all(old["sn"])
        else:
            write.connection.execute(update(_t).where(_t.c.id == old["id"]).values(missed=old["missed"] + 1))
        if old["cpe"]:
            touched.add(old["cpe"])
    if observing.outage(len(found), len(went_down)):
        cause = Counter(went_down).most_common(1)[0][0]
        tell_olt(write, PonOutage, olt, fsp=fsp, affected_onus=len(went_down), cause=cause)
        alarms.begin(
            fsp,
            "mass_outage",
            level="critical",
            type="equipment",
            fsp=fsp,
            extra=f"cause={cause}",
            affected_onus=len(went_down),
        )
    elif not went_down and not _is_out(write, olt, fsp):
        alarms.end(fsp, "mass_outage")
    count = len(found)
    if count > olt["max_onus"]:
        alarms.begin(fsp, "too_many_onus", level="warning", type="equipment", fsp=fsp, affected_onus=count)
    else:
        alarms.end(fsp, "too_many_onus")
    return touched


def _changes(old: Row, new: Row, *, full: bool) -> Row:
    """What differs. Nothing said is no change where the reading was not a full one."""
    return {
        name: new[name]
        for name in _COMPARED
        if name in new and old[name] != new[name] and (full or new[name] not in (None, []))
    }


def _with_levels(new: Row, reading: Reading, write: Write) -> Row:
    return {**dict.fromkeys(LEVELS), **new, "optics_at": write.now if reading.levels else None}


def _owned(owner: Row, olt: Row) -> Row:
    """Whose the ONU is: its CPE's realm, else the only one of its OLT, else nobody's."""
    return {
        "cpe": owner.get("cpe"),
        "cpename": owner.get("cpename"),
        "realm": owner.get("realm") or only_realm(olt),
    }


def _remove(write: Write, old: Row) -> None:
    write.connection.execute(delete(_t).where(_t.c.id == old["id"]))
    t = models.registrations
    if old["sn"]:
        still = update(t).where(t.c.sn == old["sn"], t.c.olt_id == old["olt_id"], t.c.ended.is_(None))
        write.connection.execute(still.values(ended=write.now, cause="removed"))


def _tell_state(write: Write, olt: Row, before: str | None, new: Row, owner: Row) -> None:
    kind = observing.event(before, new["state"])
    if kind is None:
        return
    about = {**new, "external_id": owner.get("external_id")}
    cause = new["last_down_cause"] if new["state"] != observing.ONLINE else None
    tell(write, _STATES[kind], about, olt["name"], state=new["state"], cause=cause, dnrx=new.get("dnrx"))


def _registered(write: Write, olt: Row, before: str | None, new: Row) -> None:
    """The history of an ONU: a row begins when it comes up and ends when it goes down."""
    up = new["status"] == "online"
    if not new["sn"] or (before == observing.ONLINE) == up:
        return
    t = models.registrations
    open_ = (t.c.sn == new["sn"], t.c.olt_id == olt["id"], t.c.ended.is_(None))
    if up:
        write.connection.execute(
            update(t).where(*open_).values(ended=write.now, cause=new["last_down_cause"])
        )
        started = new["last_up_time"] or write.now
        values = {"olt_id": olt["id"], "sn": new["sn"], "position": new["position"], "realm": new["realm"]}
        write.connection.execute(insert(t).values(**values, started=started))
    elif before is not None:
        ended = new["last_down_time"] or write.now
        write.connection.execute(update(t).where(*open_).values(ended=ended, cause=new["state"]))


def _alarm(alarms: Alarms, new: Row) -> None:
    if not new["sn"]:
        return
    for name in observing.ALARMED:
        if name == new["state"]:
            alarms.begin(
                new["sn"],
                name,
                level="minor" if name == observing.DYING_GASP else "major",
                type="servicequality",
                fsp=new["fsp"],
                onu_id=new["onu_id"],
                sn=new["sn"],
                host_name=new["cpename"],
                realm=new["realm"],
            )
        else:
            alarms.end(new["sn"], name)


def _is_out(write: Write, olt: Row, fsp: str) -> bool:
    """Whether the PON still has an outage's share of its ONUs down."""
    mine = select(_t.c.status).where(_t.c.olt_id == olt["id"], _t.c.fsp == fsp)
    states = list(write.connection.execute(mine).scalars())
    return observing.outage(len(states), states.count("offline"))


# ---- those that wait ----------------------------------------------------------------------------


def _keep_unconfigured(write: Write, olt: Row, found: list[Unconfigured], known: dict[str, Row]) -> set[int]:
    t = models.unconfigured
    mine = select(t).where(t.c.olt_id == olt["id"])
    there = {row["sn"]: dict(row) for row in write.connection.execute(mine).mappings()}
    touched: set[int] = set()
    validations = [dict(row) for row in write.connection.execute(select(models.validations)).mappings()]
    for one in {one.sn: one for one in found}.values():
        if not one.sn or one.position is None:
            continue
        pon = naming.Pon(*one.position)
        owner = known.get(one.sn, {})
        refused = waiting.refusal(validations, one.onu_type, one.hardware_version, one.software_version)
        values: Row = {
            **pon._asdict(),
            "fsp": pon.fsp,
            "index": (one.index or "")[:32],
            "onu_type": short(one.onu_type, 64),
            "hardware_version": short(one.hardware_version, 64),
            "software_version": short(one.software_version, 64),
            "validation_error": refused or None,
            "cpe": owner.get("cpe"),
            "cpename": owner.get("cpename"),
            "disable_provision": bool(owner.get("disable_provision") or olt["disable_provision"]),
            "realm": owner.get("realm") or only_realm(olt),
            "missed": 0,
        }
        old = there.pop(one.sn, None)
        if old is None:
            values |= {"olt_id": olt["id"], "sn": one.sn, "pending_since": write.now}
            write.connection.execute(insert(t).values(**values))
            about = {**values, "onu_id": None, "external_id": owner.get("external_id")}
            tell(write, OnuDiscovered, about, olt["name"], model=one.onu_type)
        elif changed := {name: value for name, value in values.items() if old[name] != value}:
            changed["version"] = old["version"] + 1
            write.connection.execute(update(t).where(t.c.id == old["id"]).values(**changed))
        if owner and (old is None or changed or owner["state"] == "waiting"):
            touched.add(owner["cpe"])
    for old in there.values():
        if old["missed"] + 1 >= MISSED:
            write.connection.execute(delete(t).where(t.c.id == old["id"]))
            if old["cpe"]:
                touched.add(old["cpe"])
        else:
            write.connection.execute(update(t).where(t.c.id == old["id"]).values(missed=old["missed"] + 1))
    return touched


# ---- whose they are -----------------------------------------------------------------------------


def _serials(engine: Engine, olt_id: int, reading: Reading) -> list[str | None]:
    """Those that were read; where some were left out, those known of the OLT, too."""
    told = [one["sn"] for one in reading.onus] + [one.sn for one in reading.unconfigured or ()]
    if all(one["sn"] for one in reading.onus):
        return told
    mine = select(_t.c.sn).where(_t.c.olt_id == olt_id)
    return told + engine.database.reading(lambda connection: list(connection.execute(mine).scalars()))


def _subscribers(engine: Engine, sns: Iterable[str | None]) -> dict[str, Row]:
    """Serial → what is known of its CPE: cpe, cpename, realm, external_id, disable_provision, and how far its
    provisioning is: state, reason."""
    t = models.provisionings
    wanted = sorted({one for one in sns if one})
    found: dict[str, Row] = {}

    def work(connection: Any) -> None:
        for first in range(0, len(wanted), 500):
            mine = select(t).where(t.c.sn.in_(wanted[first : first + 500]), t.c.gone.is_(False))
            for row in connection.execute(mine).mappings():
                cpe = row["cpe_row"] or {}
                found[row["sn"]] = {
                    **{name: row[name] for name in ("cpe", "cpename", "realm", "state", "reason")},
                    "external_id": cpe.get("external_id"),
                    "disable_provision": cpe.get("disable_provision"),
                }

    engine.database.reading(work)
    return found
