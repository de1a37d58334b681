"""A device of the lab at work: the model, its view over SNMP, its terminal, and the file of what it saved."""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncssh

from deploy.lab.network import huawei_cli, terminal
from deploy.lab.network.huawei_snmp import HuaweiView
from deploy.lab.network.olt import Olt
from deploy.lab.network.plan import OltPlan
from deploy.lab.network.snmp import Agent, Port
from deploy.lab.network.terminal import Closed, Terminal
from deploy.lab.network.usm import Security
from deploy.local import state

SESSIONS = 10
"""At a time, as on the device."""


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
        self.view = HuaweiView(self.olt)
        self.sessions = 0
        self.agent = Agent(
            self.view.view,
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
        address = self.entry["address"]
        await listen_udp(stack, Port(self.agent), address, self.entry["snmp_port"])
        key = host_key(self.file.with_suffix(".key"))
        self.entry["host_key"] = key.export_public_key().decode().strip()
        server = await terminal.listen(
            address,
            self.entry["ssh_port"],
            key,
            self.entry["user"],
            lambda: self.entry["password"],
            self._login,
        )
        stack.callback(server.close)

    async def _login(self, process: asyncssh.SSHServerProcess[str]) -> None:
        if self.sessions >= SESSIONS:
            process.stdout.write("  The number of users has reached the upper limit\r\n")
            process.exit(1)
            return
        self.sessions += 1
        session = huawei_cli.Session(
            Terminal(process), self.olt, self.view, self.save, self.reboot, self._before
        )
        try:
            await session.run()
        except (Closed, asyncssh.Error, OSError):
            return
        finally:
            self.sessions -= 1
            process.exit(0)

    async def _before(self, command: str) -> None:
        """What befalls a session before a command."""


def host_key(file: Path) -> asyncssh.SSHKey:
    """Of the device, made once."""
    if not file.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            out.write(key.export_private_key())
    return asyncssh.read_private_key(file)
