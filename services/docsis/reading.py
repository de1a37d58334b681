"""A reading of a CMTS: all that a poll asks for, as rows. Blocking: within `native`, parsing included."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from services.common.devices.snmp import within
from services.common.types import Row
from services.docsis import devices
from services.docsis.domain import cable_modem, levels, naming, registration
from services.docsis.domain.enumerations import ONLINE, RANGED
from services.docsis.drivers import mib
from services.docsis.drivers.cmts import Cmts
from services.docsis.drivers.readings import (
    DOWNSTREAM,
    UPSTREAM,
    Channel,
    Downstream,
    Facts,
    FiberNode,
    MacDomain,
    ModemUpstream,
    Registration,
    Topology,
    Upstream,
)


@dataclass(frozen=True)
class Reading:
    """`modems`: rows as `Network.told` makes them, by MAC; None where they were not asked for. `at`: seconds
    since 1970. `failed`: subtrees that could not be read, and why."""

    facts: Facts
    topology: Topology
    modems: dict[str, Row] | None
    at: float
    failed: Mapping[str, str] = field(default_factory=dict)


def read(row: Row, *, modems: bool = True) -> Reading:
    """`row`: of the CMTS. Raises `DeviceError`."""
    with devices.of_cmts(row) as snmp:
        cmts = Cmts(snmp, row["zone"])
        facts = cmts.facts()
        topology = cmts.topology()
        listed = cmts.modems() if modems else []
        failed = dict(cmts.failed)
    at = time.time()
    network = Network(topology, failed)
    rows = {one.mac: network.told(one, facts, at) for one in listed} if modems else None
    return Reading(facts, topology, rows, at, failed)


_REG = mib.CmtsCmReg
TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "partial": (f"{_REG.ENTRY}.{_REG.TCS_ID}", mib.US_CH_SET, mib.CmtsCmUs.ENTRY),
    "lacking": (f"{_REG.ENTRY}.{_REG.TCS_ID}", mib.US_CH_SET, mib.CmtsCmUs.ENTRY),
    "md": (f"{_REG.ENTRY}.{_REG.MD_IF_INDEX}", mib.MdChannel.ENTRY),
    "md_ifindex": (f"{_REG.ENTRY}.{_REG.MD_IF_INDEX}", mib.MdChannel.ENTRY),
    "md_cm_sg_id": (f"{_REG.ENTRY}.{_REG.MD_CM_SG_ID}",),
    "fibernode": (f"{_REG.ENTRY}.{_REG.MD_IF_INDEX}", f"{_REG.ENTRY}.{_REG.MD_CM_SG_ID}", mib.MdNode.ENTRY),
    "rcs_id": (f"{_REG.ENTRY}.{_REG.RCS_ID}",),
    "tcs_id": (f"{_REG.ENTRY}.{_REG.TCS_ID}",),
    "downstream": (f"{_REG.ENTRY}.{_REG.RCS_ID}", mib.DS_CH_SET, mib.MdChannel.ENTRY, mib.DownChannel.ENTRY),
    "upstream": (
        *(f"{_REG.ENTRY}.{_REG.TCS_ID}", mib.US_CH_SET, mib.MdChannel.ENTRY),
        *(mib.CmtsCmUs.ENTRY, mib.UpChannel.ENTRY),
    ),
    "ip": (f"{_REG.ENTRY}.{_REG.IPV4}",),
    "ipv6": (f"{_REG.ENTRY}.{_REG.IPV6}",),
    "last_reg_time": (f"{_REG.ENTRY}.{_REG.LAST_REG_TIME}",),
}
"""Columns of `cable_modems`, and the subtrees without which a CMTS tells nothing of them."""


class Network:
    """A topology, for what modems name in it. `failed`: what else than of the topology could not be read."""

    def __init__(self, topology: Topology, failed: Mapping[str, str] | None = None) -> None:
        self._topology = topology
        broken = {**topology.failed, **(failed or {})}
        self._untold = {
            name
            for name, needed in TOLD_BY.items()
            if any(within(one, oid) or within(oid, one) for one in needed for oid in broken)
        }
        self._domains = {one.ifindex: one for one in topology.mac_domains}
        self._channels = {
            (domain.ifindex, one.direction, one.id): one
            for domain in topology.mac_domains
            for one in domain.channels
        }
        self._downs = {one.ifindex: one for one in topology.downstreams}
        self._ups = {one.ifindex: one for one in topology.upstreams}
        self._down_ids = {one.id: one for one in topology.downstreams if one.id is not None}
        self._domain_of = {one.ifindex: domain for domain in topology.mac_domains for one in domain.channels}

    # ---- one modem ----------------------------------------------------------------------------

    def told(self, one: Registration, facts: Facts, at: float) -> Row:
        """`row`, without the columns that are empty because a table could not be read: nobody knows them."""
        untold = self._untold
        if one.impaired is not None or one.state != ONLINE:
            untold = untold - {"partial", "lacking"}
        row = self.row(one, facts, at)
        return {name: value for name, value in row.items() if value or name not in untold}

    def row(self, one: Registration, facts: Facts, at: float) -> Row:
        """The columns of `cable_modems` that a CMTS tells."""
        domain = self.domain(one)
        using = [up for up in one.upstreams if usable(up)]
        lacking = self._lacking(one, using) if one.state == ONLINE else 0
        return {
            "registration_id": one.id,
            "state": one.state,
            "status": one.status[:32],
            "partial": lacking > 0,
            "lacking": lacking,
            "md": domain.name[:64] if domain else None,
            "fibernode": self.node(one),
            "md_ifindex": domain.ifindex if domain else one.md_ifindex,
            "md_cm_sg_id": one.md_cm_sg_id,
            "rcs_id": one.rcs_id,
            "tcs_id": one.tcs_id,
            "downstream": cable_modem.listed(self.downstreams(one)),
            "upstream": cable_modem.listed(self.upstreams(one)),
            "ip": one.ip,
            "ipv6": one.ipv6,
            "last_reg_time": one.last_reg_time and one.last_reg_time.replace(microsecond=0),
            "uprx": levels.mean(up.rx for up in using) if one.state == ONLINE else None,
            "upsnr": levels.mean(up.snr for up in using) if one.state == ONLINE else None,
            "counters": counters(one, facts, at),
        }

    def domain(self, one: Registration) -> MacDomain | None:
        """Its MAC domain; where the CMTS does not name it, that of its channels."""
        if one.md_ifindex is not None:
            return self._domains.get(one.md_ifindex)
        places = (one.downstream, *(up.ifindex for up in one.upstreams))
        return next((self._domain_of[place] for place in places if place in self._domain_of), None)

    def node(self, one: Registration) -> str | None:
        """Its fiber node: by its service group, else the only one with its upstream channels."""
        domain = self.domain(one)
        if domain is None:
            return None
        for node in self._topology.fiber_nodes:
            for place in node.places:
                if (place.md_ifindex, place.md_cm_sg_id) == (domain.ifindex, one.md_cm_sg_id):
                    return node.name[:64]
        ids = {self._ups[up.ifindex].id for up in one.upstreams if up.ifindex in self._ups}
        fitting = [
            node.name[:64]
            for node in self._topology.fiber_nodes
            if ids & set(node.upstream_channels)
            and any(place.md_ifindex == domain.ifindex for place in node.places)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def downstreams(self, one: Registration) -> list[str]:
        """Names of its downstream channels."""
        if one.downstream is not None and one.downstream in self._downs:
            return [self._downs[one.downstream].interface]
        found = [self._channel(one, DOWNSTREAM, id_) for id_ in self.assigned(one, DOWNSTREAM) or ()]
        return [name for name in (self._named(channel) for channel in found) if name]

    def upstreams(self, one: Registration) -> list[str]:
        """Names of its upstream channels: those on which it is heard, else those that it was given."""
        heard = [self._ups[up.ifindex].interface for up in one.upstreams if up.ifindex in self._ups]
        if heard:
            return heard
        found = [self._channel(one, UPSTREAM, id_) for id_ in self.assigned(one, UPSTREAM) or ()]
        return [name for name in (self._named(channel) for channel in found) if name]

    def assigned(self, one: Registration, direction: str) -> tuple[int, ...] | None:
        """The ids of the channels that it was given; None where that is not known. A channel set below 256 is
        one channel, and its id."""
        given, sets = (
            (one.rcs_id, self._topology.downstream_sets)
            if direction == DOWNSTREAM
            else (one.tcs_id, self._topology.upstream_sets)
        )
        if given is None:
            return None
        if given < 256:
            return (given,)
        return sets.get((one.md_ifindex or 0, given))

    def power(self, one: Registration, id_: int | None, freq: int | None) -> float | None:
        """What the downstream channel that a modem names is sent with: of its MAC domain by id, else the only
        one on that frequency."""
        channel = self._channel(one, DOWNSTREAM, id_) if id_ is not None else None
        if channel is not None and channel.ifindex in self._downs:
            return self._downs[channel.ifindex].power
        alike = {sent.power for sent in self._downs.values() if freq is not None and sent.freq == freq}
        return alike.pop() if len(alike) == 1 else None

    def downstream_named(self, one: Registration, id_: int | None, freq: int | None) -> str:
        channel = self._channel(one, DOWNSTREAM, id_) if id_ is not None else None
        if name := self._named(channel):
            return name
        alike = [sent.interface for sent in self._downs.values() if freq is not None and sent.freq == freq]
        return alike[0] if len(alike) == 1 else ""

    def upstream(self, ifindex: int) -> Upstream | None:
        return self._ups.get(ifindex)

    def _channel(self, one: Registration, direction: str, id_: int) -> Channel | None:
        domain = self.domain(one)
        return self._channels.get((domain.ifindex, direction, id_)) if domain is not None else None

    def _named(self, channel: Channel | None) -> str:
        if channel is None:
            return ""
        known = self._downs.get(channel.ifindex) or self._ups.get(channel.ifindex)
        return known.interface if known is not None else naming.interface(channel.name)

    def _lacking(self, one: Registration, using: list[ModemUpstream]) -> int:
        given = self.assigned(one, UPSTREAM)
        heard = len(using) if one.upstreams else None
        lacking = registration.lacking(heard, len(given) if given is not None else None)
        return max(lacking, int(any(one.impaired or ())))


def usable(up: ModemUpstream) -> bool:
    """Whether the channel carries data of the modem, as far as the CMTS tells."""
    return not up.muted and (up.ranging_status is None or up.ranging_status in RANGED)


def counters(one: Registration, facts: Facts, at: float) -> Row | None:
    """What its upstream channels have counted by now, as it is kept for the next reading."""
    rows = [
        [
            up.ifindex,
            up.codewords.unerrored,
            up.codewords.corrected,
            up.codewords.uncorrectable,
            up.codewords.bits,
        ]
        for up in one.upstreams
        if up.codewords is not None
    ]
    return {"id": one.id, "at": at, "uptime": facts.uptime, "rows": rows} if rows else None


# ---- as it is shown -------------------------------------------------------------------------------


def mac_domain(one: MacDomain) -> Row:
    return {
        "ifindex": one.ifindex,
        "name": one.name,
        "ip_provisioning_mode": one.ip_provisioning_mode,
        "channels": [
            {
                "chanid": channel.id,
                "pri": channel.primary,
                "ifindex": channel.ifindex,
                "name": channel.name,
                "freq": channel.freq,
                "direction": channel.direction,
            }
            for channel in one.channels
        ],
    }


def fiber_node(one: FiberNode) -> Row:
    """Channel sets and channels by direction, and once more under the names of the product's command line."""
    down = {"chset_ids": list(one.downstream_sets), "channels": list(one.downstream_channels)}
    up = {"chset_ids": list(one.upstream_sets), "channels": list(one.upstream_channels)}
    return {
        "name": one.name,
        "description": one.description,
        "map": [asdict(place) for place in one.places],
        "downstream": down,
        "upstream": up,
        **{f"ds_{name}": value for name, value in down.items()},
        **{f"us_{name}": value for name, value in up.items()},
    }


