"""OLTs: how long their status takes, against a bare walk of the same columns, and how long the hub of a green
process is kept from going on meanwhile.

The OLTs are snmpsim's, in which some 1,500 values a second is much: the seconds are its own. A third one
answers at once, so that what is left is ours; no device is so fast."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from gufo.snmp.sync import SnmpSession

from deploy.lab.network.plan import OltPlan, OnuPlan, Plan
from deploy.lab.network.starter import RunningLab
from deploy.local.postgres import Postgres
from services.common.devices.access import SnmpAccess
from services.common.devices.values import serial
from services.gpon.drivers import standard
from services.gpon.drivers.base import Onu
from services.gpon.drivers.huawei import mib
from services.gpon.drivers.huawei.reading import HuaweiReader
from services.gpon.drivers.objects import Table
from tests.bench.figures import Line, Ratio
from tests.bench.stack import ROOT
from tests.integration.devices import recordings
from tests.integration.devices.snmpsim import SnmpSim

ROUNDS = 3
RATIO = 1.5
BLOCKED = 50  # ms
MANY, EACH = 100, 8
INTERVAL, POLLED, SLOW = 10, 25, 60.0
"""Seconds."""
DELAYED = 1.25

Say = Callable[[str], None]

COLUMNS: tuple[tuple[Table, str], ...] = (
    (standard.INTERFACES_X, "name"),
    (mib.ONT_CONFIG, "sn"),
    (mib.ONT_CONFIG, "desc"),
    (mib.ONT_CONTROL, "run"),
    (mib.ONT_CONTROL, "last_up"),
)
"""What the status is read from. Of ONUs that are away, one in twenty here, it asks two values more."""

GREEN = """
from services.common.rpc import green
green.patch()
import json, sys, time, eventlet
from services.common.devices.access import SnmpAccess
from services.common.devices.native import native
from services.gpon.drivers.huawei.reading import HuaweiReader

port, community, rounds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
gaps = []

def tick():
    last = time.perf_counter()
    while True:
        eventlet.sleep(0.001)
        now = time.perf_counter()
        gaps.append(now - last - 0.001)
        last = now

def status():
    access = SnmpAccess("127.0.0.1", port, community=community, timeout=10.0)
    with HuaweiReader("olt", access) as reader:
        return len(reader.onus())

native(len, ())
eventlet.spawn(tick)
eventlet.sleep(0.2)
longest, idle, found = [], [], []
for _ in range(rounds):
    gaps.clear()
    begin = time.perf_counter()
    found.append(native(status))
    took = time.perf_counter() - begin
    longest.append(max(gaps))
    gaps.clear()
    eventlet.sleep(took)
    idle.append(max(gaps))
