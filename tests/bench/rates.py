"""Throughput side by side: every round asks everybody for the same, in an order that rotates.

Ratios are taken inside one round, since the machine's mood changes between rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import psycopg

from tests.bench.compare import checked
from tests.bench.contestant import CPES, Account, Contestant
from tests.bench.figures import Line, Ratio, at_least
from tests.bench.load import Burst, burst
from tests.bench.peers import DJANGO, LIMIT
from tests.bench.platform import NAME

PAGES, DETAILS = 10, 200
WARMING = 2.0
SOME_IDS = "SELECT id FROM cpes WHERE realm = ANY(%s) ORDER BY md5(id::text) LIMIT %s"


@dataclass(frozen=True)
class Case:
    """`target`: how many times the peer's rate ours must be. `limited`: the limit answers it too."""

    what: str
    paths: tuple[str, ...]
    target: float
    limited: bool = False


def cases(database: str, account: Account) -> tuple[Case, ...]:
    """The requests that are compared: pages near the beginning, details spread over all rows."""
    with psycopg.connect(database) as connection:
        ids = connection.execute(SOME_IDS, [list(account.realms), DETAILS]).fetchall()

    def pages(more: str = "") -> tuple[str, ...]:
        return tuple(f"{CPES}?limit=50&offset={50 * page}{more}" for page in range(PAGES))

    return (
        Case("list, 50 rows", pages(), 3.0, limited=True),
        Case("detail", tuple(f"{CPES}{number}/" for (number,) in ids), 2.5, limited=True),
        Case("list, 50 rows, `joins=customer,potses`", pages("&joins=customer,potses"), 3.0),
        Case("list, 50 rows, `attrs=id,cpename`", pages("&attrs=id,cpename"), 5.0, limited=True),
    )


def measure(
    wanted: Sequence[Case],
    contestants: Sequence[Contestant],
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> list[Line]:
    """One line a case. `seconds`: length of each burst of load."""
    lines = []
    for case in wanted:
        taking_part = [one for one in contestants if case.limited or one.name != LIMIT]
        lengths = checked(taking_part, case.paths)
        for one in taking_part:
            burst(one, lengths[one.name], WARMING)
        bursts: dict[str, list[Burst]] = {one.name: [] for one in taking_part}
        for turn in range(rounds):
            start = turn % len(taking_part)
            for one in (*taking_part[start:], *taking_part[:start]):
                bursts[one.name].append(burst(one, lengths[one.name], seconds))
        lines.append(_line(case, bursts))
        say(f"{case.what}: {lines[-1].result}")
    return lines


def _line(case: Case, bursts: dict[str, list[Burst]]) -> Line:
    rates = {name: [one.rate for one in found] for name, found in bursts.items()}
    ratio = Ratio.of(rates[NAME], rates[DJANGO])
    measured = ", ".join(
        f"{name} {median(rates[name]):,.0f}/s, p50 {median(one.p50 for one in found):.1f} ms"
        for name, found in bursts.items()
    )
    target, met = at_least(ratio, case.target)
    limit = f"{100 * Ratio.of(rates[NAME], rates[LIMIT]).median:.0f} %" if LIMIT in rates else ""
    return Line(case.what, measured, f"{ratio} × DRF", target, met, limit)
