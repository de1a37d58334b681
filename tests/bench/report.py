"""The result as Markdown: the table, and under which circumstances it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.figures import Line, table
from tests.bench.load import require_wrk
from tests.bench.stack import CONNECTIONS, THREADS, WORKERS

HEAD = ("what", "measured", "result: median (range)", "target", "verdict", "of the physical limit")
PACKAGES = (
    "django",
    "djangorestframework",
    "djangorestframework-simplejwt",
    "nameko",
    "flask",
    "gunicorn",
    "psycopg",
    "orjson",
)


def load_average() -> str:
    return " ".join(Path("/proc/loadavg").read_text().split()[:3])


@dataclass(frozen=True)
class Circumstances:
    """`seconds`: length of each burst of load; `postgres`: the server's version."""

    sizes: str
    rounds: int
    seconds: float
    load_before: str
    postgres: str


def render(lines: Sequence[Line], run: Circumstances) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    rounds = f"{run.rounds} interleaved rounds of {run.seconds:g} s"
    return f"""# Benchmarks

Ratios against a Django REST framework peer (`tests/bench/drf_peer`) on the same tables, with the same
duties (JWT, realm filter), side by side: {rounds}, ratios taken inside one round.
Bodies were compared member by member before, and under load the status and length of every answer.
gunicorn with {WORKERS} workers × {THREADS} threads for everybody, {CONNECTIONS} connections kept alive;
pages far down are asked for one at a time. The physical limit is bare WSGI with psycopg and orjson on
the same query, without login (`tests/bench/limit.py`). Absolute numbers depend on the machine and its
mood; read the ratios. Made by `make bench`.

{table(HEAD, lines)}

{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {run.sizes}, {os.cpu_count()} processors,
load average {run.load_before} before and {load_average()} after. Python {platform.python_version()},
PostgreSQL {run.postgres}, {_wrk_version()}, {versions}.
"""


def _wrk_version() -> str:
    said = subprocess.run([require_wrk(), "--version"], capture_output=True, text=True, check=False)
    return said.stdout.split("[")[0].strip()
