"""Questions to OLTs: a device is read, what it says is kept, and the answer is what the caller may see of it.

A PON that was read within seconds is not read again: who asks often gets the same reading.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from services.common.context import Context
from services.common.database.columns import now as this_second
from services.common.devices.errors import DeviceError
from services.common.devices.native import native
from services.common.errors import InvalidInput, NotFound
from services.common.fields import Boolean
from services.common.resource.engine import Engine
from services.common.resource.query import values_of
from services.common.resource.representation import dumps
from services.common.resource.sql import values
from services.common.rpc.reply import Reply
from services.common.types import Row, serial_number
from services.gpon import desire, devices, models, observing, reading
from services.gpon.contract import OLTS, ONUS, PATIENCE
from services.gpon.converging import configured, pin_host_key, wanted
from services.gpon.domain import info as shape
from services.gpon.domain import listing, naming, provisioning
from services.gpon.domain import observing as rules
from services.gpon.domain.naming import Pon
from services.gpon.drivers.base import Onu, OnuDetail, ServicePort

_AT = ("", 0)
_UNTOLD = frozenset((provisioning.NATIVE, provisioning.RF_ON, provisioning.RF_OFF))
"""What SNMP does not tell of an ONU's configuration."""

FRESH, NOW = 5.0, 1.0
"""Seconds within which a reading answers the next question, too, and one with `refresh=true`."""
FULL = 2
"""How deep a reading goes: 0, states; 1, optical levels, too; 2, all that is known of an ONU."""

Places = dict[str, str]
Pairs = list[tuple[str, str]]
_o = models.onus


