"""An OLT: PONs, the ONUs on their fibres, and what is configured for them. No protocol, no vendor's words.

The fibre (`Unit`) and the configuration (`Onu`, `ServicePort`) are apart: an ONU is online when it is
configured and active where it has light and power, some time after all of that came true. Time passes only
in `settle`. Refusals are `Refusal`s with a code; what they sound like is up to whoever speaks for the device.
"""

from __future__ import annotations

import heapq
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from deploy.lab.network.plan import OltPlan, OnuPlan

MOST_ONUS = 128
"""Of one PON."""
REGISTRATIONS = 10
"""What the device remembers of an ONU."""

LOS, LOSI, DEACTIVATED, RESET, REREGISTERED, DYING_GASP = (
    "los",
    "losi",
    "deactivated",
    "reset",
    "reregistered",
    "dyinggasp",
)
Clock = Callable[[], float]


class Refusal(Exception):
    """`sn_exists`, `onu_exists`, `onu_missing`, `onu_offline`, `pon_missing`, `pon_full`, `profile_missing`,
    `traffic_table_missing`, `service_port_exists`, `service_port_missing`, `has_service_ports`,
    `port_missing`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, order=True)
class Position:
    frame: int
    slot: int
    port: int

    @classmethod
    def parse(cls, fsp: str) -> Position:
        return cls(*map(int, fsp.split("/")))

    def __str__(self) -> str:
        return f"{self.frame}/{self.slot}/{self.port}"


@dataclass(frozen=True)
class TrafficTable:
    """kbit/s; the name is what the provider calls the speed."""

    index: int
    name: str
    cir: int
    pir: int


TRAFFIC_TABLES = {
    table.index: table
    for table in (
        TrafficTable(0, "ip-traffic-table_0", 1_024, 2_048),
        TrafficTable(1, "ip-traffic-table_1", 2_496, 4_992),
        TrafficTable(6, "ip-traffic-table_6", 1_048_576, 1_048_576),
        TrafficTable(10, "management", 2_048, 2_048),
        TrafficTable(11, "voip", 1_024, 1_024),
        TrafficTable(12, "1M", 1_024, 1_024),
        TrafficTable(13, "10M", 10_240, 10_240),
        TrafficTable(14, "20M", 20_480, 20_480),
        TrafficTable(15, "50M", 51_200, 51_200),
        TrafficTable(20, "100M", 102_400, 102_400),
        TrafficTable(25, "200M", 204_800, 204_800),
        TrafficTable(30, "300M", 307_200, 307_200),
        TrafficTable(50, "500M", 512_000, 512_000),
        TrafficTable(60, "600M", 614_400, 614_400),
        TrafficTable(100, "1000M", 1_024_000, 1_024_000),
    )
}
LINE_PROFILES = {
    0: "line-profile_default_0",
    10: "residential",
    11: "residential_coslada",
    20: "business",
    30: "cdata",
    40: "ftth",
}
SERVICE_PROFILES = {0: "srv-profile_default_0", 10: "residential", 20: "business", 30: "bridge", 40: "ftth"}


@cache
def seeded(what: str, low: float, high: float) -> float:
    """A property that a thing has for good."""
    return random.Random(what).uniform(low, high)


@dataclass
class Unit:
    """An ONU as a thing on the fibre."""

    plan: OnuPlan
    powered: bool = True
    lit: bool = True
    found: float = 0.0
    """When the OLT first heard it."""

    @property
    def sn(self) -> str:
        return self.plan.sn

    @property
    def position(self) -> Position:
        return Position.parse(self.plan.fsp)

    def _seeded(self, what: str, low: float, high: float) -> float:
        return seeded(f"{self.plan.sn} {what}", low, high)

    @property
    def receive(self) -> float:
        """dBm at the ONU."""
        return 3.2 - self.plan.attenuation + self._wobble()

    @property
    def transmit(self) -> float:
        return self._seeded("tx", 1.6, 2.9)

    @property
    def at_olt(self) -> float:
        """dBm that the OLT receives of it."""
        return self.transmit - self.plan.attenuation - 1.1 + self._wobble()

    @property
    def catv(self) -> float | None:
        return -1.8 - self._seeded("tv", 0, 3) if self.plan.catv else None

    @property
    def temperature(self) -> int:
        return round(self._seeded("heat", 38, 54))

    @property
    def bias(self) -> int:
        return round(self._seeded("bias", 9, 17))

    @property
    def voltage(self) -> int:
        """mV."""
        return round(self._seeded("volt", 3_240, 3_340))

    @property
    def rates(self) -> tuple[float, float]:
        """bit/s down and up, on average."""
        down = 10 ** self._seeded("rate", 4.5, 7.4)
        return down, down * self._seeded("ratio", 0.03, 0.3)

    @property
    def mac(self) -> str:
        return f"02{self.plan.sn[-10:]}"

    def _wobble(self) -> float:
        return 0.12 * math.sin(time.time() / 60 + int(self.plan.sn[-4:], 16))


@dataclass
class Onu:
    """What is configured, and how it fares."""

    position: Position
    onu_id: int
    sn: str
    line_profile: int
    service_profile: int
    desc: str = ""
    active: bool = True
    native_vlans: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Ethernet port → VLAN and priority."""
    catv_off: list[int] = field(default_factory=list)

    online: bool = field(default=False, compare=False)
    last_up: float | None = field(default=None, compare=False)
    last_down: float | None = field(default=None, compare=False)
    last_gasp: float | None = field(default=None, compare=False)
    cause: str | None = field(default=None, compare=False)
    registrations: list[tuple[float, float | None, str | None]] = field(default_factory=list, compare=False)
    due: float | None = field(default=None, compare=False)
    down_bytes: float = field(default=0.0, compare=False)
    up_bytes: float = field(default=0.0, compare=False)

    @property
    def key(self) -> tuple[Position, int]:
        return self.position, self.onu_id


