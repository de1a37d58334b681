"""A reading of an OLT: all that a poll asks for, as plain values. Blocking: within `native`, parsing
included."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.common.devices.errors import DeviceError
from services.common.types import Row
from services.gpon import devices
from services.gpon.domain import observing, optics
from services.gpon.domain.naming import Pon, position
from services.gpon.drivers.base import (
    Configured,
    Onu,
    Optics,
    Place,
    Position,
    Reader,
    ServicePort,
    Traffic,
    Unconfigured,
)
from services.gpon.drivers.base import OltFacts as Facts
from services.gpon.drivers.base import Pon as PonState

T = TypeVar("T")

HIGHEST = 65_535
"""More than any id of an ONU: ITU-T G.9807.1 has 1,023, and vendors number by themselves."""
FAR = 1_000_000
"""Metres that no fibre has."""
SINCE, UNTIL = 1990, 2100

At = tuple[str, int]
"""frame/slot/port, and the ONU's id."""

LEVELS = ("dntx", "dnrx", "dnatt", "uptx", "uprx", "upatt", "tvrx", "pondesv")


@dataclass(frozen=True)
class Reading:
    """`onus`: rows as `onu_row` makes them; `levels`: whether they have optical ones; `full`: whether they
    tell all that the OLT knows, else what is asked for often. `pon`: the one that was read, None: all.
    `unconfigured` None: it did not tell. `failed`: subtrees that could not be read, and why."""

    vendor: str
    facts: Facts
    pons: list[PonState]
    onus: list[Row]
    unconfigured: list[Unconfigured] | None
    levels: bool
    pon: Pon | None = None
    full: bool = True
    failed: Mapping[str, str] = field(default_factory=dict)


def read(row: Row, levels: bool, pon: Pon | None = None, full: bool = False) -> Reading:
    """`row`: of the OLT. A PON by itself is read in full. An OLT that fails on anything but its ONUs and
    their states is read without that. Raises `DeviceError`."""
    at = Position(*pon) if pon else None
    full = full or pon is not None
    with devices.reader(row) as driver:
        facts = driver.facts()
        pons = _as_told(driver, driver.pons) or []
        before = dict(driver.failed)
        found = [one for one in driver.onus(at, full=full) if one.onu_id <= HIGHEST]
        whole = driver.failed == before
        measured = _as_told(driver, lambda: driver.optics(at)) if levels else None
        waiting = _as_told(driver, driver.unconfigured)
        failed = dict(driver.failed)
    told, levels = rows(found, pons, measured), measured is not None
    return Reading(row["vendor"], facts, pons, told, waiting, levels, pon, full and whole, failed)


def _as_told(driver: Reader, read: Callable[[], T]) -> T | None:
    """None where the device fails on it, which the driver has noted. Raises when the device is gone."""
    before = dict(driver.failed)
    try:
        return read()
    except DeviceError:
        if driver.failed == before:
            raise
        return None


def rows(onus: list[Onu], pons: list[PonState], measured: Mapping[Place, Optics] | None) -> list[Row]:
    """`measured` None: levels were not asked for, and the rows have none of these members."""
    found = [onu_row(one) for one in onus]
    if measured is None:
        return found
    there: dict[Position, list[PonState]] = {}
    for pon in pons:
        there.setdefault(pon.position, []).append(pon)
    for one, row in zip(onus, found, strict=True):
        sent = sent_to(one, there.get(one.position, ()))
        row |= levels(one, sent, measured.get((one.position, one.onu_id)))
    by_pon: dict[str, dict[object, float | None]] = {}
    for row in found:
        by_pon.setdefault(row["fsp"], {})[row["onu_id"]] = row["dnrx"]
    deviating = {fsp: optics.deviations(received) for fsp, received in by_pon.items()}
    for row in found:
        row["pondesv"] = deviating[row["fsp"]].get(row["onu_id"])
    return found


def sent_to(onu: Onu, pons: Iterable[PonState]) -> float | None:
    """What its PON sends with, dBm: of those in its position, which are two on a combo port, its own."""
    mine = list(pons)
    if len({one.type for one in mine}) > 1:
        mine = [one for one in mine if one.ifindex == onu.ifindex]
    return next((one.tx_power for one in mine if one.tx_power is not None), None)


