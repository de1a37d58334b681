"""What an ONU should be, what it is, and the steps between the two (contract 3.3, 3.7).

Everything here is decided from three plain things: what the books want (`Wanted`), what the OLT is configured
with (`Configured`), and where the ONU is heard. A step is one command to the OLT, and each may be sent again:
the device refuses what is there already. So a worker that was killed reads the device again and goes on with
what is left to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.common.types import Row

INTERNET, MANAGEMENT, TELEPHONY, TELEVISION = "internet", "management", "telephony", "television"
SERVICES = (MANAGEMENT, INTERNET, TELEPHONY, TELEVISION)

# ---- what is wanted, what there is --------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where an ONU is on its OLT; `onu_id` None: heard there, and not configured."""

    frame: int
    slot: int
    port: int
    onu_id: int | None = None

    @property
    def pon(self) -> tuple[int, int, int]:
        return self.frame, self.slot, self.port


@dataclass(frozen=True)
class Port:
    """A service port: VLANs and the traffic tables that bound it. `user_vlan` None: untagged traffic of the
    ONU, all of it."""

    service: str
    gem: int
    service_vlan: int
    user_vlan: int | None
    inbound: str
    outbound: str

    @property
    def key(self) -> tuple[int, int | None]:
        """Two ports of an ONU never have the same GEM port and user VLAN."""
        return self.gem, self.user_vlan


@dataclass(frozen=True)
class Wanted:
    """An ONU as the books want it; `ports` by their order of making. `native`: Ethernet port → VLAN. A
    profile or traffic table whose name is digits is the one with that number on the OLT."""

    sn: str
    line_profile: str
    service_profile: str
    description: str
    ports: tuple[Port, ...]
    rf: bool = False
    native: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class ConfiguredPort:
    id: int
    gem: int
    service_vlan: int
    user_vlan: int | None
    inbound: str | None
    outbound: str | None
    inbound_id: int | None = None
    outbound_id: int | None = None

    @property
    def key(self) -> tuple[int, int | None]:
        return self.gem, self.user_vlan


@dataclass(frozen=True)
class Configured:
    """An ONU as the OLT has it. None: what this OLT does not tell, which is then no difference."""

    place: Place
    sn: str
    line_profile: str | None
    service_profile: str | None
    description: str | None
    ports: tuple[ConfiguredPort, ...]
    rf: bool | None = None
    native: tuple[tuple[int, int], ...] | None = None
    line_profile_id: int | None = None
    service_profile_id: int | None = None


# ---- from the books to what is wanted -----------------------------------------------------------


@dataclass(frozen=True)
class Service:
    """A row of the VLAN map of a line profile. Blank traffic tables: those of the CPE's speed profile."""

    service: str
    gem: int
    service_vlan: int
    user_vlan: int | None
    inbound: str
    outbound: str
    native_port: int | None


def wanted(cpe: Row, services: Sequence[Service], line_profile: str, service_profile: str) -> Wanted:
    """What the CPE (a row as isp shows it, with its `profile`, `model` and `potses` joined) asks for.

    No Internet without `active` and `access`; telephony stays while a port has a number, and management while
    there is anything to manage; television by its profile, `catv…` as RF where
    the model has an outlet for it. The map's order is the order in
    which ports are made.
    """
    on = bool(cpe["active"] and cpe["access"])
    profile = cpe.get("profile") or {}
    television = on and bool(cpe.get("tv_profile"))
    telephony = any(one.get("cli") for one in cpe.get("potses") or ())
    asked = {
        INTERNET: on and profile.get("internet_access", True),
        MANAGEMENT: bool(cpe["active"]) or telephony,
        TELEPHONY: telephony,
        TELEVISION: television and "catv" not in cpe["tv_profile"],
    }
    chosen = [one for one in services if asked[one.service]]
    ports = tuple(
        Port(
            one.service,
            one.gem,
            one.service_vlan,
            one.user_vlan,
            one.inbound or str(profile.get("upstream") or ""),
            one.outbound or str(profile.get("downstream") or ""),
        )
        for one in chosen
    )
    native = tuple(
        sorted((one.native_port, one.user_vlan) for one in chosen if one.native_port and one.user_vlan)
    )
    model = cpe.get("model") or {}
    rf = television and "catv" in cpe["tv_profile"] and bool(model.get("catv"))
    return Wanted(cpe["sn"], line_profile, service_profile, cpe["internal_id"], ports, rf, native)


