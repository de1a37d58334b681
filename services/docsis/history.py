"""What is over is kept as long as events are, and then forgotten."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select

from services.common.database.columns import now
from services.common.resource.engine import Engine
from services.docsis import models

AT_ONCE = 1000


def prune(engine: Engine) -> None:
    """Changes, alarms that ended and tasks that ended, a batch at a time."""
    before = now() - dt.timedelta(days=engine.settings.event_days)
    for table, moment in (
        (models.state_changes, models.state_changes.c.time),
        (models.alarms, models.alarms.c.end_time),
        (models.tasks, models.tasks.c.finished),
    ):
        old = select(table.c.id).where(moment < before).order_by(table.c.id).limit(AT_ONCE)
        gone = AT_ONCE
        while gone == AT_ONCE:
            with engine.database.write() as connection:
                gone = connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
