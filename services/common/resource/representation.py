"""How rows become the wire form: columns to select, members to make of them, JSON, NDJSON or CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Label, case, literal, null

from services.common.fields import Breakdown, Children, Computed, Field, Members
from services.common.resource.sql import Source
from services.common.types import Installation

Rule = Callable[..., Any]
_KEY = "\ue000"  # stands for the key while a keyed member is made; private use, in no stored text
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Representation:
    """The chosen members of a resource.

    `columns` gives what to select: one column per member in wire order, then the extra ones.
    `members` makes the dictionaries. A secret that may not be seen is blanked by the database.
    """

    def __init__(
        self, fields: Sequence[Field], rules: Any, installation: Installation, secrets: bool
    ) -> None:
        self.fields = fields
        self.names = [one.name for one in fields]
        self._secrets = secrets
        computed = [one for one in fields if isinstance(one, Computed)]
        places = {one.source: index for index, one in enumerate(fields) if self._plain(one)}
        needed = dict.fromkeys(path for one in computed for path in one.needs)
        self._besides = [path for path in needed if path not in places]
        places |= {path: index for index, path in enumerate(self._besides, len(self.names))}
        self._makers = [
            (one.name, [places[path] for path in one.needs], _maker(one, rules, installation))
            for one in computed
        ]

    def columns(self, source: Source, extra: Iterable[Any] = ()) -> list[Label[Any]]:
        """One label per member, then what computed members need besides, then `extra` expressions."""
        chosen: list[Any] = []
        for one in self.fields:
            if isinstance(one, (Breakdown, Children, Computed, Members)):
                chosen.append(null())
            elif one.secret and not self._secrets:
                chosen.append(case((source.value(one).is_(None), null()), else_=literal("")))
            else:
                chosen.append(source.value(one))
        chosen.extend(source.column(path) for path in self._besides)
        chosen.extend(extra)
        return [expression.label(f"c{index}") for index, expression in enumerate(chosen)]

    def members(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        names = self.names
        made = [dict(zip(names, row, strict=False)) for row in rows]  # a row is longer by its extra columns
        for name, needs, make in self._makers:
            for member, row in zip(made, rows, strict=True):
                member[name] = make(*[row[place] for place in needs])
        return made

    @property
    def width(self) -> int:
        """Where the extra columns begin in a row."""
        return len(self.names) + len(self._besides)

    def _plain(self, field: Field) -> bool:
        """Whether the member is a column as it is."""
        return not field.derived and (self._secrets or not field.secret)


def _maker(field: Computed, rules: Any, installation: Installation) -> Callable[..., orjson.Fragment]:
    """The function that makes a computed member as ready JSON, remembering what it made before."""
    rule: Rule = getattr(rules, field.by)

    if field.keyed:

        @lru_cache(maxsize=1024)
        def template(*others: Any) -> bytes:
            return orjson.dumps(rule(installation, _KEY, *others))

        mark = _KEY.encode()
        return lambda key, *others: orjson.Fragment(template(*others).replace(mark, str(key).encode()))

    @lru_cache(maxsize=4096)
    def made(*needs: Any) -> orjson.Fragment:
        return orjson.Fragment(orjson.dumps(rule(installation, *needs)))

    return made


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON; timestamps in whole seconds with a numeric offset."""
    return orjson.dumps(value, option=orjson.OPT_OMIT_MICROSECONDS)


def ndjson(members: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(
        orjson.dumps(one, option=orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_APPEND_NEWLINE) for one in members
    )


def csv_lines(fields: Sequence[Field], members: Sequence[dict[str, Any]], *, header: bool) -> bytes:
    """RFC 4180 lines. Texts that a spreadsheet would run as a formula get a leading apostrophe."""
    names = [one.name for one in fields if not isinstance(one, Computed)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if header:
        writer.writerow(names)
    for one in members:
        writer.writerow([_cell(one[name]) for name in names])
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, (list, dict, tuple)):
        return orjson.dumps(value).decode()
    if isinstance(value, str) and (bare := value.lstrip("'")).startswith(_FORMULA):
        return value if value == bare and _is_number(bare) else f"'{value}"
    return value


def from_cell(text: str) -> str:
    """The text that `_cell` wrote."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


def _is_number(text: str) -> bool:
    return text[0] in "+-" and text[1:].replace(".", "", 1).isdecimal()
