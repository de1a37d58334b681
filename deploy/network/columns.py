"""Plain columns, as terminals and `grep` like them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """`title`, and the member that it shows, or how it is made of the row."""

    title: str
    of: str | Callable[[Row], Any] = ""

    def value(self, row: Row) -> Any:
        return self.of(row) if callable(self.of) else row.get(self.of or self.title)


def table(columns: Sequence[Column], rows: Iterable[Row]) -> list[str]:
    """Lines, the first with the titles. Numbers stand on the right."""
    values = [[one.value(row) for one in columns] for row in rows]
    cells = [[one.title for one in columns], *([text(one) for one in line] for line in values)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    right = [
        bool(values) and all(isinstance(line[index], int | float | None) for line in values)
        for index in range(len(columns))
    ]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in cells
    ]


def pairs(columns: Sequence[Column], row: Row) -> list[str]:
    """A line for each: `title : value`."""
    width = max(len(one.title) for one in columns)
    return [f"{one.title.ljust(width)} : {text(one.value(row))}" for one in columns]


def text(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}"
        case list() | tuple():
            return ",".join(text(one) for one in value) or "-"
        case dict():
            return " ".join(f"{name}={text(one)}" for name, one in value.items()) or "-"
    return str(value)


def rate(bits: float | None) -> str:
    """Bits per second, in the largest unit that leaves a whole part."""
    if bits is None:
        return "-"
    for unit in ("", "K", "M"):
        if abs(bits) < 1000:
            return f"{bits:.1f}{unit}"
        bits /= 1000
    return f"{bits:.1f}G"


def show(lines: Iterable[str], include: str = "", titles: int = 1) -> None:
    """Print the lines, of those after the first `titles` only those that hold `include`."""
    for number, line in enumerate(lines):
        if number < titles or include.lower() in line.lower():
            print(line)