def downstream(one: Downstream) -> Row:
    return asdict(one)


def upstream(one: Upstream) -> Row:
    shown = asdict(one)
    counted: Mapping[str, Any] = shown.pop("codewords") or {}
    return {
        **shown,
        "unerroreds": counted.get("unerrored"),
        "correcteds": counted.get("corrected"),
        "uncorrectables": counted.get("uncorrectable"),
    }


def documents(topology: Topology) -> Row:
    """The columns of `cmtss` that hold what it has."""
    return {
        "mac_domains": [mac_domain(one) for one in topology.mac_domains],
        "downstreams": [downstream(one) for one in topology.downstreams],
        "upstreams": [upstream(one) for one in topology.upstreams],
        "fiber_nodes": [fiber_node(one) for one in topology.fiber_nodes],
    }


def untold(topology: Topology) -> set[str]:
    """The documents that are empty because their table could not be read."""
    found = set()
    if mib.MdChannel.ENTRY in topology.failed and not any(one.channels for one in topology.mac_domains):
        found.add("mac_domains")
    if mib.DownChannel.ENTRY in topology.failed and not topology.downstreams:
        found.add("downstreams")
    if mib.UpChannel.ENTRY in topology.failed and not topology.upstreams:
        found.add("upstreams")
    if mib.MdNode.ENTRY in topology.failed and not any(one.places for one in topology.fiber_nodes):
        found.add("fiber_nodes")
    return found
