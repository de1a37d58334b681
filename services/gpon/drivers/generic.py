"""Reads a device of which no more is known than that it speaks SNMP. What the standard MIBs do not tell, it
does not tell."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Self

from services.common.devices import values
from services.common.devices.access import SnmpAccess
from services.common.devices.snmp import Index, Snmp
from services.gpon.drivers import standard
from services.gpon.drivers.base import (
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
)
from services.gpon.drivers.objects import Row, rows

_PLACE = re.compile(r"(?<![\d/])(?:(\d{1,3})/)?(\d{1,3})/(\d{1,3})(?![\d/])")


class GenericReader:
    vendor = ""

    def __init__(self, device: str, access: SnmpAccess, zone: dt.tzinfo = dt.UTC) -> None:
        self._snmp, self._zone = Snmp(device, access), zone

    def __enter__(self) -> Self:
        self._snmp.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._snmp.__exit__(None, None, None)

    @property
    def failed(self) -> Mapping[str, str]:
        return self._snmp.failed

    def facts(self) -> OltFacts:
        told, chassis = standard.system(self._snmp), standard.chassis(self._snmp)
        return standard.facts(
            self.vendor or values.words(chassis.get("maker")) or "",
            told,
            model=values.words(chassis.get("model")),
            version=values.words(chassis.get("software")),
        )

    def slots(self) -> list[Slot]:
        names = ("descr", "within", "class", "position", "model")
        parts = rows(self._snmp, standard.ENTITIES, *names, optional=True)
        found = []
        for part in parts.values():
            if part.get("class") != standard.MODULE:
                continue
            within = parts.get((values.number(part.get("within")) or 0,), {})
            number = values.number(within.get("position"), -1)
            kind = values.words(part.get("model")) or values.words(part.get("descr"))
            if within.get("class") == standard.CONTAINER and number is not None and kind is not None:
                found.append(Slot(_frame(parts, within), number, type=kind))
        return sorted(found, key=lambda slot: (slot.frame, slot.slot))

    def pons(self) -> list[Pon]:
        """Interfaces that say that they are GPON, and where."""
        told = rows(self._snmp, standard.INTERFACES)
        names = rows(self._snmp, standard.INTERFACES_X, "name", optional=True)
        found = []
        for index, one in told.items():
            if one.get("type") != standard.GPON_INTERFACE:
                continue
            name = values.text(names.get(index, {}).get("name")) or values.text(one.get("descr"))
            if (position := position_in(name)) is not None:
                found.append(
                    Pon(
                        position,
                        index[0],
                        name,
                        admin_state=standard.state(one.get("admin")),
                        oper_state=standard.state(one.get("oper")),
                    )
                )
        return sorted(found, key=lambda pon: pon.position)

    def onus(self, pon: Position | None = None, *, full: bool | None = None) -> list[Onu]:
        return []

    def optics(self, pon: Position | None = None, *, full: bool | None = None) -> dict[Place, Optics]:
        return {}

    def counters(self, pon: Position | None = None) -> dict[Place, Counters]:
        return {}

    def traffic(
        self, pon: Position | None = None, *, before: Mapping[Place, Counters] | None = None
    ) -> dict[Place, Traffic]:
        return {}

    def unconfigured(self) -> list[Unconfigured]:
        return []

    def service_ports(self, pon: Position | None = None, onu_id: int | None = None) -> list[ServicePort]:
        return []

    def onu(self, position: Position, onu_id: int) -> OnuDetail | None:
        return None


def position_in(name: str) -> Position | None:
    """Of `gpon_1/2/3`, or of `gpon0/3`, which is in frame 0; of a name that ends otherwise, None."""
    found = _PLACE.search(name)
    return None if found is None else Position(int(found[1] or 0), int(found[2]), int(found[3]))


def _frame(parts: Mapping[Index, Row], part: Row) -> int:
    """The number of the chassis that a part is in; 0 where it has none."""
    for _ in range(8):
        if part.get("class") == standard.CHASSIS:
            return max(values.number(part.get("position")) or 0, 0)
        part = parts.get((values.number(part.get("within")) or 0,), {})
    return 0
