"""What an agent shows: scalars and tables, ordered by OID, computed when they are asked for.

A table gives its rows through `rows`, and says by `stamp` when the set of rows is another one: the order and
the encoded indexes are kept until then. A column is a function from a row to a BER value; None leaves a hole.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid

Index = tuple[int, ...]
Column = Callable[[Any], bytes | None]
Setter = Callable[[Any, int, bytes], None]
"""Row, tag and content of the value that a manager sets. Raises `Refused`."""
Found = tuple[Oid, bytes, bytes]
"""OID, the same encoded, and the encoded value."""


class Refused(Exception):
    """A SET that cannot be; carries an error-status of RFC 3416."""

    NO_ACCESS, WRONG_TYPE, WRONG_VALUE, NO_CREATION = 6, 7, 10, 11
    INCONSISTENT_VALUE, COMMIT_FAILED, NOT_WRITABLE = 12, 14, 17

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Table:
    """`entry`: the OID of the row, to which column and index are joined."""

    entry: Oid
    columns: Mapping[int, Column]
    rows: Callable[[], Iterable[tuple[Index, Any]]]
    stamp: Callable[[], Any]
    setters: Mapping[int, Setter] = field(default_factory=dict)
    _known: Any = field(default=object(), repr=False)
    _indexes: list[Index] = field(default_factory=list, repr=False)
    _rows: list[tuple[bytes, Any]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._numbers = sorted(self.columns)
        self._prefixes = {number: ber.prefix((*self.entry, number)) for number in self._numbers}

    def _refresh(self) -> None:
        stamp = self.stamp()
        if stamp != self._known:
            found = sorted(self.rows(), key=lambda row: row[0])
            self._indexes = [index for index, _ in found]
            self._rows = [(ber.arcs(index), row) for index, row in found]
            self._known = stamp

    def row(self, index: Index) -> Any | None:
        self._refresh()
        at = bisect_left(self._indexes, index)
        return self._rows[at][1] if at < len(self._indexes) and self._indexes[at] == index else None

    def get(self, rest: Oid) -> bytes:
        column = self.columns.get(rest[0]) if rest else None
        if column is None:
            return ber.NO_SUCH_OBJECT
        row = self.row(rest[1:])
        value = None if row is None else column(row)
        return ber.NO_SUCH_INSTANCE if value is None else value

    def after(self, rest: Oid) -> Iterator[Found]:
        """All instances behind `rest` (an OID below the entry), in order."""
        self._refresh()
        indexes, rows = self._indexes, self._rows  # the walk goes on over what was there when it began
        first = bisect_left(self._numbers, rest[0]) if rest else 0
        for number in self._numbers[first:]:
            at = bisect_right(indexes, rest[1:]) if rest and number == rest[0] and len(rest) > 1 else 0
            column, head, oid = self.columns[number], self._prefixes[number], (*self.entry, number)
            for position in range(at, len(indexes)):
                tail, row = rows[position]
                value = column(row)
                if value is not None:
                    yield (*oid, *indexes[position]), ber.tlv(ber.OID, head + tail), value

    def set(self, rest: Oid, tag: int, content: bytes) -> None:
        setter = self.setters.get(rest[0]) if rest else None
        if setter is None:
            raise Refused(Refused.NOT_WRITABLE)
        row = self.row(rest[1:])
        if row is None:
            raise Refused(Refused.NO_CREATION)
        setter(row, tag, content)


def scalars(group: Oid, values: Mapping[int, Callable[[], bytes]], **setters: Setter) -> Table:
    """A group of scalars is a table with the one index 0. Setters are given as `_3=…`."""
    columns = {number: (lambda _, value=value: value()) for number, value in values.items()}
    chosen = {int(name.removeprefix("_")): setter for name, setter in setters.items()}
    return Table(group, columns, lambda: [((0,), group)], lambda: 0, chosen)


class View:
    """All that one agent shows. Tables must not lie within each other."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = sorted(tables, key=lambda table: table.entry)
        self._entries = [table.entry for table in self._tables]

    def _of(self, oid: Oid) -> Table | None:
        at = bisect_right(self._entries, oid) - 1
        if at < 0 or oid[: len(self._entries[at])] != self._entries[at]:
            return None
        return self._tables[at]

    def get(self, oid: Oid) -> bytes:
        table = self._of(oid)
        return table.get(oid[len(table.entry) :]) if table else ber.NO_SUCH_OBJECT

    def after(self, oid: Oid) -> Iterator[Found]:
        """All instances behind `oid`, in order, to the end of the view."""
        table = self._of(oid)
        if table is not None:
            yield from table.after(oid[len(table.entry) :])
        for later in self._tables[bisect_right(self._entries, oid) :]:
            yield from later.after(())

    def set(self, oid: Oid, tag: int, content: bytes) -> None:
        table = self._of(oid)
        if table is None:
            raise Refused(Refused.NOT_WRITABLE)
        table.set(oid[len(table.entry) :], tag, content)
