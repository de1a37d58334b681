"""A CMTS at work, and all its modems, each with an agent on an address of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from deploy.lab.network.cmts import Cmts, Modem
from deploy.lab.network.cmts_snmp import CmtsView
from deploy.lab.network.device import Device, listen_udp
from deploy.lab.network.faults import Fault
from deploy.lab.network.modem_snmp import ModemView
from deploy.lab.network.plan import CmtsPlan
from deploy.lab.network.snmp import Agent, Port


class CmtsDevice(Device):
    def __init__(
        self,
        plan: CmtsPlan,
        entry: dict[str, Any],
        registration: float,
        address: Callable[[], str],
        files: Path,
    ) -> None:
        self.cmts = Cmts(plan, registration, address, files)
        self._stack: AsyncExitStack | None = None
        self._listening: set[str] = set()
        super().__init__(entry, CmtsView(self.cmts).view, lambda: None)

    async def listen(self, stack: AsyncExitStack) -> None:
        await super().listen(stack)
        self._stack = stack
        await self._listen_for_modems()

    async def _listen_for_modems(self) -> None:
        """For those that are new since the last time."""
        if self._stack is None:
            return
        for modem in list(self.cmts.modems.values()):
            if modem.address not in self._listening:
                self._listening.add(modem.address)
                port = Port(self._modem_agent(modem), partial(self._modem_delay, modem.mac))
                await listen_udp(self._stack, port, modem.address, self.entry["modem_port"])

    def _modem_agent(self, modem: Modem) -> Agent:
        community = self.entry["modem_community"]
        return Agent(ModemView(self.cmts, modem).view, community, community)

    def _modem_delay(self, mac: str) -> float | None:
        """A modem that is not online has no address."""
        modem = self.cmts.modems.get(mac)
        if modem is None or self.booting or not self.cmts.online(modem):
            return None
        return 0.0

    async def attach(self, plan: CmtsPlan) -> None:
        self.cmts.attach(plan.modems)
        self._disconnect()
        await self._listen_for_modems()

    async def suffer(self, faults: tuple[Fault, ...]) -> None:
        await super().suffer(faults)
        self._disconnect()

    def _disconnect(self) -> None:
        """Modems without power or signal."""
        faults = (*self.trouble.of("dying_gasp"), *self.trouble.of("los"))
        for modem in self.cmts.modems.values():
            self.cmts.connect(modem, not any(one.meets(modem.mac, pon=modem.node.name) for one in faults))

    def rebooted(self) -> None:
        super().rebooted()
        self.cmts.reboot()
