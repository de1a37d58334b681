"""Ratios and the lines of the result table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Ratio:
    """The ratios of several rounds, each taken inside one round."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, above: Iterable[float], below: Iterable[float]) -> Ratio:
        return cls(tuple(a / b for a, b in zip(above, below, strict=True)))

    @property
    def median(self) -> float:
        return median(self.values)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({min(self.values):.2f} to {max(self.values):.2f})"


@dataclass(frozen=True)
class Line:
    """One row of the table. `met` is None where there is no target."""

    what: str
    measured: str
    result: str
    target: str = ""
    met: bool | None = None
    limit: str = ""

    def cells(self) -> tuple[str, ...]:
        verdict = {True: "met", False: "**missed**", None: ""}[self.met]
        return (self.what, self.measured, self.result, self.target, verdict, self.limit)


def at_least(ratio: Ratio, bound: float) -> tuple[str, bool]:
    """(target as text, whether the median meets it)."""
    return f"≥ {bound:g}", ratio.median >= bound


def at_most(ratio: Ratio, bound: float) -> tuple[str, bool]:
    return f"≤ {bound:g}", ratio.median <= bound


def table(head: Sequence[str], lines: Iterable[Line]) -> str:
    rows = [tuple(head), ("---",) * len(head), *(line.cells() for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
