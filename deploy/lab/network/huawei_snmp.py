"""An OLT as a Huawei SmartAX shows it over SNMP. Reads the model at the moment of the request; keeps
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from deploy.lab.network import ber, standard
from deploy.lab.network import huawei_mib as mib
from deploy.lab.network.olt import (
    DEACTIVATED,
    DYING_GASP,
    LINE_PROFILES,
    LOS,
    LOSI,
    REREGISTERED,
    RESET,
    SERVICE_PROFILES,
    TRAFFIC_TABLES,
    Olt,
    Onu,
    Position,
    Refusal,
    ServicePort,
    Unit,
    seeded,
)
from deploy.lab.network.standard import Interface, Physical, date_and_time
from deploy.lab.network.view import Column, Index, Refused, Setter, Table, View

MODEL, VERSION, PATCH = "MA5800-X2", "MA5800V100R018C10", "SPH206"
UPLINK_SLOT, CONTROL_SLOT = 9, 8
BOARDS = {"service": "H901GPHF", "control": "H901MPSC", "uplink": "H902GICF"}

CAUSES = {LOS: 1, LOSI: 2, DEACTIVATED: 8, RESET: 9, REREGISTERED: 10, DYING_GASP: 13}
"""hwGponDeviceOntControlLastDownCause."""
TAG_TRANSFORMS = {
    "default": 0,
    "add": 0,
    "transparent": 1,
    "translate": 2,
    "translate-and-add": 3,
    "add-double": 4,
    "translate-double": 5,
}
"""hwExtSrvFlowTagTransform."""
BY_USER_VLAN, SINGLE_SERVICE = 1, 255
UNTAGGED = 0xFFFF


def ifindex(position: Position) -> int:
    return mib.gpon_ifindex(position.frame, position.slot, position.port)


def _hundredths(value: float | None, plus: int = 0) -> bytes:
    return ber.integer(mib.NO_VALUE if value is None else round(value * 100) + plus)


def _number(value: int | None) -> bytes:
    return ber.integer(mib.NO_VALUE if value is None else value)


class HuaweiView:
    """`view` is what an agent shows."""

    control_slot = CONTROL_SLOT

    def __init__(self, olt: Olt) -> None:
        self.olt = olt
        self._uplinks = [
            self._uplink(port, seeded(f"{olt.name} uplink {port}", 2e8, 3e9)) for port in range(2)
        ]
        self.view = View(
            [
                standard.system(
                    lambda: "Huawei Integrated Access Software",
                    mib.SYS_OBJECT_ID,
                    lambda: olt.uptime,
                    olt.name,
                    "Lab",
                ),
                *standard.interfaces(self._interfaces, lambda: 0),
                standard.entities(self._parts()),
                self._boards(mib.SLOT, {3: "descr", 13: "temperature"}),
                self._boards(mib.BOARD, {5: "cpu", 6: "memory", 7: "descr", 10: "temperature"}),
                Table(mib.OLT_CONTROL, self._pon_control(), self._pons, lambda: 0),
                Table(mib.OLT_OPTICS, self._pon_optics(), self._pons, lambda: 0),
                self._onus(mib.ONT_CONFIG, self._config(), {9: self._describe, 10: self._row_status}),
                self._onus(mib.ONT_VERSION, self._versions()),
                self._onus(
                    mib.ONT_CONTROL, self._control(), {1: self._activate, 2: self._reset, 3: self._reregister}
                ),
                self._onus(mib.ONT_CAPABILITY, self._capability()),
                Table(mib.AUTOFIND, self._autofind(), self._unconfigured, self._found_stamp),
                self._each(mib.ONT_IP, self._ip(), lambda onu: [0]),
                self._onus(mib.ONT_OPTICS, self._optics()),
                Table(mib.ONT_REGISTER, self._register(), self._registrations, self._state_stamp),
                self._each(
                    mib.ONT_ETHERNET, self._ethernet(), lambda onu: range(1, self._size(onu, "ethernet") + 1)
                ),
                self._each(mib.ONT_CATV, self._catv(), lambda onu: range(1, self._size(onu, "catv") + 1)),
                self._onus(mib.ONT_STATISTICS, self._statistics()),
                Table(mib.SERVICE_FLOW, self._flow(), self._flows, lambda: olt.generation),
            ]
        )

    # ---- rows -------------------------------------------------------------------------------

    def _onus(
        self, entry: ber.Oid, columns: dict[int, Column], setters: dict[int, Setter] | None = None
    ) -> Table:
        def rows() -> Iterable[tuple[Index, Onu]]:
            return [((ifindex(onu.position), onu.onu_id), onu) for onu in self.olt.onus.values()]

        return Table(entry, columns, rows, lambda: self.olt.generation, setters or {})

    def _each(self, entry: ber.Oid, columns: dict[int, Column], numbers: Any) -> Table:
        """A row for each port of each ONU: the ONU and the number."""

        def rows() -> Iterable[tuple[Index, tuple[Onu, int]]]:
            return [
                ((ifindex(onu.position), onu.onu_id, number), (onu, number))
                for onu in self.olt.onus.values()
                for number in numbers(onu)
            ]

        return Table(entry, columns, rows, lambda: self.olt.generation)

    def _pons(self) -> Iterable[tuple[Index, Position]]:
        return [((ifindex(position),), position) for position in self.olt.pons]

    def _flows(self) -> Iterable[tuple[Index, ServicePort]]:
        return [((port.id,), port) for port in self.olt.service_ports.values()]

    def _unconfigured(self) -> Iterable[tuple[Index, Unit]]:
        return [((ifindex(position), number), unit) for position, number, unit in self.olt.unconfigured()]

    def _found_stamp(self) -> Any:
        return tuple((number, unit.sn) for _, number, unit in self.olt.unconfigured())

    def _registrations(self) -> Iterable[tuple[Index, tuple[Onu, float]]]:
        counts: dict[Position, int] = {}
        for onu in sorted(self.olt.onus.values(), key=lambda onu: onu.key):
            for up, _, _ in onu.registrations:
                counts[onu.position] = counts.get(onu.position, 0) + 1
                yield (ifindex(onu.position), counts[onu.position]), (onu, up)

    def _state_stamp(self) -> Any:
        return self.olt.generation, sum(len(onu.registrations) for onu in self.olt.onus.values())

    def _size(self, onu: Onu, what: str) -> int:
        unit = self.olt.unit(onu)
        return int(getattr(unit.plan, what)) if unit else 0

    def _alive(self, onu: Onu) -> Unit | None:
        return self.olt.unit(onu) if onu.online else None

    # ---- columns ----------------------------------------------------------------------------

    def _interfaces(self) -> Iterable[Interface]:
        descr = f"Huawei-MA5800-{VERSION.removeprefix('MA5800')}-GPON_UNI"
        for position in self.olt.pons:
            yield Interface(
                ifindex(position),
                descr,
                f"GPON {position}",
                mib.GPON_IFTYPE,
                2_488_000_000,
                up=partial(self.olt.lit, position),
                octets=partial(self.olt.pon_octets, position),
            )
        yield from self._uplinks

    def _uplink(self, port: int, rate: float) -> Interface:
        return Interface(
            mib.ethernet_ifindex(UPLINK_SLOT, port),
            "Huawei-MA5800-ETHERNET",
            f"ethernet0/{UPLINK_SLOT}/{port}",
            mib.ETHERNET_IFTYPE,
            10_000_000_000,
            octets=lambda: (rate * self.olt.uptime / 8, rate * self.olt.uptime / 80),
        )

    def _parts(self) -> Iterable[Physical]:
        yield Physical(
            1, standard.CHASSIS, "Frame 0", f"Huawei {MODEL}", model=MODEL, maker="Huawei", software=VERSION
        )
        for number, slot in enumerate(self.slots(), 2):
            yield Physical(
                number,
                standard.MODULE,
                f"Board 0/{slot}",
                self.board(slot),
                within=1,
                place=slot,
                model=self.board(slot),
                serial=f"LAB{slot:02d}{round(seeded(self.olt.name, 0, 10**8 - 1)):08d}",
                maker="Huawei",
                software=VERSION,
            )

    def slots(self) -> list[int]:
        return sorted({*self.olt.slots, CONTROL_SLOT, UPLINK_SLOT})

    def board(self, slot: int) -> str:
        kind = "service" if slot in self.olt.slots else "control" if slot == CONTROL_SLOT else "uplink"
        return BOARDS[kind]

    def _boards(self, entry: ber.Oid, columns: dict[int, str]) -> Table:
        values: dict[str, Column] = {
            "descr": lambda slot: ber.octets(self.board(slot)),
            "temperature": lambda slot: ber.integer(41 + slot % 5),
            "cpu": lambda slot: ber.integer(7 + slot % 11),
            "memory": lambda slot: ber.integer(38 + slot % 7),
        }
        rows = [((0, slot), slot) for slot in self.slots()]
        return Table(
            entry, {number: values[name] for number, name in columns.items()}, lambda: rows, lambda: 0
        )

    def _pon_control(self) -> dict[int, Column]:
        return {
            1: lambda position: ber.integer(0),
            2: lambda position: ber.integer(20),
            4: lambda position: ber.integer(1),
            6: lambda position: ber.octets(""),
            9: lambda position: ber.integer(1),
            10: lambda position: ber.integer(1 if self.olt.lit(position) else 2),
            13: lambda position: ber.integer(1),
            16: lambda position: ber.integer(len(self.olt.of_pon(position))),
        }

    def _pon_optics(self) -> dict[int, Column]:
        def of(position: Position, what: str, low: float, high: float) -> float:
            return seeded(f"{self.olt.name} {position} {what}", low, high)

        return {
            1: lambda position: ber.integer(round(of(position, "heat", 36, 49))),
            2: lambda position: ber.integer(round(of(position, "volt", 325, 333))),
            3: lambda position: ber.integer(round(of(position, "bias", 18, 30))),
            4: lambda position: _hundredths(3.2 + of(position, "tx", -0.2, 1.9)),
            5: lambda position: ber.integer(mib.NO_VALUE),
        }

    def _config(self) -> dict[int, Column]:
        return {
            2: lambda onu: ber.integer(1),
            3: lambda onu: ber.octets(bytes.fromhex(onu.sn)),
            4: lambda onu: ber.octets(b""),
            5: lambda onu: ber.integer(-1),
            6: lambda onu: ber.integer(1),
            7: lambda onu: ber.octets(LINE_PROFILES[onu.line_profile]),
            8: lambda onu: ber.octets(SERVICE_PROFILES[onu.service_profile]),
            9: lambda onu: ber.octets(onu.desc or "ONT_NO_DESCRIPTION"),
            10: lambda onu: ber.integer(1),
        }

    def _versions(self) -> dict[int, Column]:
        def told(what: str) -> Column:
            def column(onu: Onu) -> bytes:
                unit = self._alive(onu)
                return ber.octets(getattr(unit.plan, what) if unit else "")

            return column

        return {
            1: told("hardware"),
            2: lambda onu: ber.integer(int(onu.sn[:8], 16) if self._alive(onu) else -1),
            3: lambda onu: ber.integer(0),
            4: told("model"),
            5: told("software"),
            6: told("software"),
        }

    def _control(self) -> dict[int, Column]:
        def ranging(onu: Onu) -> bytes:
            unit = self._alive(onu)
            return ber.integer(unit.plan.distance if unit else -1)

        return {
            1: lambda onu: ber.integer(1 if onu.active else 2),
            2: lambda onu: ber.integer(-1),
            3: lambda onu: ber.integer(-1),
            15: lambda onu: ber.integer(1 if onu.online else 2),
            16: lambda onu: ber.integer(2 if onu.online else 1),
            18: lambda onu: ber.integer(2 if onu.online else 1),
            19: lambda onu: ber.integer(2 if onu.online else -1),
            20: ranging,
            21: lambda onu: ber.integer(1 if onu.online else 0),
            22: lambda onu: date_and_time(onu.last_up),
            23: lambda onu: date_and_time(onu.last_down),
            24: lambda onu: ber.integer(-1 if onu.cause is None else CAUSES[onu.cause]),
            25: lambda onu: date_and_time(onu.last_gasp),
        }

    def _capability(self) -> dict[int, Column]:
        def size(what: str) -> Column:
            return lambda onu: ber.integer(self._size(onu, what) if onu.online else -1)

        return {1: lambda onu: ber.integer(1), 2: size("ethernet"), 3: size("pots"), 9: size("catv")}

    def _autofind(self) -> dict[int, Column]:
        return {
            2: lambda unit: ber.octets(bytes.fromhex(unit.sn)),
            3: lambda unit: ber.octets(unit.plan.password.encode().ljust(10, b"\0")),
            4: lambda unit: ber.integer(int(unit.sn[:8], 16)),
            5: lambda unit: ber.octets(unit.plan.hardware.encode().ljust(16, b"\0")),
            6: lambda unit: ber.octets(unit.plan.software.encode().ljust(16, b"\0")),
            7: lambda unit: ber.octets(unit.plan.model.encode().ljust(20, b"\0")),
            8: lambda unit: date_and_time(unit.found),
        }

    def _ip(self) -> dict[int, Column]:
        def managed(row: tuple[Onu, int]) -> int | None:
            onu, _ = row
            ports = self.olt.ports_of(onu.position, onu.onu_id)
            return next((port.vlan for port in ports if port.inbound == 10), None)

        def address(row: tuple[Onu, int]) -> bytes:
            onu, _ = row
            if not onu.online or managed(row) is None:
                return ber.ip_address("0.0.0.0")
            low = int(onu.sn[-4:], 16)
            return ber.ip_address(f"10.64.{low >> 8}.{low & 255}")

        return {
            1: lambda row: ber.integer(3 if managed(row) is None else 1),
            2: address,
            8: lambda row: ber.integer(managed(row) or 0),
        }

    def _optics(self) -> dict[int, Column]:
        def column(value: Any) -> Column:
            def of(onu: Onu) -> bytes:
                unit = self._alive(onu)
                return ber.integer(mib.NO_VALUE) if unit is None else value(unit)

            return of

        return {
            1: column(lambda unit: _number(unit.temperature)),
            2: column(lambda unit: _number(unit.bias)),
            3: column(lambda unit: _hundredths(unit.transmit)),
            4: column(lambda unit: _hundredths(unit.receive)),
            5: column(lambda unit: _number(unit.voltage)),
            6: column(lambda unit: _hundredths(unit.at_olt, 10_000)),
            7: column(lambda unit: _hundredths(unit.catv)),
        }

    def _register(self) -> dict[int, Column]:
        return {
            2: lambda row: ber.octets(bytes.fromhex(row[0].sn)),
            3: lambda row: ber.integer(1),
            4: lambda row: date_and_time(row[1]),
        }

    def _ethernet(self) -> dict[int, Column]:
        def plugged(row: tuple[Onu, int]) -> bool:
            onu, port = row
            return onu.online and seeded(f"{onu.sn} port {port}", 0, 1) < 0.5

        return {
            2: lambda row: ber.integer(1),
            3: lambda row: ber.integer(5 if plugged(row) else 3),
            4: lambda row: ber.integer(7 if plugged(row) else 4),
            5: lambda row: ber.integer(1),
            7: lambda row: ber.integer(row[0].native_vlans.get(row[1], (1, 0))[0]),
            8: lambda row: ber.integer(row[0].native_vlans.get(row[1], (1, 0))[1]),
            22: lambda row: ber.integer(-1 if not row[0].online else 1 if plugged(row) else 2),
        }

    def _catv(self) -> dict[int, Column]:
        return {
            2: lambda row: ber.integer(2 if row[1] in row[0].catv_off else 1),
            3: lambda row: ber.integer(1 if row[0].online else -1),
        }

    def _statistics(self) -> dict[int, Column]:
        return {
            3: lambda onu: ber.counter64(int(self.olt.traffic(onu)[1])),
            4: lambda onu: ber.counter64(int(self.olt.traffic(onu)[0])),
        }

    def _flow(self) -> dict[int, Column]:
        def table(which: str) -> Column:
            def column(port: ServicePort) -> bytes:
                index = getattr(port, which)
                return ber.octets("" if index is None else TRAFFIC_TABLES[index].name)

            return column

        def index(which: str) -> Column:
            return lambda port: ber.integer(-1 if getattr(port, which) is None else getattr(port, which))

        def state(port: ServicePort) -> bytes:
            onu = self.olt.onus.get(port.key)
            return ber.integer(1 if onu is not None and onu.online else 2)

        return {
            2: lambda port: ber.integer(port.position.frame),
            3: lambda port: ber.integer(port.position.slot),
            4: lambda port: ber.integer(port.position.port),
            5: lambda port: ber.integer(port.onu_id),
            6: lambda port: ber.integer(port.gem),
            7: lambda port: ber.integer(4),
            8: lambda port: ber.integer(port.vlan),
            9: index("outbound"),
            10: index("inbound"),
            11: lambda port: ber.integer(BY_USER_VLAN),
            12: lambda port: ber.integer(UNTAGGED if port.user_vlan is None else port.user_vlan),
            13: lambda port: ber.integer(1),
            14: state,
            15: lambda port: ber.integer(1),
            17: lambda port: ber.octets(""),
            18: lambda port: ber.integer(TAG_TRANSFORMS[port.tag_transform]),
            21: table("outbound"),
            22: table("inbound"),
        }

    # ---- what a manager may set ---------------------------------------------------------------

    def _describe(self, onu: Onu, tag: int, content: bytes) -> None:
        if tag != ber.OCTETS:
            raise Refused(Refused.WRONG_TYPE)
        onu.desc = content.decode("latin-1")

    def _row_status(self, onu: Onu, tag: int, content: bytes) -> None:
        """destroy(6) deletes the ONU."""
        if _integer(tag, content) != 6:
            raise Refused(Refused.INCONSISTENT_VALUE)
        try:
            self.olt.delete(onu.position, onu.onu_id)
        except Refusal:
            raise Refused(Refused.INCONSISTENT_VALUE) from None

    def _activate(self, onu: Onu, tag: int, content: bytes) -> None:
        value = _integer(tag, content)
        if value not in (1, 2):
            raise Refused(Refused.WRONG_VALUE)
        self.olt.activate(onu, value == 1)

    def _reset(self, onu: Onu, tag: int, content: bytes) -> None:
        self._restart(onu, tag, content, RESET)

    def _reregister(self, onu: Onu, tag: int, content: bytes) -> None:
        self._restart(onu, tag, content, REREGISTERED)

    def _restart(self, onu: Onu, tag: int, content: bytes, cause: str) -> None:
        if _integer(tag, content) != 1:
            raise Refused(Refused.WRONG_VALUE)
        try:
            self.olt.restart(onu, cause)
        except Refusal:
            raise Refused(Refused.INCONSISTENT_VALUE) from None


def _integer(tag: int, content: bytes) -> int:
    if tag != ber.INTEGER:
        raise Refused(Refused.WRONG_TYPE)
    return ber.to_int(content)