def unspeedy(want: Wanted) -> list[str]:
    """Services whose ports have no traffic table, since the CPE has no speed profile."""
    return sorted({one.service for one in want.ports if not (one.inbound and one.outbound)})


# ---- steps --------------------------------------------------------------------------------------

RF_OFF, PORT_OFF, REMOVE = "rf_off", "service_port_off", "remove"
ADD, PROFILES, DESCRIBE, PORT_ON, NATIVE, RF_ON = (
    *("add", "profiles", "describe"),
    *("service_port_on", "native_vlan", "rf_on"),
)
STEPS = (RF_OFF, PORT_OFF, REMOVE, ADD, PROFILES, DESCRIBE, PORT_ON, NATIVE, RF_ON)
"""In the order in which they are done: RF goes off first and comes last; what is taken goes before what is
given."""


@dataclass(frozen=True)
class Step:
    """One command. `detail`: what it is done with, as the log and the events tell it."""

    name: str
    detail: Mapping[str, Any]


def steps(want: Wanted | None, have: Sequence[Configured], heard: Place | None) -> list[Step]:
    """What is left to do on one OLT. `have`: every place where the serial is configured on it. `heard`: where
    the ONU is on the fibre now, None when it is not heard. `want` None: nothing of it is to be left.

    An ONU that is heard on another PON than it is configured on has been moved: it goes from there first. One
    that is not configured and not heard waits.
    """
    found: list[Step] = []
    kept: Configured | None = None
    for one in have:
        moved = heard is not None and heard.pon != one.place.pon
        if want is None or moved or kept is not None:
            found += _removal(one)
        else:
            kept = one
    if want is not None and (kept is not None or heard is not None):
        found += _building(want, kept, heard)
    return sorted(found, key=lambda step: STEPS.index(step.name))  # stable: ports keep their order


def _removal(one: Configured) -> Iterator[Step]:
    at = _at(one.place)
    if one.rf:
        yield Step(RF_OFF, at)
    for port in one.ports:
        yield Step(PORT_OFF, {**at, "id": port.id})
    yield Step(REMOVE, {**at, "sn": one.sn})


def _building(want: Wanted, kept: Configured | None, heard: Place | None) -> Iterator[Step]:
    place = kept.place if kept else heard
    assert place is not None
    at = _at(place)
    profiles = {"line_profile": want.line_profile, "service_profile": want.service_profile}
    if kept is None:
        yield Step(ADD, {**at, "sn": want.sn, **profiles, "description": want.description})
    elif _is_other(want.line_profile, kept.line_profile, kept.line_profile_id) or _is_other(
        want.service_profile, kept.service_profile, kept.service_profile_id
    ):
        yield Step(PROFILES, {**at, **profiles})
    if kept is not None and _differs(kept.description, want.description):
        yield Step(DESCRIBE, {**at, "description": want.description})
    yield from _ports(want.ports, kept.ports if kept else (), at)
    had = dict(kept.native) if kept and kept.native is not None else {}
    for port, vlan in want.native:
        if had.get(port) != vlan:
            yield Step(NATIVE, {**at, "ethernet_port": port, "vlan": vlan})
    if want.rf and not (kept and kept.rf):
        yield Step(RF_ON, at)
    if kept is not None and kept.rf and not want.rf:
        yield Step(RF_OFF, at)


def _ports(want: Iterable[Port], have: Iterable[ConfiguredPort], at: Row) -> Iterator[Step]:
    """A port whose VLAN or traffic table differs is made anew: no OLT changes one in place."""
    left = {one.key: one for one in have}
    fresh = []
    for port in want:
        kept = left.pop(port.key, None)
        if kept is not None and not _port_differs(port, kept):
            continue
        if kept is not None:
            yield Step(PORT_OFF, {**at, "id": kept.id})
        fresh.append(port)
    for gone in left.values():
        yield Step(PORT_OFF, {**at, "id": gone.id})
    for port in fresh:
        yield Step(
            PORT_ON,
            {
                **at,
                "service": port.service,
                "gem": port.gem,
                "service_vlan": port.service_vlan,
                "user_vlan": port.user_vlan,
                "inbound": port.inbound,
                "outbound": port.outbound,
            },
        )


