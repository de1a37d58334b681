"""Faults that can be switched on: which runs they meet, read again whenever their file changes.

`KRILL_LAB_FAULTS` is the file, or the list itself when it begins with `[`; by default the file is
`lab-faults.json` in the data folder, which need not be there. The list is of objects such as
`{"fault": "slow", "seconds": 20, "cpe": "pim0350", "kind": "reboot", "rate": 0.5}`: all but `fault` may be
left out; the first that fits a run holds for it.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

log = structlog.get_logger(__name__)


class Fault(BaseModel):
    """`slow`: takes `seconds`, and says that it is at it. `refuses`: fails at once. `dies`: the whole process
    ends in the middle, once for each attempt. `twice`: reports the end twice. `silent`: never answers.
    `hangs`: begins, and never answers again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: Literal["slow", "refuses", "dies", "twice", "silent", "hangs"]
    seconds: float = Field(10.0, gt=0)
    cpe: int | str | None = Field(None, description="id or name of the CPE")
    kind: str | None = None
    rate: float = Field(1.0, ge=0, le=1, description="the share of the runs that it meets")

    def meets(self, run: dict[str, object]) -> bool:
        """Whether the run has this fault; the same run has it again."""
        if self.kind is not None and self.kind != run["kind"]:
            return False
        if self.cpe is not None and str(self.cpe) not in (str(run["cpe"]), run["cpename"]):
            return False
        draw = random.Random(f"{self.fault} {run['action']} {run['attempt']}").random()
        return draw < self.rate


_LIST = TypeAdapter(list[Fault])


@dataclass
class Faults:
    """`given`: a path, or the list itself."""

    given: str
    _known: tuple[Fault, ...] = ()
    _stamp: tuple[int, int] | None = None

    @classmethod
    def from_environment(cls, data: Path) -> Faults:
        return cls(os.environ.get("KRILL_LAB_FAULTS") or str(data / "lab-faults.json"))

    def of(self, run: dict[str, object]) -> Fault | None:
        """The fault that the run has now."""
        return next((one for one in self._current() if one.meets(run)), None)

    def _current(self) -> tuple[Fault, ...]:
        if self.given.lstrip().startswith("["):
            if not self._known:
                self._known = tuple(_LIST.validate_json(self.given))
            return self._known
        path = Path(self.given)
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._known, self._stamp = tuple(_LIST.validate_json(path.read_bytes())), stamp
        except FileNotFoundError:
            self._known, self._stamp = (), None
        except (OSError, ValidationError) as error:
            log.warning("faults not read; those known before hold", file=self.given, reason=str(error))
        return self._known
