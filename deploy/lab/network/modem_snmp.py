"""A cable modem over SNMP, on an address of its own. It answers while it is online, and only then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from deploy.lab.network import ber, standard
from deploy.lab.network import docsis_mib as mib
from deploy.lab.network.cmts import OPERATIONAL, Channel, Cmts, Modem
from deploy.lab.network.cmts_snmp import ANNEX_A, ATDMA, QAM256, SUCCESS, tenths
from deploy.lab.network.standard import Interface
from deploy.lab.network.view import Column, Index, Refused, Table, View, scalars

ETHERNET, MAC, FIRST_DS, FIRST_US, MORE_DS, MORE_US = 1, 2, 3, 4, 48, 80
"""ifIndexes of a modem (DOCSIS OSSI): more channels have indexes above 47."""
ETHERNET_IFTYPE = 6
ACTIVE, DOWN_FLOW, UP_FLOW = 1, 2, 1
CM_OPERATIONAL = 12
"""docsIfCmStatusValue."""


class ModemView:
    def __init__(self, cmts: Cmts, modem: Modem) -> None:
        self.cmts = cmts
        self.modem = modem
        stamp = lambda: cmts.generation  # noqa: E731
        told = {
            "HW_REV": "1.0",
            "VENDOR": modem.plan.vendor,
            "BOOTR": "2.4.0",
            "SW_REV": "5.1.2-lab",
            "MODEL": modem.plan.model,
        }
        descr = f"DOCSIS 3.0 Cable Modem <<{'; '.join(f'{key}: {value}' for key, value in told.items())}>>"
        one = lambda: [((MAC,), modem)]  # noqa: E731
        self.view = View(
            [
                standard.system(
                    lambda: descr, (1, 3, 6, 1, 4, 1, 4491, 2, 4, 1), lambda: cmts.modem_uptime(modem), "", ""
                ),
                *standard.interfaces(self._interfaces, stamp),
                Table(mib.DOWNSTREAM, self._downstream(), self._downstreams, stamp),
                Table(mib.UPSTREAM, self._upstream(), self._upstreams, stamp),
                Table(mib.SIGNAL_QUALITY, self._quality(), self._downstreams, stamp),
                Table(mib.SIGNAL_QUALITY_EXT, self._quality_ext(), self._downstreams, stamp),
                Table(mib.CM_MAC, {1: lambda _: ber.octets(modem.mac)}, one, stamp),
                Table(mib.CM_STATUS, self._status(), one, stamp),
                Table(mib.CM3_STATUS, self._status3(), one, stamp),
                Table(mib.CM3_STATUS_US, self._status_us(), self._upstreams, stamp),
                Table(mib.PARAMETER_SET, self._parameters(), self._parameter_sets, stamp),
                Table(mib.SERVICE_FLOW, self._flow(), self._flows, stamp),
                scalars(
                    mib.DEVICE_BASE,
                    {
                        1: lambda: ber.integer(1),
                        3: lambda: ber.integer(2),
                        4: lambda: ber.octets(f"LAB{modem.mac.upper()}"),
                    },
                    _3=self._reset,
                ),
                scalars(mib.DEVICE_SOFTWARE, {5: lambda: ber.octets(told["SW_REV"])}),
                scalars(
                    mib.DEVICE_SERVER,
                    {1: lambda: ber.integer(1), 5: lambda: ber.octets(modem.plan.file)},
                ),
            ]
        )

    # ---- rows -------------------------------------------------------------------------------

    def _downstreams(self) -> Iterable[tuple[Index, Channel]]:
        channels = self.modem.node.downstreams
        return [((FIRST_DS,), channels[0]), *(((MORE_DS + n,), one) for n, one in enumerate(channels[1:]))]

    def _upstreams(self) -> Iterable[tuple[Index, Channel]]:
        channels = self.modem.node.upstreams
        return [((FIRST_US,), channels[0]), *(((MORE_US + n,), one) for n, one in enumerate(channels[1:]))]

    def _flows(self) -> Iterable[tuple[Index, int]]:
        return [((MAC, flow), flow) for flow in (UP_FLOW, DOWN_FLOW)]

    def _parameter_sets(self) -> Iterable[tuple[Index, int]]:
        return [((MAC, ACTIVE, flow), flow) for flow in (UP_FLOW, DOWN_FLOW)]

    # ---- columns ----------------------------------------------------------------------------

    def _interfaces(self) -> Iterator[Interface]:
        octets = partial(self.cmts.octets, self.modem)
        mac = bytes.fromhex(self.modem.mac)
        yield Interface(ETHERNET, "Ethernet Interface", "eth0", ETHERNET_IFTYPE, 1_000_000_000, mac=mac)
        yield Interface(MAC, "RF MAC Interface", "cm0", mib.MAC_LAYER, 0, octets=octets, mac=mac)
        for (index,), _ in self._downstreams():
            yield Interface(
                index, f"RF Downstream Interface {index}", f"ds{index}", mib.DOWNSTREAM_IF, 55_616_000
            )
        for (index,), _ in self._upstreams():
            yield Interface(
                index, f"RF Upstream Interface {index}", f"us{index}", mib.UPSTREAM_IF, 30_720_000
            )

    def _downstream(self) -> dict[int, Column]:
        return {
            1: lambda one: ber.integer(one.id),
            2: lambda one: ber.integer(one.frequency),
            3: lambda one: ber.integer(one.width),
            4: lambda one: ber.integer(QAM256),
            5: lambda one: ber.integer(5),
            6: lambda one: tenths(self.modem.received(one)),
            7: lambda one: ber.integer(ANNEX_A),
        }

    def _upstream(self) -> dict[int, Column]:
        return {
            1: lambda one: ber.integer(one.id),
            2: lambda one: ber.integer(one.frequency),
            3: lambda one: ber.integer(one.width),
            4: lambda one: ber.gauge32(1),
            15: lambda one: ber.integer(ATDMA),
        }

    def _quality(self) -> dict[int, Column]:
        def codeword(which: int, encode: object = ber.counter32) -> Column:
            return lambda one: encode(self.cmts.codewords(self.modem, one)[which])  # type: ignore[operator]

        return {
            1: lambda one: ber.integer(2),
            2: codeword(0),
            3: codeword(1),
            4: codeword(2),
            5: lambda one: tenths(self.modem.snr(one)),
            6: lambda one: ber.integer(36),
            8: codeword(0, ber.counter64),
            9: codeword(1, ber.counter64),
            10: codeword(2, ber.counter64),
        }

    def _quality_ext(self) -> dict[int, Column]:
        return {1: lambda one: tenths(self.modem.snr(one)), 2: lambda one: ber.gauge32(1_000)}

    def _status(self) -> dict[int, Column]:
        return {
            1: lambda modem: ber.integer(CM_OPERATIONAL),
            3: lambda modem: tenths(modem.transmitted(modem.node.upstreams[0])),
            4: lambda modem: ber.counter32(modem.resets),
            5: lambda modem: ber.counter32(0),
            12: lambda modem: ber.counter32(round(modem.seeded("t3", 0, 40))),
            13: lambda modem: ber.counter32(round(modem.seeded("t4", 0, 3))),
            14: lambda modem: ber.counter32(0),
            15: lambda modem: ber.integer(2),
            16: lambda modem: ber.integer(ATDMA),
        }

    def _status3(self) -> dict[int, Column]:
        return {
            1: lambda modem: ber.integer(CM_OPERATIONAL),
            3: lambda modem: ber.counter32(modem.resets),
            4: lambda modem: ber.counter32(0),
        }

    def _status_us(self) -> dict[int, Column]:
        return {
            1: lambda one: tenths(self.modem.transmitted(one)),
            2: lambda one: ber.counter32(round(self.modem.seeded(f"t3 {one.id}", 0, 40))),
            3: lambda one: ber.counter32(round(self.modem.seeded(f"t4 {one.id}", 0, 3))),
            4: lambda one: ber.counter32(0),
            5: lambda one: ber.integer(ATDMA),
            8: lambda one: ber.integer(2),
            9: lambda one: ber.integer(SUCCESS),
        }

    def _rate(self, flow: int) -> bytes:
        rate = self.modem.settings.down if flow == DOWN_FLOW else self.modem.settings.up
        return ber.gauge32(rate or 0)

    def _parameters(self) -> dict[int, Column]:
        return {5: lambda flow: ber.integer(0), 6: self._rate, 7: lambda flow: ber.gauge32(3_044)}

    def _flow(self) -> dict[int, Column]:
        return {
            6: lambda flow: ber.gauge32(self.modem.number if flow == UP_FLOW else 0),
            7: lambda flow: ber.integer(1 if flow == DOWN_FLOW else 2),
            8: lambda flow: ber.integer(1),
        }

    # ---- what a manager may set ---------------------------------------------------------------

    def _reset(self, _: object, tag: int, content: bytes) -> None:
        """docsDevResetNow: true(1) resets it."""
        if tag != ber.INTEGER:
            raise Refused(Refused.WRONG_TYPE)
        if ber.to_int(content) != 1:
            raise Refused(Refused.WRONG_VALUE)
        if self.cmts.state(self.modem) == OPERATIONAL or self.cmts.online(self.modem):
            self.cmts.reset(self.modem)