def _port_differs(want: Port, have: ConfiguredPort) -> bool:
    return (
        want.service_vlan != have.service_vlan
        or _is_other(want.inbound, have.inbound, have.inbound_id)
        or _is_other(want.outbound, have.outbound, have.outbound_id)
    )


def _is_other(want: str, name: str | None, number: int | None) -> bool:
    """Whether what is wanted, by its number or by its name, is not what the OLT tells of both."""
    if want.isdecimal():
        return number is not None and number != int(want)
    return _differs(name, want)


def _differs(have: str | None, want: str) -> bool:
    return have is not None and have != want


def _at(place: Place) -> Row:
    return {"frame": place.frame, "slot": place.slot, "port": place.port, "onu_id": place.onu_id}


def drift(found: Sequence[Step]) -> list[str]:
    """What differs between what is wanted and what there is, in words of the API (`mismatches`)."""
    names = {
        RF_OFF: "catv",
        RF_ON: "catv",
        PORT_OFF: "service_ports",
        PORT_ON: "service_ports",
        REMOVE: "onu",
        ADD: "onu",
        PROFILES: "profiles",
        DESCRIBE: "description",
        NATIVE: "native_vlan",
    }
    return sorted({names[one.name] for one in found})


# ---- what an OLT does not tell ------------------------------------------------------------------


def recalled(have: Configured, olt: str, applied: Row) -> Configured:
    """With what was set there before in place of what the OLT does not tell."""
    mine = applied if applied.get("place") == _written(olt, have.place) else {}
    native = have.native
    if native is None:
        native = tuple(sorted((int(port), vlan) for port, vlan in mine.get("native", {}).items()))
    return replace(have, native=native, rf=mine.get("rf") if have.rf is None else have.rf)


def remembered(applied: Row, olt: str, step: str, detail: Mapping[str, Any]) -> Row:
    """`applied` after a step."""
    place = _written(olt, Place(detail["frame"], detail["slot"], detail["port"], detail["onu_id"]))
    if step in (ADD, REMOVE) or applied.get("place") != place:
        applied = {}
    if step == NATIVE:
        native = {**applied.get("native", {}), str(detail["ethernet_port"]): detail["vlan"]}
        return {**applied, "place": place, "native": native}
    if step in (RF_ON, RF_OFF):
        return {**applied, "place": place, "rf": step == RF_ON}
    return applied


def _written(olt: str, place: Place) -> str:
    return f"{olt}:{place.frame}/{place.slot}/{place.port}-{place.onu_id}"


# ---- what is done at all ------------------------------------------------------------------------

PENDING, WAITING, APPLIED, BLOCKED, FAILED, REMOVED = (
    *("pending", "waiting", "applied"),
    *("blocked", "failed", "removed"),
)
STATES = (PENDING, WAITING, APPLIED, BLOCKED, FAILED, REMOVED)

DISABLED, BITSTREAM, PLACEHOLDER, NO_SERIAL, DUPLICATE, OLT_DISABLED = (
    *("disable_provision", "bitstream", "placeholder"),
    *("no_serial", "duplicate", "olt_disabled"),
)

REASONS = {
    DISABLED: "Its provisioning is disabled (disable_provision).",
    BITSTREAM: "It is served over another operator's network, who provisions it.",
    PLACEHOLDER: "Its serial number is a vendor's placeholder.",
    NO_SERIAL: "It has no serial number.",
    DUPLICATE: "Its serial number is heard on more than one OLT.",
    OLT_DISABLED: "Provisioning is disabled for its OLT.",
}
"""Why a CPE is left alone: reason (for programs) → text."""


def blocked(cpe: Row) -> str | None:
    """Why nothing is done for this CPE, whatever the network looks like."""
    if cpe.get("is_bitstream"):
        return BITSTREAM
    if cpe["disable_provision"]:
        return DISABLED
    if not cpe["sn"]:
        return NO_SERIAL
    if cpe["sn"].endswith("00000000"):
        return PLACEHOLDER
    return None


PAUSES = (5, 15, 60, 300, 900)
"""Seconds before what failed is tried again: after the first failure, the second, …"""


def pause(attempts: int) -> int:
    return PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]
