"""An OLT as a ZTE C300 shows it over SNMP, to be read only. Shelf, ports and ONU ids count from 1 there.

OIDs as public tools use them on such devices; the lab's own, as those of Huawei are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from deploy.lab.network import ber, standard
from deploy.lab.network.ber import Oid
from deploy.lab.network.huawei_mib import GPON_IFTYPE
from deploy.lab.network.olt import DYING_GASP, LOS, LOSI, Olt, Onu, Position, Unit
from deploy.lab.network.standard import Interface, Physical, date_and_time
from deploy.lab.network.view import Column, Index, Table, View

ENTERPRISE: Oid = (1, 3, 6, 1, 4, 1, 3902)
SYS_OBJECT_ID: Oid = (*ENTERPRISE, 1082, 1001, 300, 2, 1)
_GPON: Oid = (*ENTERPRISE, 1012, 3)
ONU: Oid = (*_GPON, 28, 1, 1)
"""By ifIndex and ONU id, as all that follow unless said: 1 type, 2 name, 3 description, 5 serial."""
ONU_STATE: Oid = (*_GPON, 28, 2, 1)
"""4 phase, 5 last online, 6 last offline, 7 cause."""
ONU_DISTANCE: Oid = (*_GPON, 11, 4, 1)
ONU_VERSION: Oid = (*_GPON, 50, 11, 2, 1)
ONU_OPTICS: Oid = (*_GPON, 50, 12, 1, 1)
"""By a third index, the PON port of the ONU: 10 received, 14 sent, in 0.002 dBm above −30 dBm."""
RECEIVED: Oid = (*ENTERPRISE, 1015, 1010, 11, 2, 1)
"""2: of the ONU at the OLT, 0.001 dBm."""
UNCONFIGURED: Oid = (*_GPON, 13, 3, 1)
"""By ifIndex and number of the find: 2 serial."""

PHASE_LOS, WORKING, PHASE_DYING_GASP, OFFLINE = 1, 3, 4, 6
PHASES = {LOS: PHASE_LOS, LOSI: PHASE_LOS, DYING_GASP: PHASE_DYING_GASP}
NOTHING_RECEIVED = -80_000
SHELF = 1


def ifindex(position: Position) -> int:
    return 0x1000_0000 | position.slot << 16 | position.port + 1 << 8


class ZteView:
    """`view` is what an agent shows."""

    def __init__(self, olt: Olt) -> None:
        self.olt = olt
        descr = "C300 Version V2.1.0 Software, Copyright (c) by ZTE Corporation Compiled"
        self.view = View(
            [
                standard.system(lambda: descr, SYS_OBJECT_ID, lambda: olt.uptime, olt.name, "Lab"),
                *standard.interfaces(self._interfaces, lambda: 0),
                standard.entities(
                    [
                        Physical(1, standard.CHASSIS, "shelf 1", "C300", model="C300", maker="ZTE"),
                        *(
                            Physical(
                                10 + slot,
                                standard.MODULE,
                                f"card 1/{slot}",
                                "GTGH",
                                1,
                                slot,
                                "GTGH",
                                maker="ZTE",
                            )
                            for slot in olt.slots
                        ),
                    ]
                ),
                self._onus(
                    ONU,
                    {
                        1: lambda onu: ber.octets(self._told(onu, "model")),
                        2: lambda onu: ber.octets(onu.desc),
                        3: lambda onu: ber.octets(onu.desc),
                        5: lambda onu: ber.octets(bytes.fromhex(onu.sn)),
                    },
                ),
                self._onus(
                    ONU_STATE,
                    {
                        1: lambda onu: ber.integer(1 if onu.active else 2),
                        4: lambda onu: ber.integer(self._phase(onu)),
                        5: lambda onu: date_and_time(onu.last_up),
                        6: lambda onu: date_and_time(onu.last_down),
                    },
                ),
                self._onus(ONU_DISTANCE, {2: self._distance}),
                self._onus(
                    ONU_VERSION,
                    {
                        2: lambda onu: ber.octets(self._told(onu, "hardware")),
                        9: lambda onu: ber.octets(self._told(onu, "model")),
                    },
                ),
                self._onus(
                    ONU_OPTICS,
                    {10: partial(self._power, "receive"), 14: partial(self._power, "transmit")},
                    (1,),
                ),
                self._onus(RECEIVED, {2: self._received}),
                Table(
                    UNCONFIGURED,
                    {2: lambda unit: ber.octets(bytes.fromhex(unit.sn))},
                    self._unconfigured,
                    lambda: tuple((number, unit.sn) for _, number, unit in olt.unconfigured()),
                ),
            ]
        )

    # ---- rows -------------------------------------------------------------------------------

    def _onus(self, entry: Oid, columns: dict[int, Column], rest: Index = ()) -> Table:
        def rows() -> Iterable[tuple[Index, Onu]]:
            return [((ifindex(onu.position), onu.onu_id + 1, *rest), onu) for onu in self.olt.onus.values()]

        return Table(entry, columns, rows, lambda: self.olt.generation)

    def _unconfigured(self) -> Iterable[tuple[Index, Unit]]:
        return [((ifindex(position), number), unit) for position, number, unit in self.olt.unconfigured()]

    def _interfaces(self) -> Iterable[Interface]:
        for position in self.olt.pons:
            name = f"gpon_{SHELF}/{position.slot}/{position.port + 1}"
            yield Interface(
                ifindex(position),
                name,
                name,
                GPON_IFTYPE,
                2_488_000_000,
                up=partial(self.olt.lit, position),
                octets=partial(self.olt.pon_octets, position),
            )

    # ---- columns ----------------------------------------------------------------------------

    def _alive(self, onu: Onu) -> Unit | None:
        return self.olt.unit(onu) if onu.online else None

    def _told(self, onu: Onu, what: str) -> Any:
        unit = self.olt.unit(onu)
        return getattr(unit.plan, what) if unit else ""

    def _phase(self, onu: Onu) -> int:
        return WORKING if onu.online else PHASES.get(onu.cause or "", OFFLINE)

    def _distance(self, onu: Onu) -> bytes:
        unit = self._alive(onu)
        return ber.integer(unit.plan.distance if unit else -1)

    def _power(self, which: str, onu: Onu) -> bytes | None:
        """Above 0 dBm it would not fit 15 bits: 16 bits, as the device has it."""
        unit = self._alive(onu)
        return None if unit is None else ber.integer(round((getattr(unit, which) + 30) / 0.002) & 0xFFFF)

    def _received(self, onu: Onu) -> bytes:
        unit = self._alive(onu)
        return ber.integer(NOTHING_RECEIVED if unit is None else round(unit.at_olt * 1_000))
