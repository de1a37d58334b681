"""Pages far down a long list, one request at a time: by cursor, by offset, and what a count would cost.

Every page is checked against the rows that the database has at that depth before it is timed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg

from tests.bench.compare import checked
from tests.bench.contestant import CPES, Account, Client, Contestant
from tests.bench.figures import Line, Ratio, at_least, at_most

PAGE = 50
STRIDE = 1000
"""Rows in one step of the walk that finds the cursors; the depths are multiples of it."""
DEPTHS = (10, 50, 90)
REPEATS = 20
DEEP_REPEATS = 3

Timings = dict[str, list[float]]
"""What was timed → milliseconds, one median a round."""


class WrongPage(AssertionError):
    """A page at some depth does not hold the rows that belong there."""


@dataclass(frozen=True)
class Rows:
    """What the database itself says about the rows that the account may see."""

    connection: psycopg.Connection[Any]
    realms: list[str]

    def count(self) -> int:
        found = self.connection.execute(
            "SELECT count(*) FROM cpes WHERE realm = ANY(%s)", [self.realms]
        ).fetchone()
        return int(found[0]) if found else 0

    def ids_at(self, depth: int) -> list[int]:
        query = "SELECT id FROM cpes WHERE realm = ANY(%s) ORDER BY id OFFSET %s LIMIT %s"
        return [number for (number,) in self.connection.execute(query, [self.realms, depth, PAGE]).fetchall()]

    def time_count(self) -> float:
        begin = time.perf_counter()
        self.count()
        return (time.perf_counter() - begin) * 1000


def measure(
    ours: Contestant,
    theirs: Contestant,
    database: str,
    account: Account,
    rounds: int,
    say: Callable[[str], None],
) -> list[Line]:
    """Needs a list of at least a few thousand rows."""
    client, other = Client(ours), Client(theirs)
    plain = f"{CPES}?limit={PAGE}"
    with psycopg.connect(database, autocommit=True) as connection:
        rows = Rows(connection, list(account.realms))
        count = rows.count()
        pages = _cursor_pages(client, rows, count)
        say(f"cursor pages at {', '.join(pages)} of {count:,} rows are right")
        deep = f"{CPES}?limit={PAGE}&offset={count * 9 // 10}"
        checked((ours, theirs), (plain, deep))
        probes: dict[str, Callable[[], float]] = {
            name: partial(_quick, client, path) for name, path in pages.items()
        }
        probes["list"] = partial(_quick, client, plain)
        probes["count"] = rows.time_count
        probes["our offset"] = partial(_quick, client, deep, DEEP_REPEATS)
        probes["their offset"] = partial(_quick, other, deep, DEEP_REPEATS)
        timings = _rounds(probes, rounds)
    client.close()
    other.close()
    return [*_cursor_lines(timings, count), _count_line(timings), _offset_line(timings, count * 9 // 10)]


def _cursor_pages(client: Client, rows: Rows, count: int) -> dict[str, str]:
    """Depth in words → path of the cursor page there, the first page included; all of them checked."""
    depths = {f"{percent} %": count * percent // 100 // STRIDE * STRIDE for percent in DEPTHS}
    cursors = _cursors(client, list(depths.values()))
    pages = {"the first": ""} | {name: cursors[depth] for name, depth in depths.items()}
    paths = {name: f"{CPES}?{urlencode({'cursor': cursor, 'limit': PAGE})}" for name, cursor in pages.items()}
    for name, path in paths.items():
        body = client.json(path)
        if [row["id"] for row in body["results"]] != rows.ids_at(depths.get(name, 0)) or body[
            "count"
        ] != count:
            raise WrongPage(f"{path}: not the rows at {name} of {count}")
    return paths


def _cursors(client: Client, depths: Sequence[int]) -> dict[int, str]:
    """Walks the list by cursor in long strides; depth → the cursor that continues there."""
    found: dict[int, str] = {}
    cursor, depth = "", 0
    while depth < max(depths):
        body = client.json(f"{CPES}?{urlencode({'attrs': 'id', 'cursor': cursor, 'limit': STRIDE})}")
        if len(body["results"]) != STRIDE:
            raise WrongPage(f"{len(body['results'])} rows instead of {STRIDE} after {depth}")
        depth += STRIDE
        cursor = parse_qs(urlsplit(body["next"]).query)["cursor"][0]
        if depth in depths:
            found[depth] = cursor
    return found


def _quick(client: Client, path: str, repeats: int = REPEATS) -> float:
    """Median milliseconds of a page, whose rows are counted each time."""
    taken = []
    for _ in range(repeats):
        milliseconds, body = client.timed(path)
        taken.append(milliseconds)
        if len(json.loads(body)["results"]) != PAGE:
            raise WrongPage(path)
    return median(taken)


def _rounds(probes: dict[str, Callable[[], float]], rounds: int) -> Timings:
    timings: Timings = {name: [] for name in probes}
    names = list(probes)
    for turn in range(rounds + 1):
        start = turn % len(names)
        for name in (*names[start:], *names[:start]):
            milliseconds = probes[name]()
            if turn:  # the first round warms
                timings[name].append(milliseconds)
    return timings


def _cursor_lines(timings: Timings, count: int) -> list[Line]:
    lines = []
    for name in (f"{percent} %" for percent in DEPTHS):
        ratio = Ratio.of(timings[name], timings["the first"])
        target, met = at_most(ratio, 1.5)
        measured = f"{median(timings[name]):.1f} ms, first page {median(timings['the first']):.1f} ms"
        lines.append(
            Line(f"cursor page at {name} of {count:,}", measured, f"{ratio} × the first", target, met)
        )
    return lines


def _count_line(timings: Timings) -> Line:
    ratio = Ratio.of(timings["list"], timings["count"])
    target, met = at_most(ratio, 0.5)
    measured = f"list {median(timings['list']):.1f} ms, `COUNT(*)` alone {median(timings['count']):.1f} ms"
    return Line("list with its count, without cursor", measured, f"{ratio} × `COUNT(*)`", target, met)


def _offset_line(timings: Timings, offset: int) -> Line:
    ratio = Ratio.of(timings["their offset"], timings["our offset"])
    target, met = at_least(ratio, 3.0)
    measured = f"krill {median(timings['our offset']):.1f} ms, DRF {median(timings['their offset']):.1f} ms"
    return Line(f"offset {offset:,}", measured, f"{ratio} × DRF", target, met)
