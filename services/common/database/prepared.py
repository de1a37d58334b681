"""Statements compiled once and run on the driver's own connection.

What SQLAlchemy does around each execution of a select of sixty columns costs as much as the query itself.
Values
still pass the column types' own processors, so that both ways give the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.sql.compiler import SQLCompiler

Processor = Callable[[Any], Any]

NUMERIC = 1700
"""PostgreSQL's type number of the one type whose processor asks for it."""

watchers: list[Callable[[str], object]] = []
"""Told of every statement run here, which SQLAlchemy's own events do not see: tests count them."""


class Prepared:
    """A select whose parameters are all named and none of them a list of unknown length."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        self._order = compiled.positiontup
        self._fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._names = list(compiled.binds)
        self._in: dict[str, Processor] = {}
        for name, bind in compiled.binds.items():
            if bind.expanding:
                raise ValueError(f"{name} is a list: its length must be known")
            if (process := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None:
                self._in[name] = process
        self._out: list[tuple[int, Processor]] = []
        for place, column in enumerate(statement.selected_columns):
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, NUMERIC)) is not None:
                self._out.append((place, process))

    def rows(self, connection: Connection, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """All rows, on this connection and in its transaction if it has begun one."""
        bound = {name: values[name] if name in values else self._fixed[name] for name in self._names}
        for name, process in self._in.items():
            bound[name] = process(bound[name])
        parameters: Any = bound if self._order is None else [bound[name] for name in self._order]
        for watch in watchers:
            watch(self._sql)
        driver = connection.connection.driver_connection
        assert driver is not None
        found: list[tuple[Any, ...]] = driver.execute(self._sql, parameters).fetchall()
        if not self._out:
            return found
        made = [list(row) for row in found]
        for place, process in self._out:
            for row in made:
                row[place] = process(row[place])
        return [tuple(row) for row in made]
