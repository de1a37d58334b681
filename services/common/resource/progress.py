"""How far an import has come: one row per import, written in the transaction that writes its lines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from services.common.errors import Conflict
from services.common.resource.writes import Write

MOST_ERRORS = 1000


class Progress:
    """`lines`: the number of the last line that is done. At most `MOST_ERRORS` errors are kept; `failed`
    counts all.
    """

    def __init__(self, write: Write, identity: dict[str, str], row: Any) -> None:
        self._write = write
        self._identity = identity
        self.lines: int = row.lines
        self.created: int = row.created
        self.failed: int = row.failed
        self.errors: list[dict[str, Any]] = list(row.errors)
        self._cut: dict[str, Any] | None = None

    @classmethod
    def begin(cls, write: Write, resource: str, name: str) -> Progress:
        """The import's progress, locked until the transaction ends; a new one starts at line 0."""
        table = write.unit.table("imports")
        identity = {"id": name, "owner": write.context.user or "", "resource": resource}
        found = select(table).where(*(table.c[key] == value for key, value in identity.items()))
        row = write.connection.execute(found.with_for_update()).one_or_none()
        if row is None:
            made = insert(table).values(**identity, errors=[], updated=write.now).returning(table)
            try:
                row = write.connection.execute(made).one()
            except IntegrityError as error:
                raise Conflict("This import is under way in another request.") from error
        return cls(write, identity, row)

    def note(self, line: int, errors: Any, *, cut: bool = False) -> None:
        """Line `line` is done: created, or refused with `errors`. A `cut` one is told only, not done."""
        if cut:
            self._cut = {"line": line, "errors": errors}
            return
        self.lines = line
        if errors is None:
            self.created += 1
            return
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"line": line, "errors": errors})

    def keep(self) -> dict[str, Any]:
        """Write the progress; answers it, with the line that was cut off among the errors."""
        table = self._write.unit.table("imports")
        mine = [table.c[key] == value for key, value in self._identity.items()]
        done = {"lines": self.lines, "created": self.created, "failed": self.failed, "errors": self.errors}
        self._write.connection.execute(update(table).where(*mine).values(**done, updated=self._write.now))
        if self._cut is not None:
            done |= {"failed": self.failed + 1, "errors": [*self.errors, self._cut]}
        return done


def marked(item: Any, mark: str) -> bool:
    """Whether a line of an import that could not be read, `[{"error": text, …}]`, is marked so."""
    return isinstance(item, list) and bool(item) and isinstance(item[0], dict) and item[0].get(mark) is True