def onu_row(one: Onu) -> Row:
    """The columns of `onus` that an OLT tells, levels apart."""
    pon = Pon(*one.position)
    return {
        "frame": pon.frame,
        "slot": pon.slot,
        "port": pon.port,
        "fsp": pon.fsp,
        "onu_id": one.onu_id,
        "position": position(pon, one.onu_id),
        "sn": one.sn,
        "type": short(one.type, 64),
        "description": short(one.desc, 255),
        "line_profile": short(one.line_profile, 64),
        "service_profile": short(one.service_profile, 64),
        "status": "online" if one.online else "offline",
        "state": observing.state(one.states or (("online",) if one.online else ("offline",))),
        "raw_status": short(one.raw_status, 64),
        "states": list(one.states) or ["online" if one.online else "offline"],
        "last_up_time": _second(one.last_up_time),
        "last_down_time": _second(one.last_down_time),
        "last_down_cause": short(one.last_down_cause, 64),
        "distance": one.distance if one.distance is not None and 0 <= one.distance < FAR else None,
        "ips": list(one.ips),
        "hardware_version": short(one.hardware_version, 64),
        "software_version": short(one.software_version, 64),
    }


def levels(one: Onu, sent: float | None, measured: Optics | None) -> Row:
    """Of an ONU that is down nothing but what was sent by others is known: no levels at all."""
    if measured is None or not one.online:
        return dict.fromkeys(LEVELS)
    return {
        "dntx": sent,
        "dnrx": measured.dnrx,
        "dnatt": optics.attenuation(sent, measured.dnrx),
        "uptx": measured.uptx,
        "uprx": measured.uprx,
        "upatt": optics.attenuation(measured.uptx, measured.uprx),
        "tvrx": measured.tvrx,
    }


def traffic(row: Row, pon: Pon | None = None) -> tuple[list[Row], dict[Place, Traffic]]:
    """(the ONUs, what each sends and receives). Raises `DeviceError`."""
    at = Position(*pon) if pon else None
    with devices.reader(row) as driver:
        onus = driver.onus(at)
        return [onu_row(one) for one in onus], driver.traffic(at)


def configuration(row: Row) -> tuple[dict[At, Onu], dict[At, list[ServicePort]]]:
    """What the OLT has in its configuration, by PON and ONU. Raises `DeviceError`."""
    ports: dict[At, list[ServicePort]] = {}
    with devices.reader(row) as driver:
        onus = {(Pon(*one.position).fsp, one.onu_id): one for one in driver.onus()}
        for port in driver.service_ports():
            ports.setdefault((Pon(*port.position).fsp, port.onu_id), []).append(port)
    return onus, ports


def as_configured(onus: Mapping[At, Onu], ports: Mapping[At, list[ServicePort]]) -> Iterator[Configured]:
    """As the command line tells of each ONU, as far as SNMP does."""
    for at, one in onus.items():
        yield Configured(
            one.position,
            one.onu_id,
            one.sn,
            one.desc,
            one.line_profile,
            one.service_profile,
            service_ports=tuple(ports.get(at, ())),
        )


def detail(row: Row, pon: Pon, onu_id: int) -> Any:
    """(what the OLT tells of the ONU, what its PON sends with, the host key that it showed) or None. What
    only the CLI tells is left out where there is no way to it."""
    at = Position(*pon)
    with devices.reader(row) as driver:
        found = driver.onu(at, onu_id)
        pons = [one for one in driver.pons() if one.position == at] if found else []
    if found is None:
        return None
    sent = sent_to(found.onu, pons)
    if (found.alarms or found.registrations) or not row["ssh_password"]:
        return found, sent, None
    try:
        with devices.writer(row) as cli:
            told = found._replace(
                alarms=tuple(cli.alarms(at, onu_id)), registrations=tuple(cli.registrations(at, onu_id))
            )
            return told, sent, cli.host_key
    except DeviceError:
        return found, sent, None


def _second(moment: dt.datetime | None) -> dt.datetime | None:
    """The whole second; None of a clock that was never set."""
    if moment is None or not SINCE <= moment.year <= UNTIL:
        return None
    return moment.replace(microsecond=0)


def short(text: str | None, length: int) -> str | None:
    return text if text is None else text[:length]
