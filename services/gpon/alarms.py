"""The alarms of an OLT that are open, and what a reading makes of them: begun once, ended once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from services.common.resource.writes import Write
from services.common.types import Row
from services.gpon import models

_t = models.alarms


class Alarms:
    """Within one transaction. `subject`: what an alarm is about within its OLT: a serial, a PON, or nothing
    for the OLT itself."""

    def __init__(self, write: Write, olt: Row) -> None:
        self._write = write
        self._olt = olt
        mine = select(_t.c.id, _t.c.subject, _t.c.name).where(
            _t.c.olt_id == olt["id"], _t.c.end_time.is_(None)
        )
        self._open = {(subject, name): id_ for id_, subject, name in write.connection.execute(mine)}

    def begin(self, subject: str, name: str, *, level: str, type_: str, **more: Any) -> None:
        if (subject, name) in self._open:
            return
        values = {"realm": None, **more, "level": level, "type": type_, "start_time": self._write.now}
        made = insert(_t).values(olt_id=self._olt["id"], subject=subject, name=name, **values)
        self._open[subject, name] = self._write.connection.execute(made.returning(_t.c.id)).scalar_one()

    def end(self, subject: str, name: str) -> None:
        if (id_ := self._open.pop((subject, name), None)) is not None:
            ended = update(_t).where(_t.c.id == id_)
            self._write.connection.execute(ended.values(end_time=self._write.now, version=_t.c.version + 1))

    def end_all(self, subject: str | None) -> None:
        for one, name in list(self._open):
            if one == subject:
                self.end(one, name)
