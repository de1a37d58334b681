"""An OLT at work: the model, its view over SNMP, its terminal, and the file of what it saved."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncssh

from deploy.lab.network import huawei_cli, terminal, traps
from deploy.lab.network.ber import Oid
from deploy.lab.network.device import Device
from deploy.lab.network.faults import Fault
from deploy.lab.network.huawei_snmp import HuaweiView, ifindex
from deploy.lab.network.olt import Olt, Position
from deploy.lab.network.plan import OltPlan, OnuPlan
from deploy.lab.network.terminal import Closed, Terminal
from deploy.lab.network.zte_snmp import ZteView
from deploy.local import state

SESSIONS = 10
"""At a time, as on the device."""
WAIT = 0.05


class OltDevice(Device):
    """`file`: what `save` wrote; a device that has none yet begins as planned, and saves that."""

    def __init__(self, plan: OltPlan, entry: dict[str, Any], file: Path, registration: float) -> None:
        self.plan = plan
        self.file = file
        self.olt = Olt(plan, registration)
        saved = state.load(file)
        if saved is None:
            self.olt.provision()
            self.olt.come_up()
            self.save()
        else:
            self.olt.restore(saved)
        self.shown = HuaweiView(self.olt)
        view = ZteView(self.olt).view if plan.vendor == "zte" else self.shown.view
        self._sessions: set[asyncssh.SSHServerProcess[str]] = set()
        self._server: asyncssh.SSHAcceptor | None = None
        self._key = ""
        self._cut: set[Position] = set()
        self._told: tuple[frozenset[Any], frozenset[str]] | None = None
        super().__init__(entry, view, self.olt.settle)
        if "ssh_port" in entry:
            entry["host_key"] = host_key(self._key_file("key")).export_public_key().decode().strip()

    def save(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        state.save(self.file, self.olt.configuration())

    # ---- the fibre, and what befalls it -----------------------------------------------------

    def attach(self, plan: OltPlan) -> None:
        self.plan = plan
        twins = [OnuPlan(sn=one.onu, fsp=one.pon) for one in self.trouble.of("twin") if one.onu and one.pon]
        self.olt.attach([*plan.onus, *twins])
        self._darken()

    async def suffer(self, faults: tuple[Fault, ...]) -> None:
        await super().suffer(faults)
        full = {one.pon for one in self.trouble.of("full_pon")}
        self.olt.full = {position for position in self.olt.pons if None in full or str(position) in full}
        self.attach(self.plan)
        await self._serve()

    def _darken(self) -> None:
        """Power and light, as the faults have them."""
        self.olt.settle()
        cuts = [
            one for one in self.trouble.of("los") if one.pon is not None and one.onu is None and one.rate == 1
        ]
        self.olt.cut_fibre({Position.parse(one.pon) for one in cuts if one.pon})
        descs = {onu.sn: onu.desc for onu in self.olt.onus.values()}
        for unit in self.olt.units:
            names = (unit.sn, descs.get(unit.sn, unit.sn))
            powered, lit = (
                not any(one.meets(*names, pon=unit.plan.fsp) for one in self.trouble.of(kind))
                for kind in ("dying_gasp", "los")
            )
            if (powered, lit) != (unit.powered, unit.lit):
                self.olt.light(unit, powered=powered, lit=lit)

    def reboot(self, seconds: float = 2.0) -> None:
        super().reboot(seconds)
        for process in list(self._sessions):
            _abort(process)

    def rebooted(self) -> None:
        super().rebooted()
        self.olt.reboot(state.load(self.file) or {})
        self._darken()

    # ---- notifications ----------------------------------------------------------------------

    def tick(self) -> None:
        super().tick()
        if not traps.targets() or self.booting or self.delay() is None:
            return
        self.olt.settle()
        cut = set(self.olt.cut)
        for position in sorted(cut ^ self._cut):
            self._notify(traps.LINK_DOWN if position in cut else traps.LINK_UP, ifindex(position))
        self._cut = cut
        seen = self._seen()
        if seen != self._told:
            if self._told is not None:
                self._notify(traps.CONFIG_CHANGE)
            self._told = seen

    def _seen(self) -> tuple[frozenset[Any], frozenset[str]]:
        online = frozenset(onu.key for onu in self.olt.onus.values() if onu.online)
        return online, frozenset(unit.sn for _, _, unit in self.olt.unconfigured())

    def _notify(self, trap: Oid, index: int | None = None) -> None:
        traps.send(self.address, traps.message(self.entry["community"], self.olt.uptime, trap, index))

    # ---- the terminal -----------------------------------------------------------------------

    async def listen(self, stack: AsyncExitStack) -> None:
        await super().listen(stack)
        await self._serve()
        stack.callback(self._close)

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self) -> None:
        """With the host key that holds; another one is a listener anew."""
        key = "other.key" if self.trouble.has("new_host_key") else "key"
        if key == self._key or "ssh_port" not in self.entry:
            return
        self._close()
        self._key = key
        self._server = await terminal.listen(
            self.address, self.entry["ssh_port"], host_key(self._key_file(key)), self._admits, self._login
        )

    def _key_file(self, kind: str) -> Path:
        return self.file.with_suffix(f".{kind}")

    async def _admits(self, user: str, password: str) -> bool:
        await self._answering()
        wrong = self.trouble.has("wrong_password", "ssh")
        return not wrong and (user, password) == (self.entry["user"], self.entry["password"])

    async def _answering(self) -> None:
        """Returns when the device would say something; a silent one may be spoken to for ever."""
        while self.booting or self.trouble.delay("ssh") is None:
            await asyncio.sleep(WAIT)

    async def _login(self, process: asyncssh.SSHServerProcess[str]) -> None:
        if len(self._sessions) >= SESSIONS:
            process.stdout.write("  The number of users has reached the upper limit\r\n")
            process.exit(1)
            return
        self._sessions.add(process)
        said = 0

        async def perform(line: str) -> None:
            """A command, with what befalls it."""
            nonlocal said
            said += 1
            await self._answering()
            await asyncio.sleep(self.trouble.delay("ssh") or 0)
            cut = self.trouble.cut(line, said)
            if cut is not None and not cut.took:
                _abort(process)
                raise Closed
            self.olt.settle()
            if cut is not None:
                session.terminal.mute = True
            await session.execute(line)
            if cut is not None:
                _abort(process)
                raise Closed

        session = huawei_cli.Session(
            Terminal(process, self._garbled), self.olt, self.shown, self.save, self.reboot, perform
        )
        try:
            await session.run()
        except (Closed, asyncssh.Error, OSError):
            return
        finally:
            self._sessions.discard(process)
            process.exit(0)

    def _garbled(self, line: str) -> str:
        return next(self.trouble.lines((line,)))


def _abort(process: asyncssh.SSHServerProcess[str]) -> None:
    """The connection is gone, without a word."""
    process.channel.get_connection().abort()


def host_key(file: Path) -> asyncssh.SSHKey:
    """A device's key, made once."""
    if not file.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            out.write(key.export_private_key())
    return asyncssh.read_private_key(file)
