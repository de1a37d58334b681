"""The process of the lab: all listens, `lab.json` is written, and so until SIGTERM or the parent's death."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from deploy.lab.network.book import Book
from deploy.lab.network.device import OltDevice
from deploy.lab.network.plan import Plan

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
        self._stamp = _stamp(plan_file)

    async def run(self, ended: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            for device in self.olts:
                await device.listen(stack)
            self.book.write(answering=True)
            stack.callback(self.book.write, answering=False)
            parent = os.getppid()
            while not ended.is_set() and os.getppid() == parent:
                self._look()
                try:
                    await asyncio.wait_for(ended.wait(), LOOK)
                except TimeoutError:
                    continue

    def _look(self) -> None:
        """A technician was there, when the plan is another one."""
        stamp = _stamp(self.plan_file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.plan = Plan.load(self.plan_file)
        planned = {one.name: one for one in self.plan.olts}
        for device in self.olts:
            if device.name in planned:
                device.olt.attach(planned[device.name].onus)


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
