"""What all devices of the lab have: an SNMP agent on a port, troubles, and reboots."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from deploy.lab.network.faults import Fault, GarbledView, Trouble
from deploy.lab.network.snmp import Agent, Port
from deploy.lab.network.usm import Security
from deploy.lab.network.view import View


def security(entry: dict[str, Any]) -> Security:
    """The SNMPv3 engine of a device; its id (RFC 3411) is from the name, so that it outlives restarts."""
    engine = b"\x80\x00\x07\xdb\x05" + hashlib.sha256(entry["name"].encode()).digest()[:8]
    v3 = entry["v3"]
    return Security(v3["user"], v3["auth_password"], v3["privacy_password"], engine)


async def listen_udp(stack: AsyncExitStack, port: Port, address: str, number: int) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: port, local_addr=(address, number))
    stack.callback(transport.close)


class Device:
    """`entry`: what `lab.json` tells of it. A reboot is silence, and then `rebooted`."""

    def __init__(self, entry: dict[str, Any], view: View, settle: Callable[[], None]) -> None:
        self.name: str = entry["name"]
        self.entry = entry
        self.view = view
        self.trouble = Trouble()
        self._back: float | None = None
        self.agent = Agent(view, entry["community"], entry["write_community"], security(entry), settle)

    @property
    def address(self) -> str:
        found: str = self.entry["address"]
        return found

    @property
    def booting(self) -> bool:
        return self._back is not None

    def delay(self) -> float | None:
        """Of an answer over SNMP."""
        return None if self.booting else self.trouble.delay("snmp")

    async def listen(self, stack: AsyncExitStack) -> None:
        await listen_udp(stack, Port(self.agent, self.delay), self.address, self.entry["snmp_port"])

    def reboot(self, seconds: float = 2.0) -> None:
        self._back = time.monotonic() + seconds

    def rebooted(self) -> None:
        """It is back, as a device that has just started."""
        if self.agent.security is not None:
            self.agent.security.reboot()

    async def suffer(self, faults: tuple[Fault, ...]) -> None:
        """The faults that hold from now on."""
        before = set(self.trouble.of("reboot"))
        self.trouble = Trouble(faults)
        for fault in self.trouble.of("reboot"):
            if fault not in before:
                self.reboot(fault.seconds)
        rate = self.trouble.garbling("snmp")
        self.agent.view = GarbledView(self.view, rate) if rate else self.view
        refused = self.trouble.has("wrong_password", "snmp")
        self.agent.refuses = refused

    def tick(self) -> None:
        """Called a few times a second."""
        if self._back is not None and time.monotonic() >= self._back:
            self._back = None
            self.rebooted()
