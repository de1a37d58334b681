"""Reads a SmartAX over SNMP. No table is taken to be there, complete or in order."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Self, TypeVar

from services.common.devices import values
from services.common.devices.access import SnmpAccess
from services.common.devices.native import genuine
from services.common.devices.snmp import Index, Snmp
from services.gpon.drivers import standard
from services.gpon.drivers.base import (
    Alarm,
    Counted,
    Counters,
    OltFacts,
    Onu,
    OnuDetail,
    Optics,
    Place,
    Pon,
    Position,
    ServicePort,
    Slot,
    Traffic,
    Unconfigured,
    traffic_between,
)
from services.gpon.drivers.huawei import alarms, cells, mib
from services.gpon.drivers.objects import Row, Table, row, rows, several

clock = genuine("time")

INTERVAL = 2.0
"""Seconds between two readings of counters."""

SERVICE = ("frame", "slot", "port", "onu_id", "gem", "vlan", "user_vlan")
"""What a service port is not told without."""

T = TypeVar("T")

_MODEL = re.compile(r"\b(MA5\d{3}[A-Z]?(?:-X\d+)?)", re.IGNORECASE)
_VERSION = re.compile(r"(V\d{3}R\d{3}[A-Z0-9]*)", re.IGNORECASE)


class HuaweiReader:
    vendor = "Huawei"

    def __init__(self, device: str, access: SnmpAccess, zone: dt.tzinfo = dt.UTC) -> None:
        self._snmp = Snmp(device, access)
        self._clock = cells.Clock(zone)
        self._where: dict[Place, Index] = {}

    def __enter__(self) -> Self:
        self._snmp.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._snmp.__exit__(None, None, None)

    @property
    def failed(self) -> Mapping[str, str]:
        return self._snmp.failed

    def facts(self) -> OltFacts:
        told, chassis, boards = standard.system(self._snmp), standard.chassis(self._snmp), self.slots()
        texts = [values.text(told.get("descr")), *map(values.text, chassis.values())]
        if not any(map(_MODEL.search, texts)):
            texts += self._descriptions.values()
        return standard.facts(
            self.vendor,
            told,
            model=_first(_MODEL, texts),
            version=_first(_VERSION, texts),
            cpu=max((one.cpu for one in boards if one.cpu is not None), default=None),
            temperature=max((one.temperature for one in boards if one.temperature is not None), default=None),
        )

    def slots(self) -> list[Slot]:
        boards, places = (rows(self._snmp, table, optional=True) for table in (mib.BOARDS, mib.SLOTS))
        found = []
        for index in sorted(boards.keys() | places.keys()):
            board, place = boards.get(index, {}), places.get(index, {})
            names = (board.get("type"), place.get("type"), place.get("desc"))
            kind = next((name for name in map(values.words, names) if name), None)
            if kind is None:
                continue
            heat = cells.temperature(board.get("temperature"))
            found.append(
                Slot(
                    index[0],
                    index[1],
                    type=kind,
                    state=mib.SLOT_STATES.get(values.number(place.get("oper")) or 0),
                    cpu=cells.share(board.get("cpu")),
                    temperature=cells.temperature(place.get("temperature")) if heat is None else heat,
                )
            )
        return found

    def pons(self) -> list[Pon]:
        states = rows(self._snmp, standard.INTERFACES, "admin", "oper", optional=True)
        optics, control = (
            rows(self._snmp, table, optional=True) for table in (mib.PON_OPTICS, mib.PON_CONTROL)
        )
        known = {ifindex: "" for (ifindex,) in [*optics, *control]} | self._names
        found = []
        for ifindex, name in known.items():
            if (position := self._position(ifindex)) is None:
                continue
            state, light = states.get((ifindex,), {}), optics.get((ifindex,), {})
            lit = standard.state(control.get((ifindex,), {}).get("oper"))
            found.append(
                Pon(
                    position,
                    ifindex,
                    name or f"GPON {position.fsp}",
                    type="xgspon" if name.upper().startswith("X") else "gpon",
                    admin_state=standard.state(state.get("admin")),
                    oper_state=standard.state(state.get("oper")) or lit,
                    tx_power=cells.power(light.get("tx")),
                    bias=cells.current(light.get("bias")),
                    temperature=cells.temperature(light.get("temperature")),
                    voltage=cells.voltage(light.get("voltage")),
                )
            )
        return sorted(found, key=lambda pon: (pon.position, pon.type))

    def onus(self, pon: Position | None = None, *, full: bool | None = None) -> list[Onu]:
        full = pon is not None if full is None else full
        told = self._onus_full(pon) if full else self._onus(pon)
        addresses: dict[Index, list[values.Value]] = {}
        if full:
            for index, one in self._rows(mib.ONT_IP, pon=pon, optional=True).items():
                addresses.setdefault(index[:2], []).append(one.get("address"))
        here: dict[Place, Onu] = {}
        for index, one in sorted(told.items()):
            if (position := self._position(index[0])) is None:
                continue
            onu = cells.onu(position, index[1], one, self._clock, addresses.get(index, ()))
            place = position, onu.onu_id
            if place not in here or _rank(onu) > _rank(here[place]):
                here[place] = replace(onu, ifindex=index[0])
                self._where[place] = index
        return sorted(here.values(), key=lambda onu: (onu.position, onu.onu_id))

    def _rows(
        self,
        table: Table,
        *names: str,
        pon: Position | None,
        needed: Collection[str] = (),
        optional: bool = False,
    ) -> dict[Index, Row]:
        """Of the whole OLT, or of all interfaces of a PON."""
        found: dict[Index, Row] = {}
        for below in self._below(pon):
            found |= rows(self._snmp, table, *names, below=below, needed=needed, optional=optional)
        return found

    def _onus(self, pon: Position | None) -> dict[Index, Row]:
        """What tells the state, and of the few that are away since when and why."""
        told = _joined(
            self._rows(mib.ONT_CONFIG, "sn", "desc", pon=pon, needed=("sn",)),
            self._rows(mib.ONT_CONTROL, "run", "last_up", pon=pon, needed=("run",)),
        )
        self._fill(told)
        away = [index for index, one in told.items() if values.number(one.get("run")) != 1]
        for index, more in several(self._snmp, mib.ONT_CONTROL, away, "last_down", "cause").items():
            told[index] |= more
        return told

    def _onus_full(self, pon: Position | None) -> dict[Index, Row]:
        config = ("sn", "line_profile", "service_profile", "desc")
        control = ("run", "distance", "last_up", "last_down", "cause")
        told = _joined(
            self._rows(mib.ONT_CONFIG, *config, pon=pon, needed=("sn",)),
            self._rows(mib.ONT_CONTROL, *control, pon=pon, needed=("run",)),
            self._rows(mib.ONT_VERSION, pon=pon, optional=True),
        )
        self._fill(told)
        return told

    def _fill(self, told: dict[Index, Row]) -> None:
        """What tells whether it is an ONU, and whether it is up, is asked for again where a walk left it out:
        rows come between two walks, and agents skip some."""
        for table, name in ((mib.ONT_CONFIG, "sn"), (mib.ONT_CONTROL, "run")):
            holes = [index for index, one in told.items() if name not in one]
            if len(holes) < len(told):
                for index, more in several(self._snmp, table, holes, name).items():
                    told[index] |= more

    def optics(self, pon: Position | None = None, *, full: bool | None = None) -> dict[Place, Optics]:
        full = pon is not None if full is None else full
        names = ("rx", "tx", "olt_rx", "catv_rx", *(("bias", "temperature", "voltage") if full else ()))
        told = self._rows(mib.ONT_OPTICS, *names, pon=pon)
        return self._placed({index: cells.optics(one) for index, one in told.items()})

    def counters(self, pon: Position | None = None) -> dict[Place, Counters]:
        found: dict[Index, dict[str, Counted]] = {}
        for name in ("down", "up"):
            read = self._rows(mib.ONT_STATISTICS, name, pon=pon)
            now = clock.monotonic()
            for index, one in read.items():
                if (octets := values.number(one.get(name), -1)) is not None:
                    found.setdefault(index, {})[name] = Counted(now, octets)
        return self._placed({index: Counters(**one) for index, one in found.items()})

    def traffic(
        self, pon: Position | None = None, *, before: Mapping[Place, Counters] | None = None
    ) -> dict[Place, Traffic]:
        if before is None:
            before = self.counters(pon)
            clock.sleep(INTERVAL)
        return traffic_between(before, self.counters(pon))

    def unconfigured(self) -> list[Unconfigured]:
        found = []
        for index, one in sorted(rows(self._snmp, mib.AUTOFIND, needed=("sn",)).items()):
            if (sn := values.serial(one.get("sn"))) is None:
                continue
            found.append(
                Unconfigured(
                    sn,
                    index=str(index[0]),
                    onu_type=values.words(one.get("type")),
                    position=self._position(index[0]),
                    hardware_version=values.words(one.get("hardware")),
                    software_version=values.words(one.get("software")),
                    password=values.words(one.get("password")),
                )
            )
        return found

    def service_ports(self, pon: Position | None = None, onu_id: int | None = None) -> list[ServicePort]:
        told = (
            rows(self._snmp, mib.SERVICE_PORTS, needed=SERVICE)
            if onu_id is None
            else self._of_onu(pon, onu_id)
        )
        if pon is not None:
            told = {index: one for index, one in told.items() if cells.where(one) == pon}
        tables, natives = self._traffic_tables(told.values()), self._native_vlans(pon, onu_id)
        found = []
        for (number,), one in sorted(told.items()):
            place = cells.where(one), values.number(one.get("onu_id"))
            port = cells.service_port(
                number, one, tables, natives.get(place, ()) if natives is not None else None
            )
            if port is not None:
                found.append(port)
        return found

    def _of_onu(self, pon: Position | None, onu_id: int) -> dict[Index, Row]:
        """The table is by service port, not by ONU: one column is looked through, then the few others."""
        same = rows(self._snmp, mib.SERVICE_PORTS, "onu_id")
        mine = [index for index, one in same.items() if values.number(one.get("onu_id")) == onu_id]
        if pon is not None:
            there = several(self._snmp, mib.SERVICE_PORTS, mine, "frame", "slot", "port")
            mine = [index for index, one in there.items() if cells.where(one) == pon]
        return several(self._snmp, mib.SERVICE_PORTS, mine)

    def _native_vlans(self, pon: Position | None, onu_id: int | None) -> dict[object, set[int]] | None:
        """By place. None for a whole OLT: too much to ask for."""
        if pon is None:
            return None
        told: dict[Index, Row] = {}
        for below in self._below(pon):
            below = below if onu_id is None else (*below, onu_id)
            told |= rows(self._snmp, mib.ONT_ETHERNET, "native_vlan", below=below, optional=True)
        found: dict[object, set[int]] = {}
        for index, one in told.items():
            if (vlan := values.number(one.get("native_vlan"))) is not None:
                found.setdefault((pon, index[1]), set()).add(vlan)
        return found

    def _traffic_tables(self, told: Iterable[Row]) -> dict[int, str]:
        """Their names by number, asked for only where the service ports tell numbers alone."""
        if all("receive_name" in one or "receive" not in one for one in told):
            return {}
        named = rows(self._snmp, mib.TRAFFIC_TABLES, optional=True)
        return {index[0]: values.text(one.get("name")) for index, one in named.items()}

    def onu(self, position: Position, onu_id: int) -> OnuDetail | None:
        here, told = (position, onu_id), dict[Index, Row]()
        for below in self._below(position):
            index = (*below, onu_id)
            for table in (mib.ONT_CONFIG, mib.ONT_CONTROL, mib.ONT_VERSION):
                told.setdefault(index, {}).update(row(self._snmp, table, index))
        if not (there := [index for index, one in told.items() if _is_onu(one)]):
            return None
        index = max(there, key=lambda one: _rank(cells.onu(position, onu_id, told[one], self._clock)))
        begin, before = clock.monotonic(), {here: self._counters(index)}
        addressed = rows(self._snmp, mib.ONT_IP, below=index, optional=True)
        addresses = [one.get("address") for one in addressed.values()]
        ports = rows(self._snmp, mib.ONT_ETHERNET, below=index, optional=True)
        onu = cells.onu(
            position,
            onu_id,
            told[index],
            self._clock,
            addresses,
            {port[-1]: one for port, one in ports.items()},
        )
        optics = cells.optics(row(self._snmp, mib.ONT_OPTICS, index))
        services = self.service_ports(position, onu_id)
        kept = rows(self._snmp, mib.ONT_REGISTRATIONS, below=index, optional=True).values()
        if onu.online and before[here] != Counters():
            clock.sleep(max(0.0, begin + INTERVAL - clock.monotonic()))
        traffic = traffic_between(before, {here: self._counters(index)})[here]
        return OnuDetail(
            replace(onu, ifindex=index[0]),
            optics,
            traffic,
            tuple(services),
            _alarms(onu, told[index]),
            cells.registrations(kept, onu, self._clock),
        )

    def _counters(self, index: Index) -> Counters:
        one, now = row(self._snmp, mib.ONT_STATISTICS, index), clock.monotonic()
        down, up = (values.number(one.get(name), -1) for name in ("down", "up"))
        return Counters(
            down=None if down is None else Counted(now, down), up=None if up is None else Counted(now, up)
        )

    def _below(self, pon: Position | None) -> list[Index]:
        """What the indexes of the rows of a PON begin with: its ifIndex. A combo port has two, one of GPON
        and one of XGS-PON."""
        if pon is None:
            return [()]
        named = sorted(ifindex for ifindex, name in self._names.items() if cells.position_in(name) == pon)
        return [(ifindex,) for ifindex in named or [mib.ifindex(*pon)]]

    def _placed(self, told: Mapping[Index, T]) -> dict[Place, T]:
        found = {}
        for index, one in sorted(told.items(), key=lambda item: item[0]):
            if (position := self._position(index[0])) is not None:
                place = position, index[1]
                if place not in found or self._where.get(place) == index:
                    found[place] = one
        return found

    def _position(self, ifindex: int) -> Position | None:
        return self._positions.get(ifindex) or cells.position_of(ifindex)

    @cached_property
    def _positions(self) -> dict[int, Position]:
        found = {ifindex: cells.position_in(name) for ifindex, name in self._names.items()}
        return {ifindex: position for ifindex, position in found.items() if position is not None}

    @cached_property
    def _names(self) -> dict[int, str]:
        """Of the PONs, by ifIndex: ifName, or ifDescr where that tells the place."""
        told = rows(self._snmp, standard.INTERFACES_X, "name", optional=True)
        names = {index[0]: values.text(one.get("name")) for index, one in told.items()}
        found = {ifindex: name for ifindex, name in names.items() if cells.is_pon(name)}
        if found:
            return found
        return {ifindex: name for ifindex, name in self._descriptions.items() if cells.position_in(name)}

    @cached_property
    def _descriptions(self) -> dict[int, str]:
        told = rows(self._snmp, standard.INTERFACES, "descr", optional=True)
        names = {index[0]: values.text(one.get("descr")) for index, one in told.items()}
        return {ifindex: name for ifindex, name in names.items() if cells.is_pon(name)}


def _joined(*tables: Mapping[Index, Row]) -> dict[Index, Row]:
    """Rows of tables with one index, made one: an ONU is there when any of them has what makes it one."""
    told: dict[Index, Row] = {}
    for table in tables:
        for index, one in table.items():
            told.setdefault(index, {}).update(one)
    return {index: one for index, one in told.items() if _is_onu(one)}


def _rank(onu: Onu) -> tuple[bool, bool]:
    """Which of two rows of one place tells more: a combo port may have its ONUs under both ifIndexes."""
    return onu.online, onu.sn is not None


def _is_onu(one: Row) -> bool:
    return "sn" in one or "run" in one


def _alarms(onu: Onu, told: Row) -> tuple[Alarm, ...]:
    """Those that its state means. The command line may tell of others."""
    failed = values.number(told.get("config")) in mib.CONFIG_FAILED
    meant = ("recovery" if failed else None) if onu.online else onu.last_down_cause
    found = alarms.of_state(meant)
    return () if found is None else (found,)


def _first(pattern: re.Pattern[str], texts: Iterable[str]) -> str | None:
    return next((found[1].upper() for one in texts if (found := pattern.search(one))), None)
