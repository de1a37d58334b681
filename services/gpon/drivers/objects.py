"""MIB objects as data, and how to read rows of a table by the names that a driver gives its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.common.devices.snmp import Index, Snmp
from services.common.devices.values import Value

Row = dict[str, Value]
"""Values by a driver's names; what the device does not tell is not in it."""


class Column(NamedTuple):
    """`number` below the table's entry, the object's `name` in the MIB, what its values are in."""

    number: int
    name: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    mib: str
    name: str
    entry: str
    index: tuple[str, ...]
    columns: Mapping[str, Column]


class Scalar(NamedTuple):
    mib: str
    name: str
    oid: str
    unit: str = ""


def rows(
    snmp: Snmp,
    table: Table,
    *names: str,
    below: Index = (),
    needed: Collection[str] = (),
    optional: bool = False,
) -> dict[Index, Row]:
    """Rows by index; only those whose index begins with `below`, and is as long as the table's. `needed`,
    `optional`: as `Snmp.table` has them."""
    wanted = {table.columns[name].number: name for name in names or table.columns}
    numbers = {table.columns[name].number for name in needed}
    found = snmp.table(table.entry, wanted, below, numbers, optional)
    size = len(table.index)
    return {
        index: {wanted[number]: value for number, value in row.items()}
        for index, row in found.items()
        if len(index) == size
    }


def row(snmp: Snmp, table: Table, index: Index, *names: str) -> Row:
    """One row, in one request."""
    return several(snmp, table, [index], *names).get(index, {})


def several(snmp: Snmp, table: Table, indexes: list[Index], *names: str) -> dict[Index, Row]:
    """These rows, without a walk; those of which nothing is there are left out."""
    wanted = {
        ".".join(map(str, (table.entry, table.columns[name].number, *index))): (index, name)
        for index in indexes
        for name in names or table.columns
    }
    found: dict[Index, Row] = {}
    for oid, value in snmp.get(*wanted).items():
        if oid in wanted:
            index, name = wanted[oid]
            found.setdefault(index, {})[name] = value
    return found


def scalars(snmp: Snmp, **wanted: Scalar) -> Row:
    found = snmp.get(*(one.oid for one in wanted.values()))
    return {name: found[one.oid] for name, one in wanted.items() if one.oid in found}
