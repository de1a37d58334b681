"""The process of the lab: all listens, `lab.json` is written, and so until SIGTERM or the parent's death."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from pathlib import Path

from deploy.lab.network.book import Book
from deploy.lab.network.device import CmtsDevice, OltDevice
from deploy.lab.network.plan import Plan
from deploy.lab.network.tftp import Tftp

FOLDER = "lab"
LOOK = 0.25
"""Seconds between two looks at the parent, the plan and the faults."""


class Lab:
    def __init__(self, data: Path, plan: Plan, plan_file: Path) -> None:
        self.data = data
        self.plan = plan
        self.plan_file = plan_file
        self.book = Book.open(data)
        folder = plan_file.parent
        self.olts = [
            OltDevice(
                one, self.book.olt(one.name, one.vendor), folder / f"{one.name}.json", plan.registration
            )
            for one in plan.olts
        ]
        tftp = self.book.tftp_server(data / "tftp")
        self.files = Path(tftp["folder"])
        addresses = modem_addresses()
        self.cmtss = [
            CmtsDevice(
                one,
                self.book.cmts(one.name, one.vendor),
                plan.registration,
                partial(next, addresses),
                self.files,
            )
            for one in plan.cmtss
        ]
        self._stamp = _stamp(plan_file)

    async def run(self, ended: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            for olt in self.olts:
                await olt.listen(stack)
            for cmts in self.cmtss:
                await cmts.listen(stack)
            await self._serve_files(stack)
            self.book.write(answering=True)
            stack.callback(self.book.write, answering=False)
            parent = os.getppid()
            while not ended.is_set() and os.getppid() == parent:
                await self._look()
                try:
                    await asyncio.wait_for(ended.wait(), LOOK)
                except TimeoutError:
                    continue

    async def _serve_files(self, stack: AsyncExitStack) -> None:
        self.files.mkdir(parents=True, exist_ok=True)
        address = self.book.tftp["address"]
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Tftp(self.files, address), local_addr=(address, self.book.tftp["port"])
        )
        stack.callback(transport.close)

    async def _look(self) -> None:
        """A technician was there, when the plan is another one."""
        stamp = _stamp(self.plan_file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.plan = Plan.load(self.plan_file)
        olts = {one.name: one for one in self.plan.olts}
        for olt in self.olts:
            if olt.name in olts:
                olt.olt.attach(olts[olt.name].onus)
        cmtss = {one.name: one for one in self.plan.cmtss}
        for cmts in self.cmtss:
            if cmts.name in cmtss:
                cmts.cmts.attach(cmtss[cmts.name].modems)
                await cmts.listen_for_modems()


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


def run(data: Path, make: Callable[[], Plan]) -> None:
    """Serve the lab of the data folder until told to end. `make` plans it when there is no plan yet."""
    plan_file = data / FOLDER / "plan.json"
    if not plan_file.exists():
        make().save(plan_file)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a modem is a socket

    async def main() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await Lab(data, Plan.load(plan_file), plan_file).run(ended)

    asyncio.run(main())
