"""A CMTS over SNMP: the tables of DOCSIS, as every vendor has them, with the names of its vendor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from deploy.lab.network import ber, standard
from deploy.lab.network import docsis_mib as mib
from deploy.lab.network.cmts import (
    DHCP,
    FORWARDING_DISABLED,
    IP,
    OFFLINE,
    OPERATIONAL,
    RANGED,
    RANGING,
    REGISTERED,
    Channel,
    Cmts,
    Modem,
    Node,
)
from deploy.lab.network.olt import seeded
from deploy.lab.network.standard import Interface, Physical, date_and_time
from deploy.lab.network.view import Column, Index, Refused, Table, View, scalars

VENDORS = {
    "cisco": (
        (1, 3, 6, 1, 4, 1, 9, 1, 827),
        "Cisco IOS Software, 7200 Software (UBR7225VXR-K9P-M), Version 12.2(33)SCJ, RELEASE SOFTWARE (fc3)",
    ),
    "casa": (
        (1, 3, 6, 1, 4, 1, 20858, 2, 600),
        "Casa Systems C10G CMTS, Software Release 8.4.2, Ver 12, CPU Intel, Hardware Rev A",
    ),
    "arris": (
        (1, 3, 6, 1, 4, 1, 4998, 2, 2),
        "ARRIS CMTS: E6000 CER, Software Version CER_V08.01.00.0010",
    ),
}
OLD_STATES = {
    OFFLINE: 1,
    RANGING: 2,
    RANGED: 4,
    DHCP: 4,
    IP: 5,
    REGISTERED: 6,
    OPERATIONAL: 8,
    FORWARDING_DISABLED: 8,
}
"""docsIfCmtsCmStatusValue; the states between are `ipComplete(5)`."""
ATDMA, QAM256, QAM64_UP, ANNEX_A = 2, 4, 6, 3
SUCCESS, CONTINUE = 4, 5
"""RangingState."""
MODULATION_PROFILE = 121


def tenths(value: float) -> bytes:
    return ber.integer(round(value * 10))


def mac(value: str) -> bytes:
    return ber.octets(bytes.fromhex(value))


def name_index(name: str) -> Index:
    return len(name.encode()), *name.encode()


class CmtsView:
    def __init__(self, cmts: Cmts) -> None:
        self.cmts = cmts
        object_id, descr = VENDORS[cmts.vendor]
        stamp = lambda: cmts.generation  # noqa: E731
        self.view = View(
            [
                standard.system(lambda: descr, object_id, lambda: cmts.uptime, cmts.name, "Lab"),
                *standard.interfaces(self._interfaces, stamp),
                standard.entities(
                    [
                        Physical(
                            1,
                            standard.CHASSIS,
                            "chassis",
                            descr.split(",")[0],
                            model=descr.split(",")[0],
                            maker=cmts.vendor.title(),
                        )
                    ]
                ),
                Table(mib.DOWNSTREAM, self._downstream(), partial(self._channels, False), stamp),
                Table(
                    mib.UPSTREAM, self._upstream(), partial(self._channels, True), stamp, {2: self._retune}
                ),
                Table(mib.SIGNAL_QUALITY, self._quality(), partial(self._channels, True), stamp),
                Table(mib.CMTS_MAC, {4: lambda _: ber.integer(8_191)}, self._domains, stamp),
                Table(mib.CMTS_CM_STATUS, self._old_status(), self._modems, stamp),
                Table(mib.MODULATION, {4: lambda _: ber.integer(QAM64_UP)}, self._profiles, stamp),
                Table(mib.MAC_TO_CM, {2: lambda modem: ber.integer(modem.number)}, self._by_mac, stamp),
                Table(mib.CHANNEL_UTILIZATION, {3: self._utilization}, self._used, stamp),
                Table(mib.REG_STATUS, self._registration(), self._modems, stamp),
                Table(mib.CM_US_STATUS, self._us_status(), self._modem_upstreams, stamp),
                Table(mib.MD_CHANNEL, self._md_channel(), self._domain_channels, stamp),
                Table(
                    mib.MD_NODE,
                    {3: lambda node: ber.gauge32(node.number), 4: lambda node: ber.gauge32(node.number)},
                    self._domain_nodes,
                    stamp,
                ),
                Table(mib.MD_DS_SG, {2: lambda node: ber.gauge32(node.ds_set)}, self._groups, stamp),
                Table(mib.MD_US_SG, {2: lambda node: ber.gauge32(node.us_set)}, self._groups, stamp),
                Table(mib.MD_CONFIG, {2: lambda _: ber.integer(0)}, self._domains, stamp),
                Table(mib.US_CHANNEL_SET, {2: self._us_ids}, partial(self._sets, "us_set"), stamp),
                Table(mib.DS_CHANNEL_SET, {2: self._ds_ids}, partial(self._sets, "ds_set"), stamp),
                scalars(
                    mib.DEVICE_BASE, {1: lambda: ber.integer(2), 4: lambda: ber.octets(f"LAB-{cmts.name}")}
                ),
                Table(
                    mib.FIBER_NODE,
                    {2: lambda node: ber.octets(""), 3: lambda node: ber.integer(1)},
                    lambda: [(name_index(node.name), node) for node in cmts.nodes],
                    stamp,
                ),
                Table(
                    mib.CHANNEL_OF_NODE,
                    {2: lambda _: ber.integer(1)},
                    lambda: [((*name_index(node.name), one.ifindex), one) for node, one in cmts.channels],
                    stamp,
                ),
            ]
        )

    # ---- rows -------------------------------------------------------------------------------

    def _channels(self, upstream: bool) -> Iterable[tuple[Index, tuple[Node, Channel]]]:
        return [((one.ifindex,), (node, one)) for node, one in self.cmts.channels if one.upstream == upstream]

    def _domains(self) -> Iterable[tuple[Index, int]]:
        return [((index,), index) for index in self.cmts.mac_domains]

    def _modems(self) -> Iterable[tuple[Index, Modem]]:
        return [((modem.number,), modem) for modem in self.cmts.modems.values()]

    def _by_mac(self) -> Iterable[tuple[Index, Modem]]:
        return [(tuple(bytes.fromhex(modem.mac)), modem) for modem in self.cmts.modems.values()]

    def _modem_upstreams(self) -> Iterable[tuple[Index, tuple[Modem, Channel]]]:
        return [
            ((modem.number, channel.ifindex), (modem, channel))
            for modem in self.cmts.modems.values()
            for channel in modem.node.upstreams
        ]

    def _domain_channels(self) -> Iterable[tuple[Index, Channel]]:
        return [((node.mac_domain, one.ifindex), one) for node, one in self.cmts.channels]

    def _domain_nodes(self) -> Iterable[tuple[Index, Node]]:
        return [((node.mac_domain, *name_index(node.name), node.number), node) for node in self.cmts.nodes]

    def _groups(self) -> Iterable[tuple[Index, Node]]:
        return [((node.mac_domain, node.number), node) for node in self.cmts.nodes]

    def _sets(self, which: str) -> Iterable[tuple[Index, Node]]:
        return [((node.mac_domain, getattr(node, which)), node) for node in self.cmts.nodes]

    def _profiles(self) -> Iterable[tuple[Index, int]]:
        return [((MODULATION_PROFILE, usage), usage) for usage in (1, 3, 4, 9, 10, 11)]

    def _used(self) -> Iterable[tuple[Index, tuple[Node, Channel]]]:
        for node, one in self.cmts.channels:
            kind = mib.UPSTREAM_IF if one.upstream else mib.DOWNSTREAM_IF
            yield (node.mac_domain, kind, one.id), (node, one)

    # ---- columns ----------------------------------------------------------------------------

    def _interfaces(self) -> Iterator[Interface]:
        for index, descr in self.cmts.mac_domains.items():
            yield Interface(index, descr, self._domain_name(descr), mib.MAC_LAYER, 0)
        for node, one in self.cmts.channels:
            kind = mib.DOWNSTREAM_IF
            if one.upstream:
                kind = mib.UPSTREAM_CHANNEL_IF if self.cmts.vendor == "casa" else mib.UPSTREAM_IF
            speed = 30_720_000 if one.upstream else 55_616_000
            octets = partial(self._channel_octets, node, one)
            yield Interface(one.ifindex, one.descr, one.name, kind, speed, octets=octets)

    def _domain_name(self, descr: str) -> str:
        return descr.replace("Cable", "Ca") if self.cmts.vendor == "cisco" else descr

    def _channel_octets(self, node: Node, channel: Channel) -> tuple[float, float]:
        """In is upstream; each node's traffic is spread over its channels."""
        seconds = self.cmts.uptime
        down = sum(modem.rates[0] for modem in self.cmts.behind(node)) * seconds / 8
        up = sum(modem.rates[1] for modem in self.cmts.behind(node)) * seconds / 8
        return (up / len(node.upstreams), 0.0) if channel.upstream else (0.0, down / len(node.downstreams))

    def _downstream(self) -> dict[int, Column]:
        return {
            1: lambda row: ber.integer(row[1].id),
            2: lambda row: ber.integer(row[1].frequency),
            3: lambda row: ber.integer(row[1].width),
            4: lambda row: ber.integer(QAM256),
            5: lambda row: ber.integer(5),
            6: lambda row: tenths(row[1].power),
            7: lambda row: ber.integer(ANNEX_A),
        }

    def _upstream(self) -> dict[int, Column]:
        return {
            1: lambda row: ber.integer(row[1].id),
            2: lambda row: ber.integer(row[1].frequency),
            3: lambda row: ber.integer(row[1].width),
            4: lambda row: ber.gauge32(MODULATION_PROFILE),
            5: lambda row: ber.gauge32(2),
            6: lambda row: ber.gauge32(9_000),
            7: lambda row: ber.integer(3),
            8: lambda row: ber.integer(6),
            9: lambda row: ber.integer(4),
            10: lambda row: ber.integer(8),
            15: lambda row: ber.integer(ATDMA),
            18: lambda row: ber.integer(1),
            19: lambda row: ber.integer(1),
        }

    def _retune(self, row: tuple[Node, Channel], tag: int, content: bytes) -> None:
        """docsIfUpChannelFrequency: within the return band."""
        if tag != ber.INTEGER:
            raise Refused(Refused.WRONG_TYPE)
        frequency = ber.to_int(content)
        if not 5_000_000 <= frequency <= 65_000_000:
            raise Refused(Refused.WRONG_VALUE)
        self.cmts.retune(row[1], frequency)

    def _codewords(self, row: tuple[Node, Channel]) -> tuple[int, int, int]:
        node, channel = row
        found = [self.cmts.codewords(modem, channel, since_cmts=True) for modem in self.cmts.behind(node)]
        return sum(one[0] for one in found), sum(one[1] for one in found), sum(one[2] for one in found)

    def _quality(self) -> dict[int, Column]:
        return {
            1: lambda row: ber.integer(1),
            2: lambda row: ber.counter32(self._codewords(row)[0]),
            3: lambda row: ber.counter32(self._codewords(row)[1]),
            4: lambda row: ber.counter32(self._codewords(row)[2]),
            5: lambda row: tenths(seeded(f"{self.cmts.name} {row[1].name} snr", 29, 37)),
            6: lambda row: ber.integer(34),
            8: lambda row: ber.counter64(self._codewords(row)[0]),
            9: lambda row: ber.counter64(self._codewords(row)[1]),
            10: lambda row: ber.counter64(self._codewords(row)[2]),
        }

    def _utilization(self, row: tuple[Node, Channel]) -> bytes:
        return ber.integer(round(seeded(f"{self.cmts.name} {row[1].name} use", 3, 78)))

    def _address(self, modem: Modem) -> str:
        return modem.address if self.cmts.online(modem) else "0.0.0.0"

    def _registration(self) -> dict[int, Column]:
        return {
            2: lambda modem: mac(modem.mac),
            3: lambda modem: ber.octets(bytes(16)),
            4: lambda modem: ber.octets(bytes.fromhex(f"fe80000000000000{modem.mac[:6]}fffe{modem.mac[6:]}")),
            5: lambda modem: ber.octets(bytes(map(int, self._address(modem).split(".")))),
            6: lambda modem: ber.integer(self.cmts.state(modem)),
            7: lambda modem: ber.integer(modem.node.mac_domain),
            8: lambda modem: ber.gauge32(modem.node.number),
            9: lambda modem: ber.octets(bytes.fromhex("0010180000")),
            10: lambda modem: ber.gauge32(1),
            11: lambda modem: ber.gauge32(modem.node.ds_set),
            12: lambda modem: ber.gauge32(modem.node.us_set),
            13: lambda modem: ber.integer(2),
            14: lambda modem: date_and_time(modem.booted + self.cmts.registration),
            15: lambda modem: ber.counter32(modem.resets),
        }

    def _us_status(self) -> dict[int, Column]:
        def codeword(which: int) -> Column:
            return lambda row: ber.counter32(self.cmts.codewords(*row, since_cmts=True)[which])

        def heard(row: tuple[Modem, Channel]) -> bool:
            return self.cmts.state(row[0]) != OFFLINE

        return {
            2: lambda row: ber.integer(ATDMA),
            3: lambda row: tenths(row[0].seeded(f"at cmts {row[1].id}", -0.8, 0.8)) if heard(row) else None,
            4: lambda row: tenths(row[0].snr(row[1])) if heard(row) else None,
            5: lambda row: ber.gauge32(38),
            6: lambda row: ber.octets(b""),
            7: codeword(0),
            8: codeword(1),
            9: codeword(2),
            10: lambda row: ber.integer(round(row[0].seeded("offset", 1e6, 4e6))),
            11: lambda row: ber.integer(2),
            12: lambda row: ber.integer(SUCCESS if self.cmts.online(row[0]) else CONTINUE),
        }

    def _old_status(self) -> dict[int, Column]:
        def first(modem: Modem) -> Channel:
            return modem.node.upstreams[0]

        def codeword(which: int, encode: Any) -> Column:
            return lambda modem: encode(self.cmts.codewords(modem, first(modem), since_cmts=True)[which])

        return {
            2: lambda modem: mac(modem.mac),
            3: lambda modem: ber.ip_address(self._address(modem)),
            4: lambda modem: ber.integer(modem.node.downstreams[0].ifindex if self.cmts.online(modem) else 0),
            5: lambda modem: ber.integer(first(modem).ifindex if self.cmts.online(modem) else 0),
            6: lambda modem: tenths(modem.seeded(f"at cmts {first(modem).id}", -0.8, 0.8)),
            7: lambda modem: ber.gauge32(round(modem.seeded("offset", 4_000, 16_000))),
            9: lambda modem: ber.integer(OLD_STATES.get(self.cmts.state(modem), 5)),
            10: codeword(0, ber.counter32),
            11: codeword(1, ber.counter32),
            12: codeword(2, ber.counter32),
            13: lambda modem: tenths(modem.snr(first(modem))),
            14: lambda modem: ber.integer(38),
            15: codeword(0, ber.counter64),
            16: codeword(1, ber.counter64),
            17: codeword(2, ber.counter64),
            18: lambda modem: ber.integer(2),
            19: lambda modem: ber.integer(ATDMA),
            20: lambda modem: ber.integer(1),
            21: lambda modem: ber.octets(bytes(map(int, self._address(modem).split(".")))),
        }

    def _md_channel(self) -> dict[int, Column]:
        return {
            2: lambda one: ber.integer(2 if one.upstream else 1),
            3: lambda one: ber.gauge32(one.id),
            5: lambda one: ber.integer(1),
        }

    def _us_ids(self, node: Node) -> bytes:
        return ber.octets(bytes(one.id for one in node.upstreams))

    def _ds_ids(self, node: Node) -> bytes:
        return ber.octets(bytes(one.id for one in node.downstreams))
