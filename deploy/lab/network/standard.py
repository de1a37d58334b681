"""SNMPv2-MIB system, IF-MIB and ENTITY-MIB, for every device of the lab."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid
from deploy.lab.network.view import Index, Setter, Table, scalars

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
ENT_PHYSICAL: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)

UP, DOWN = 1, 2
CHASSIS, CONTAINER, MODULE, PORT = 3, 5, 9, 10
"""PhysicalClass."""


def date_and_time(when: float | None) -> bytes:
    """DateAndTime (SNMPv2-TC) in UTC; zeros for never."""
    if when is None:
        return ber.octets(bytes(8))
    at = dt.datetime.fromtimestamp(when, dt.UTC)
    day = at.year.to_bytes(2, "big") + bytes((at.month, at.day, at.hour, at.minute, at.second, 0))
    return ber.octets(day + b"+\0\0")


def system(
    description: Callable[[], str | bytes],
    object_id: Oid,
    uptime: Callable[[], float],
    name: str,
    location: str,
) -> Table:
    return scalars(
        SYSTEM,
        {
            1: lambda: ber.octets(description()),
            2: lambda: ber.oid(object_id),
            3: lambda: ber.timeticks(uptime()),
            4: lambda: ber.octets("noc@lab.example"),
            5: lambda: ber.octets(name),
            6: lambda: ber.octets(location),
            7: lambda: ber.integer(78),
        },
    )


@dataclass(frozen=True)
class Interface:
    """`octets()`: in and out since the device booted; `speed` in bit/s."""

    index: int
    descr: str
    name: str
    type: int
    speed: int
    alias: str = ""
    up: Callable[[], bool] = lambda: True
    octets: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
    mac: bytes = b""


def interfaces(
    found: Callable[[], Iterable[Interface]],
    stamp: Callable[[], Any],
    setters: dict[int, Setter] | None = None,
) -> list[Table]:
    def rows() -> Iterable[tuple[Index, Interface]]:
        return [((one.index,), one) for one in found()]

    def status(one: Interface) -> bytes:
        return ber.integer(UP if one.up() else DOWN)

    basic = {
        1: lambda one: ber.integer32(one.index),
        2: lambda one: ber.octets(one.descr),
        3: lambda one: ber.integer(one.type),
        4: lambda one: ber.integer(1_500),
        5: lambda one: ber.gauge32(min(one.speed, 0xFFFF_FFFF)),
        6: lambda one: ber.octets(one.mac),
        7: lambda one: ber.integer(UP),
        8: status,
        10: lambda one: ber.counter32(int(one.octets()[0])),
        16: lambda one: ber.counter32(int(one.octets()[1])),
    }
    extended = {
        1: lambda one: ber.octets(one.name),
        6: lambda one: ber.counter64(int(one.octets()[0])),
        10: lambda one: ber.counter64(int(one.octets()[1])),
        15: lambda one: ber.gauge32(one.speed // 1_000_000),
        18: lambda one: ber.octets(one.alias),
    }
    return [Table(IF_ENTRY, basic, rows, stamp, setters or {}), Table(IFX_ENTRY, extended, rows, stamp)]


@dataclass(frozen=True)
class Physical:
    """A part of a device; `within` is the index of what holds it, 0 for the chassis."""

    index: int
    kind: int
    name: str
    descr: str
    within: int = 0
    place: int = -1
    model: str = ""
    serial: str = ""
    software: str = ""
    maker: str = ""


def entities(parts: Iterable[Physical]) -> Table:
    rows = [((part.index,), part) for part in parts]
    return Table(
        ENT_PHYSICAL,
        {
            2: lambda part: ber.octets(part.descr),
            3: lambda part: ber.oid((0, 0)),
            4: lambda part: ber.integer(part.within),
            5: lambda part: ber.integer(part.kind),
            6: lambda part: ber.integer(part.place),
            7: lambda part: ber.octets(part.name),
            10: lambda part: ber.octets(part.software),
            11: lambda part: ber.octets(part.serial),
            12: lambda part: ber.octets(part.maker),
            13: lambda part: ber.octets(part.model),
        },
        lambda: rows,
        lambda: 0,
    )