class Questions:
    """One for each process: it knows what was read when."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, Pon | None, int], float] = {}
        self._locks: dict[tuple[int, Pon | None], threading.Lock] = {}
        self._dark: dict[int, float] = {}

    # ---- lists ------------------------------------------------------------------------------------

    def rows(self, engine: Engine, context: Context, kind: str, places: Places, parameters: Pairs) -> Reply:
        """`status`, `txrx` or `report` of a PON or a whole OLT, by place."""
        olt, pon = self._asked(engine, context, places, parameters)
        make: Callable[[str, Row], Row] = getattr(listing, kind)
        return _reply([make(olt["name"], one) for one in self.visible(engine, context, olt, pon)])

    def bandwidth(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> Reply:
        olt, pon = self.place(engine, context, places)
        _, traffic = self.ask(olt, reading.traffic, olt, pon)
        by_place = {(Pon(*at).fsp, onu_id): one for (at, onu_id), one in traffic.items()}
        rows = []
        for one in self.visible(engine, context, olt, pon):
            told = by_place.get((one["fsp"], one["onu_id"]))
            figures = {"dnbw": told.dnbw, "upbw": told.upbw} if told else None
            rows.append(listing.bandwidth(olt["name"], one, figures))
        return _reply(rows)

    def visible(self, engine: Engine, context: Context, olt: Row, pon: Pon | None) -> list[Row]:
        """The ONUs that the caller may see, by place."""
        source = engine.source(ONUS, context)
        mine = [source.visible(), _o.c.olt_id == olt["id"]]
        if pon is not None:
            mine.append(_o.c.fsp == pon.fsp)
        chosen = select(_o).where(*mine).order_by(_o.c.frame, _o.c.slot, _o.c.port, _o.c.onu_id)
        bound = values(context, ONUS)
        return engine.database.reading(
            lambda one: [dict(row) for row in one.execute(chosen, bound).mappings()]
        )

    # ---- the tree ---------------------------------------------------------------------------------

    def slots(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> list[Row]:
        """The boards of the OLT, or of the frame or slot that the places name."""
        olt, _ = self.place(engine, context, {"olt": places["olt"]})
        pons = self._pons(engine, context, places, parameters)

        def read() -> list[Row]:
            with devices.reader(olt) as driver:
                return [_fields(one) for one in driver.slots()]

        boards = {(one["frame"], one["slot"]): one for one in self.ask(olt, read)}
        for one in pons:
            at = int(one["frame"]), int(one["slot"])
            boards.setdefault(at, {"frame": at[0], "slot": at[1], "type": None, "state": None})
        counted = Counter((int(one["frame"]), int(one["slot"])) for one in pons)
        return [
            {**board, "frame": str(at[0]), "slot": str(at[1]), "ports": counted[at]}
            for at, board in sorted(boards.items())
            if _matches(places, at)
        ]

    def frames(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> list[Row]:
        found: dict[str, Row] = {}
        for slot in self.slots(engine, context, places, parameters):
            frame = found.setdefault(slot["frame"], {"frame": slot["frame"], "slots": 0, "ports": 0})
            frame["slots"] += 1
            frame["ports"] += slot["ports"]
        return list(found.values())

    def _pons(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> list[Row]:
        """The PONs below the places; read again unless that was just done."""
        olt, _ = self.place(engine, context, {"olt": places["olt"]})
        if (within := _within(parameters)) is not None:
            self.fresh(engine, olt, None, within, levels=False)
        p = models.pons
        source = engine.source(ONUS, context)
        counted = (
            select(_o.c.fsp, _o.c.state, func.count())
            .where(source.visible(), _o.c.olt_id == olt["id"])
            .group_by(_o.c.fsp, _o.c.state)
        )
        mine = select(p).where(p.c.olt_id == olt["id"]).order_by(p.c.frame, p.c.slot, p.c.port)

        def work(connection: Any) -> list[Row]:
            states: dict[str, dict[str, int]] = {}
            for fsp, state, number in connection.execute(counted, values(context, ONUS)):
                states.setdefault(fsp, {})[state] = number
            found = connection.execute(mine).mappings()
            return [
                listing.pon(olt["name"], dict(row), states.get(row["fsp"], {}), olt["max_onus"])
                for row in found
            ]

        return [
            one
            for one in engine.database.reading(work)
            if _matches(places, (int(one["frame"]), int(one["slot"]), int(one["port"])))
        ]

    def pons(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> list[Row]:
        return self._pons(engine, context, places, parameters)

    # ---- what is configured -----------------------------------------------------------------------

    def provisioned(
        self, engine: Engine, context: Context, places: Places, parameters: Pairs, *, different: bool = False
    ) -> list[Row]:
        """What the OLT has of each ONU, beside what the books want; `different`: only where that differs."""
        olt, _ = self.place(engine, context, places)
        onus, ports = self.ask(olt, reading.configuration, olt)
        books = self._books(engine, [one["cpe"] for one in self.visible(engine, context, olt, None)])
        rows = []
        for one in self.visible(engine, context, olt, None):
            have = onus.get((one["fsp"], one["onu_id"]))
            if have is None or have.sn != one["sn"]:
                continue
            mine = ports.get((one["fsp"], one["onu_id"]), [])
            row = self._provisioned(engine, olt, one, have, mine, books.get(one["cpe"]))
            if row["mismatches"] or not different:
                rows.append(row)
        return rows

    def _provisioned(
        self, engine: Engine, olt: Row, one: Row, have: Onu, ports: list[ServicePort], cpe: Row | None
    ) -> Row:
        differs: list[str] = []
        if cpe is not None and provisioning.blocked(cpe) is None:
            (found,) = reading.as_configured({_AT: have}, {_AT: ports})
            seen = configured(found, str(have.sn))
            left = provisioning.steps(wanted(engine, cpe, olt), [seen], None)
            differs = provisioning.drift([step for step in left if step.name not in _UNTOLD])
        return {
            **{name: listing.identity(olt["name"], one)[name] for name in ("olt", "fsp", "onu_id", "sn")},
            "type": one["type"],
            "desc": one["description"],
            "cpe": one["cpe"],
            "active": bool(cpe and cpe["active"]),
            "access": bool(cpe and cpe["access"]),
            "model": ((cpe or {}).get("model") or {}).get("id"),
            "service_ports": [
                {
                    "id": port.id,
                    "user_vlan": port.user_vlan,
                    "service_vlan": port.service_vlan,
                    "type": "by" if port.user_vlan is not None else "si",
                    "native_vlan": int(port.native_vlan) if port.native_vlan is not None else None,
                }
                for port in ports
            ],
            "mismatches": differs,
        }

    def _books(self, engine: Engine, cpes: list[int | None]) -> dict[int, Row]:
        t = models.provisionings
        wanted_ids = sorted({one for one in cpes if one is not None})

        def work(connection: Any) -> dict[int, Row]:
            found: dict[int, Row] = {}
            for first in range(0, len(wanted_ids), 500):
                mine = select(t.c.cpe, t.c.cpe_row).where(t.c.cpe.in_(wanted_ids[first : first + 500]))
                found |= {cpe: row for cpe, row in connection.execute(mine) if row is not None}
            return found

        return engine.database.reading(work)

    # ---- one ONU ----------------------------------------------------------------------------------

    def onu_at(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> Reply:
        olt, pon = self._asked(engine, context, places, parameters)
        number = _number("onu_id", places)
        found = [one for one in self.visible(engine, context, olt, pon) if one["onu_id"] == number]
        if not found:
            raise NotFound()
        return _reply(self._detail(engine, olt, found[0]))

    def onu(self, engine: Engine, context: Context, places: Places, parameters: Pairs) -> Reply:
        row = self.find(engine, context, places["sn"])
        if row is None:
            raise NotFound()
        olt = devices.olt(engine, row["olt_id"])
        assert olt is not None
        return _reply(self._detail(engine, olt, row))

    def find(self, engine: Engine, context: Context, sn: str) -> Row | None:
        """The row of a serial that the caller may see; one that is up before one that is not."""
        try:
            written = serial_number(sn)
        except ValueError as error:
            raise InvalidInput({"sn": [str(error)]}) from None
        source = engine.source(ONUS, context)
        chosen = (
            select(_o)
            .where(source.visible(), _o.c.sn == written)
            .order_by(_o.c.status.desc(), _o.c.id.desc())
            .limit(1)
        )
        bound = values(context, ONUS)
        found = engine.database.reading(lambda one: one.execute(chosen, bound).mappings().first())
        return None if found is None else dict(found)

    def _detail(self, engine: Engine, olt: Row, row: Row) -> Row:
        pon = Pon(row["frame"], row["slot"], row["port"])
        told = self.ask(olt, reading.detail, olt, pon, row["onu_id"])
        if told is None:
            raise NotFound()
        found, now = self._seen(engine, olt, row, told)
        name = olt["name"]
        return {
            **listing.status(name, now),
            "sn_ascii": naming.ascii_form(now["sn"]) if now["sn"] else None,
            "status": "up" if now["status"] == "online" else "down",
            "reg_status": now["states"],
            "uptime": now["uptime"],
            "type_name": now["type"],
            **{one: now[one] for one in ("line_profile", "service_profile", "distance")},
            **{one: now[one] for one in ("hardware_version", "software_version")},
            **{one: now[one] for one in listing.LEVELS},
            "catvrx": now["tvrx"],
            "dnbw": round(found.traffic.dnbw or 0),
            "upbw": round(found.traffic.upbw or 0),
            "alarms": [_fields(one) for one in found.alarms],
            "service_ports": [shape.service_port(_fields(one)) for one in found.service_ports],
            "memento": None,
            "registrations": self._registrations(engine, olt, now, found),
            "ethernet_ports": [_fields(one) for one in found.onu.ethernet_ports],
            "cpe": _cpe(engine, row["cpe"]),
            "observed_at": now["observed_at"],
        }

    def _seen(self, engine: Engine, olt: Row, row: Row, told: Any) -> tuple[OnuDetail, Row]:
        """(what was read, the stored row with it)."""
        found, sent, host_key = told
        pin_host_key(engine, olt, host_key)
        now = {**row, **reading.onu_row(found.onu), **reading.levels(found.onu, sent, found.optics)}
        now["pondesv"] = row["pondesv"] if now["status"] == "online" else None
        now["observed_at"] = this_second()
        now |= {name: engine.local(now[name]) for name in ("last_up_time", "last_down_time", "observed_at")}
        up = found.onu.uptime
        now["uptime"] = (
            up
            if up is not None
            else rules.uptime(engine.settings, now["status"], now["last_up_time"], now["observed_at"])
        )
        return found, now

    def _registrations(self, engine: Engine, olt: Row, now: Row, found: OnuDetail) -> list[Row]:
        """What the OLT remembers, else what was seen from here."""
        if found.registrations:
            return [
                {"from": engine.local(one.up), "to": engine.local(one.down), "cause": one.cause}
                for one in found.registrations
            ]
        t = models.registrations
        mine = select(t).where(t.c.sn == now["sn"], t.c.olt_id == olt["id"]).order_by(t.c.id.desc()).limit(20)
        rows = engine.database.reading(lambda one: one.execute(mine).mappings().all())
        return [{"from": one["started"], "to": one["ended"], "cause": one["cause"]} for one in rows]

    def info(self, engine: Engine, cpe: Row) -> Row:
        """Of a CPE that the caller may see. A device that does not answer: what was known of it last."""
        row = newest(engine, cpe["sn"])
        if row is None:
            return shape.never_registered()
        olt = devices.olt(engine, row["olt_id"])
        assert olt is not None
        try:
            told = self.ask(
                olt, reading.detail, olt, Pon(row["frame"], row["slot"], row["port"]), row["onu_id"]
            )
        except DeviceError:
            return shape.info(olt["name"], row, reachable=False)
        if told is None:
            return shape.info(olt["name"], row, reachable=False)
        detail, now = self._seen(engine, olt, row, told)
        return shape.info(
            olt["name"],
            now,
            alarms=[_fields(one) for one in detail.alarms],
            service_ports=[_fields(one) for one in detail.service_ports],
            traffic=_fields(detail.traffic),
            ethernet_ports=[_fields(one) for one in detail.onu.ethernet_ports],
        )

    # ---- asking -----------------------------------------------------------------------------------

    def ask(self, olt: Row, work: Callable[..., Any], *arguments: Any) -> Any:
        return native(work, *arguments, seconds=PATIENCE - 2, device=olt["name"])

    def fresh(
        self,
        engine: Engine,
        olt: Row,
        pon: Pon | None,
        within: float,
        *,
        levels: bool = True,
        full: bool = False,
    ) -> None:
        """Read it, unless that was done within so many seconds, and told as much. Raises `DeviceError`, which
        is kept, too."""
        asked, depth = time.monotonic(), FULL if full else int(levels)
        with self._locks.setdefault((olt["id"], pon), threading.Lock()):
            last = self._last(olt["id"], pon, depth)
            if last and (last >= asked or time.monotonic() - last < within):
                return
            try:
                found = self.ask(olt, reading.read, olt, levels, pon, full)
            except DeviceError as error:
                observing.unreachable(engine, olt, error)
                raise
            if levels and not found.levels:
                self._dark[olt["id"]] = time.monotonic()
            desire.look(engine, observing.keep(engine, olt, found))
            depth = FULL if levels and (full or pon is not None) else depth
            self._read[olt["id"], pon, depth] = time.monotonic()

    def failed_on_levels(self, olt_id: int, within: float) -> bool:
        """Whether it was asked for optical levels in the last so many seconds, and did not tell them."""
        return time.monotonic() - self._dark.get(olt_id, -within) < within

    def forget(self, olt_id: int) -> None:
        """Something was changed on the OLT: what was read before answers nothing more."""
        for key in [one for one in self._read if one[0] == olt_id]:
            self._read.pop(key, None)

    def _last(self, olt_id: int, pon: Pon | None, depth: int) -> float:
        """When it, or the whole OLT, was read so deeply the last time; 0.0: never."""
        places = {pon, None}
        return max(self._read.get((olt_id, at, one), 0.0) for at in places for one in range(depth, FULL + 1))

    def _asked(
        self, engine: Engine, context: Context, places: Places, parameters: Pairs
    ) -> tuple[Row, Pon | None]:
        olt, pon = self.place(engine, context, places)
        if (within := _within(parameters)) is not None:
            self.fresh(engine, olt, pon, within)
        return self._there(engine, olt, pon)

    def known(self, engine: Engine, context: Context, places: Places) -> tuple[Row, Pon | None]:
        """`place`, of a PON that was seen. Raises `NotFound`."""
        return self._there(engine, *self.place(engine, context, places))

    def _there(self, engine: Engine, olt: Row, pon: Pon | None) -> tuple[Row, Pon | None]:
        if pon is not None and not self._known(engine, olt, pon):
            raise NotFound()
        return olt, pon

    def _known(self, engine: Engine, olt: Row, pon: Pon) -> bool:
        p = models.pons
        mine = select(p.c.id).where(p.c.olt_id == olt["id"], p.c.fsp == pon.fsp)
        return engine.database.reading(lambda one: one.execute(mine).first()) is not None

    def place(self, engine: Engine, context: Context, places: Places) -> tuple[Row, Pon | None]:
        """The OLT, and the PON if there is one. Raises `NotFound` for what the caller may not see."""
        olt = self.olt(engine, context, places["olt"])
        if "port" not in places:
            return olt, None
        return olt, Pon(*(_number(name, places) for name in ("frame", "slot", "port")))

    def olt(self, engine: Engine, context: Context, key: str) -> Row:
        id_ = engine.database.reading(lambda one: engine.resolve(one, OLTS, key, context))
        found = devices.olt(engine, id_)
        if found is None:
            raise NotFound()
        return found


def newest(engine: Engine, sn: str | None) -> Row | None:
    """The row of a serial, whoever may see it; one that is up before one that is not."""
    if not sn:
        return None
    mine = select(_o).where(_o.c.sn == sn).order_by(_o.c.status.desc(), _o.c.id.desc()).limit(1)
    found = engine.database.reading(lambda one: one.execute(mine).mappings().first())
    return None if found is None else dict(found)


def _within(parameters: Pairs) -> float | None:
    """How old a reading may be; None: however old."""
    asked = values_of(parameters, "refresh")
    if not asked:
        return FRESH
    try:
        return NOW if Boolean(name="refresh").parse(asked[-1]) else None
    except ValueError as error:
        raise InvalidInput({"refresh": [str(error)]}) from None


def _number(name: str, places: Places) -> int:
    try:
        return naming.number(places[name])
    except ValueError:
        raise NotFound() from None


def _matches(places: Places, at: tuple[int, ...]) -> bool:
    names = ("frame", "slot", "port")[: len(at)]
    return all(
        name not in places or _number(name, places) == one for name, one in zip(names, at, strict=True)
    )


def _cpe(engine: Engine, id_: int | None) -> Row | None:
    if id_ is None:
        return None
    t = models.provisionings
    found = engine.database.reading(
        lambda one: one.execute(select(t).where(t.c.cpe == id_)).mappings().first()
    )
    if found is None:
        return None
    cpe = found["cpe_row"] or {}
    profile, model = cpe.get("profile") or {}, cpe.get("model") or {}
    return {
        "id": id_,
        "name": found["cpename"],
        **{one: cpe.get(one) for one in ("external_id", "active", "access", "line_profile", "topology")},
        "model": model.get("id"),
        "downstream": profile.get("downstream"),
        "upstream": profile.get("upstream"),
    }


def _fields(one: Any) -> Row:
    return {name: getattr(one, name) for name in type(one).__dataclass_fields__}


def _reply(value: Any) -> Reply:
    return Reply(dumps(value))
