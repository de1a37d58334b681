"""The alarms of a device: begun once, ended once, and kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, and_, insert, select, update

from services.common.resource.writes import Write


class Alarms:
    """Those of one device that are open, in one transaction: `Alarms(write, table, olt_id=3)`.

    A subject is what an alarm is about within its device: a serial, a PON, a fiber node, or nothing for the
    device itself.
    """

    def __init__(self, write: Write, table: Table, **device: int) -> None:
        self._write = write
        self._table = table
        self._device = device
        c = table.c
        self._ours = and_(*(c[name] == id_ for name, id_ in device.items()), c.end_time.is_(None))
        found = write.connection.execute(select(c.subject, c.name).where(self._ours))
        self._open = {(subject, name) for subject, name in found}

    def begin(self, subject: str, name: str, **told: Any) -> None:
        """Nothing when it has begun. `told`: other columns of the table."""
        if (subject, name) in self._open:
            return
        self._open.add((subject, name))
        values = {**self._device, "subject": subject, "name": name, "start_time": self._write.now}
        self._write.connection.execute(insert(self._table).values(**values, **told))

    def end(self, subject: str, name: str) -> None:
        """Nothing when it has not begun."""
        if (subject, name) not in self._open:
            return
        self._open.discard((subject, name))
        c = self._table.c
        ended = update(self._table).where(self._ours, c.subject == subject, c.name == name)
        self._write.connection.execute(ended.values(end_time=self._write.now, version=c.version + 1))

    def end_all(self, subject: str | None) -> None:
        for one, name in list(self._open):
            if one == subject:
                self.end(one, name)

    def subjects(self, name: str) -> set[str]:
        """Those with an open alarm of this name."""
        return {subject for subject, one in self._open if one == name}