@dataclass
class ServicePort:
    """`user_vlan` None: untagged. `inbound` and `outbound` are indexes of traffic tables."""

    id: int
    position: Position
    onu_id: int
    gem: int
    vlan: int
    user_vlan: int | None
    inbound: int | None = None
    outbound: int | None = None
    tag_transform: str = "translate"

    @property
    def key(self) -> tuple[Position, int]:
        return self.position, self.onu_id


class Olt:
    """`registration`: seconds from light to online. `generation` counts changes of what there is, not of
    states.
    """

    def __init__(self, plan: OltPlan, registration: float, clock: Clock = time.time) -> None:
        self.name = plan.name
        self.slots = list(plan.slots)
        self.ports = plan.ports
        self.registration = registration
        self.clock = clock
        self.generation = 0
        self.booted = clock()
        self.units: list[Unit] = []
        self.onus: dict[tuple[Position, int], Onu] = {}
        self.service_ports: dict[int, ServicePort] = {}
        self.cut: set[Position] = set()
        """PONs without light."""
        self.full: set[Position] = set()
        """PONs that take no more ONUs, whatever they have."""
        self._due: list[tuple[float, int, Onu]] = []
        self._order = 0
        self._by_sn: dict[str, Unit] = {}
        self.attach(plan.onus)

    # ---- the plant --------------------------------------------------------------------------

    @property
    def pons(self) -> list[Position]:
        return [Position(0, slot, port) for slot in self.slots for port in range(self.ports)]

    def attach(self, plans: list[OnuPlan]) -> None:
        """The fibre as it is now: what is there no longer goes dark, what is new is found."""
        known = {(unit.plan.sn, unit.plan.fsp): unit for unit in self.units}
        now = self.clock()
        self.units = []
        for plan in plans:
            unit = known.get((plan.sn, plan.fsp)) or Unit(plan, found=now + self.registration)
            unit.plan = plan
            self.units.append(unit)
        self._by_sn = {}
        for unit in self.units:
            self._by_sn.setdefault(unit.sn, unit)
        self.generation += 1
        self._reconsider_all()

    def unit(self, onu: Onu) -> Unit | None:
        """What hangs where the ONU is configured."""
        unit = self._by_sn.get(onu.sn)
        if unit is not None and unit.position == onu.position:
            return unit
        return next((one for one in self.units if one.sn == onu.sn and one.position == onu.position), None)

    def light(self, unit: Unit, *, powered: bool | None = None, lit: bool | None = None) -> None:
        """Power or light of one ONU comes or goes."""
        if powered is not None:
            unit.powered = powered
        if lit is not None:
            unit.lit = lit
        for onu in self.onus.values():
            if onu.sn == unit.sn:
                self._reconsider(onu)
        self.generation += 1

    def cut_fibre(self, pons: set[Position]) -> None:
        """The PONs that are without light from now on."""
        if pons != self.cut:
            self.cut = set(pons)
            self.generation += 1
            self._reconsider_all()

    def unconfigured(self) -> Iterator[tuple[Position, int, Unit]]:
        """Position, number on that PON, unit: what announces itself and is not configured there."""
        here = {(onu.position, onu.sn) for onu in self.onus.values()}
        counts: dict[Position, int] = {}
        now = self.clock()
        for unit in self.units:
            position = unit.position
            if (position, unit.sn) in here or not self._alight(unit) or unit.found > now:
                continue
            if position.slot not in self.slots or position.port >= self.ports:
                continue
            counts[position] = counts.get(position, 0) + 1
            yield position, counts[position], unit

    def _alight(self, unit: Unit) -> bool:
        return unit.powered and unit.lit and unit.position not in self.cut

    # ---- time -------------------------------------------------------------------------------

    def settle(self) -> None:
        """What has come true since."""
        now = self.clock()
        while self._due and self._due[0][0] <= now:
            when, _, onu = heapq.heappop(self._due)
            if onu.due == when and self.onus.get(onu.key) is onu:
                self._up(onu, when)

    @property
    def uptime(self) -> float:
        return self.clock() - self.booted

    def reboot(self, saved: dict[str, Any]) -> None:
        """All goes down, counters begin at zero, only what was saved is configured."""
        self.booted = self.clock()
        self._due.clear()
        self.restore(saved)

    def _reconsider_all(self) -> None:
        for onu in self.onus.values():
            self._reconsider(onu)

    def _reconsider(self, onu: Onu, cause: str | None = None) -> None:
        unit = self.unit(onu)
        wanted = onu.active and unit is not None and self._alight(unit)
        if wanted and not onu.online and onu.due is None:
            self._schedule(onu)
        elif not wanted:
            onu.due = None
            if onu.online:
                self._down(onu, cause or self._cause(onu, unit))

    def _cause(self, onu: Onu, unit: Unit | None) -> str:
        if not onu.active:
            return DEACTIVATED
        if unit is not None and not unit.powered:
            return DYING_GASP
        return LOS if onu.position in self.cut else LOSI

    def _schedule(self, onu: Onu) -> None:
        self._order += 1
        onu.due = self.clock() + self.registration
        heapq.heappush(self._due, (onu.due, self._order, onu))

    def _up(self, onu: Onu, when: float) -> None:
        onu.online, onu.due, onu.last_up = True, None, when
        onu.registrations = [*onu.registrations, (when, None, None)][-REGISTRATIONS:]

    def _down(self, onu: Onu, cause: str) -> None:
        now = self.clock()
        onu.down_bytes, onu.up_bytes = self.traffic(onu)
        onu.online, onu.last_down, onu.cause = False, now, cause
        if cause == DYING_GASP:
            onu.last_gasp = now
        if onu.registrations:
            onu.registrations[-1] = (onu.registrations[-1][0], now, cause)

    # ---- configuration ----------------------------------------------------------------------

    def onu(self, position: Position, onu_id: int) -> Onu:
        found = self.onus.get((position, onu_id))
        if found is None:
            raise Refusal("onu_missing")
        return found

    def by_sn(self, sn: str) -> Onu | None:
        return next((onu for onu in self.onus.values() if onu.sn == sn), None)

    def of_pon(self, position: Position) -> list[Onu]:
        return sorted(
            (onu for onu in self.onus.values() if onu.position == position), key=lambda onu: onu.onu_id
        )

    def add(
        self, position: Position, sn: str, line: int, service: int, desc: str = "", onu_id: int | None = None
    ) -> Onu:
        self._pon(position)
        if line not in LINE_PROFILES or service not in SERVICE_PROFILES:
            raise Refusal("profile_missing", "line" if line not in LINE_PROFILES else "service")
        if self.by_sn(sn) is not None:
            raise Refusal("sn_exists")
        taken = {onu.onu_id for onu in self.of_pon(position)}
        if len(taken) >= MOST_ONUS or position in self.full:
            raise Refusal("pon_full")
        if onu_id is None:
            onu_id = next(number for number in range(MOST_ONUS) if number not in taken)
        elif onu_id in taken:
            raise Refusal("onu_exists")
        onu = Onu(position, onu_id, sn, line, service, desc)
        self.onus[onu.key] = onu
        self.generation += 1
        self._reconsider(onu)
        return onu

    def delete(self, position: Position, onu_id: int) -> None:
        onu = self.onu(position, onu_id)
        if self.ports_of(position, onu_id):
            raise Refusal("has_service_ports")
        del self.onus[onu.key]
        unit = self.unit(onu)
        if unit is not None:
            unit.found = self.clock() + self.registration
        self.generation += 1

    def modify(
        self, onu: Onu, *, desc: str | None = None, line: int | None = None, service: int | None = None
    ) -> None:
        if line is not None and line not in LINE_PROFILES:
            raise Refusal("profile_missing", "line")
        if service is not None and service not in SERVICE_PROFILES:
            raise Refusal("profile_missing", "service")
        onu.desc = onu.desc if desc is None else desc
        onu.line_profile = onu.line_profile if line is None else line
        onu.service_profile = onu.service_profile if service is None else service

    def activate(self, onu: Onu, active: bool) -> None:
        onu.active = active
        self._reconsider(onu)

    def restart(self, onu: Onu, cause: str = RESET) -> None:
        """It goes down and registers again. Raises Refusal when it is not online."""
        if not onu.online:
            raise Refusal("onu_offline")
        self._down(onu, cause)
        self._reconsider(onu)

    def set_native_vlan(self, onu: Onu, port: int, vlan: int, priority: int) -> None:
        unit = self.unit(onu)
        if not 1 <= port <= (unit.plan.ethernet if unit else 4):
            raise Refusal("port_missing")
        onu.native_vlans[port] = (vlan, priority)

    def set_catv(self, onu: Onu, port: int, on: bool) -> None:
        unit = self.unit(onu)
        if unit is not None and not 1 <= port <= unit.plan.catv:
            raise Refusal("port_missing")
        onu.catv_off = sorted(set(onu.catv_off) - {port} if on else {*onu.catv_off, port})

    def ports_of(self, position: Position, onu_id: int | None = None) -> list[ServicePort]:
        return [
            port
            for port in self.service_ports.values()
            if port.position == position and onu_id in (None, port.onu_id)
        ]

    def add_service_port(self, port: ServicePort) -> None:
        """Raises Refusal; `service_port_exists` carries the id of the one that is in the way."""
        self.onu(port.position, port.onu_id)
        for index in (port.inbound, port.outbound):
            if index is not None and index not in TRAFFIC_TABLES:
                raise Refusal("traffic_table_missing")
        if port.id in self.service_ports:
            raise Refusal("service_port_exists", str(port.id))
        for other in self.ports_of(port.position, port.onu_id):
            if (other.gem, other.user_vlan) == (port.gem, port.user_vlan):
                raise Refusal("service_port_exists", str(other.id))
        self.service_ports[port.id] = port
        self.generation += 1

    def free_service_port(self) -> int:
        return next(number for number in range(65_536) if number not in self.service_ports)

    def delete_service_port(self, id_: int) -> None:
        if self.service_ports.pop(id_, None) is None:
            raise Refusal("service_port_missing")
        self.generation += 1

    def _pon(self, position: Position) -> None:
        if position.frame != 0 or position.slot not in self.slots or not 0 <= position.port < self.ports:
            raise Refusal("pon_missing")

    # ---- traffic ----------------------------------------------------------------------------

    def traffic(self, onu: Onu) -> tuple[float, float]:
        """Bytes down and up since the OLT booted."""
        unit = self.unit(onu)
        if not onu.online or unit is None or onu.last_up is None:
            return onu.down_bytes, onu.up_bytes
        seconds = self.clock() - max(onu.last_up, self.booted)
        down, up = unit.rates
        return onu.down_bytes + down * seconds / 8, onu.up_bytes + up * seconds / 8

    def lit(self, position: Position) -> bool:
        return position not in self.cut

    def pon_octets(self, position: Position) -> tuple[float, float]:
        """In and out of the OLT: in is upstream."""
        down = up = 0.0
        for onu in self.of_pon(position):
            one_down, one_up = self.traffic(onu)
            down, up = down + one_down, up + one_up
        return up, down

    # ---- what is kept -----------------------------------------------------------------------

    def configuration(self) -> dict[str, Any]:
        """For a file: what `save` saves."""
        return {
            "onus": [
                {
                    "fsp": str(onu.position),
                    "onu_id": onu.onu_id,
                    "sn": onu.sn,
                    "line_profile": onu.line_profile,
                    "service_profile": onu.service_profile,
                    "desc": onu.desc,
                    "active": onu.active,
                    "native_vlans": [[port, *vlan] for port, vlan in sorted(onu.native_vlans.items())],
                    "catv_off": onu.catv_off,
                }
                for onu in self.onus.values()
            ],
            "service_ports": [
                {**asdict(port), "position": str(port.position)} for port in self.service_ports.values()
            ],
        }

    def restore(self, saved: dict[str, Any]) -> None:
        self.onus, self.service_ports = {}, {}
        for row in saved.get("onus", ()):
            onu = Onu(
                Position.parse(row["fsp"]),
                row["onu_id"],
                row["sn"],
                row["line_profile"],
                row["service_profile"],
                row["desc"],
                row["active"],
                {port: (vlan, priority) for port, vlan, priority in row["native_vlans"]},
                row["catv_off"],
            )
            self.onus[onu.key] = onu
        for row in saved.get("service_ports", ()):
            port = ServicePort(**{**row, "position": Position.parse(row["position"])})
            self.service_ports[port.id] = port
        self.generation += 1
        self._reconsider_all()

    def provision(self) -> None:
        """Configure what the plan says to be configured from the beginning."""
        tables = {table.name: table.index for table in TRAFFIC_TABLES.values()}
        lines = {name: index for index, name in LINE_PROFILES.items()}
        services = {name: index for index, name in SERVICE_PROFILES.items()}
        for unit in self.units:
            if unit.plan.desc is None:
                continue
            line, service = lines[unit.plan.line_profile], services[unit.plan.service_profile]
            onu = self.add(unit.position, unit.sn, line, service, unit.plan.desc)
            onu.native_vlans = {port: (vlan, 0) for port, vlan in unit.plan.native.items()}
            onu.catv_off = [] if unit.plan.rf else [1]
            for flow in unit.plan.flows:
                self.add_service_port(
                    ServicePort(
                        len(self.service_ports) + 1,
                        onu.position,
                        onu.onu_id,
                        flow.gem,
                        flow.vlan,
                        flow.user_vlan,
                        tables[flow.inbound],
                        tables[flow.outbound],
                    )
                )

    def come_up(self) -> None:
        """All that can be online is, and has long been: a lab that starts is a network at work."""
        now = self.clock()
        self.booted = now - seeded(f"{self.name} age", 41 * 86_400, 90 * 86_400)
        for onu in self.onus.values():
            if onu.due is not None:
                self._up(onu, now - seeded(f"{onu.sn} age", 3_600, 40 * 86_400))
        for unit in self.units:
            unit.found = min(unit.found, now - seeded(f"{unit.sn} found", 60, 7_200))
