"""One modem now: what its CMTS hears, what it says itself, and what both together mean (contract 4.5).

`look` is blocking: within `native`. What it needs of the look before, for shares and rates, it is given.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.common.devices.errors import DeviceError
from services.common.types import Row
from services.docsis import devices
from services.docsis.domain import codewords, levels, registration
from services.docsis.domain.codewords import Reading
from services.docsis.domain.description import system_description
from services.docsis.domain.enumerations import BLOCKED, ONLINE, RANGED, RANGING_STATUS, named
from services.docsis.drivers.cmts import Cmts
from services.docsis.drivers.modem import CableModem
from services.docsis.drivers.readings import (
    DOWNSTREAM,
    UPSTREAM,
    Codewords,
    Facts,
    Flow,
    Modem,
    ModemChannel,
    Registration,
)
from services.docsis.reading import Network, usable

SUCCESS = "success"
PAUSE = 1.0
"""Seconds between two looks at the counters of a modem that was not looked at before."""

TOO_OLD = 900.0
"""Seconds after which an earlier look says nothing of now."""


@dataclass(frozen=True)
class Sample:
    """What was counted by a moment: codewords by (direction, ifIndex), octets by flow."""

    at: float
    codewords: Mapping[tuple[str, int], Reading] = field(default_factory=dict)
    octets: Mapping[int, Flow] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """`poll`: `success`, or the code of what went wrong with the modem itself; None: it was not asked."""

    facts: Facts
    registration: Registration
    flows: Sequence[Flow]
    modem: Modem | None
    poll: str | None
    sample: Sample
    before: Sample | None
    failed: Mapping[str, str] = field(default_factory=dict)


def look(cmts: Row, mac: str, hint: int | None, before: Sample | None) -> Look | None:
    """None when the CMTS does not list the modem. Raises `DeviceError` of the CMTS; that of the modem is what
    `poll` says. `before`: of the last look at it."""
    if before is not None and time.time() - before.at > TOO_OLD:
        before = None
    with devices.of_cmts(cmts) as snmp:
        driver = Cmts(snmp, cmts["zone"])
        facts = driver.facts()
        found = _once(cmts, driver, facts, mac, hint)
        if found is not None and before is None and found.registration.state == ONLINE:
            time.sleep(PAUSE)
            before = found.sample
            found = _once(cmts, driver, facts, mac, found.registration.id) or found
    return None if found is None else Look(**{**vars(found), "before": before})


def _once(cmts: Row, driver: Cmts, facts: Facts, mac: str, hint: int | None) -> Look | None:
    found = driver.modem(mac, hint)
    if found is None:
        return None
    flows = driver.flows(mac)
    at = time.time()
    modem, poll = _asked(cmts, found)
    if not flows and modem is not None:
        flows = list(modem.flows)
    sample = _sample(cmts, found, facts, flows, modem, at)
    return Look(facts, found, flows, modem, poll, sample, None, dict(driver.failed))


def _asked(cmts: Row, found: Registration) -> tuple[Modem | None, str | None]:
    if found.ip is None or found.state not in (ONLINE, BLOCKED):
        return None, None
    try:
        with devices.of_modem(cmts, found.mac, found.ip) as snmp:
            return CableModem(snmp).read(), SUCCESS
    except DeviceError as error:
        return None, error.code


def _sample(
    cmts: Row, found: Registration, facts: Facts, flows: Sequence[Flow], modem: Modem | None, at: float
) -> Sample:
    counted: dict[tuple[str, int], Reading] = {}
    for up in found.upstreams:
        if up.codewords is not None:
            source = (cmts["id"], found.id, up.ifindex)
            counted[UPSTREAM, up.ifindex] = _reading(source, at, up.codewords, facts.uptime)
    if modem is not None:
        for down in modem.downstreams:
            if down.codewords is not None:
                channel = (found.mac, down.ifindex, down.freq or 0)
                counted[DOWNSTREAM, down.ifindex] = _reading(channel, at, down.codewords, modem.uptime)
    octets = {one.id: one for one in flows if one.octets is not None}
    if not octets and modem is not None:
        octets = {one.id: one for one in modem.traffic}
    return Sample(at, counted, octets)


def _reading(source: tuple[int | str, ...], at: float, one: Codewords, uptime: int | None) -> Reading:
    return Reading(source, at, one.unerrored, one.corrected, one.uncorrectable, one.bits, uptime)


# ---- what it means --------------------------------------------------------------------------------


class Detail:
    """A look, as it is shown (`told`) and kept (`levels`, `observed`)."""

    def __init__(self, cmts: Row, found: Look, network: Network) -> None:
        self._cmts = cmts
        self._look = found
        self._network = network
        told = found.registration, found.facts, found.sample.at
        self.row, self.observed = network.row(*told), network.told(*told)
        self.downstream = self._downstream()
        self.upstream = self._upstream()
        self.values = self._values()

    @property
    def description(self) -> dict[str, str]:
        return system_description(self._look.modem.sysdescr if self._look.modem else None)

    @property
    def kept(self) -> Row:
        """Columns of `cable_modems` that only a look at the modem itself tells."""
        modem, told = self._look.modem, self.description
        kept: Row = {name: self.values.get(name) for name in ("dnatt", "dnrx", "dnsnr", "upatt", "uptx")}
        kept |= {name: self.values.get(name) for name in ("dncorr", "dnko", "upcorr", "upko")}
        kept["poll"] = self._look.poll
        if modem is not None:
            kept |= {
                "vendor": _short(told.get("VENDOR"), 128),
                "model": _short(told.get("MODEL"), 128),
                "software_version": _short(modem.software_version or told.get("SW_REV"), 128),
                "file": _short(modem.file, 255),
            }
        return kept

    def told(self) -> Row:
        """Without whose it is, which its row says."""
        found, modem = self._look.registration, self._look.modem
        down, up = self.row["downstream"].split(","), self.row["upstream"].split(",")
        name = self._cmts["name"]
        return {
            "cmts": name,
            "cmts_id": self._cmts["id"],
            "id": found.id,
            "state": found.state,
            "status": found.status,
            "fibernode": self.row["fibernode"],
            "md": self.row["md"],
            "ids": registration.ids(self.row["md_ifindex"], found.md_cm_sg_id, found.rcs_id, found.tcs_id),
            **{one: self.row[one] for one in ("md_ifindex", "md_cm_sg_id", "rcs_id", "tcs_id")},
            "mac": found.mac,
            "ip": found.ip,
            "ipv6": found.ipv6,
            "ipv6_link_local": found.ipv6_link_local,
            "poll": self._look.poll,
            "file": modem.file if modem is not None else None,
            "uptime": modem.uptime if modem is not None else None,
            "dnbw": self.bandwidth(DOWNSTREAM),
            "upbw": self.bandwidth(UPSTREAM),
            "reg_tags": registration.tags(name, self.row["md"], self.row["fibernode"], down, up),
            "output": registration.output(found.state, name, found.id, found.ip),
            "services": levels.services(self.values),
            "downstream_total": {
                one: self.values.get(f"dn{one}") for one in ("rx", "att", "snr", "corr", "ko")
            },
            "downstream": self.downstream,
            "upstream_total": {
                one: self.values.get(f"up{one}") for one in ("tx", "att", "snr", "corr", "ko")
            },
            "upstream": self.upstream,
            "system_description": self.description,
            "downstream_sfs": [one.rate for one in self._look.flows if one.direction == DOWNSTREAM],
            "service_flows": [
                {"id": one.id, "direction": one.direction, "rate": one.rate} for one in self._look.flows
            ],
            "cmtsinvups": self.values["cmtsinvups"],
            "cminvups": self.values["cminvups"],
            "partial_service": self.row["partial"],
            "lacking": self.row["lacking"],
            "qos_version": found.qos_version,
            "last_reg_time": found.last_reg_time,
            "rcp_id": found.rcp_id,
            "rcc_status_id": found.rcc_status_id,
            "model": self.description.get("MODEL"),
            "software_version": modem.software_version if modem is not None else None,
            "serial_number": modem.serial_number if modem is not None else None,
        }

    def bandwidth(self, direction: str) -> float | None:
        """Bit/s since the look before, of all its flows; None where no flow tells."""
        before, now = self._look.before, self._look.sample
        if before is None or now.at <= before.at:
            return None
        counted = []
        for id_, flow in now.octets.items():
            former = before.octets.get(id_)
            if flow.direction != direction or former is None:
                continue
            octets = (flow.octets or 0) - (former.octets or 0)
            if octets < 0 and flow.bits == 32:
                octets += 2**32
            if octets >= 0:
                counted.append(octets)
        return round(8 * sum(counted) / (now.at - before.at), 1) if counted else None

    # ---- channels -----------------------------------------------------------------------------

    def _downstream(self) -> list[Row]:
        found, modem = self._look.registration, self._look.modem
        rows = []
        for place, one in enumerate(modem.downstreams if modem is not None else ()):
            power = self._network.power(found, one.id, one.freq)
            corr, ko = self._shares([(DOWNSTREAM, one.ifindex)])
            rows.append(
                {
                    "id": place,
                    "chanid": one.id,
                    "itf_name": self._network.downstream_named(found, one.id, one.freq),
                    "freq": one.freq,
                    "width": one.width,
                    "mod": one.modulation,
                    "rx": one.level,
                    "att": levels.downstream_attenuation(power, one.level),
                    "snr": one.snr,
                    "corr": corr,
                    "ko": ko,
                    "microreflections": one.microreflections,
                }
            )
        return rows

    def _upstream(self) -> list[Row]:
        """The channels on which the CMTS hears it, with what the modem says of the same ones; then those of
        which only the modem speaks."""
        found, modem = self._look.registration, self._look.modem
        left = {one.ifindex: one for one in (modem.upstreams if modem is not None else ())}
        rows: list[Row] = []
        for up in found.upstreams:
            known = self._network.upstream(up.ifindex)
            mine = _same(
                left, known.id if known else None, known.freq if known else None, len(found.upstreams)
            )
            if mine is not None:
                del left[mine.ifindex]
            corr, ko = self._shares([(UPSTREAM, up.ifindex)])
            rows.append(
                {
                    "chanid": known.id if known else (mine.id if mine else None),
                    "itf_name": known.interface if known else str(up.ifindex),
                    "freq": known.freq if known else (mine.freq if mine else None),
                    "width": known.width if known else (mine.width if mine else None),
                    "mod": known.modulation if known else None,
                    "type": up.type or (known.type if known else None),
                    "tx": mine.level if mine else None,
                    "rx": up.rx,
                    "att": levels.upstream_attenuation(mine.level if mine else None, up.rx),
                    "snr": up.snr,
                    "corr": corr,
                    "ko": ko,
                    "is_muted": up.muted or bool(mine and mine.muted),
                    "ranging_status": named(RANGING_STATUS, up.ranging_status),
                    "microreflections": up.microreflections,
                    "timing_offset": up.timing_offset,
                    **_timeouts(mine),
                }
            )
        rows += [_unheard(mine) for mine in left.values()]
        return [{"id": place, **row} for place, row in enumerate(rows)]

    def _shares(self, channels: Iterable[tuple[str, int]]) -> tuple[float | None, float | None]:
        """Corrected and lost codewords of channels together, in percent, since the look before."""
        before, now = self._look.before, self._look.sample
        if before is None:
            return None, None
        parts = [codewords.between(before.codewords.get(one), now.codewords.get(one)) for one in channels]
        counted = codewords.together(parts)
        return counted.shares if counted is not None else (None, None)

    def _values(self) -> dict[str, float | None]:
        """The figures of the modem as a whole, by metric."""
        found, modem = self._look.registration, self._look.modem
        channels = self._look.sample.codewords
        dncorr, dnko = self._shares(one for one in channels if one[0] == DOWNSTREAM)
        upcorr, upko = self._shares(one for one in channels if one[0] == UPSTREAM)
        unusable = sum(not usable(up) for up in found.upstreams)
        invalid: float | None = None
        if modem is not None:
            invalid = sum(
                one.muted or (one.ranging_status is not None and one.ranging_status not in RANGED)
                for one in modem.upstreams
            )
        return {
            "dnatt": levels.mean(row["att"] for row in self.downstream),
            "dnrx": levels.mean(row["rx"] for row in self.downstream),
            "dnsnr": levels.mean(row["snr"] for row in self.downstream),
            "upatt": levels.mean(row["att"] for row in self.upstream),
            "uptx": levels.mean(row["tx"] for row in self.upstream),
            "uprx": levels.mean(row["rx"] for row in self.upstream),
            "upsnr": levels.mean(row["snr"] for row in self.upstream),
            "dncorr": dncorr,
            "dnko": dnko,
            "upcorr": upcorr,
            "upko": upko,
            "cmtsinvups": max(unusable, self.row["lacking"]) if found.upstreams else None,
            "cminvups": invalid,
        }


def _same(
    left: Mapping[int, ModemChannel], number: int | None, freq: int | None, heard: int
) -> ModemChannel | None:
    """The modem's own channel that the CMTS means: by id, by frequency, or the only one of each."""
    for member, value in (("id", number), ("freq", freq)):
        fitting = [one for one in left.values() if value is not None and getattr(one, member) == value]
        if len(fitting) == 1:
            return fitting[0]
    return next(iter(left.values())) if heard == 1 == len(left) else None


def _unheard(mine: ModemChannel) -> Row:
    """A channel of which the CMTS says nothing."""
    names = ("itf_name", "mod", "type", "rx", "att", "snr", "corr", "ko", "microreflections", "timing_offset")
    return {
        **dict.fromkeys(names),
        "chanid": mine.id,
        "freq": mine.freq,
        "width": mine.width,
        "tx": mine.level,
        "is_muted": mine.muted,
        "ranging_status": named(RANGING_STATUS, mine.ranging_status),
        **_timeouts(mine),
    }


def _timeouts(mine: ModemChannel | None) -> dict[str, Any]:
    names = ("t3_timeouts", "t4_timeouts", "ranging_aborteds")
    return {name: getattr(mine, name) if mine is not None else None for name in names}


def _short(text: str | None, length: int) -> str | None:
    return text[:length] if text is not None else None