print(json.dumps([found, longest, idle]))
"""


class WrongReading(AssertionError):
    """What was read is not what the OLT has."""


@dataclass(frozen=True)
class Olt:
    """`bound`: seconds that its status may take; `ratio`: times the bare walk."""

    pons: int
    bound: float
    ratio: float | None = RATIO
    kind: str = ""

    @property
    def name(self) -> str:
        return f"olt{self.onus}"

    @property
    def onus(self) -> int:
        return self.pons * 64


OLTS = (Olt(16, 5), Olt(64, 15))
QUICK = Olt(64, 15, ratio=None, kind=", that answers at once")
"""Its ratio is of one computation to another, and has no target."""


def measure(say: Say) -> list[Line]:
    texts = {olt.name: recordings.written(recordings.large(olt.pons, 64)) for olt in OLTS}
    lines = []
    with tempfile.TemporaryDirectory(prefix="krill-bench-") as folder, SnmpSim(Path(folder), texts) as agent:
        for olt in OLTS:
            say(f"status of {olt.onus:,} ONUs")
            access = agent.access(olt.name)
            lines += [_status(access, olt), _hub(access, olt)]
    say("the same, of an agent that answers at once")
    with _quick(OLTS[-1]) as access:
        lines += [_status(access, QUICK), _hub(access, QUICK)]
    say(f"{MANY} OLTs")
    return [*lines, *_many()]


@contextmanager
def _quick(olt: Olt) -> Iterator[SnmpAccess]:
    command = [sys.executable, "-m", "tests.bench.quick_olt", str(olt.pons), olt.name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline())  # type: ignore[union-attr]
            yield SnmpAccess("127.0.0.1", port, community=olt.name, timeout=10.0)
        finally:
            server.kill()


def _status(access: SnmpAccess, olt: Olt) -> Line:
    """Rounds of both, one after the other, in turns of who is first."""
    _compare(_read(access), _walk(access), olt)
    ours: list[float] = []
    bare: list[float] = []
    for number in range(ROUNDS):
        turns: list[tuple[list[float], Callable[[], int]]] = [
            (ours, lambda: len(_read(access))),
            (bare, lambda: len(_walk(access)[1])),
        ]
        for times, work in turns if number % 2 else reversed(turns):
            begin = time.monotonic()
            found = work()
            times.append(time.monotonic() - begin)
            if found != olt.onus:
                raise WrongReading(f"{found} of {olt.onus} ONUs")
    ratio, took = Ratio.of(ours, bare), median(ours)
    return Line(
        f"status of an OLT{olt.kind}, {olt.pons} PONs × 64 ONUs",
        f"{took:.2f} s, bare bulk walk of the same columns {median(bare):.2f} s",
        f"{ratio} × the walk",
        f"< {olt.bound:g} s" + (f", ≤ {olt.ratio:g}" if olt.ratio else ""),
        took < olt.bound and ratio.median <= (olt.ratio or ratio.median),
    )


def _read(access: SnmpAccess) -> list[Onu]:
    with HuaweiReader("olt", access) as reader:
        return reader.onus()


def _walk(access: SnmpAccess) -> list[list[tuple[str, object]]]:
    with SnmpSession(
        access.address, access.port, community=access.community or "", timeout=access.timeout
    ) as session:
        return [
            list(session.getbulk(f"{table.entry}.{table.columns[name].number}", access.repetitions))
            for table, name in COLUMNS
        ]


def _compare(read: list[Onu], walked: list[list[tuple[str, object]]], olt: Olt) -> None:
    _, sns, descs, runs, ups = ([value for _, value in column] for column in walked)
    online = [value == 1 for value in runs]
    same = (
        [onu.sn for onu in read] == [serial(value) for value in sns]  # type: ignore[arg-type]
        and [(onu.desc or "").encode() for onu in read] == descs
        and [onu.online for onu in read] == online
        and len(ups) == sum(onu.last_up_time is not None for onu in read) == olt.onus
        and all(onu.online or onu.last_down_cause == "dyinggasp" for onu in read)
    )
    if not same:
        raise WrongReading("ONUs differ from the rows of their tables")


def _hub(access: SnmpAccess, olt: Olt) -> Line:
    done = subprocess.run(
        [sys.executable, "-c", GREEN, str(access.port), olt.name, str(ROUNDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found, longest, idle = json.loads(done.stdout)
    if found != [olt.onus] * ROUNDS:
        raise WrongReading(f"{found} of {olt.onus} ONUs")
    blocked = [1000 * seconds for seconds in longest]
    return Line(
        f"longest that the hub was blocked during it, {olt.onus:,} ONUs{olt.kind}",
        f"of {ROUNDS} readings {min(blocked):.0f} to {max(blocked):.0f} ms; as long without one"
        f" {1000 * min(idle):.0f} to {1000 * max(idle):.0f} ms",
        f"{max(blocked):.0f} ms",
        f"≤ {BLOCKED} ms",
        max(blocked) <= BLOCKED,
    )


# ---- many OLTs, one of them slow ----------------------------------------------------------------


@dataclass(frozen=True)
class Polled:
    """What a worker did (`tests.bench.polling`). `readings`: OLT → seconds from the beginning at which it was
    read. `onus`: how many are known in the end. `blocked`: ms that the hub was kept from going on at most."""

    readings: dict[str, list[float]]
    onus: int
    blocked: float


def _many() -> list[Line]:
    """One worker and the lab's OLTs, without and with one that takes longer than the worker waits for it; of
    all the others, the longest time between two readings."""
    calm: list[float] = []
    beside: list[float] = []
    blocked = 0.0
    slow = {"fault": "slow", "device": "olt0", "seconds": SLOW}
    with _beside_a_database() as (postgres, folder), RunningLab(folder / "lab", _fleet()) as lab:
        for number in range(ROUNDS):
            turns: list[tuple[list[float], tuple[dict[str, object], ...]]] = [(calm, ()), (beside, (slow,))]
            for gaps, faults in turns if number % 2 else reversed(turns):
                lab.faults(*faults)
                polled = _polled(lab.data, postgres.create_database(f"polled_{time.time_ns()}"))
                gaps.append(max(_gap(polled.readings[f"olt{n}"]) for n in range(1, MANY)))
                blocked = max(blocked, polled.blocked)
    ratio = Ratio.of(beside, calm)
    return [
        Line(
            f"{MANY} OLTs, asked each {INTERVAL} s, one of them slow: longest time between two readings",
            f"{median(beside):.1f} s, {median(calm):.1f} s where none is slow",
            f"{ratio} × without the slow one",
            f"≤ {DELAYED:g}",
            ratio.median <= DELAYED,
        ),
        Line(
            f"longest that the hub was blocked by {MANY} OLTs",
            f"{ROUNDS} × 2 × {POLLED} s",
            f"{blocked:.0f} ms",
            f"≤ {BLOCKED} ms",
            blocked <= BLOCKED,
        ),
    ]


def _fleet() -> Plan:
    def onus(olt: int) -> list[OnuPlan]:
        plan = [(f"48575443{olt:04x}{number:04x}", f"0/1/{number % 8}") for number in range(EACH)]
        return [OnuPlan(sn=sn, fsp=fsp, desc=sn[-8:]) for sn, fsp in plan]

    return Plan(
        registration=0.2, olts=[OltPlan(name=f"olt{n}", slots=[1], onus=onus(n)) for n in range(MANY)]
    )


@contextmanager
def _beside_a_database() -> Iterator[tuple[Postgres, Path]]:
    """A PostgreSQL, for SQLite would block the hub by itself, and the folder beside it."""
    with tempfile.TemporaryDirectory(prefix="krill-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the server's own user passes through it
        postgres = Postgres(folder / "postgres")
        try:
            postgres.start()
            yield postgres, folder
        finally:
            postgres.destroy()


def _polled(folder: Path, database: str) -> Polled:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.polling", str(folder), database, str(INTERVAL), str(POLLED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    polled = Polled(**json.loads(done.stdout))
    if polled.onus < EACH * (MANY - 1):
        raise WrongReading(f"{polled.onus} ONUs of {EACH * MANY}")
    return polled


def _gap(readings: list[float]) -> float:
    return max(later - before for before, later in pairwise([0.0, *readings, float(POLLED)]))
