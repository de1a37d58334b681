"""Reads a C300 or C320 over SNMP. Traffic and services of an ONU are not known where to ask for: none are
told.

Releases differ in the ifIndex of a PON, even from one table to another of one device, so that rows of
different tables meet by their place, not by ifIndex."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cached_property
from typing import TypeVar

from services.common.devices import values
from services.common.devices.snmp import Index
from services.gpon.drivers import standard
from services.gpon.drivers.base import (
    MOST_CURRENT,
    MOST_VOLTAGE,
    OltFacts,
    Onu,
    OnuDetail,
    Optics,
    Place,
    Pon,
    Position,
    Registration,
    Slot,
    Traffic,
    Unconfigured,
    optical,
)
from services.gpon.drivers.generic import GenericReader, position_in
from services.gpon.drivers.objects import Row, Table, rows, scalars, several
from services.gpon.drivers.zte import mib

T = TypeVar("T")

_MODEL = re.compile(r"\b(C[236]\d0[A-Z]?)\b")
_VERSION = re.compile(r"\b(V\d+\.\d+(?:\.\d+)*(?:[A-Z]\d*)*)", re.IGNORECASE)
_PON = re.compile(r"gpon", re.IGNORECASE)
_NUMBERED = re.compile(r"\d,")
"""What newer releases put before a serial number."""

MORE = (mib.ONU_DISTANCE, mib.ONU_VERSION)
"""Tables without which an ONU is still told."""


class ZteReader(GenericReader):
    vendor = "ZTE"

    def facts(self) -> OltFacts:
        told, cards = standard.system(self._snmp), rows(self._snmp, mib.CARDS, "cpu", optional=True)
        loads = [load for card in cards.values() if (load := share(card.get("cpu"))) is not None]
        heat = values.scaled(scalars(self._snmp, heat=mib.TEMPERATURE).get("heat"), 1, -1)
        shown = values.text(told.get("descr"))
        model, version = _MODEL.search(shown), _VERSION.search(shown)
        return standard.facts(
            self.vendor,
            told,
            model=model[1] if model else None,
            version=version[1] if version else None,
            cpu=max(loads, default=None),
            temperature=None if heat is None or abs(heat) > 250 else heat,
        )

    def slots(self) -> list[Slot]:
        found = []
        cards = rows(self._snmp, mib.CARDS, "type", "oper", "cpu", optional=True)
        for (_, shelf, slot), card in sorted(cards.items()):
            if (kind := values.words(card.get("type"))) is not None:
                state = mib.CARD_STATES.get(values.number(card.get("oper")) or 0)
                found.append(Slot(shelf, slot, type=kind, state=state, cpu=share(card.get("cpu"))))
        return found

    def pons(self) -> list[Pon]:
        states = rows(self._snmp, standard.INTERFACES, "admin", "oper", optional=True)
        lights = self._by_pon(rows(self._snmp, mib.PON_OPTICS, optional=True))
        known = {position: (ifindex, name) for ifindex, (position, name) in self._named.items()}
        for position, (ifindex, _) in lights.items():
            known.setdefault(position, (ifindex, f"gpon_{position.fsp}"))
        found = []
        for position, (ifindex, name) in sorted(known.items()):
            state, light = states.get((ifindex,), {}), lights.get(position, (0, {}))[1]
            found.append(
                Pon(
                    position,
                    ifindex,
                    name,
                    admin_state=standard.state(state.get("admin")),
                    oper_state=standard.state(state.get("oper")),
                    tx_power=level(light.get("tx")),
                    bias=values.within(values.scaled(light.get("bias"), 1000), 0, MOST_CURRENT),
                    temperature=values.within(values.scaled(light.get("temperature"), 1000, -1), -250, 250),
                    voltage=values.within(values.scaled(light.get("voltage"), 1000, 0), 0, MOST_VOLTAGE),
                )
            )
        return found

    def onus(self, pon: Position | None = None, *, full: bool | None = None) -> list[Onu]:
        full = pon is not None if full is None else full
        tables: list[tuple[Table, tuple[str, ...]]] = [
            (mib.ONU_CONFIG, ("type", "name", "desc", "sn") if full else ("name", "desc", "sn")),
            (mib.ONU_STATE, ("phase", "last_up", "last_down", "cause") if full else ("phase", "last_up")),
        ]
        if full:
            tables += [(mib.ONU_DISTANCE, ()), (mib.ONU_VERSION, ())]
        told: dict[Place, Row] = {}
        at: dict[Place, Index] = {}
        for table, names in tables:
            for place, (index, one) in self._by_onu(table, *names, pon=pon).items():
                told.setdefault(place, {}).update(one)
                if table is mib.ONU_STATE:
                    at[place] = index
        if not full:
            away = {at[place]: place for place, one in told.items() if place in at and not is_online(one)}
            for index, one in several(self._snmp, mib.ONU_STATE, list(away), "last_down", "cause").items():
                told[away[index]] |= one
        return [self._onu(place, one) for place, one in sorted(told.items()) if "sn" in one or "phase" in one]

    def _onu(self, place: Place, one: Row) -> Onu:
        phase, now = values.number(one.get("phase")), dt.datetime.now(dt.UTC)
        online = is_online(one)
        cause = mib.CAUSES.get(values.number(one.get("cause")) or 0)
        last_up = values.moment(one.get("last_up"), self._zone)
        away = mib.STATES.get(phase or 0) or (cause if cause in ("losi", "lofi", "dyinggasp") else "offline")
        return Onu(
            *place,
            sn=serial(one.get("sn")),
            type=values.words(one.get("type")) or values.words(one.get("equipment")),
            desc=values.words(one.get("desc")) or values.words(one.get("name")),
            online=online,
            raw_status=None if phase is None else mib.PHASES.get(phase),
            states=("online",) if online else (away,),
            last_up_time=last_up,
            last_down_time=values.moment(one.get("last_down"), self._zone),
            last_down_cause=cause,
            uptime=int((now - last_up).total_seconds()) if online and last_up and last_up <= now else None,
            distance=values.number(one.get("distance"), -1, values.INVALID),
            hardware_version=values.words(one.get("hardware")),
        )

    def optics(self, pon: Position | None = None, *, full: bool | None = None) -> dict[Place, Optics]:
        heard = self._by_onu(mib.ONU_RECEIVED, pon=pon)
        told = self._by_onu(mib.ONU_OPTICS, pon=pon)
        found = {}
        for place in sorted(told.keys() | heard.keys()):
            one, (_, received) = told.get(place, ((), {}))[1], heard.get(place, ((), {}))
            found[place] = Optics(
                dnrx=onu_level(one.get("rx")),
                uptx=onu_level(one.get("tx")),
                uprx=level(received.get("power")),
            )
        return found

    def unconfigured(self) -> list[Unconfigured]:
        found = []
        for index, one in sorted(rows(self._snmp, mib.UNCONFIGURED, needed=("sn",)).items()):
            if (sn := serial(one.get("sn"))) is not None:
                found.append(
                    Unconfigured(
                        sn,
                        index=str(index[0]),
                        onu_type=values.words(one.get("type")),
                        position=self._position(index[0]),
                        software_version=values.words(one.get("software")),
                        password=values.words(one.get("password")),
                    )
                )
        return found

    def onu(self, position: Position, onu_id: int) -> OnuDetail | None:
        for ifindex in self._ifindexes(position):
            told: Row = {}
            index = (ifindex, onu_id)
            for table in (mib.ONU_CONFIG, mib.ONU_STATE, mib.ONU_DISTANCE, mib.ONU_VERSION):
                told |= several(self._snmp, table, [index]).get(index, {})
            if "sn" in told or "phase" in told:
                onu = self._onu((position, onu_id), told)
                optics = self._optics_of(position, onu_id)
                return OnuDetail(onu, optics, Traffic(), registrations=_registrations(onu))
        return None

    def _optics_of(self, position: Position, onu_id: int) -> Optics:
        for ifindex in self._ifindexes(position):
            index = (ifindex, onu_id)
            one = several(self._snmp, mib.ONU_OPTICS, [(*index, 1)]).get((*index, 1), {})
            received = several(self._snmp, mib.ONU_RECEIVED, [index]).get(index, {})
            if one or received:
                return Optics(
                    dnrx=onu_level(one.get("rx")),
                    uptx=onu_level(one.get("tx")),
                    uprx=level(received.get("power")),
                )
        return Optics()

    def _by_onu(self, table: Table, *names: str, pon: Position | None) -> dict[Place, tuple[Index, Row]]:
        """Rows by the ONU's place, with the index that they have."""
        found: dict[Place, tuple[Index, Row]] = {}
        for below in [(ifindex,) for ifindex in self._ifindexes(pon)] if pon else [()]:
            needed, optional = {"sn", "phase"} & table.columns.keys(), table in MORE
            read = rows(self._snmp, table, *names, below=below, needed=needed, optional=optional)
            for index, one in read.items():
                position = pon or self._position(index[0])
                if position is not None:
                    found.setdefault((position, index[1]), (index, one))
            if found:
                break
        return found

    def _by_pon(self, told: Mapping[Index, T]) -> dict[Position, tuple[int, T]]:
        placed = ((self._position(ifindex), ifindex, one) for (ifindex, *_), one in told.items())
        return {position: (ifindex, one) for position, ifindex, one in placed if position is not None}

    def _position(self, ifindex: int) -> Position | None:
        """By its bits, which in tables of ONUs hold also where ifName has the same ifIndex for another
        port."""
        if (place := mib.place(ifindex)) is not None:
            return Position(*place)
        return self._named[ifindex][0] if ifindex in self._named else None

    def _ifindexes(self, pon: Position) -> list[int]:
        named = [ifindex for ifindex, (position, _) in self._named.items() if position == pon]
        return list(dict.fromkeys((*(mib.ifindexes(*pon) if pon.frame else ()), *named)))

    @cached_property
    def _named(self) -> dict[int, tuple[Position, str]]:
        """Of the PONs, by ifIndex: where ifName says that they are, or ifDescr where that says nothing."""
        for table, column in ((standard.INTERFACES_X, "name"), (standard.INTERFACES, "descr")):
            found = {}
            for (ifindex,), one in rows(self._snmp, table, column, optional=True).items():
                name = values.text(one.get(column))
                position = position_in(name) if _PON.match(name) and ":" not in name else None
                if position is not None:
                    found[ifindex] = (position, name)
            if found:
                return found
        return {}


def is_online(one: Row) -> bool:
    return values.number(one.get("phase")) == mib.WORKING


def serial(value: values.Value) -> str | None:
    found = values.serial(value)
    if found is None and (numbered := _NUMBERED.match(shown := values.text(value))):
        return values.serial(shown[numbered.end() :])
    return found


def share(value: values.Value) -> float | None:
    found = values.scaled(value, 1)
    return found if found is not None and 0 <= found <= 100 else None


def level(value: values.Value) -> float | None:
    return optical(values.scaled(value, 1000, *mib.NONE))


def onu_level(value: values.Value) -> float | None:
    """dBm; 0 and 65535 stand for no reading."""
    found = values.number(value, values.INVALID, 0, 65535)
    if found is None or not 0 < found < 65536:
        return None
    return optical(round((found - 65536 if found > 30_000 else found) * 0.002 - 30, 2))


def _registrations(onu: Onu) -> tuple[Registration, ...]:
    """What its last times tell."""
    up, down, cause = onu.last_up_time, onu.last_down_time, onu.last_down_cause
    if not onu.online:
        return (Registration(up, down, cause),) if up or down else ()
    before = (Registration(None, down, cause),) if down else ()
    return (*before, Registration(up, None, "noerror")) if up else before
