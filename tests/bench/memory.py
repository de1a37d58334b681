"""Resident memory of the service, at rest after load and while every row is exported."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.process import Process
from tests.bench.contestant import CPES, Client, Contestant
from tests.bench.figures import Line
from tests.bench.platform import EXPORT

MEBI = 1 << 20
SERVICE_BOUND = 120  # MB
GROWTH_BOUND = 64  # MiB; the rows themselves are more than a thousand
PAUSE = 0.05
LOOKED_AT = 997
"""Every so many lines of the export one is parsed."""


class WrongExport(AssertionError):
    """The export lacks rows, or a line of it is not a CPE."""


def resident(process: Process) -> int:
    """Bytes resident, of the process and its descendants together."""
    pages = 0
    for one in process.tree():
        try:
            pages += int(Path(f"/proc/{one.pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between the two looks
    return pages * os.sysconf("SC_PAGE_SIZE")


def service_line(service: Process, when: str) -> Line:
    size = resident(service)
    return Line(
        f"resident memory of the isp service, {when}",
        f"{size / 1e6:.0f} MB",
        "",
        f"< {SERVICE_BOUND} MB",
        size < SERVICE_BOUND * 1e6,
    )


@contextmanager
def peaks(processes: Mapping[str, Process]) -> Iterator[dict[str, int]]:
    """Name → how many bytes the process grew at most while the block ran; filled when it ends."""
    before = {name: resident(process) for name, process in processes.items()}
    highest = dict(before)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(PAUSE):
            for name, process in processes.items():
                highest[name] = max(highest[name], resident(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    growth: dict[str, int] = {}
    try:
        yield growth
    finally:
        over.set()
        watcher.join()
        growth.update({name: highest[name] - before[name] for name in processes})


def export_lines(ours: Contestant, service: Process) -> list[Line]:
    """Exports every row as JSON lines and watches the service and the gateway meanwhile."""
    client = Client(ours)
    count = client.json(f"{CPES}?attrs=id&limit=1")["count"]
    begin = time.monotonic()
    with peaks({"isp service": service, "gateway": ours.process}) as growth:
        rows, size = _read(client.stream(f"{CPES}?{EXPORT}"))
    seconds = time.monotonic() - begin
    client.close()
    if rows != count:
        raise WrongExport(f"{rows} rows of {count}")
    measured = f"{size / 1e6:,.0f} MB in {seconds:.0f} s, {rows / seconds:,.0f} rows/s"
    return [
        Line(
            f"export of {count:,} rows, growth of the {name}",
            measured,
            f"{grown / MEBI:.0f} MiB",
            f"< {GROWTH_BOUND} MiB",
            grown < GROWTH_BOUND * MEBI,
        )
        for name, grown in growth.items()
    ]


def _read(pieces: Iterator[bytes]) -> tuple[int, int]:
    """(lines, bytes) of the stream; looks into some of the lines on the way."""
    rows = size = 0
    rest = b""
    for piece in pieces:
        size += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if rows % LOOKED_AT == 0 and not {"id", "_links", "realm"} <= json.loads(line).keys():
                raise WrongExport(f"line {rows + 1} is not a CPE: {line[:200]!r}")
            rows += 1
    if rest:
        raise WrongExport("the last line has no end")
    return rows, size
