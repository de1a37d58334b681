"""What a driver of one vendor's OLTs offers, and the plain values it speaks in.

A reader or writer is for one device, blocking (called inside `native`), and raises `DeviceError` alone.
None in a value: the device does not tell. Powers in dBm, currents in mA, temperatures in °C, voltages in V,
traffic in bit/s, distances in m, durations in s; moments are aware, in UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple, Protocol, Self

from services.common.devices.values import within

MOST_CURRENT, MOST_VOLTAGE = 1000.0, 20.0
"""mA of a laser, V of a module: more is none."""


def optical(power: float | None) -> float | None:
    """None for what is no light of a PON: weaker than any receiver takes, stronger than any laser sends."""
    return within(power, -70, 30)


class Position(NamedTuple):
    """Of a PON on its OLT."""

    frame: int
    slot: int
    port: int

    @property
    def fsp(self) -> str:
        return f"{self.frame}/{self.slot}/{self.port}"


Place = tuple[Position, int]
"""Of an ONU: its PON and its id there."""


@dataclass(frozen=True, slots=True)
class OltFacts:
    vendor: str
    model: str | None = None
    version: str | None = None
    sysdescr: str = ""
    sysname: str = ""
    uptime: int | None = None
    temperature: float | None = None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A board; `state`: the device's word in lower case."""

    frame: int
    slot: int
    type: str | None = None
    state: str | None = None
    cpu: float | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Pon:
    """`type`: `gpon`, `xgspon` or `combo`; states `up` or `down`. A combo port is told as two, of GPON and of
    XGS-PON, in one position; `together` makes one of them."""

    position: Position
    ifindex: int
    name: str
    type: str = "gpon"
    admin_state: str | None = None
    oper_state: str | None = None
    tx_power: float | None = None
    bias: float | None = None
    temperature: float | None = None
    voltage: float | None = None
    dnbw: float | None = None
    upbw: float | None = None


def together(pons: Iterable[Pon]) -> dict[Position, Pon]:
    """One for each position: of what several tell the first that is known, up where one is up."""
    found: dict[Position, Pon] = {}
    for one in pons:
        known = found.get(one.position)
        if known is None:
            found[one.position] = one
            continue
        more = {field.name: getattr(one, field.name) for field in fields(one)}
        told = {name: value for name, value in more.items() if getattr(known, name) is None}
        told |= {name: "up" for name in ("admin_state", "oper_state") if more[name] == "up"}
        found[one.position] = replace(known, **told, type=known.type if known.type == one.type else "combo")
    return found


@dataclass(frozen=True, slots=True)
class EthernetPort:
    """`admin` and `oper`: `up` or `down`; `speed` in Mbit/s; `duplex`: `full` or `half`."""

    port: int
    admin: str | None = None
    oper: str | None = None
    speed: int | None = None
    duplex: str | None = None


@dataclass(frozen=True, slots=True)
class Onu:
    """`sn`: 16 lower-case hex digits. `states`: some of `online`, `offline`, `losi`, `lofi`, `dyinggasp`,
    `alarm`. `last_down_cause`: one of `losi`, `lofi`, `dyinggasp`, `noerror`, or the device's word.
    `ifindex`: of its PON, where that tells which of a combo port's it is."""

    position: Position
    onu_id: int
    sn: str | None = None
    type: str | None = None
    desc: str | None = None
    line_profile: str | None = None
    service_profile: str | None = None
    online: bool = False
    raw_status: str | None = None
    states: tuple[str, ...] = ()
    last_up_time: dt.datetime | None = None
    last_down_time: dt.datetime | None = None
    last_down_cause: str | None = None
    uptime: int | None = None
    distance: int | None = None
    ips: tuple[str, ...] = ()
    hardware_version: str | None = None
    software_version: str | None = None
    ethernet_ports: tuple[EthernetPort, ...] = ()
    ifindex: int | None = None


@dataclass(frozen=True, slots=True)
class Optics:
    """`dnrx`, `uptx`: what the ONU receives and sends; `uprx`: what the OLT receives of it; `tvrx`: its
    CATV input."""

    dnrx: float | None = None
    uptx: float | None = None
    uprx: float | None = None
    tvrx: float | None = None
    bias: float | None = None
    temperature: float | None = None
    voltage: float | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Seen from the subscriber: `dnbw` to the ONU, `upbw` from it."""

    dnbw: float | None = None
    upbw: float | None = None


class Counted(NamedTuple):
    """A counter of octets, and when it was read, by a clock that only goes forward."""

    at: float
    octets: int


@dataclass(frozen=True, slots=True)
class Counters:
    down: Counted | None = None
    up: Counted | None = None


def rate(before: Counted | None, after: Counted | None) -> float | None:
    """bit/s. None where a reading lacks, or the counter was set back between them."""
    if before is None or after is None or after.at <= before.at or after.octets < before.octets:
        return None
    return 8 * (after.octets - before.octets) / (after.at - before.at)


def traffic_between(
    before: Mapping[Place, Counters], after: Mapping[Place, Counters]
) -> dict[Place, Traffic]:
    found = {}
    for place, now in after.items():
        then = before.get(place, Counters())
        found[place] = Traffic(dnbw=rate(then.down, now.down), upbw=rate(then.up, now.up))
    return found


@dataclass(frozen=True, slots=True)
class ServicePort:
    """`inbound`, `outbound`: names of traffic tables, `…_id` their numbers. `native_vlan`: whether the user
    VLAN is the native one of a port of the ONU."""

    id: int
    position: Position
    onu_id: int
    gem: int | None = None
    user_vlan: int | None = None
    service_vlan: int | None = None
    inbound: str | None = None
    outbound: str | None = None
    tag_transform: str | None = None
    native_vlan: bool | None = None
    state: str | None = None
    inbound_id: int | None = None
    outbound_id: int | None = None


@dataclass(frozen=True, slots=True)
class Unconfigured:
    """An ONU that announces itself and is not on the OLT yet; `index`: its PON's ifIndex as text."""

    sn: str
    index: str | None = None
    onu_type: str | None = None
    position: Position | None = None
    hardware_version: str | None = None
    software_version: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Alarm:
    """In the words of the API: `level` (`critical`, `major`, `minor`, `warning`), `type` (`servicequality`,
    …)."""

    level: str
    type: str
    admin_status: str
    name: str
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """One time that the ONU was up; `down` None: still. `cause` of its end."""

    up: dt.datetime | None
    down: dt.datetime | None
    cause: str | None = None


