"""Alarms: begun once, ended once, and kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from services.common.resource.writes import Write
from services.docsis import models

CMTS_UNREACHABLE, PARTIAL_SERVICE, MASS_OUTAGE = "cmts_unreachable", "partial_service", "mass_outage"

_t = models.alarms


class Alarms:
    """Those of one CMTS, in one transaction."""

    def __init__(self, write: Write, cmts_id: int) -> None:
        self._write = write
        self._cmts_id = cmts_id
        mine = select(_t.c.subject, _t.c.name).where(_t.c.cmts_id == cmts_id, _t.c.end_time.is_(None))
        self._open = {(subject, name) for subject, name in write.connection.execute(mine)}

    def begin(self, subject: str, name: str, **told: Any) -> None:
        """Nothing when it has begun."""
        if (subject, name) in self._open:
            return
        self._open.add((subject, name))
        values = {"cmts_id": self._cmts_id, "subject": subject, "name": name, "start_time": self._write.now}
        self._write.connection.execute(insert(_t).values(**values, **told))

    def end(self, subject: str, name: str) -> None:
        if (subject, name) not in self._open:
            return
        self._open.discard((subject, name))
        this = (_t.c.cmts_id == self._cmts_id, _t.c.subject == subject, _t.c.name == name)
        ended = update(_t).where(*this, _t.c.end_time.is_(None))
        self._write.connection.execute(ended.values(end_time=self._write.now, version=_t.c.version + 1))

    def subjects(self, name: str) -> set[str]:
        """Those with an open alarm of this name."""
        return {subject for subject, one in self._open if one == name}
