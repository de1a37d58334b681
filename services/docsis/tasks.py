"""Tasks: what somebody asked for here and does not wait for. One process runs them, some at a time.

A restart that was under way when its process ended is `unknown`: it is not sent twice.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from services.common.database.columns import now
from services.common.database.lead import Lead
from services.common.errors import ApiError
from services.common.executing.executor import Uncertain
from services.common.resource.engine import Engine
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.docsis import doing, models
from services.docsis.contract import DONE, FAILED, QUEUED, RUNNING, TASKS, UNKNOWN

AT_ONCE = 8
DIED = "The worker died in the middle of it."

_t = models.tasks
log = structlog.get_logger(__name__)


def ask(write: Write, kind: str, modem: Row) -> Reply:
    """202 `{"task_id", "status"}`: a new task, or the one that is open already."""
    open_ = select(_t.c.id, _t.c.status).where(
        _t.c.mac == modem["mac"], _t.c.kind == kind, _t.c.status.in_((QUEUED, RUNNING))
    )
    row = write.connection.execute(open_).first()
    if row is None:
        values = {name: modem[name] for name in ("mac", "cmts_id", "cpe", "realm")}
        values |= {"kind": kind, "status": QUEUED, "requested_by": write.context.user, "created": write.now}
        try:
            with write.item():
                made = insert(_t).values(**values).returning(_t.c.id, _t.c.status)
                row = write.connection.execute(made).one()
        except IntegrityError:  # somebody was quicker
            row = write.connection.execute(open_).one()
    told = {"task_id": row.id, "status": row.status}
    return Reply(dumps(told), {"status": 202, "about": [TASKS.name, row.id]})


class Tasks:
    """`Background(Tasks())` in a service class."""

    def __init__(self) -> None:
        self._lead = Lead("tasks")
        self._led = False
        self._places = threading.Semaphore(AT_ONCE)

    def __call__(self, engine: Engine) -> bool:
        try:
            if not self._lead.had(engine.database):
                return False
            if not self._led:
                with engine.database.write() as connection:
                    left = update(_t).where(_t.c.status == RUNNING)
                    lost = {"status": UNKNOWN, "message": DIED, "exception": "worker_died", "finished": now()}
                    connection.execute(left.values(**lost, version=_t.c.version + 1))
                self._led = True
            return self._begin(engine)
        except ApiError:
            self._lead.lost()
            self._led = False
            raise

    def _begin(self, engine: Engine) -> bool:
        queued = select(_t).where(_t.c.status == QUEUED).order_by(_t.c.id).limit(1)
        found = engine.database.reading(lambda one: one.execute(queued).mappings().first())
        if found is None or not self._places.acquire(blocking=False):
            return False
        try:
            with engine.database.write() as connection:
                mine = update(_t).where(_t.c.id == found["id"])
                connection.execute(mine.values(status=RUNNING, version=_t.c.version + 1))
        except BaseException:
            self._places.release()
            raise
        threading.Thread(target=self._run, args=(engine, dict(found)), daemon=True).start()
        return True

    def _run(self, engine: Engine, task: Row) -> None:
        try:
            doing.reset(engine, task["mac"])
            told: Row = {"status": DONE}
        except Uncertain as error:
            told = {"status": UNKNOWN, "message": str(error), "exception": error.code}
        except ApiError as error:
            told = {"status": FAILED, "message": str(error), "exception": error.code}
        except Exception:
            log.exception("task broke", task=task["id"], kind=task["kind"])
            told = {"status": UNKNOWN, "message": "Internal error.", "exception": "internal_error"}
        try:
            with engine.database.write() as connection:
                mine = update(_t).where(_t.c.id == task["id"])
                connection.execute(mine.values(**told, finished=now(), version=_t.c.version + 1))
        except ApiError as error:
            log.warning("the end of a task is not kept", task=task["id"], reason=str(error))
        finally:
            self._places.release()
