"""Brings OLTs to what the books want: reads an ONU's configuration, sends what differs, command by command.

Before a command is sent it is written down as the row's `step`; after a kill the device is read again, and
what is then left is done. Commands go over one CLI session for each OLT, and an OLT that does not answer
holds up its own CPEs only.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import structlog
from sqlalchemy import delete, exists, insert, or_, select, update

from services.common.database.kernel import milliseconds
from services.common.database.lead import Lead
from services.common.devices.errors import DeviceError, HostKeyChanged
from services.common.devices.native import native
from services.common.errors import ApiError
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row
from services.gpon import desire, devices, models, reading
from services.gpon.contract import (
    OnuAdded,
    OnuChanged,
    OnuFailed,
    OnuProvisioned,
    OnuRemoved,
    OnuServiceAdded,
    OnuServiceRemoved,
    OnuStep,
)
from services.gpon.domain import provisioning, vlan_map
from services.gpon.domain.naming import Pon, parse, position
from services.gpon.domain.provisioning import Configured, ConfiguredPort, Place, Step, Wanted
from services.gpon.drivers.base import Configured as OnDevice
from services.gpon.drivers.base import Position, Writer
from services.gpon.observing import working
from services.gpon.telling import tell

AT_ONCE = 100
OLTS_AT_ONCE = 8
LONGEST = 200
"""Steps in one go; more means that the device does not do what it says."""
STEP_SECONDS = 150.0
"""More than any command takes by its own timeouts: what was sent is then known to have ended."""
REGISTERING = 5.0
"""Seconds in which an ONU that was added is up, most often."""
FEW = 3
"""CPEs of one OLT that are asked for one by one."""

EVENTS: dict[str, type[OnuStep]] = {
    provisioning.ADD: OnuAdded,
    provisioning.REMOVE: OnuRemoved,
    provisioning.PORT_ON: OnuServiceAdded,
    provisioning.PORT_OFF: OnuServiceRemoved,
    provisioning.PROFILES: OnuChanged,
    provisioning.DESCRIBE: OnuChanged,
    provisioning.NATIVE: OnuChanged,
    provisioning.RF_ON: OnuChanged,
    provisioning.RF_OFF: OnuChanged,
}

_t = models.provisionings
T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Heard:
    """Where a serial is: configured, or announcing itself, on an OLT."""

    olt_id: int
    place: Place
    enabled: bool = False
    refused: str | None = None
    online: bool = True


class Blocked(Exception):
    """The CPE is left alone, for now: `reason` for programs, the text for people."""

    def __init__(self, reason: str, text: str | None = None) -> None:
        super().__init__(text or provisioning.REASONS[reason])
        self.reason = reason


class Converger:
    """`Background(Converger(soon))`: takes what is due, each OLT in a thread of its own. `soon(olt_id,
    seconds)`: has an OLT read on which something was changed."""

    def __init__(self, soon: Callable[[int, float], None]) -> None:
        self._soon = soon
        self._lead = Lead("provision")
        self._olts: set[int | None] = set()
        self._rows: set[int] = set()
        self._places = threading.Semaphore(OLTS_AT_ONCE)

    def __call__(self, engine: Engine) -> bool:
        with self._lead.working(engine.database) as leads:
            if leads:
                self._round(engine)
        return False

    def _round(self, engine: Engine) -> None:
        under_way = [olt_id for olt_id in tuple(self._olts) if olt_id is not None]
        free = or_(_t.c.olt_id.is_(None), _t.c.olt_id.not_in(under_way))
        due = select(_t).where(_t.c.due <= milliseconds(), _t.c.id.not_in(tuple(self._rows)), free)
        due = due.order_by(_t.c.due, _t.c.id).limit(AT_ONCE)
        rows = engine.database.reading(lambda one: [dict(row) for row in one.execute(due).mappings()])
        by_olt: dict[int | None, list[Row]] = defaultdict(list)
        for row in rows:
            by_olt[row["olt_id"] or _where(engine, row)].append(row)
        for olt_id, mine in by_olt.items():
            if olt_id in self._olts or not self._places.acquire(blocking=False):
                continue
            self._olts.add(olt_id)
            self._rows |= {row["id"] for row in mine}
            threading.Thread(target=self._work, args=(engine, olt_id, mine), daemon=True).start()

    def _work(self, engine: Engine, olt_id: int | None, rows: list[Row]) -> None:
        try:
            with Sessions(engine) as sessions:
                if len(rows) > FEW:
                    sessions.look()
                for row in rows:
                    converge(engine, row["id"], sessions)
            for changed in sessions.written:
                self._soon(changed, REGISTERING)
        except ApiError as error:
            log.warning("provisioning put off", reason=str(error))
        except Exception:
            log.exception("provisioning failed", olt=olt_id)
        finally:
            self._olts.discard(olt_id)
            self._rows -= {row["id"] for row in rows}
            self._places.release()


def _where(engine: Engine, row: Row) -> int | None:
    found = hearings(engine, [row["sn"]] if row["sn"] else [])
    return found[0].olt_id if found else None


# ---- one CPE ------------------------------------------------------------------------------------


def converge(engine: Engine, id_: int, sessions: Sessions) -> Row | None:
    """Do what is left to do for a CPE; returns its row, None when that is gone. What a device says against it
    is told in the row."""
    row = _row(engine, id_)
    if row is None:
        return None
    try:
        if row["stale"]:
            row = desire.refresh(engine, row)
        _Convergence(engine, sessions, row).run()
    except Blocked as blocked:
        _settle(engine, row, provisioning.BLOCKED, reason=blocked.reason, error=str(blocked))
    except DeviceError as error:
        _failed(engine, row, error)
    except ApiError as error:  # isp is away
        _later(engine, row, error)
    return _row(engine, id_)


class _Convergence:
    """What is done for one CPE. Raises `Blocked`, and `DeviceError` where a device did not do it."""

    def __init__(self, engine: Engine, sessions: Sessions, row: Row) -> None:
        self._engine = engine
        self._sessions = sessions
        self._row = row

    def run(self) -> None:
        row, cpe = self._row, self._row["cpe_row"]
        reason = provisioning.blocked(cpe) if cpe else provisioning.NO_SERIAL
        found = hearings(self._engine, [row["sn"]] if row["sn"] else [])
        if reason == provisioning.DISABLED and any(one.enabled for one in found):
            reason = None
        if reason not in (provisioning.DISABLED, provisioning.BITSTREAM):
            for sn in row["former_sns"]:
                self._clear(sn)
        if row["gone"] or row["held"]:
            if reason is None:
                self._clear(row["sn"])
            _settle(self._engine, row, provisioning.REMOVED)
        elif reason is not None:
            raise Blocked(reason)
        else:
            self._build(found)

    def _build(self, found: list[Heard]) -> None:
        sn = self._row["sn"]
        here = _chosen(found) or self._being_redone()
        if here is None:
            _settle(self._engine, self._row, provisioning.WAITING)
            return
        if here.refused and not here.enabled:
            raise Blocked("validation", here.refused)
        olt = self._olt(here.olt_id, allowed=here.enabled)
        want = wanted(self._engine, self._row["cpe_row"], olt)
        if missing := provisioning.unspeedy(want):
            raise Blocked("no_profile", f"It has no speed profile, which {', '.join(missing)} needs.")
        for other in sorted({one.olt_id for one in found} - {here.olt_id}):  # it came from there
            self._bring(self._olt(other), sn, None)
        heard = here.place if here.place.onu_id is None else None
        if self._is_there(olt, sn, want, heard):
            _settle(self._engine, self._row, provisioning.APPLIED, olt=olt, place=here.place)
            return
        if self._row["redo"]:
            self._bring(olt, sn, None)
            heard = replace(here.place, onu_id=None)
        at = self._bring(olt, sn, want, heard)
        if at is None:  # it was there when it was read last, and is neither configured nor heard now
            _settle(self._engine, self._row, provisioning.WAITING)
            return
        _settle(self._engine, self._row, provisioning.APPLIED, olt=olt, place=at)

    def _is_there(self, olt: Row, sn: str, want: Wanted, heard: Place | None) -> bool:
        """Whether a look at the whole OLT shows that nothing is left to do."""
        seen = self._sessions.seen(olt, sn)
        if seen is None or self._row["redo"] or self._row["step"] is not None:
            return False
        have = provisioning.recalled(seen, olt["name"], self._row["applied"])
        return not provisioning.steps(want, [have], heard)

    def _being_redone(self) -> Heard | None:
        """Where an ONU was that was taken off to be put in again, when a kill came between."""
        row = self._row
        if not (row["redo"] and row["olt_id"] and row["position"]):
            return None
        pon = parse(row["position"].partition("-")[0])
        return Heard(row["olt_id"], Place(*pon))

    def _olt(self, olt_id: int, *, allowed: bool = False) -> Row:
        olt = devices.olt(self._engine, olt_id)
        if olt is None:
            raise Blocked("olt_gone", "Its OLT is not known any more.")
        if olt["disable_provision"] and not allowed:
            raise Blocked(provisioning.OLT_DISABLED)
        return olt

    def _clear(self, sn: str | None) -> None:
        """Nothing of this serial is to be left on any OLT that has it, or had it for this CPE. One that went
        to another CPE is that one's."""
        if not sn or _wanted_by_another(self._engine, self._row, sn):
            return
        olts = {one.olt_id for one in hearings(self._engine, [sn]) if one.place.onu_id is not None}
        if self._row["olt_id"]:
            olts.add(self._row["olt_id"])
        for olt_id in sorted(olts):
            self._bring(self._olt(olt_id), sn, None)

    def _bring(self, olt: Row, sn: str, want: Wanted | None, heard: Place | None = None) -> Place | None:
        """Send what is left to do on one OLT, one command after the other, each known of before it goes out.
        Returns where the ONU is then."""
        session = self._sessions.of(olt)
        sent: list[Step] = []
        while len(sent) < LONGEST:
            applied = self._row["applied"]
            have = [provisioning.recalled(one, olt["name"], applied) for one in session.configured(sn)]
            left = provisioning.steps(want, have, heard)
            self._catch_up(olt, sn, have, left)
            if not left:
                session.save()
                return have[0].place if have else None
            if any(step in sent for step in left):  # before what was made is taken off to be made again
                break
            _about_to(self._engine, self._row, olt, sn, left)
            detail = session.do(left[0])
            sent.append(left[0])
            self._row["applied"] = _done(self._engine, self._row, olt, sn, left[0], detail)
            if left[0].name == provisioning.ADD:
                heard = None
        raise DeviceError("It does not do what it is told.", device=olt["name"])

    def _catch_up(self, olt: Row, sn: str, have: list[Configured], left: list[Step]) -> None:
        """A command that was under way when its worker ended, and is not left to do, was done: that is told
        now."""
        begun = self._row["step"]
        if begun is None or (begun["olt"], begun["sn"]) != (olt["name"], sn):
            return
        self._row["step"] = None
        step = Step(begun["name"], begun["detail"])
        if any((one.name, dict(one.detail)) == (step.name, begun["detail"]) for one in left):
            return
        detail = dict(step.detail)
        if have and step.name == provisioning.ADD:
            detail["onu_id"] = have[0].place.onu_id
        if have and step.name == provisioning.PORT_ON:
            made = {port.key: port.id for port in have[0].ports}
            detail["id"] = made.get((detail["gem"], detail["user_vlan"]))
        self._row["applied"] = _done(self._engine, self._row, olt, sn, step, detail)


