"""A device of the lab at work: the model, its view over SNMP, its terminal, and the file of what it saved."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from deploy.lab.network.huawei_snmp import HuaweiView
from deploy.lab.network.olt import Olt
from deploy.lab.network.plan import OltPlan
from deploy.lab.network.snmp import Agent, Port
from deploy.lab.network.usm import Security
from deploy.local import state


def security(entry: dict[str, Any]) -> Security:
    """The SNMPv3 engine of a device; its id (RFC 3411) is from the name, so that it outlives restarts."""
    engine = b"\x80\x00\x07\xdb\x05" + hashlib.sha256(entry["name"].encode()).digest()[:8]
    v3 = entry["v3"]
    return Security(v3["user"], v3["auth_password"], v3["privacy_password"], engine)


async def listen_udp(stack: AsyncExitStack, port: Port, address: str, number: int) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: port, local_addr=(address, number))
    stack.callback(transport.close)


class OltDevice:
    """`file`: what `save` wrote; a device that has none yet begins as planned, and saves that."""

    def __init__(self, plan: OltPlan, entry: dict[str, Any], file: Path, registration: float) -> None:
        self.name = plan.name
        self.entry = entry
        self.file = file
        self.olt = Olt(plan, registration)
        saved = state.load(file)
        if saved is None:
            self.olt.provision()
            self.olt.come_up()
            self.save()
        else:
            self.olt.restore(saved)
        self.agent = Agent(
            HuaweiView(self.olt).view,
            entry["community"],
            entry["write_community"],
            security(entry),
            self.olt.settle,
        )

    def save(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        state.save(self.file, self.olt.configuration())

    def reboot(self) -> None:
        self.olt.reboot(state.load(self.file) or {})
        if self.agent.security is not None:
            self.agent.security.reboot()

    async def listen(self, stack: AsyncExitStack) -> None:
        await listen_udp(stack, Port(self.agent), self.entry["address"], self.entry["snmp_port"])
