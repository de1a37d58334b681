"""What the tasks of gpon do: of an OLT, of a PON, of an ONU."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from services.common.database.kernel import milliseconds
from services.common.errors import ApiError
from services.common.executing.executor import Refused
from services.common.resource.engine import Engine
from services.common.types import Row
from services.gpon import doing, models
from services.gpon.devices import olt as olt_row
from services.gpon.domain import naming, provisioning
from services.gpon.questions import Questions

_p = models.provisionings


class Work:
    """`Tasks(Work(questions), doing.MANNERS)`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def __call__(self, engine: Engine, task: Row) -> Row:
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
        ends: dict[str, str] = {}
        for one in waiting:
            if one["cpe"] is None:
                continue
            try:
                doing.settled(engine, _due(engine, _p.c.cpe == one["cpe"]))
                ends[one["sn"]] = ""
            except ApiError as error:
                ends[one["sn"]] = str(error)
        told = [one["sn"] for one in waiting if _tells(task, one["realm"])]
        errors = {sn: ends[sn] for sn in told if ends.get(sn)}
        return {
            "unconfigured": len(told),
            "provisioned": len(ends.keys() & told) - len(errors),
            "errors": errors,
        }

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
        theirs = select(o.c.realm).where(*mine)
        found = engine.database.reading(lambda one: one.execute(theirs).scalars().all())
        return {"onus": sum(_tells(task, realm) for realm in found)}

    def _enable(self, engine: Engine, task: Row) -> Row:
        return doing.settled(engine, _due(engine, _p.c.cpe == task["cpe"]))

    def _olt(self, engine: Engine, task: Row) -> Row:
        found = olt_row(engine, task["olt_id"]) if task["olt_id"] else None
        if found is None:
            raise Refused("Its OLT is not known any more.")
        return found


def _tells(task: Row, realm: str | None) -> bool:
    """Whether the result of a task counts what is of this realm, which who sees the task may not see."""
    return task["realm"] in (None, realm)


def _due(engine: Engine, which: Any) -> int:
    """They are looked at now; the id of the last of them, 0 without one."""
    with engine.database.write() as connection:
        told = {"due": milliseconds(), "attempts": 0, "state": provisioning.PENDING}
        changed = update(_p).where(which).values(**told).returning(_p.c.id)
        ids = list(connection.execute(changed).scalars())
    return int(ids[-1]) if ids else 0
