"""Tasks: what somebody asked a service to do and does not wait for. One process runs them, some at a time.

A task that was under way when its process ended is begun again where that does no harm, and is `unknown`
otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Table, insert, select, update

from services.common.database.columns import now
from services.common.database.lead import Lead
from services.common.errors import ApiError
from services.common.executing.executor import BROKEN, Manner, Uncertain
from services.common.resource.engine import Engine
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.task import DONE, FAILED, QUEUED, RUNNING, TASKS, UNKNOWN
from services.common.types import Row

AT_ONCE = 8
DIED = "The worker died in the middle of it."

log = structlog.get_logger(__name__)


def queue(write: Write, kind: str, **about: Any) -> Reply:
    """Note a task; `answer` of it."""
    t = write.reads.metadata.tables[TASKS]
    asked = {"requested_by": write.context.user, "created": write.now}
    made = insert(t).values(kind=kind, status=QUEUED, **asked, **about).returning(t.c.id)
    return answer(write.connection.execute(made).scalar_one())


def answer(id_: int, status: str = QUEUED) -> Reply:
    """202 `{"task_id", "status"}`."""
    return Reply(dumps({"task_id": id_, "status": status}), {"status": 202, "about": [TASKS, id_]})


class Tasks:
    """`Background(Tasks(work, MANNERS))` in a service class.

    `work(engine, task)`: does it, in a green thread of its own, and returns its result where the table keeps
    one. What it raises ends the task: `Uncertain` as unknown, another error as failed. `manners`: by kind; a
    kind without one is repeatable.
    """

    def __init__(
        self,
        work: Callable[[Engine, Row], Row | None],
        manners: Mapping[str, Manner],
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._work = work
        self._once = [kind for kind, manner in manners.items() if not manner.repeatable]
        self._lead = Lead(TASKS)
        self._led = False
        self._under_way: set[int] = set()
        self._ended: dict[int, Row] = {}
        self._places = threading.Semaphore(at_once)

    def __call__(self, engine: Engine) -> bool:
        """Note what has ended, begin the oldest; whether there was one."""
        with suppress(ApiError):
            self._note(engine)
        try:
            if not self._lead.had(engine.database):
                self._led = False
                return False
            if not self._led:
                self._recover(engine)
                self._led = True
            return self._begin(engine)
        except ApiError:
            self._lead.lost()
            self._led = False
            raise

    def _recover(self, engine: Engine) -> None:
        """What the process had begun that led before, which may have been this one."""
        t = _tasks(engine)
        left = update(t).where(t.c.status == RUNNING, t.c.id.not_in(tuple(self._under_way)))
        lost = {"status": UNKNOWN, "message": DIED, "exception": "worker_died", "finished": now()}
        with engine.database.write() as connection:
            once = left.where(t.c.kind.in_(self._once))
            connection.execute(once.values(**lost, version=t.c.version + 1))
            connection.execute(left.values(status=QUEUED, version=t.c.version + 1))

    def _begin(self, engine: Engine) -> bool:
        t = _tasks(engine)
        oldest = select(t).where(t.c.status == QUEUED).order_by(t.c.id).limit(1)
        found = engine.database.reading(lambda one: one.execute(oldest).mappings().first())
        if found is None or not self._places.acquire(blocking=False):
            return False
        try:
            _change(engine, found["id"], status=RUNNING)
        except BaseException:
            self._places.release()
            raise
        self._under_way.add(found["id"])
        threading.Thread(target=self._run, args=(engine, dict(found)), daemon=True).start()
        return True

    def _run(self, engine: Engine, task: Row) -> None:
        try:
            result = self._work(engine, task)
            told: Row = {"status": DONE} | ({} if result is None else {"result": result})
        except Uncertain as error:
            told = {"status": UNKNOWN, "message": str(error), "exception": error.code}
        except ApiError as error:
            told = {"status": FAILED, "message": str(error), "exception": error.code}
        except Exception:
            log.exception("task broke", task=task["id"], kind=task["kind"])
            status = UNKNOWN if task["kind"] in self._once else FAILED
            told = {"status": status, "message": BROKEN, "exception": "internal_error"}
        self._ended[task["id"]] = {**told, "finished": now()}
        self._places.release()
        try:
            self._note(engine)
        except ApiError as error:
            log.warning("the end of a task waits", task=task["id"], reason=str(error))

    def _note(self, engine: Engine) -> None:
        """How tasks ended, again and again until the database takes it."""
        for id_, told in list(self._ended.items()):
            _change(engine, id_, **told)
            self._ended.pop(id_, None)
            self._under_way.discard(id_)


def _change(engine: Engine, id_: int, **new: Any) -> None:
    t = _tasks(engine)
    with engine.database.write() as connection:
        connection.execute(update(t).where(t.c.id == id_).values(**new, version=t.c.version + 1))


def _tasks(engine: Engine) -> Table:
    found: Table = engine.metadata.tables[TASKS]
    return found