def wanted(engine: Engine, cpe: Row, olt: Row) -> Wanted:
    """What a CPE, as isp showed it, is to be on this OLT."""
    s, r = models.services, models.service_realms
    of_it = exists().where(r.c.service_id == s.c.id)
    own = of_it.where(r.c.realm == cpe["realm"])
    usable = select(s, own.label("own")).where(or_(own, ~of_it)).order_by(s.c.id)
    rows = engine.database.reading(lambda one: [dict(each) for each in one.execute(usable).mappings()])
    services = [
        provisioning.Service(**{name: each[name] for name in provisioning.Service.__dataclass_fields__})
        for each in vlan_map.rows_for(rows, cpe["line_profile"] or "")
    ]
    line_profile = olt["line_profile"] or cpe["line_profile"] or ""
    service_profile = olt["service_profile"] or str((cpe["model"] or {}).get("id") or "")
    return provisioning.wanted(cpe, services, line_profile, service_profile)


def _chosen(found: list[Heard]) -> Heard | None:
    """Where the ONU is. One that is heard on one OLT and configured, dark, on another has been moved; one
    that is alive on two is `Blocked`."""
    waiting = [one for one in found if one.place.onu_id is None]
    configured = [one for one in found if one.place.onu_id is not None]
    lit = [one for one in configured if one.online]
    if len({one.olt_id for one in [*waiting, *lit]}) > 1:
        raise Blocked(provisioning.DUPLICATE)
    return next(iter([*waiting, *lit, *configured]), None)


