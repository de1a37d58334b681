"""What is left after a storm: the outbox, the CRM's books and the writers' own, held against each other."""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from deploy.examples.crm_sync.database import MIRRORED
from tests.chaos.load import DEADLINE, MARGIN
from tests.chaos.platform import CRM, Platform
from tests.chaos.writers import Request, Writers

QUIET = 20.0
"""Nothing more arrives for so many seconds: what is missing then is lost."""


@dataclass
class Evidence:
    """Each list holds what must not be; `check` asserts that all are empty."""

    writes: int
    requests: Counter[int]
    events: int
    duplicates: int
    """Copies that the subscriber noticed and did not apply."""
    latencies: list[float]
    """Seconds from the event's making to the subscriber's commit."""
    kills: Counter[str] = field(default_factory=Counter)
    ran_twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    applied_twice: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    late: list[Request] = field(default_factory=list)
    wrong: list[Request] = field(default_factory=list)

    def check(self) -> None:
        print(self)
        assert not self.lost, f"{len(self.lost)} events lost: {self.lost[:5]}"
        assert not self.overtaken, f"{len(self.overtaken)} events came after newer ones: {self.overtaken[:5]}"
        assert not self.applied_twice, self.applied_twice[:5]
        assert not self.disordered, self.disordered[:5]
        assert not self.unrecorded, self.unrecorded[:5]
        assert not self.torn, self.torn[:5]
        assert not self.differing, self.differing[:5]
        assert not self.late, self.late[:5]
        assert not self.wrong, self.wrong[:5]

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {times}" for name, times in sorted(self.kills.items()))
        requests = ", ".join(f"{status}: {times}" for status, times in sorted(self.requests.items()))
        latency = f"p50 {statistics.median(self.latencies):.3f} s, worst {max(self.latencies):.1f} s"
        return (
            f"{self.writes} writes ({requests}); {self.kills.total()} kills ({kills}); {self.events} events, "
            f"{len(self.lost)} lost, {len(self.applied_twice)} applied twice, {self.duplicates} duplicates "
            f"absorbed; delivered {latency if self.latencies else 'never'}; "
            f"{len(self.ran_twice)} requests ran twice"
        )


def gather(
    platform: Platform,
    writers: Writers,
    kills: Counter[str] | None = None,
    without_gateway: Sequence[tuple[float, float]] = (),
    patience: float = QUIET,
) -> Evidence:
    """Waits until everything has arrived, or nothing more does for `patience` seconds."""
    events = _delivered(platform, writers.run, patience)
    ids = {one["id"]: one for one in events}
    applied = platform.crm("SELECT event, subject, sequence, time FROM applied ORDER BY place")
    mine = [row for row in applied if row[0] in ids]
    copies = {event: number for event, number in platform.crm("SELECT * FROM inbox") if event in ids}
    found = Evidence(
        writes=writers.acknowledged,
        requests=Counter(one.status for one in writers.requests),
        events=len(events),
        duplicates=sum(copies.values()) - len(copies),
        latencies=[time_ / 1e9 - _made(event) for event, _, _, time_ in mine],
        kills=kills or Counter(),
    )
    known = {row[0] for row in mine}
    found.lost = [f"{one['type']} {one['subject']} {one['id']}" for one in events if one["id"] not in copies]
    found.overtaken = [one for one in copies if one not in known]
    found.applied_twice = [event for event, times in Counter(row[0] for row in applied).items() if times > 1]
    found.disordered = list(_disordered((row[1], row[2]) for row in applied))
    _compare_books(found, writers.requests, events)
    if not found.lost:
        found.differing = list(_differing(platform))
    for one in writers.requests:
        if any(one.began <= until and one.ended >= since for since, until in without_gateway):
            continue  # nobody was there to end it
        if one.status == -1 or one.ended - one.began > DEADLINE + MARGIN:
            found.late.append(one)
        elif one.told:
            found.wrong.append(one)
    return found


def _delivered(platform: Platform, run: str, patience: float) -> list[dict[str, str]]:
    """The events of a run, once the CRM has them all or has got no more of them for a while. A request that
    its client gave up may still be under way: no event is new for as long as it can live."""
    books, since = (-1, -1), time.monotonic()
    while True:
        events = [one for one in platform.outbox() if one["request_id"].startswith(f"{run}-")]
        seen = {row[0] for row in platform.crm("SELECT event FROM inbox")}
        if (len(events), len(seen)) != books:
            books, since = (len(events), len(seen)), time.monotonic()
        quiet = time.monotonic() - since
        if quiet > patience or (quiet > DEADLINE and all(one["id"] in seen for one in events)):
            return events
        platform.revive()
        time.sleep(0.3)


def _made(id_: str) -> float:
    """When a UUIDv7 was made: seconds since 1970."""
    return (UUID(id_).int >> 80) / 1000


def _disordered(applied: Iterable[tuple[str, int]]) -> Iterable[str]:
    newest: dict[str, int] = defaultdict(int)
    for subject, sequence in applied:
        if sequence <= newest[subject]:
            yield f"{subject}: {sequence} after {newest[subject]}"
        newest[subject] = sequence


def _compare_books(found: Evidence, requests: Sequence[Request], events: Sequence[dict[str, str]]) -> None:
    """A write that was acknowledged has all its events, any other all or none."""
    by_request: dict[str, list[dict[str, str]]] = defaultdict(list)
    for event in events:
        by_request[event["request_id"]].append(event)
    for one in requests:
        types = Counter(event["type"] for event in by_request[one.id])
        expected = Counter(one.expected)
        twice = Counter({name: 2 * times for name, times in expected.items()})
        if types == twice:
            found.ran_twice.append(one.id)
        elif types != expected and (types or one.acknowledged):
            target = found.torn if types else found.unrecorded
            target.append(f"{one.what} {one.id} ({one.status}): {dict(types)} instead of {dict(expected)}")
        elif types and not one.subjects <= {event["subject"] for event in by_request[one.id]}:
            found.torn.append(f"{one.what} {one.id}: other rows than asked for")


def _differing(platform: Platform) -> Iterable[str]:
    """Rows that are not the same at the CRM and in the API."""
    session = platform.session(CRM)
    for resource, members in MIRRORED.items():
        columns = ", ".join(f'"{one}"' for one in members)
        theirs = {row[0]: tuple(row) for row in platform.crm(f"SELECT {columns} FROM {resource}")}
        asked = {"attrs": ",".join(members), "format": "ndjson"}
        answer = session.get(f"/api/v2/isp/{resource}/", params=asked, timeout=60)
        assert answer.status_code == 200, answer.text
        rows = (json.loads(line) for line in answer.text.splitlines())
        ours = {row["id"]: tuple(row[one] for one in members) for row in rows}
        for id_ in ours.keys() | theirs.keys():
            if ours.get(id_) != theirs.get(id_):
                yield f"{resource}/{id_}: {ours.get(id_)} is {theirs.get(id_)} at the CRM"
