"""Faults that can be switched on: which runs they meet. Of the rows of the file of faults
(`deploy.lab.fault_file`) those that name no device, such as
`{"fault": "slow", "seconds": 20, "cpe": "pim0350", "kind": "reboot", "rate": 0.5}`: all but `fault` may be
left out; the first that fits a run holds for it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from deploy.lab.fault_file import FaultFile, of_equipment, place


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


@dataclass
class Faults:
    """`given`: a path, or the list itself."""

    given: str

    def __post_init__(self) -> None:
        self._file = FaultFile(self.given, Fault, lambda row: not of_equipment(row))

    @classmethod
    def from_environment(cls, data: Path) -> Faults:
        return cls(place(data))

    def of(self, run: dict[str, object]) -> Fault | None:
        """The fault that the run has now."""
        return next((one for one in self._file.current() if one.meets(run)), None)