def _wanted_by_another(engine: Engine, row: Row, sn: str) -> bool:
    other = select(_t.c.id).where(_t.c.sn == sn, _t.c.id != row["id"], _t.c.gone.is_(False)).limit(1)
    return engine.database.reading(lambda one: one.execute(other).first()) is not None


# ---- one OLT ------------------------------------------------------------------------------------


class Sessions:
    """The CLI sessions of one round: one for each OLT, opened when first needed. After `look`, OLTs are read
    whole over SNMP before that, which is quicker where many CPEs have nothing left to do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: dict[int, Session] = {}
        self._looking = False
        self._seen: dict[int, dict[str, Configured]] = {}

    def look(self) -> None:
        self._looking = True

    @property
    def written(self) -> list[int]:
        """The ids of the OLTs that commands were sent to."""
        return [id_ for id_, session in self._open.items() if session.wrote]

    def seen(self, olt: Row, sn: str) -> Configured | None:
        """What a look at the OLT showed of this serial."""
        if not self._looking:
            return None
        if olt["id"] not in self._seen:
            found = native(reading.configuration, olt, seconds=STEP_SECONDS, device=olt["name"])
            self._seen[olt["id"]] = {
                one.sn: configured(one, one.sn) for one in reading.as_configured(*found) if one.sn
            }
        return self._seen[olt["id"]].get(sn)

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, *failure: object) -> None:
        for session in self._open.values():
            session.close()

    def of(self, olt: Row) -> Session:
        if olt["id"] not in self._open:
            self._open[olt["id"]] = Session(self._engine, olt)
        return self._open[olt["id"]]


class Session:
    """A CLI session; every call runs in a real thread. After a failure it is opened anew."""

    def __init__(self, engine: Engine, olt: Row) -> None:
        self._engine = engine
        self._olt = olt
        self._context: Any = None
        self._writer: Writer | None = None
        self._unsaved = False
        self._out: DeviceError | None = None
        self.wrote = False

    def call(self, work: Callable[[Writer], T]) -> T:
        """`work(writer)` in a real thread. An OLT that did not let us in is not tried again in this round."""
        if self._out is not None:
            raise self._out
        try:
            found = native(lambda: work(self._opened()), seconds=STEP_SECONDS, device=self._olt["name"])
        except DeviceError as error:
            if self._writer is None:
                self._out = error
            if error.reason is None:
                self.close()
            raise
        self._pin()
        return found

    def _opened(self) -> Writer:
        if self._writer is None:
            self._context = devices.writer(self._olt)
            self._writer = self._context.__enter__()
        return self._writer

    def configured(self, sn: str) -> list[Configured]:
        def work(writer: Writer) -> list[Configured]:
            if (place := writer.find(sn)) is None:
                return []
            found = writer.configuration(*place)
            if found is None:  # its board is away, perhaps: it is not gone for that
                raise DeviceError("What it has of the ONU cannot be read.", device=self._olt["name"])
            return [configured(found, sn)]

        return self.call(work)

    def do(self, step: Step) -> Row:
        """Send one command; what it was done with, chosen ids included. What was done already is done."""
        detail = dict(step.detail)
        self._unsaved = self.wrote = True
        try:
            return self.call(lambda writer: _send(writer, step.name, detail))
        except DeviceError as error:
            if error.reason in _ALREADY.get(step.name, ()):
                return detail
            raise

    def save(self) -> None:
        if self._unsaved:
            self.call(lambda writer: writer.save())
            self._unsaved = False

    def close(self) -> None:
        if self._context is not None:
            context, self._context, self._writer = self._context, None, None
            try:
                native(lambda: context.__exit__(None, None, None), seconds=STEP_SECONDS)
            except DeviceError as error:
                log.info("session did not end well", olt=self._olt["name"], reason=str(error))

    def _pin(self) -> None:
        """The host key that was met on the first login holds from then on."""
        if not self._olt["ssh_host_key"] and self._writer is not None:
            pin_host_key(self._engine, self._olt, self._writer.host_key)
            self._olt["ssh_host_key"] = self._writer.host_key


def pin_host_key(engine: Engine, olt: Row, key: str | None) -> None:
    if not key or olt["ssh_host_key"]:
        return
    t = models.olts
    with engine.database.write() as connection:
        mine = update(t).where(t.c.id == olt["id"], t.c.ssh_host_key.is_(None))
        connection.execute(mine.values(ssh_host_key=key))


_WHERE = frozenset(("frame", "slot", "port", "onu_id"))
_ALREADY = {
    provisioning.PORT_OFF: ("missing",),
    provisioning.REMOVE: ("missing",),
}
"""Refusals that say that a command was done before. `exists` of what is added is not among them: the device
is read again, and what it has is compared with what is wanted."""


def _send(writer: Writer, name: str, detail: Row) -> Row:
    at = Position(detail["frame"], detail["slot"], detail["port"])
    onu = detail["onu_id"]
    match name:
        case provisioning.ADD:
            detail["onu_id"] = writer.add(
                at, detail["sn"], detail["line_profile"], detail["service_profile"], detail["description"]
            )
        case provisioning.REMOVE:
            writer.delete(at, onu)
        case provisioning.PORT_ON:
            detail["id"] = writer.free_service_port()
            writer.add_service_port(
                detail["id"],
                at,
                onu,
                detail["gem"],
                detail["service_vlan"],
                detail["user_vlan"],
                detail["inbound"],
                detail["outbound"],
            )
        case provisioning.PORT_OFF:
            writer.delete_service_port(detail["id"])
        case provisioning.PROFILES:
            writer.profiles(at, onu, detail["line_profile"], detail["service_profile"])
        case provisioning.DESCRIBE:
            writer.describe(at, onu, detail["description"])
        case provisioning.NATIVE:
            writer.native_vlan(at, onu, detail["ethernet_port"], detail["vlan"])
        case provisioning.RF_ON | provisioning.RF_OFF:
            writer.rf(at, onu, name == provisioning.RF_ON)
    return detail


def configured(found: OnDevice, sn: str) -> Configured:
    place = Place(*found.position, found.onu_id)
    ports = tuple(
        ConfiguredPort(
            one.id,
            one.gem or 0,
            one.service_vlan or 0,
            one.user_vlan,
            _named(one.inbound, one.inbound_id),
            _named(one.outbound, one.outbound_id),
            one.inbound_id,
            one.outbound_id,
        )
        for one in sorted(found.service_ports, key=lambda one: one.id)
    )
    return Configured(
        place,
        found.sn or sn,
        found.line_profile,
        found.service_profile,
        found.desc,
        ports,
        found.catv,
        None if found.native_vlans is None else tuple(sorted(found.native_vlans.items())),
        found.line_profile_id,
        found.service_profile_id,
    )


def _named(name: str | None, number: int | None) -> str | None:
    """None where a number stands in for a name that the device does not tell."""
    return None if name == str(number) else name


# ---- what is known ------------------------------------------------------------------------------


def hearings(engine: Engine, sns: Iterable[str]) -> list[Heard]:
    """Where these serials are, as it was observed last."""
    wanted = list(sns)
    o, u = models.onus, models.unconfigured

    def work(connection: Any) -> list[Heard]:
        found = [
            Heard(row["olt_id"], _place(row), row["enabled"], row["validation_error"])
            for row in connection.execute(select(u).where(u.c.sn.in_(wanted))).mappings()
        ]
        configured = select(o).where(o.c.sn.in_(wanted)).order_by(o.c.id)
        found.extend(
            Heard(row["olt_id"], _place(row, row["onu_id"]), online=row["status"] == "online")
            for row in connection.execute(configured).mappings()
        )
        return found

    return engine.database.reading(work) if wanted else []


def _place(row: Any, onu_id: int | None = None) -> Place:
    return Place(row["frame"], row["slot"], row["port"], onu_id)


def _row(engine: Engine, id_: int) -> Row | None:
    def work(connection: Any) -> Row | None:
        found = connection.execute(select(_t).where(_t.c.id == id_)).mappings().first()
        return dict(found) if found is not None else None

    return engine.database.reading(work)


def _about_to(engine: Engine, row: Row, olt: Row, sn: str, left: list[Step]) -> None:
    step = left[0]
    with engine.database.write() as connection:
        begun = {"olt": olt["name"], "sn": sn, "name": step.name, "detail": dict(step.detail)}
        told = {"step": begun, "olt_id": olt["id"], "drift": provisioning.drift(left)}
        connection.execute(update(_t).where(_t.c.id == row["id"]).values(**told))


def _done(engine: Engine, row: Row, olt: Row, sn: str, step: Step, detail: Row) -> Row:
    """The command was done: told, and no longer under way. Returns what is remembered of it."""
    applied = provisioning.remembered(row["applied"], olt["name"], step.name, detail)
    with working(engine) as write:
        told = {"step": None, "applied": applied}
        write.connection.execute(update(_t).where(_t.c.id == row["id"]).values(**told))
        told = {key: value for key, value in detail.items() if key not in {"frame", "slot", "port", "onu_id"}}
        tell(
            write, EVENTS[step.name], _about(row, sn, detail), olt["name"], detail={"step": step.name, **told}
        )
        _see(write, olt, row, sn, step, detail)
    return applied


def _see(write: Write, olt: Row, row: Row, sn: str, step: Step, detail: Row) -> None:
    """What a command makes true is not waited for until the next reading."""
    o, u = models.onus, models.unconfigured
    if step.name not in (provisioning.ADD, provisioning.REMOVE):
        return
    pon = Pon(detail["frame"], detail["slot"], detail["port"])
    here = (o.c.olt_id == olt["id"], o.c.fsp == pon.fsp, o.c.onu_id == detail["onu_id"])
    write.connection.execute(delete(o).where(*here))
    if step.name == provisioning.REMOVE:
        return
    write.connection.execute(delete(u).where(u.c.sn == sn, u.c.olt_id == olt["id"]))
    added = insert(o).values(
        olt_id=olt["id"],
        **pon._asdict(),
        fsp=pon.fsp,
        onu_id=detail["onu_id"],
        position=position(pon, detail["onu_id"]),
        sn=sn,
        status="offline",
        state="offline",
        states=["offline"],
        ips=[],
        observed_at=write.now,
        **{name: detail[name] for name in ("description", "line_profile", "service_profile")},
        **{name: row[name] for name in ("cpe", "cpename", "realm")},
    )
    write.connection.execute(added)


def _about(row: Row, sn: str, detail: Row) -> Row:
    cpe = row["cpe_row"] or {}
    return {
        "sn": sn,
        "fsp": Pon(detail["frame"], detail["slot"], detail["port"]).fsp,
        "onu_id": detail["onu_id"],
        "external_id": cpe.get("external_id"),
        **{name: row[name] for name in ("cpe", "cpename", "realm")},
    }


def _settle(
    engine: Engine,
    row: Row,
    state: str,
    *,
    reason: str | None = None,
    error: str | None = None,
    olt: Row | None = None,
    place: Place | None = None,
) -> None:
    """Nothing is left to do until something changes. A change that came meanwhile has set `due` again."""
    with working(engine) as write:
        found = write.connection.execute(select(_t).where(_t.c.id == row["id"]).with_for_update())
        now = found.mappings().first()
        if now is None:
            return
        if state == provisioning.REMOVED and row["gone"]:
            if not now["stale"]:
                write.connection.execute(delete(_t).where(_t.c.id == row["id"]))
            return
        told: Row = {
            "state": state,
            "reason": reason,
            "error": error,
            "step": None,
            "attempts": 0,
            "version": now["version"] + 1,
        }
        if state != provisioning.BLOCKED:
            told |= {"former_sns": [], "redo": now["redo"] and not row["redo"], "drift": []}
        if not now["stale"] and now["due"] == row["due"]:
            told["due"] = None
        if state == provisioning.APPLIED and olt is not None and place is not None:
            at = position(Pon(*place.pon), place.onu_id or 0)
            told |= {"olt_id": olt["id"], "position": at, "applied_at": write.now}
            if now["state"] != provisioning.APPLIED or now["position"] != at:
                tell(write, OnuProvisioned, _about(row, row["sn"], asdict(place)), olt["name"])
        if state in (provisioning.REMOVED, provisioning.WAITING):
            told |= {"position": None, "olt_id": None}
        write.connection.execute(update(_t).where(_t.c.id == row["id"]).values(**told))


def _failed(engine: Engine, row: Row, error: DeviceError) -> None:
    """Tried again after a pause that grows; said when it is another failure than before."""
    with working(engine) as write:
        found = write.connection.execute(select(_t).where(_t.c.id == row["id"]).with_for_update())
        now = found.mappings().first()
        if now is None:
            return
        attempts = now["attempts"] + 1
        wait = provisioning.PAUSES[-1] if isinstance(error, HostKeyChanged) else provisioning.pause(attempts)
        told = {
            "state": provisioning.FAILED,
            "reason": error.code,
            "error": str(error),
            "attempts": attempts,
            "version": now["version"] + 1,
            "due": milliseconds() + 1000 * wait,
        }
        write.connection.execute(update(_t).where(_t.c.id == row["id"]).values(**told))
        u = models.unconfigured
        write.connection.execute(update(u).where(u.c.sn == row["sn"]).values(last_error=str(error)))
        if row["sn"] and (now["state"], now["reason"]) != (provisioning.FAILED, error.code):
            about = {
                **{name: row[name] for name in ("sn", "cpe", "cpename", "realm")},
                "fsp": (row["position"] or "").partition("-")[0],
                "external_id": (row["cpe_row"] or {}).get("external_id"),
            }
            tell(write, OnuFailed, about, error.device, error=str(error), code=error.code)


def _later(engine: Engine, row: Row, error: ApiError) -> None:
    with engine.database.write() as connection:
        connection.execute(update(_t).where(_t.c.id == row["id"]).values(due=milliseconds() + 2000))
    log.info("provisioning waits", cpe=row["cpe"], reason=str(error))
