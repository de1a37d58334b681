"""The tasks of docsis: to restart a modem."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.common.executing.executor import Manner
from services.common.executing.tasks import answer, queue
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.task import QUEUED, RUNNING
from services.common.types import Row
from services.docsis import doing, models
from services.docsis.contract import RESET

MANNERS = {RESET: Manner(repeatable=False)}

_t = models.tasks


def ask(write: Write, kind: str, modem: Row) -> Reply:
    """A new task, or the one that is open already."""
    opened = select(_t.c.id, _t.c.status).where(
        _t.c.mac == modem["mac"], _t.c.kind == kind, _t.c.status.in_((QUEUED, RUNNING))
    )
    row = write.connection.execute(opened).first()
    if row is None:
        try:
            with write.item():
                return queue(
                    write, kind, **{name: modem[name] for name in ("mac", "cmts_id", "cpe", "realm")}
                )
        except IntegrityError:  # somebody was quicker
            row = write.connection.execute(opened).one()
    return answer(row.id, row.status)


def work(engine: Engine, task: Row) -> None:
    """Do what was asked for."""
    doing.reset(engine, task["mac"])
