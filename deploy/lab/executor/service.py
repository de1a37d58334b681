"""The executor as a service: an `Executor` of the common kernel, on devices that have faults when told to."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import Any

from sqlalchemy import inspect

from deploy.lab.executor import device
from deploy.lab.executor.faults import Fault, Faults
from deploy.lab.executor.models import metadata, runs
from deploy.local.stack import built_services
from services.common.actions import ActionReported
from services.common.contract import Contract
from services.common.events.provider import EventsProvider
from services.common.executing.executor import Executor, Refused, Result
from services.common.executing.runs import Run
from services.common.resource.engine import Engine
from services.common.resource.service import EngineProvider, ResourceService
from services.common.resource.writes import Write
from services.common.types import Row

AT_ONCE = 200
EXIT = 70
OVER_TR069 = ("reconfig", "cwmp_diagnostic")
"""The kinds of action for which there is no service yet, whatever the technology."""
OWNED = frozenset(built_services())
"""The technologies that have a service of their name, which runs their actions on real protocols."""

CONTRACT = Contract(name="lab", title="Lab", events=(ActionReported,))


def wants(data: Row) -> bool:
    """Whether no service that is built runs it."""
    return data["kind"] in OVER_TR069 or data["tech"] not in OWNED


class Devices(Executor):
    """The lab's devices. Which fault a run meets is settled when it begins."""

    def __init__(self) -> None:
        super().__init__(device.perform, wants, device.MANNERS, at_once=AT_ONCE, every=0.1)
        self._met: dict[Run, Fault | None] = {}

    def attach(self, engine: Engine) -> None:
        super().attach(engine)
        self._faults = Faults.from_environment(engine.settings.data_dir)

    def perform(self, run: Run) -> Result:
        fault = self._met.get(run)
        match fault.fault if fault else None:
            case "silent" | "hangs":
                end = dt.datetime.fromisoformat(run.asked["deadline"])
                time.sleep(max(0.0, (end - dt.datetime.now(dt.UTC)).total_seconds()))
            case "refuses":
                raise Refused
            case "slow":
                assert fault is not None
                time.sleep(fault.seconds)
            case "dies" if run.tries == 1:
                time.sleep(device.MANNERS[run.kind].seconds / 2)
                os._exit(EXIT)
        return super().perform(run)

    def report(self, write: Write, run: Run, sequence: int, state: str, **told: Any) -> None:
        begins = state == "running" and run not in self._met
        if begins:
            self._met[run] = self._faults.of({**run.asked, "action": run.action})
        met = self._met.get(run)
        if met is None or not (met.fault == "silent" or (met.fault == "hangs" and not begins)):
            super().report(write, run, sequence, state, **told)

    def finish(self, write: Write, run: Run, state: str, **told: Any) -> None:
        super().finish(write, run, state, **told)
        met = self._met.pop(run, None)
        if met is not None and met.fault == "twice":
            super().finish(write, run, state, **told)


class LabEngine(EngineProvider):
    """The executor's tables are made where they are missing or others than they were: what the lab knows may
    be thrown away."""

    def setup(self) -> None:
        super().setup()
        engine = self.engine.database.engine
        known = inspect(engine)
        columns = (
            {one["name"] for one in known.get_columns(runs.name)} if known.has_table(runs.name) else None
        )
        if columns is not None and columns != set(runs.c.keys()):
            self.metadata.drop_all(engine)
        self.metadata.create_all(engine)


class LabExecutor(ResourceService):
    name = CONTRACT.name
    engine = LabEngine(CONTRACT, metadata)
    running = Devices()
    events = EventsProvider((running.subscription,))
