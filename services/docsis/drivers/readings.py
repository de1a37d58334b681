"""What drivers tell of a CMTS and its modems, in plain values.

None: the device does not tell. Levels in dBmV, ratios in dB, frequencies and widths in Hz, rates in bit/s,
durations in s; MACs with colons; moments are aware, in UTC. States are those of `domain/enumerations.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

DOWNSTREAM, UPSTREAM = "downstream", "upstream"


@dataclass(frozen=True, slots=True)
class Facts:
    """`vendor`: a name of `quirks.VENDORS`; `uptime` in s."""

    vendor: str
    model: str | None = None
    software_version: str | None = None
    sysdescr: str = ""
    uptime: int | None = None


@dataclass(frozen=True, slots=True)
class Codewords:
    """Counters, of `bits` bits."""

    unerrored: int
    corrected: int
    uncorrectable: int
    bits: int


@dataclass(frozen=True, slots=True)
class Downstream:
    """`power`: what it is sent with. `name` as the device writes it, `interface` as the platform does."""

    ifindex: int
    id: int | None = None
    freq: int | None = None
    width: int | None = None
    modulation: str | None = None
    power: float | None = None
    annex: str | None = None
    interleave: str | None = None
    utilization: int | None = None
    name: str = ""
    interface: str = ""
    state: str = "unknown"


@dataclass(frozen=True, slots=True)
class Upstream:
    """`snr` and the counters: of all that is received on it."""

    ifindex: int
    id: int | None = None
    freq: int | None = None
    width: int | None = None
    modulation_profile: int | None = None
    modulation: str | None = None
    type: str | None = None
    slot_size: int | None = None
    tx_timing_offset: int | None = None
    pre_eq_enable: bool | None = None
    ranging_backoff_start: int | None = None
    ranging_backoff_end: int | None = None
    tx_backoff_start: int | None = None
    tx_backoff_end: int | None = None
    snr: float | None = None
    codewords: Codewords | None = None
    utilization: int | None = None
    name: str = ""
    interface: str = ""
    state: str = "unknown"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a MAC domain. `primary`: modems can find the domain on it."""

    ifindex: int
    id: int | None
    primary: bool
    direction: str
    name: str = ""
    freq: int | None = None


@dataclass(frozen=True, slots=True)
class MacDomain:
    ifindex: int
    name: str
    channels: tuple[Channel, ...] = ()
    ip_provisioning_mode: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fiber node hangs: the MAC domain and its service groups; 0 none."""

    md_ifindex: int
    md_cm_sg_id: int
    md_ds_sg_id: int
    md_us_sg_id: int


@dataclass(frozen=True, slots=True)
class FiberNode:
    """`…_sets`: its channel sets; `…_channels`: channel ids in them."""

    name: str
    description: str = ""
    places: tuple[Place, ...] = ()
    downstream_sets: tuple[int, ...] = ()
    downstream_channels: tuple[int, ...] = ()
    upstream_sets: tuple[int, ...] = ()
    upstream_channels: tuple[int, ...] = ()


ChannelSet = tuple[int, int]
"""ifIndex of the MAC domain, id of the set."""


@dataclass(frozen=True, slots=True)
class Topology:
    """`…_sets`: channel ids of each set of each MAC domain. `failed`: subtrees that could not be read, and
    why."""

    mac_domains: tuple[MacDomain, ...] = ()
    downstreams: tuple[Downstream, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    fiber_nodes: tuple[FiberNode, ...] = ()
    downstream_sets: Mapping[ChannelSet, tuple[int, ...]] = field(default_factory=dict)
    upstream_sets: Mapping[ChannelSet, tuple[int, ...]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModemUpstream:
    """An upstream channel of one modem, as the CMTS hears it. `timing_offset` in 6.25 µs / (64 * 256)."""

    ifindex: int
    rx: float | None = None
    snr: float | None = None
    codewords: Codewords | None = None
    muted: bool = False
    ranging_status: int | None = None
    microreflections: int | None = None
    timing_offset: int | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A modem as its CMTS lists it. `id`: the CMTS's number of it, which a restart may change. `downstream`:
    ifIndex of its only channel, where the CMTS names no sets. `former`: told by the MIB before DOCSIS 3.0.
    `impaired`: what the CMTS says of channels lost, by direction; None where it does not."""

    id: int
    mac: str
    state: str
    status: str
    ip: str | None = None
    ipv6: str | None = None
    ipv6_link_local: str | None = None
    md_ifindex: int | None = None
    md_cm_sg_id: int | None = None
    rcs_id: int | None = None
    tcs_id: int | None = None
    rcp_id: str | None = None
    rcc_status_id: int | None = None
    qos_version: str | None = None
    last_reg_time: dt.datetime | None = None
    downstream: int | None = None
    upstreams: tuple[ModemUpstream, ...] = ()
    impaired: tuple[bool, bool] | None = None
    former: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """An active service flow. `direction`: `downstream` or `upstream`; `rate` 0: unlimited."""

    id: int
    direction: str
    rate: int
    octets: int | None = None
    bits: int = 64


@dataclass(frozen=True, slots=True)
class ModemChannel:
    """A channel as the modem itself sees it. Downstream: `level` is received, `snr` and `codewords` are its
    own. Upstream: `level` is what it sends with."""

    ifindex: int
    id: int | None = None
    freq: int | None = None
    width: int | None = None
    modulation: str | None = None
    level: float | None = None
    snr: float | None = None
    codewords: Codewords | None = None
    microreflections: int | None = None
    muted: bool = False
    ranging_status: int | None = None
    t3_timeouts: int | None = None
    t4_timeouts: int | None = None
    ranging_aborteds: int | None = None


@dataclass(frozen=True, slots=True)
class Modem:
    """What a modem says of itself. `traffic`: octets by direction, as if each were one flow; of a modem that
    does not count them by flow."""

    sysdescr: str = ""
    uptime: int | None = None
    file: str = ""
    software_version: str | None = None
    serial_number: str | None = None
    downstreams: tuple[ModemChannel, ...] = ()
    upstreams: tuple[ModemChannel, ...] = ()
    flows: tuple[Flow, ...] = ()
    traffic: tuple[Flow, ...] = ()
