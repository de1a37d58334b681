"""The executor of a service: notes the actions it is handed, runs them outside of any transaction, reports.

A run is begun in the transaction of its report `running`, so that what was begun is known. Who runs it says
so again before its lease is over. What nobody speaks for any more (its process was killed) is run again where
that does no harm, and is otherwise reported as what it is: unknown. Any number of processes may work on one
database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update

from services.common.actions import ActionReported
from services.common.context import Context, Scope
from services.common.database.kernel import milliseconds
from services.common.errors import ApiError
from services.common.events.envelope import Envelope
from services.common.events.inbox import Subscription
from services.common.executing.runs import BEGUN, DONE, NOTED, Run
from services.common.resource.background import Background
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row

EVERY = 0.2
MOST_TRIES = 3
DAY = 86_400_000
DIED = "The executor died in the middle of it."
BROKEN = "Internal error."
UNWANTED = "cancel_requested"
"""What is noted with a run that was begun when its action was to be cancelled."""

Result = dict[str, Any] | list[Any] | None

log = structlog.get_logger(__name__)


class Refused(ApiError):
    """It was not done; the text says why."""

    status, code, message = 502, "action_refused", "The device refused."


class Uncertain(ApiError):
    """It was begun, and whether it was done cannot be told; the text says why."""

    status, code, message = 504, "action_uncertain", "The device may or may not have done it."


@dataclass(frozen=True)
class Manner:
    """`repeatable`: doing it twice does no harm."""

    repeatable: bool


class Executor(Background):
    """`running = Executor(perform, wants, MANNERS)` in a service class, and `running.subscription` among its
    subscriptions; `ActionReported` among the events of its contract, `runs_table(metadata)` among its tables.

    `perform(run)` does it and returns the result, in a green thread of its own; it may take long. What it
    raises ends the action: `ApiError` (of devices, `Refused`) as failed with its text, `Uncertain` as
    unknown. `wants(data)`: whether a dispatched action is this service's (by `tech` and `kind`). `manners`:
    by kind. `device(write, data)`: of the runs with the same answer one goes on at a time; None: any number.
    `lease`: seconds that a report `running` holds. `at_once`: the most that go on in this process.
    """

    def __init__(
        self,
        perform: Callable[[Run], Result],
        wants: Callable[[Row], bool],
        manners: Mapping[str, Manner],
        *,
        device: Callable[[Write, Row], str | None] | None = None,
        lease: int = 6,
        at_once: int = 100,
        every: float = EVERY,
    ) -> None:
        super().__init__(self.round, every)
        self.lease = lease
        self.at_once = at_once
        self._perform = perform
        self._wants = wants
        self._manners = manners
        self._device = device
        self._under_way: dict[Run, int] = {}  # and when it was last spoken for
        self._ended: list[tuple[Run, str, Row]] = []
        self._pruned = 0

    @property
    def subscription(self) -> Subscription:
        """What is handed over."""
        types = ("action.dispatched", "action.cancel_requested")
        return Subscription(name="actions", sources={"isp": types}, handle=self.take)

    def take(self, write: Write, event: Envelope) -> None:
        """Note an attempt, or that an action is no longer wanted."""
        data = event.data
        row = _row(write, data["id"])
        if event.type == "action.cancel_requested":
            if row is not None and row["state"] == NOTED:
                self.finish(write, _run(write, row), "cancelled")
            elif row is not None and row["state"] == BEGUN:  # it goes on, and is not begun again
                _set(write, _run(write, row), asked={**row["asked"], UNWANTED: True})
            return
        if not self._wants(data) or (row is not None and row["attempt"] >= data["attempt"]):
            return
        noted = {
            "attempt": data["attempt"],
            "realm": event.realm,
            "device": self._device(write, data) if self._device else None,
            "asked": data,
            "state": NOTED,
            "tries": 0,
            "until": 0,
        }
        if row is None:
            write.connection.execute(insert(_runs(write)).values(action=data["id"], **noted))
        else:
            t = _runs(write)
            bumped = update(t).where(t.c.action == data["id"]).values(**noted, version=t.c.version + 1)
            write.connection.execute(bumped)

    # ---- a round ------------------------------------------------------------------------------

    def round(self, engine: Engine) -> bool:
        """Report what has ended, speak for what goes on, begin some of what is noted; true when there may be
        more."""
        now, free = milliseconds(), self.at_once - len(self._under_way)
        # In this order, and as `_go` does it: a run that ends meanwhile is in one of the two, or in both.
        # `abs`: a clock that was set back would have it silent until it is as late again.
        speaking = [run for run, said in list(self._under_way.items()) if abs(now - said) >= self.lease * 333]
        ended = list(self._ended)
        pruning = now >= self._pruned + DAY // 24
        if not (ended or speaking or pruning or self._something(engine, free, now)):
            return False
        begun: list[Run] = []
        with engine.database.exclusive("runs", wait=False) as had, _writing(engine) as write:
            for run, state, told in ended:
                self.finish(write, run, state, **told)
            for run in speaking:
                if not self._hold(write, run, now):
                    self._under_way.pop(run, None)
            if had:
                self._recover(write, now)
                begun = self._begin(write, engine, free, now)
            if had and pruning:
                _prune(write, now - int(engine.settings.event_days * DAY))
        del self._ended[: len(ended)]  # only now: what was not committed is reported in the next round
        if pruning and had:
            self._pruned = now
        for run in speaking:
            if run in self._under_way:
                self._under_way[run] = now
        for run in begun:
            self._under_way[run] = now
            threading.Thread(target=self._go, args=[run], daemon=True).start()
        return bool(begun) and len(begun) == free

    def _something(self, engine: Engine, free: int, now: int) -> bool:
        """Whether there is anything to begin, or left behind by a process that is gone."""
        t = engine.metadata.tables["runs"]
        left = select(t.c.action).where(*_left(t, now)).limit(1)
        return engine.database.reading(
            lambda connection: (
                connection.execute(left).first() is not None
                or (free > 0 and connection.execute(_startable(t, 1)).first() is not None)
            )
        )

    def _begin(self, write: Write, engine: Engine, free: int, now: int) -> list[Run]:
        """The next ones, one of each device."""
        t, begun, devices = _runs(write), [], set()
        for found in write.connection.execute(_startable(t, max(0, free))).mappings().all():
            device = found["device"]
            if device is None or device not in devices:
                devices.add(device)
                run = Run.of(engine, {**found, "tries": found["tries"] + 1})
                if self._hold(write, run, now, state=BEGUN, tries=run.tries):
                    begun.append(run)
        return begun

    def _recover(self, write: Write, now: int) -> None:
        """What a process that is gone had begun."""
        t = _runs(write)
        for found in write.connection.execute(select(t).where(*_left(t, now))).mappings().all():
            run = _run(write, dict(found))
            wanted = not run.asked.get(UNWANTED)
            if wanted and self._repeatable(run) and run.tries < MOST_TRIES:
                _set(write, run, state=NOTED)
            else:
                self.finish(write, run, "unknown", error=DIED)

    def _hold(self, write: Write, run: Run, now: int, **new: Any) -> bool:
        """Say that it goes on. Whether it still counts: it may be cancelled, or another attempt be there."""
        t = _runs(write)
        same = (t.c.state == NOTED,) if new else (t.c.state == BEGUN, t.c.tries == run.tries)
        row = _set(write, run, *same, until=now + self.lease * 667, **new)
        if row is None:
            return False
        self.report(write, run, row["version"], "running", lease=self.lease, repeatable=self._repeatable(run))
        return True

    def _repeatable(self, run: Run) -> bool:
        manner = self._manners.get(run.kind)
        return manner is not None and manner.repeatable

    # ---- one run ------------------------------------------------------------------------------

    def perform(self, run: Run) -> Result:
        """What is done; outside of any transaction."""
        return self._perform(run)

    def finish(self, write: Write, run: Run, state: str, **told: Any) -> None:
        """Its end; nothing when another attempt was handed over meanwhile."""
        row = _set(write, run, state=DONE, until=milliseconds())
        if row is not None:
            self.report(write, run, row["version"], state, **told)

    def report(self, write: Write, run: Run, sequence: int, state: str, **told: Any) -> None:
        """The event that says how it fares."""
        told = {"action": run.action, "attempt": run.attempt, "state": state, **told}
        write.emit(ActionReported.type, run.action, sequence, run.realm, told)

    def _go(self, run: Run) -> None:
        with structlog.contextvars.bound_contextvars(action=run.action, kind=run.kind, cpe=run.cpename):
            state, told = self._outcome(run)
        self._ended.append((run, state, told))
        self._under_way.pop(run, None)
        self.wake()

    def _outcome(self, run: Run) -> tuple[str, Row]:
        try:
            told = {"result": self.perform(run)}
            ActionReported(action=run.action, attempt=run.attempt, state="succeeded", **told)
            return "succeeded", told
        except Uncertain as error:
            return "unknown", {"error": str(error)}
        except ApiError as error:
            return "failed", {"error": str(error)}
        except Exception:
            log.exception("run broke")
            return "failed" if self._repeatable(run) else "unknown", {"error": BROKEN}


# ---- rows ---------------------------------------------------------------------------------------


def _writing(engine: Engine) -> Any:
    return engine.writing(Context(scope=Scope(everything=True), user=engine.contract.name))


def _runs(write: Write) -> Any:
    return write.reads.metadata.tables["runs"]


def _run(write: Write, row: Row) -> Run:
    return Run.of(cast(Engine, write.reads), row)


def _row(write: Write, action: int) -> Row | None:
    t = _runs(write)
    found = write.connection.execute(select(t).where(t.c.action == action).with_for_update())
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


def _set(write: Write, run: Run, *same: ColumnElement[bool], **new: Any) -> Row | None:
    """The row after the change; None when it is of another attempt by now."""
    t = _runs(write)
    mine = (t.c.action == run.action, t.c.attempt == run.attempt, *same)
    changed = update(t).where(*mine).values(**new, version=t.c.version + 1).returning(t)
    row = write.connection.execute(changed).mappings().one_or_none()
    return dict(row) if row is not None else None


def _startable(t: Any, most: int) -> Select[Any]:
    """What is noted, oldest first, without the devices at which something goes on."""
    busy = select(t.c.device).where(t.c.state == BEGUN, t.c.device.is_not(None))
    idle = or_(t.c.device.is_(None), t.c.device.not_in(busy))
    return select(t).where(t.c.state == NOTED, idle).order_by(t.c.action).limit(most)


def _left(t: Any, now: int) -> tuple[ColumnElement[bool], ...]:
    return t.c.state == BEGUN, t.c.until < now


def _prune(write: Write, before: int) -> None:
    t = _runs(write)
    write.connection.execute(delete(t).where(t.c.state == DONE, t.c.until < before))