class OnuDetail(NamedTuple):
    onu: Onu
    optics: Optics
    traffic: Traffic
    service_ports: tuple[ServicePort, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    registrations: tuple[Registration, ...] = ()


@dataclass(frozen=True, slots=True)
class Configured:
    """What the OLT has in its configuration for an ONU; profiles by name and by number. `native_vlans`:
    Ethernet port → VLAN; `catv`: whether its RF output is on. None: it does not tell."""

    position: Position
    onu_id: int
    sn: str | None = None
    desc: str | None = None
    line_profile: str | None = None
    service_profile: str | None = None
    active: bool = True
    service_ports: tuple[ServicePort, ...] = ()
    native_vlans: dict[int, int] | None = None
    catv: bool | None = None
    line_profile_id: int | None = None
    service_profile_id: int | None = None


class Reader(Protocol):
    """SNMP. `pon` None: of the whole OLT. A context manager that holds one socket.

    `full` adds what is seldom asked for and costs as many requests again: of an ONU its type, profiles,
    versions, distance, addresses and both its times, of its optics bias, temperature and voltage. Without it
    those are None, except the time and cause of the last end where the ONU is not online. By default full for
    one PON, not for the whole OLT.
    """

    def __enter__(self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...

    @property
    def failed(self) -> Mapping[str, str]:
        """Subtrees that could not be read so far, and why."""

    def facts(self) -> OltFacts: ...
    def slots(self) -> list[Slot]: ...
    def pons(self) -> list[Pon]: ...
    def onus(self, pon: Position | None = None, *, full: bool | None = None) -> list[Onu]: ...
    def optics(self, pon: Position | None = None, *, full: bool | None = None) -> dict[Place, Optics]: ...
    def counters(self, pon: Position | None = None) -> dict[Place, Counters]: ...
    def traffic(
        self, pon: Position | None = None, *, before: Mapping[Place, Counters] | None = None
    ) -> dict[Place, Traffic]:
        """Since `before`, an earlier reading of `counters`; without one, over a short while that it waits."""

    def unconfigured(self) -> list[Unconfigured]: ...
    def service_ports(self, pon: Position | None = None, onu_id: int | None = None) -> list[ServicePort]: ...
    def onu(self, position: Position, onu_id: int) -> OnuDetail | None: ...


class Writer(Protocol):
    """A CLI session; a context manager. Each method is one step, and says what it found.

    `DeviceError.reason` tells `exists` of what is there already and `missing` of what is not, so that a step
    that was done before can be told from one that failed.
    """

    def __enter__(self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...

    @property
    def host_key(self) -> str:
        """The key that the device showed, as a line of OpenSSH's `known_hosts` has it."""

    def find(self, sn: str) -> Place | None:
        """Where the OLT has this serial number."""

    def configuration(self, position: Position, onu_id: int) -> Configured | None: ...
    def unconfigured(self) -> list[Unconfigured]: ...
    def add(
        self,
        position: Position,
        sn: str,
        line_profile: str,
        service_profile: str,
        desc: str,
        onu_id: int | None = None,
    ) -> int:
        """Returns the id, which the device chooses when none is given."""

    def add_service_port(
        self,
        id_: int,
        position: Position,
        onu_id: int,
        gem: int,
        service_vlan: int,
        user_vlan: int,
        inbound: str | None = None,
        outbound: str | None = None,
        tag_transform: str | None = None,
    ) -> None: ...
    def free_service_port(self) -> int: ...
    def delete_service_port(self, id_: int) -> None: ...
    def delete(self, position: Position, onu_id: int) -> None: ...
    def native_vlan(
        self, position: Position, onu_id: int, ethernet_port: int, vlan: int, priority: int = 0
    ) -> None: ...
    def rf(self, position: Position, onu_id: int, on: bool) -> None: ...
    def describe(self, position: Position, onu_id: int, desc: str) -> None: ...
    def profiles(self, position: Position, onu_id: int, line_profile: str, service_profile: str) -> None: ...
    def activate(self, position: Position, onu_id: int) -> None: ...
    def deactivate(self, position: Position, onu_id: int) -> None: ...
    def reset(self, position: Position, onu_id: int) -> None: ...
    def factory(self, position: Position, onu_id: int) -> None: ...
    def alarms(self, position: Position, onu_id: int) -> Sequence[Alarm]: ...
    def registrations(self, position: Position, onu_id: int) -> Sequence[Registration]: ...
    def save(self) -> None: ...


REPEATABLE: dict[str, bool] = {
    "add": True,
    "add_service_port": True,
    "delete_service_port": True,
    "delete": True,
    "native_vlan": True,
    "rf": True,
    "describe": True,
    "profiles": True,
    "activate": True,
    "deactivate": True,
    "save": True,
    "reset": False,
    "factory": False,
}
"""Whether a step may be sent again when it is not known to have been done: the device refuses it then
(`exists`, `missing`) or changes nothing. `add_service_port` because the caller chooses the id."""
