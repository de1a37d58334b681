"""A CMTS with its cable: MAC domains, channels, fiber nodes, and the modems behind them. No protocol.

A modem boots through the states of DOCS-IF3-MIB after power, light on the cable and a reset, within the time
of a registration; where it is follows from the clock alone. Counters grow from rates, and begin at zero when
their device boots.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.lab.network import modem_file
from deploy.lab.network.olt import seeded
from deploy.lab.network.plan import CmtsPlan, ModemPlan

OFFLINE, RANGING, RANGED, DHCP, IP, DOWNLOAD, LOADED, REGISTERING, REGISTERED = 1, 2, 4, 10, 5, 14, 15, 16, 6
OPERATIONAL, FORWARDING_DISABLED = 8, 17
"""CmtsCmRegState."""
STAGES = (
    (0.0, OFFLINE),
    (0.15, RANGING),
    (0.35, RANGED),
    (0.5, DHCP),
    (0.6, IP),
    (0.7, DOWNLOAD),
    (0.8, LOADED),
    (0.85, REGISTERING),
    (0.92, REGISTERED),
)
"""The share of the registration time from which a booting modem is in a state."""

DS_CHANNELS, US_CHANNELS = 8, 4
"""Of a fiber node."""
MEGAHERTZ = 1_000_000


@dataclass
class Channel:
    """`power` in dBmV: what the CMTS sends downstream, what it wants to receive upstream."""

    ifindex: int
    id: int
    upstream: bool
    frequency: int
    width: int
    power: float
    name: str
    descr: str


@dataclass
class Node:
    """A fiber node with its service groups. `ds_set` and `us_set` are ids of channel sets."""

    name: str
    number: int
    mac_domain: int
    ds_set: int
    us_set: int
    downstreams: list[Channel]
    upstreams: list[Channel]


@dataclass(frozen=True)
class Names:
    """How a vendor names what. `n` is the node's number, `c` the channel's in it."""

    mac_domain: str
    mac_domain_descr: str
    downstream: str
    downstream_descr: str
    upstream: str
    upstream_descr: str
    first_ifindex: int


NAMES = {
    "cisco": Names(
        "Ca5/0/{n}",
        "Cable5/0/{n}",
        "In5/0/{n}:{c}",
        "Integrated-Cable5/0/{n}:{c}",
        "Ca5/0/{n}-upstream{c}",
        "Cable5/0/{n}-upstream{c}",
        20,
    ),
    "casa": Names(
        "catv-mac.{m}",
        "catv-mac.{m}",
        "dn.{n}-0-{c}",
        "Downstream {n}/0/{c}",
        "up.{n}-{c}-0",
        "Logical Upstream Channel {n}/{c}/0",
        1_000,
    ),
    "arris": Names(
        "cable-mac {m}",
        "cable-mac {m}",
        "cable-downstream {n}/{c}",
        "cable-downstream {n}/{c}",
        "cable-upstream {n}/{c}",
        "cable-upstream {n}/{c}",
        500_000,
    ),
}


@dataclass
class Modem:
    plan: ModemPlan
    number: int
    """Its id in the CMTS's tables."""
    address: str
    node: Node
    booted: float
    connected: bool = True
    resets: int = 0
    settings: modem_file.Settings = field(default_factory=modem_file.Settings)

    @property
    def mac(self) -> str:
        return self.plan.mac

    def seeded(self, what: str, low: float, high: float) -> float:
        return seeded(f"{self.plan.mac} {what}", low, high)

    @property
    def rates(self) -> tuple[float, float]:
        """bit/s down and up, on average."""
        down = 10 ** self.seeded("rate", 4.0, 6.8)
        return down, down * self.seeded("ratio", 0.03, 0.2)

    def received(self, channel: Channel) -> float:
        """dBmV at the modem."""
        tilt = self.seeded("tilt", -2, 2) * (channel.id - 4) / 8
        return self.seeded("rx", -6, 8) + tilt + 0.2 * math.sin(time.time() / 90 + channel.id)

    def snr(self, channel: Channel) -> float:
        low, high = (29.0, 38.5) if channel.upstream else (33.0, 41.5)
        return self.seeded(f"snr {channel.id}", low, high)

    def transmitted(self, channel: Channel) -> float:
        """dBmV that the modem sends."""
        return self.seeded("tx", 37, 50) + 0.3 * channel.id

    @property
    def errors(self) -> tuple[float, float]:
        """The shares of codewords that are corrected and lost."""
        bad = self.seeded("plant", 0, 1) > 0.9
        return (3e-3, 4e-4) if bad else (2e-6, 1e-8)


