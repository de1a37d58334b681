"""`python -m tests.bench`: runs everything, prints the table, ends with 1 when a target is missed.

`--quick` runs in about two minutes on small tables, to see that the harness works; its numbers mean little.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

import psycopg

from tests.bench import depth, devices, events, memory, rates
from tests.bench.figures import Line, table
from tests.bench.load import require_wrk
from tests.bench.peers import start_django, start_limit
from tests.bench.platform import Platform
from tests.bench.report import HEAD, Circumstances, load_average, render
from tests.bench.stack import ROOT, Stack

PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Plan:
    """Sizes in CPEs, `seconds` of each burst of load."""

    small: int
    large: int
    rounds: int
    seconds: float


FULL = Plan(small=20_000, large=1_000_000, rounds=5, seconds=3)
QUICK = Plan(small=2_000, large=20_000, rounds=2, seconds=2)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def small_part(stack: Stack, plan: Plan) -> list[Line]:
    """Throughput on a table of ordinary size, and the service's memory after it."""
    stack.new_group()
    platform = Platform(stack, "small", plan.small)
    say(f"filling {plan.small:,} CPEs")
    account = platform.fill()
    contestants = [
        platform.start(account),
        start_django(stack, platform.database, account),
        start_limit(stack, platform.database, account),
    ]
    wanted = rates.cases(platform.database, account)
    lines = rates.measure(wanted, contestants, plan.rounds, plan.seconds, say)
    return [*lines, memory.service_line(platform.service, "after the load above")]


def large_part(stack: Stack, plan: Plan) -> list[Line]:
    """Depth, counting and export on a long table."""
    stack.new_group()
    platform = Platform(stack, "large", plan.large)
    say(f"filling {plan.large:,} CPEs")
    account = platform.fill()
    ours, theirs = platform.start(account), start_django(stack, platform.database, account)
    lines = depth.measure(ours, theirs, platform.database, account, plan.rounds, say)
    say("exporting")
    lines += memory.export_lines(ours, platform.service)
    return [*lines, memory.service_line(platform.service, "after the export")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small tables and short rounds")
    parser.add_argument("--events", action="store_true", help="only what concerns events")
    parser.add_argument("--devices", action="store_true", help="only what concerns devices; prints its table")
    parser.add_argument("--write", action="store_true", help=f"also write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    signal.signal(signal.SIGTERM, _interrupt)
    if options.devices:
        lines = devices.measure(say)
        print(table(HEAD, lines))
        return _verdict(lines)
    require_wrk()
    load_before = load_average()
    lines = []
    if not options.events:
        with Stack() as stack:
            lines += [*small_part(stack, plan), *large_part(stack, plan)]
    with Stack(durable=True) as stack:
        lines += events.measure(stack, say)
        with psycopg.connect(stack.postgres.url("postgres")) as connection:
            postgres = connection.info.parameter_status("server_version") or ""
    if not options.events:
        lines += devices.measure(say)
    run = Circumstances(
        sizes=f"{plan.small:,} and {plan.large:,} CPEs",
        rounds=plan.rounds,
        seconds=plan.seconds,
        load_before=load_before,
        postgres=postgres,
    )
    page = render(lines, run)
    print(page)
    if options.write:
        PAGE.write_text(page)
    return _verdict(lines)


def _verdict(lines: list[Line]) -> int:
    missed = [line.what for line in lines if line.met is False]
    for what in missed:
        say(f"missed: {what}")
    return 1 if missed else 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted; all that was started has been stopped")
        sys.exit(130)
