"""The file of faults, which the executor and the simulated equipment share: each takes the rows that are its
own.

`KRILL_LAB_FAULTS` is the file, or the list itself when it begins with `[`; by default it is
`lab-faults.json` in the data folder, which need not be there. It is read again whenever it changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

log = structlog.get_logger(__name__)

FaultT = TypeVar("FaultT", bound=BaseModel)


def place(data: Path) -> str:
    return os.environ.get("KRILL_LAB_FAULTS") or str(data / "lab-faults.json")


def of_equipment(row: Any) -> bool:
    """Whether a row is about a simulated device; those of the executor name no device."""
    return isinstance(row, dict) and "device" in row


@dataclass
class FaultFile(Generic[FaultT]):
    """`given`: a path, or the list itself. `mine`: which rows are read."""

    given: str
    model: type[FaultT]
    mine: Callable[[Any], bool]
    _known: tuple[FaultT, ...] | None = field(default=None, repr=False)
    _stamp: tuple[int, int] | None = field(default=None, repr=False)
    """Time and size of the file as it was read."""

    def current(self) -> tuple[FaultT, ...]:
        """The faults that hold now. When the file cannot be read, those that were known before hold."""
        if self.given.lstrip().startswith("["):
            if self._known is None:
                self._known = self._parsed(self.given)
            return self._known
        path = Path(self.given)
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._known, self._stamp = self._parsed(path.read_bytes()), stamp
        except FileNotFoundError:
            self._known, self._stamp = (), None
        except (OSError, orjson.JSONDecodeError, ValidationError) as error:
            log.warning("faults not read; those known before hold", file=self.given, reason=str(error))
        return self._known or ()

    @property
    def version(self) -> int:
        """Of what was read last: the time of the file, 0 when there was none."""
        return self._stamp[0] if self._stamp else 0

    def _parsed(self, text: str | bytes) -> tuple[FaultT, ...]:
        rows = orjson.loads(text)
        if isinstance(rows, list):
            rows = [row for row in rows if self.mine(row)]
        return tuple(TypeAdapter(list[self.model]).validate_python(rows))  # type: ignore[name-defined]