class Cmts:
    def __init__(
        self,
        plan: CmtsPlan,
        registration: float,
        address: Callable[[], str],
        files: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = plan.name
        self.vendor = plan.vendor
        self.registration = registration
        self.clock = clock
        self.files = files
        self.generation = 0
        self.nodes: list[Node] = []
        self.mac_domains: dict[int, str] = {}
        self.booted = clock() - seeded(f"{plan.name} age", 41 * 86_400, 90 * 86_400)
        self._address = address
        self._lay(plan)
        self.modems: dict[str, Modem] = {}
        self.attach(plan.modems)
        for modem in self.modems.values():  # a network that has long been at work
            modem.booted = clock() - seeded(f"{modem.mac} age", 3_600, 40 * 86_400)
            self._take_file(modem)

    def _lay(self, plan: CmtsPlan) -> None:
        """Two nodes a MAC domain."""
        names, next_index = NAMES[plan.vendor], NAMES[plan.vendor].first_ifindex

        def index() -> int:
            nonlocal next_index
            next_index += 1
            return next_index

        domain = 0
        for number, name in enumerate(plan.nodes):
            named = {"n": number, "m": number // 2 + 1}
            if number % 2 == 0:
                domain = index()
                self.mac_domains[domain] = names.mac_domain_descr.format(**named)
            first = number % 2
            downs = [
                Channel(
                    index(),
                    first * DS_CHANNELS + c + 1,
                    False,
                    602 * MEGAHERTZ + (number * DS_CHANNELS + c) % 24 * 8 * MEGAHERTZ,
                    8 * MEGAHERTZ,
                    57.0,
                    names.downstream.format(**named, c=c),
                    names.downstream_descr.format(**named, c=c),
                )
                for c in range(DS_CHANNELS)
            ]
            ups = [
                Channel(
                    index(),
                    first * US_CHANNELS + c + 1,
                    True,
                    23_200_000 + c * 6_400_000,
                    6_400_000,
                    0.0,
                    names.upstream.format(**named, c=c),
                    names.upstream_descr.format(**named, c=c),
                )
                for c in range(US_CHANNELS)
            ]
            self.nodes.append(Node(name, number + 1, domain, 256 + number * 2, 257 + number * 2, downs, ups))

    def attach(self, plans: list[ModemPlan]) -> None:
        """The modems on the cable, as they are now."""
        nodes = {node.name: node for node in self.nodes}
        here = {plan.mac: plan for plan in plans}
        for mac in set(self.modems) - set(here):
            del self.modems[mac]
        for mac, plan in here.items():
            known = self.modems.get(mac)
            if known is None:
                number = max((modem.number for modem in self.modems.values()), default=0) + 1
                self.modems[mac] = Modem(plan, number, self._address(), nodes[plan.node], self.clock())
                self._take_file(self.modems[mac])
                continue
            known.plan = plan
            if known.node.name != plan.node:
                known.node = nodes[plan.node]
                self.reset(known)
        self.generation += 1

    # ---- channels ---------------------------------------------------------------------------

    @property
    def channels(self) -> list[tuple[Node, Channel]]:
        return [(node, channel) for node in self.nodes for channel in (*node.downstreams, *node.upstreams)]

    def behind(self, node: Node) -> list[Modem]:
        return [modem for modem in self.modems.values() if modem.node is node]

    def retune(self, channel: Channel, frequency: int) -> None:
        """Modems follow an upstream that moves, and range anew."""
        channel.frequency = frequency
        for modem in self.modems.values():
            if channel in modem.node.upstreams:
                modem.booted = max(modem.booted, self.clock() - 0.85 * self.registration)

    # ---- modems -----------------------------------------------------------------------------

    def state(self, modem: Modem) -> int:
        if not modem.connected:
            return OFFLINE
        share = (self.clock() - modem.booted) / self.registration
        if share >= 1:
            return OPERATIONAL if modem.settings.access else FORWARDING_DISABLED
        return next(state for begins, state in reversed(STAGES) if share >= begins)

    def online(self, modem: Modem) -> bool:
        """Whether it has an address that answers."""
        return self.state(modem) in (OPERATIONAL, FORWARDING_DISABLED)

    def reset(self, modem: Modem) -> None:
        modem.booted = self.clock()
        modem.resets += 1
        self._take_file(modem)

    def connect(self, modem: Modem, connected: bool) -> None:
        if connected and not modem.connected:
            self.reset(modem)
        modem.connected = connected

    def reboot(self) -> None:
        self.booted = self.clock()
        for modem in self.modems.values():
            modem.booted = self.booted
        self.generation += 1

    @property
    def uptime(self) -> float:
        return self.clock() - self.booted

    def modem_uptime(self, modem: Modem) -> float:
        return self.clock() - modem.booted

    def octets(self, modem: Modem) -> tuple[float, float]:
        """Down and up since the modem booted."""
        seconds = self.modem_uptime(modem) if self.online(modem) else 0.0
        down, up = modem.rates
        return down * seconds / 8, up * seconds / 8

    def codewords(self, modem: Modem, channel: Channel, *, since_cmts: bool = False) -> tuple[int, int, int]:
        """Unerrored, corrected and uncorrectable ones, on one channel: of the modem's life, or of the
        CMTS's.
        """
        if not self.online(modem):
            seconds = 0.0
        else:
            seconds = self.clock() - (max(self.booted, modem.booted) if since_cmts else modem.booted)
        total = (
            (900.0 if channel.upstream else 34_000.0) * modem.seeded(f"load {channel.id}", 0.7, 1.0) * seconds
        )
        corrected, lost = modem.errors
        return int(total * (1 - corrected - lost)), int(total * corrected), int(total * lost)

    def _take_file(self, modem: Modem) -> None:
        """Its configuration file, when there is one; without it the plan's speeds hold."""
        try:
            found = modem_file.read((self.files / modem.plan.file).read_bytes())
        except (OSError, ValueError):
            found = modem_file.Settings()
        modem.settings = modem_file.Settings(
            found.access, found.down or modem.plan.down, found.up or modem.plan.up
        )
