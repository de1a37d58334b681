"""The process of the lab: all listens, `lab.json` is written, and so until SIGTERM or the parent's death."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from pathlib import Path

from deploy.lab import fault_file
from deploy.lab.fault_file import FaultFile
from deploy.lab.network.book import Book
from deploy.lab.network.cmts_device import CmtsDevice
from deploy.lab.network.device import Device
from deploy.lab.network.faults import Fault
from deploy.lab.network.olt_device import OltDevice
from deploy.lab.network.plan import Plan
from deploy.lab.network.tftp import Tftp
from deploy.local import state

FOLDER, FILES = "lab", "docsis/files"
LOOK = 0.1
"""Seconds between two looks at the parent, the plan and the faults."""


class Lab:
    def __init__(self, data: Path, plan: Plan, plan_file: Path) -> None:
        self.plan_file = plan_file
        self.book = Book.open(data)
        self.book.keep([*(one.name for one in plan.olts), *(one.name for one in plan.cmtss)])
        self.files = data / FILES
        folder = plan_file.parent
        self.olts = {
            one.name: OltDevice(
                one, self.book.olt(one.name, one.vendor), folder / f"{one.name}.json", plan.registration
            )
            for one in plan.olts
        }
        address = partial(next, modem_addresses())
        self.cmtss = {
            one.name: CmtsDevice(
                one, self.book.cmts(one.name, one.vendor), plan.registration, address, self.files
            )
            for one in plan.cmtss
        }
        self._faults = FaultFile(fault_file.place(data), Fault, fault_file.of_equipment)
        self._known: tuple[Fault, ...] = ()
        self._stamp = _stamp(plan_file)
        self._told: tuple[int, int] | None = None

    @property
    def devices(self) -> list[Device]:
        return [*self.olts.values(), *self.cmtss.values()]

    async def run(self, ended: asyncio.Event, parent: int) -> None:
        async with AsyncExitStack() as stack:
            for device in self.devices:
                await device.listen(stack)
            await self._serve_files(stack)
            await self._look()
            stack.callback(self.book.write, answering=False)
            while not ended.is_set() and os.getppid() == parent:
                await self._look()
                try:
                    await asyncio.wait_for(ended.wait(), LOOK)
                except TimeoutError:
                    continue

    async def _serve_files(self, stack: AsyncExitStack) -> None:
        self.files.mkdir(parents=True, exist_ok=True)
        tftp = self.book.tftp_server(self.files)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Tftp(self.files, tftp["address"]), local_addr=(tftp["address"], tftp["port"])
        )
        stack.callback(transport.close)

    async def _look(self) -> None:
        """A technician was there when the plan is another one; faults come and go; devices are back."""
        faults = self._faults.current()
        if faults != self._known:
            self._known = faults
            for device in self.devices:
                await device.suffer(tuple(one for one in faults if one.device == device.name))
        stamp = _stamp(self.plan_file)
        if stamp != self._stamp:
            self._stamp = stamp
            await self._replan(Plan.load(self.plan_file))
        for device in self.devices:
            device.tick()
        told = (self._faults.version, self._stamp[0] if self._stamp else 0)
        if told != self._told:
            self._told = told
            self.book.write(answering=True, faults=told[0], plan=told[1])

    async def _replan(self, plan: Plan) -> None:
        for olt in plan.olts:
            if olt.name in self.olts:
                self.olts[olt.name].attach(olt)
        for cmts in plan.cmtss:
            if cmts.name in self.cmtss:
                await self.cmtss[cmts.name].attach(cmts)


def modem_addresses() -> Iterator[str]:
    """127.64.0.1 and on."""
    for number in count():
        yield f"127.{64 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _aside(work: Callable[[], None]) -> None:
    """Do it in a child process. Raises SystemExit when that fails; its traceback is on stderr."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit("The lab could not be planned.")


def run(data: Path, make: Callable[[], Plan]) -> None:
    """Serve the lab of the data folder until told to end. `make` plans it when there is no plan yet, in a
    child, so that what it needs does not stay in memory."""
    parent = os.getppid()  # now: it may be gone by the time that all listens
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = state.held(folder / "lock")
    except state.InUse:
        raise SystemExit(f"The lab of {data} is running already; {data / 'lab.json'} tells where.") from None
    plan_file = folder / "plan.json"
    if not plan_file.exists():
        _aside(lambda: make().save(plan_file))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a modem is a socket

    async def main() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await Lab(data, Plan.load(plan_file), plan_file).run(ended, parent)

    with lock:
        asyncio.run(main())
