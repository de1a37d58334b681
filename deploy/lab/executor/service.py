"""The executor as a service: notes what it is handed, runs it outside of any transaction, reports.

A run is begun in the transaction of its report `running`, so that what was begun is known. After a kill the
runs that were begun are run again where that does no harm, and otherwise reported as what they are: unknown.
One process at a time works on a database.
"""

from __future__ import annotations

import os
import time
from typing import Any

import eventlet
import structlog
from sqlalchemy import insert, select, update

from deploy.lab.executor import device
from deploy.lab.executor.faults import Fault, Faults
from deploy.lab.executor.models import metadata, runs
from services.common.actions import ActionReported
from services.common.context import Context, Scope
from services.common.contract import Contract
from services.common.errors import ApiError
from services.common.events.envelope import Envelope
from services.common.events.inbox import Subscription
from services.common.events.provider import EventsProvider
from services.common.resource.background import Background
from services.common.resource.engine import Engine
from services.common.resource.service import EngineProvider, ResourceService
from services.common.resource.writes import Write
from services.common.types import Row

NOTED, BEGUN, DONE = "noted", "begun", "done"
AT_ONCE = 200
LEASE = 6
"""Seconds that a report `running` holds; it is renewed after a third of them."""
EVERY = 0.1
DIED = "The executor died in the middle of it."
EXIT = 70

CONTRACT = Contract(name="lab", title="Lab", events=(ActionReported,))

log = structlog.get_logger(__name__)


# ---- what is handed over ------------------------------------------------------------------------


def take(write: Write, event: Envelope) -> None:
    """Note an attempt, or that an action is no longer wanted."""
    data = event.data
    run = _run(write, data["id"])
    if event.type == "action.cancel_requested":
        if run is not None and run["state"] == NOTED:
            _finish(write, run, "cancelled")
        return
    noted = {
        "attempt": data["attempt"],
        "state": NOTED,
        "tries": 0,
        **{name: data[name] for name in ("cpe", "cpename", "kind", "parameters")},
        "realm": event.realm,
    }
    if run is None:
        write.connection.execute(insert(runs).values(action=data["id"], **noted))
    elif run["attempt"] < data["attempt"]:
        _set(write, run, **noted)


# ---- running it ---------------------------------------------------------------------------------


