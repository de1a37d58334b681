"""Tasks: what somebody asked for here and does not wait for. One process runs them, some at a time.

A task that was under way when its process ended is begun again where that does no harm, and is `failed`
otherwise.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from sqlalchemy import insert, select, update

from services.common.database.columns import now
from services.common.database.kernel import milliseconds
from services.common.database.lead import Lead
from services.common.errors import ApiError
from services.common.executing.executor import Refused
from services.common.resource.engine import Engine
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.gpon import doing, models
from services.gpon.contract import DONE, FAILED, QUEUED, RUNNING
from services.gpon.devices import olt as olt_row
from services.gpon.domain import naming, provisioning
from services.gpon.questions import Questions

AT_ONCE = 4
DIED = "The worker died in the middle of it."

_t = models.tasks
_p = models.provisionings
log = structlog.get_logger(__name__)


def ask(write: Write, kind: str, **about: Any) -> Reply:
    """202 `{"task_id", "status"}`."""
    values = {
        "kind": kind,
        "status": QUEUED,
        "requested_by": write.context.user,
        "created": write.now,
        **about,
    }
    id_ = write.connection.execute(insert(_t).values(**values).returning(_t.c.id)).scalar_one()
    return Reply(dumps({"task_id": id_, "status": QUEUED}), {"status": 202, "id": id_})


class Tasks:
    """`Background(Tasks(questions))`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._lead = Lead("tasks")
        self._led = False
        self._places = threading.Semaphore(AT_ONCE)

    def __call__(self, engine: Engine) -> bool:
        try:
            if not self._lead.had(engine.database):
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
        """What the process had begun that led before."""
        once = [kind for kind, manner in doing.MANNERS.items() if not manner.repeatable]
        with engine.database.write() as connection:
            left = _t.c.status == RUNNING
            lost = update(_t).where(left, _t.c.kind.in_(once))
            connection.execute(
                lost.values(status=FAILED, message=DIED, exception="worker_died", finished=now())
            )
            connection.execute(update(_t).where(left).values(status=QUEUED))

    def _begin(self, engine: Engine) -> bool:
        if not self._places.acquire(blocking=False):
            return False
        with engine.database.write() as connection:
            oldest = select(_t).where(_t.c.status == QUEUED).order_by(_t.c.id).limit(1)
            found = connection.execute(oldest).mappings().first()
            if found is not None:
                connection.execute(update(_t).where(_t.c.id == found["id"]).values(status=RUNNING))
        if found is None:
            self._places.release()
            return False
        threading.Thread(target=self._run, args=(engine, dict(found)), daemon=True).start()
        return True

    def _run(self, engine: Engine, task: Row) -> None:
        try:
            told: Row = {"status": DONE, "result": self._done(engine, task)}
        except ApiError as error:
            told = {"status": FAILED, "message": str(error), "exception": error.code}
        except Exception:
            log.exception("task broke", task=task["id"], kind=task["kind"])
            told = {"status": FAILED, "message": "Internal error.", "exception": "internal_error"}
        try:
            with engine.database.write() as connection:
                mine = update(_t).where(_t.c.id == task["id"])
                connection.execute(mine.values(**told, finished=now(), version=_t.c.version + 1))
        except ApiError as error:
            log.warning("the end of a task is not kept", task=task["id"], reason=str(error))
        finally:
            self._places.release()

    def _done(self, engine: Engine, task: Row) -> Row:
        match task["kind"]:
            case "provision":
                return self._provision(engine, task)
            case "snapshot" | "snapshot-full":
                return self._snapshot(engine, task)
            case "enable":
                return self._enable(engine, task)
            case kind:
                return doing.do(engine, kind, sn=task["sn"], cpe=task["cpe"])

    def _provision(self, engine: Engine, task: Row) -> Row:
        """A provision cycle: who waits there now, and each whose CPE is known brought in."""
        olt = self._olt(engine, task)
        self._questions.fresh(engine, olt, None, 0.0, levels=False)
        u = models.unconfigured
        mine = select(u).where(u.c.olt_id == olt["id"]).order_by(u.c.id)
        waiting = [
            dict(row) for row in engine.database.reading(lambda one: one.execute(mine).mappings().all())
        ]
        done, errors = 0, {}
        for one in waiting:
            if one["cpe"] is None:
                continue
            try:
                doing.settled(engine, _due(engine, _p.c.cpe == one["cpe"]))
                done += 1
            except ApiError as error:
                errors[one["sn"]] = str(error)
        return {"unconfigured": len(waiting), "provisioned": done, "errors": errors}

    def _snapshot(self, engine: Engine, task: Row) -> Row:
        """What the OLT has, read again; `snapshot-full`: and each CPE on it compared with the books."""
        olt = self._olt(engine, task)
        pon = naming.parse(task["fsp"]) if task["fsp"] else None
        full = task["kind"] == "snapshot-full"
        self._questions.fresh(engine, olt, pon, 0.0, levels=full, full=full)
        if full:
            _due(engine, _p.c.olt_id == olt["id"])
        o = models.onus
        mine = [o.c.olt_id == olt["id"], *([o.c.fsp == pon.fsp] if pon else [])]
        counted = select(o.c.id).where(*mine)
        number = engine.database.reading(lambda one: len(one.execute(counted).all()))
        return {"onus": number}

    def _enable(self, engine: Engine, task: Row) -> Row:
        return doing.settled(engine, _due(engine, _p.c.cpe == task["cpe"]))

    def _olt(self, engine: Engine, task: Row) -> Row:
        found = olt_row(engine, task["olt_id"]) if task["olt_id"] else None
        if found is None:
            raise Refused("Its OLT is not known any more.")
        return found


def _due(engine: Engine, which: Any) -> int:
    """They are looked at now; the id of the last of them, 0 without one."""
    with engine.database.write() as connection:
        told = {"due": milliseconds(), "attempts": 0, "state": provisioning.PENDING}
        changed = update(_p).where(which).values(**told).returning(_p.c.id)
        ids = list(connection.execute(changed).scalars())
    return int(ids[-1]) if ids else 0
