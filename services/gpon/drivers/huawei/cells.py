"""What SmartAX tables hold, made into plain values. Pure: rows in, values out; what makes no sense is
None."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.common.devices import values
from services.gpon.drivers import standard
from services.gpon.drivers.base import (
    MOST_CURRENT,
    MOST_VOLTAGE,
    EthernetPort,
    Onu,
    Optics,
    Position,
    Registration,
    ServicePort,
    optical,
)
from services.gpon.drivers.huawei import mib
from services.gpon.drivers.objects import Row

_FSP = re.compile(r"(\d{1,3})\s*/\s*(\d{1,3})\s*/\s*(\d{1,3})")
NO_DESCRIPTION = ("ONT_NO_DESCRIPTION", "ONTNO_DESCRIPTION")
_LOSSES = ("losi", "lofi", "dyinggasp")
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def is_pon(name: str) -> bool:
    return "PON" in name.upper() and "EPON" not in name.upper()


def position_in(text: str) -> Position | None:
    """The first frame/slot/port in a text such as `GPON 0/5/2`."""
    found = _FSP.search(text)
    return Position(*map(int, found.groups())) if found else None


def position_of(ifindex: int) -> Position | None:
    place = mib.place(ifindex)
    return None if place is None else Position(*place)


def power(value: values.Value) -> float | None:
    return optical(values.scaled(value, 100))


def current(value: values.Value) -> float | None:
    return values.within(values.scaled(value, 1, -1), 0, MOST_CURRENT)


def temperature(value: values.Value) -> float | None:
    """°C. Some releases answer in 1/256 °C: more than 250 °C is neither."""
    found = values.scaled(value, 1, -1, 32767, -32768)
    if found is not None and abs(found) > 250:
        found = round(found / 256, 1)
    return None if found is None or abs(found) > 250 else found


def voltage(value: values.Value) -> float | None:
    """V, of mV or of 0.01 V: modules run at 3.3 V, a few at 5."""
    found = values.scaled(value, 1, -1, 0)
    found = None if found is None else round(found / (1000 if found >= 1000 else 100), 3)
    return values.within(found, 0, MOST_VOLTAGE)


def share(value: values.Value) -> float | None:
    found = values.scaled(value, 1, -1)
    return found if found is not None and 0 <= found <= 100 else None


def cause(value: values.Value) -> str | None:
    return mib.CAUSES.get(values.number(value) or 0)


def optics(row: Row) -> Optics:
    received = values.number(row.get("olt_rx"), values.INVALID, -1)
    return Optics(
        dnrx=power(row.get("rx")),
        uptx=power(row.get("tx")),
        uprx=None if received is None else optical(round((received - 10_000) / 100, 2)),
        tvrx=power(row.get("catv_rx")),
        bias=current(row.get("bias")),
        temperature=temperature(row.get("temperature")),
        voltage=voltage(row.get("voltage")),
    )


def ethernet_port(number: int, row: Row) -> EthernetPort:
    return EthernetPort(
        number,
        admin=standard.state(row.get("admin")),
        oper=standard.state(row.get("oper")),
        speed=mib.SPEEDS.get(values.number(row.get("speed")) or 0),
        duplex=mib.DUPLEXES.get(values.number(row.get("duplex")) or 0),
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """`zone`: that of the device's clock, for times that it tells without one."""

    zone: dt.tzinfo = dt.UTC

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


def onu(
    position: Position,
    onu_id: int,
    row: Row,
    clock: Clock,
    addresses: Iterable[values.Value] = (),
    ports: Mapping[int, Row] | None = None,
) -> Onu:
    run, now = values.number(row.get("run")), clock.now()
    online = run == 1
    last_up = values.date_and_time(row.get("last_up"), clock.zone)
    ended_by = cause(row.get("cause"))
    desc = values.words(row.get("desc"))
    shown = (values.address(one) for one in addresses)
    return Onu(
        position,
        onu_id,
        sn=values.serial(row.get("sn")),
        type=values.words(row.get("type")),
        desc=None if desc in NO_DESCRIPTION else desc,
        line_profile=values.words(row.get("line_profile")),
        service_profile=values.words(row.get("service_profile")),
        online=online,
        raw_status=standard.state(run),
        states=("online",) if online else (ended_by if ended_by in _LOSSES else "offline",),
        last_up_time=last_up,
        last_down_time=values.date_and_time(row.get("last_down"), clock.zone),
        last_down_cause=ended_by,
        uptime=int((now - last_up).total_seconds()) if online and last_up and last_up <= now else None,
        distance=values.number(row.get("distance"), -1, values.INVALID),
        ips=tuple(one for one in shown if one is not None),
        hardware_version=values.words(row.get("hardware")),
        software_version=values.words(row.get("software")),
        ethernet_ports=tuple(ethernet_port(number, one) for number, one in sorted((ports or {}).items())),
    )


def where(row: Row) -> Position | None:
    """The PON of a service port."""
    frame, slot, port = (values.number(row.get(name)) for name in ("frame", "slot", "port"))
    return None if frame is None or slot is None or port is None else Position(frame, slot, port)


def service_port(
    number: int, row: Row, tables: Mapping[int, str], natives: Collection[int] | None = None
) -> ServicePort | None:
    """`tables`: names of traffic tables, for a device that tells their numbers only. `natives`: the native
    VLANs of the ONU's ports, None when they are not known. None for a service that is no ONU's."""
    position, onu_id = where(row), values.number(row.get("onu_id"), -1)
    if position is None or onu_id is None:
        return None
    if values.number(row.get("kind")) not in (mib.GPON_SERVICE, None):
        return None
    vlan = values.number(row.get("user_vlan"), mib.UNTAGGED, -1)
    transform = values.number(row.get("transform"))
    return ServicePort(
        number,
        position,
        onu_id,
        gem=values.number(row.get("gem"), -1),
        user_vlan=vlan,
        service_vlan=values.number(row.get("vlan"), -1),
        inbound=_traffic_table(row, "transmit", tables),
        outbound=_traffic_table(row, "receive", tables),
        inbound_id=values.number(row.get("transmit"), -1, values.INVALID),
        outbound_id=values.number(row.get("receive"), -1, values.INVALID),
        tag_transform=None if transform is None else mib.TAG_TRANSFORMS.get(transform),
        native_vlan=None if natives is None else vlan in natives,
        state=standard.state(row.get("oper")),
    )


def _traffic_table(row: Row, side: str, tables: Mapping[int, str]) -> str | None:
    if (name := values.words(row.get(f"{side}_name"))) is not None:
        return name
    number = values.number(row.get(side), -1, values.INVALID)
    return None if number is None else tables.get(number) or str(number)


def registrations(kept: Iterable[Row], told: Onu, clock: Clock) -> tuple[Registration, ...]:
    """The times that the ONU was up, oldest first: those that the device keeps, else what its last times
    tell."""
    found = [
        Registration(
            values.moment(row.get("up"), clock.zone),
            values.moment(row.get("down"), clock.zone),
            cause(row.get("cause")),
        )
        for row in kept
    ]
    found = [one for one in found if one.up or one.down]
    if found:
        return tuple(sorted(found, key=lambda one: one.up or one.down or _NEVER))
    up, down = told.last_up_time, told.last_down_time
    if not told.online:
        return (Registration(up, down, told.last_down_cause),) if up or down else ()
    before = (Registration(None, down, told.last_down_cause),) if down else ()
    return (*before, Registration(up, None, "noerror")) if up else before