class Runner:
    """Begins what is noted, up to `AT_ONCE` runs at a time, each in a green thread of its own; what has ended
    is reported in the same transactions."""

    def __init__(self) -> None:
        self.pool = eventlet.GreenPool(AT_ONCE)
        self.faults: Faults | None = None
        self._ended: list[tuple[Row, str, Row]] = []

    def __call__(self, engine: Engine) -> bool:
        """Report what has ended, begin some of what is noted; true when there may be more."""
        if self.faults is None:
            self.faults = Faults.from_environment(engine.settings.data_dir)
            self._recover(engine)
        free = self.pool.free()
        noted = select(runs).where(runs.c.state == NOTED).order_by(runs.c.action).limit(free)
        waiting = free and engine.database.reading(lambda connection: connection.execute(noted).first())
        if not waiting and not self._ended:
            return False
        ended = list(self._ended)
        begun: list[tuple[Row, Fault | None]] = []
        with _writing(engine) as write:
            for run, state, more in ended:
                _finish(write, run, state, **more)
            for found in write.connection.execute(noted).mappings().all() if waiting else ():
                fault = self.faults.of(dict(found))
                quiet = fault is not None and fault.fault in ("silent", "refuses")
                begun.append((_begin(write, dict(found), quiet=quiet), fault))
        del self._ended[: len(ended)]  # only now: what was not committed is reported in the next round
        for run, fault in begun:
            self.pool.spawn_n(self._work, engine, run, fault)
        return bool(begun) and len(begun) == free

    def _recover(self, engine: Engine) -> None:
        """What a process that is gone had begun."""
        with _writing(engine) as write:
            left = select(runs).where(runs.c.state == BEGUN)
            for found in write.connection.execute(left).mappings().all():
                run = dict(found)
                if device.MANNERS[run["kind"]].repeatable:
                    _set(write, run, state=NOTED)
                else:
                    _finish(write, run, "unknown", error=DIED)

    def _work(self, engine: Engine, run: Row, fault: Fault | None) -> None:
        try:
            self._run(engine, run, fault)
        except ApiError as error:  # its database is away: the lease will tell
            log.warning("run given up", action=run["action"], reason=str(error))

    def _run(self, engine: Engine, run: Row, fault: Fault | None) -> None:
        kind = fault.fault if fault else None
        if kind in ("silent", "hangs"):
            return
        if kind == "refuses":
            self._ended.append((run, "failed", {"error": "The device refused."}))
            return
        took = fault.seconds if fault and kind == "slow" else device.MANNERS[run["kind"]].seconds
        self._wait(engine, run, took / 2 if kind == "dies" else took)
        if kind == "dies" and run["tries"] == 1:
            os._exit(EXIT)
        result = device.result(run["kind"], run["parameters"], run["action"])
        self._ended += [(run, "succeeded", {"result": result})] * (2 if kind == "twice" else 1)

    def _wait(self, engine: Engine, run: Row, seconds: float) -> None:
        """As long as the device takes; renews the lease meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            eventlet.sleep(min(left, LEASE / 3))
            if time.monotonic() < end:
                with _writing(engine) as write:
                    _tell_running(write, run)


# ---- rows and reports ---------------------------------------------------------------------------


def _writing(engine: Engine) -> Any:
    return engine.writing(Context(scope=Scope(everything=True), user="lab"))


def _run(write: Write, action: int) -> Row | None:
    found = write.connection.execute(select(runs).where(runs.c.action == action).with_for_update())
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


def _set(write: Write, run: Row, **new: Any) -> Row | None:
    """The run after the change; None when another attempt was handed over meanwhile."""
    same = (runs.c.action == run["action"], runs.c.attempt == run["attempt"])
    changed = update(runs).where(*same).values(**new, version=runs.c.version + 1).returning(runs)
    row = write.connection.execute(changed).mappings().one_or_none()
    return dict(row) if row is not None else None


def _begin(write: Write, run: Row, *, quiet: bool) -> Row:
    begun = {"state": BEGUN, "tries": run["tries"] + 1}
    if quiet:
        _set(write, run, **begun)
    else:
        _tell_running(write, run, **begun)
    return {**run, **begun}


def _tell_running(write: Write, run: Row, **new: Any) -> None:
    repeatable = device.MANNERS[run["kind"]].repeatable
    _report(write, _set(write, run, **new), "running", lease=LEASE, repeatable=repeatable)


def _finish(write: Write, run: Row, state: str, **more: Any) -> None:
    _report(write, _set(write, run, state=DONE), state, **more)


def _report(write: Write, run: Row | None, state: str, **more: Any) -> None:
    """What an attempt that was superseded would say is of no use to anybody."""
    if run is None:
        return
    told = {"action": run["action"], "attempt": run["attempt"], "state": state, **more}
    write.emit(ActionReported.type, run["action"], run["version"], run["realm"], told)


# ---- the service --------------------------------------------------------------------------------


class LabEngine(EngineProvider):
    """The executor's tables are made where they are missing: what the lab knows may be thrown away."""

    def setup(self) -> None:
        super().setup()
        self.metadata.create_all(self.engine.database.engine)


class LabExecutor(ResourceService):
    name = CONTRACT.name
    engine = LabEngine(CONTRACT, metadata)
    events = EventsProvider(
        (
            Subscription(
                name="actions",
                sources={"isp": ("action.dispatched", "action.cancel_requested")},
                handle=take,
            ),
        )
    )
    running = Background(Runner(), every=EVERY)
