"""What is left after a storm: the outbox, the books of those who subscribe and of the writers, held against
each other.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from deploy.examples.crm_sync.database import MIRRORED, stored
from tests.chaos.crew import DEADLINE, MARGIN
from tests.chaos.platform import CRM, Platform
from tests.chaos.storm import Storm
from tests.chaos.writers import TIMEOUT, Request, Writers

QUIET = 30.0
"""Nothing more arrives for so many seconds: what is missing then is lost."""
TENDED = 5.0
"""Seconds after its deadline by which an action must have ended."""
ENDED = ("succeeded", "failed", "timed_out", "cancelled", "unknown")


class Event(NamedTuple):
    """Of isp's outbox, one that the CRM subscribes to."""

    id: str
    type: str
    subject: str
    request_id: str

    def __str__(self) -> str:
        return f"{self.type} {self.subject} {self.id}"


@dataclass
class Evidence:
    """Each of the lists holds what must not be; `check` asserts that all are empty."""

    writes: int
    requests: Counter[int]
    kills: Counter[str]
    events: int
    duplicates: int
    """Copies that the CRM noticed and did not apply."""
    latencies: list[float]
    """Seconds from an event's making to the CRM's commit."""
    actions: Counter[str]
    """How they ended."""
    lost: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    applied_twice: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    lost_inside: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    endless: list[str] = field(default_factory=list)
    late: list[Request] = field(default_factory=list)
    wrong: list[Request] = field(default_factory=list)

    def check(self) -> None:
        print(self)
        assert not self.lost, f"{len(self.lost)} events lost: {self.lost[:5]}"
        assert not self.overtaken, f"{len(self.overtaken)} events came after newer ones: {self.overtaken[:5]}"
        assert not self.applied_twice, self.applied_twice[:5]
        assert not self.disordered, self.disordered[:5]
        assert not self.lost_inside, f"between isp and lab: {self.lost_inside[:5]}"
        assert not self.unrecorded, self.unrecorded[:5]
        assert not self.torn, self.torn[:5]
        assert not self.differing, self.differing[:5]
        assert not self.endless, self.endless[:5]
        assert not self.late, self.late[:5]
        assert not self.wrong, self.wrong[:5]

    def __str__(self) -> str:
        late = sorted(self.latencies) or [0.0]
        latency = f"p50 {statistics.median(late):.2f} s, p99 {late[len(late) * 99 // 100]:.1f} s"
        return (
            f"{self.writes} writes ({_listed(self.requests)}); {self.kills.total()} kills "
            f"({_listed(self.kills)}); {self.events} events: {len(self.lost)} lost, "
            f"{len(self.applied_twice)} applied twice, {self.duplicates} duplicates absorbed, delivered "
            f"{latency}, worst {late[-1]:.1f} s; {self.actions.total()} actions ({_listed(self.actions)}), "
            f"{len(self.endless)} without end; {len(self.late)} requests past their deadline"
        )


def gather(
    platform: Platform, writers: Writers, storm: Storm | None = None, patience: float = QUIET
) -> Evidence:
    """Waits until everything has arrived, or nothing more does for `patience` seconds."""
    endless = list(_endless(platform))
    events = _delivered(platform, writers.since, patience)
    ids = {one.id for one in events}
    applied = platform.crm("SELECT event, subject, sequence, time FROM applied ORDER BY place")
    copies = {event: number for event, number in platform.crm("SELECT * FROM inbox") if event in ids}
    made = "SELECT state, count(*) FROM actions GROUP BY state"
    found = Evidence(
        writes=writers.acknowledged,
        requests=Counter(one.status for one in writers.requests),
        kills=storm.kills if storm else Counter(),
        events=len(events),
        duplicates=sum(copies.values()) - len(copies),
        latencies=[when / 1e9 - _made(event) for event, _, _, when in applied if event in ids],
        actions=Counter(dict(platform.isp(made))),
        endless=endless,
    )
    found.lost = [str(one) for one in events if one.id not in copies]
    times = Counter(row[0] for row in applied)
    found.overtaken = [one for one in copies if not times[one]]
    found.applied_twice = [event for event, number in times.items() if number > 1]
    found.disordered = list(_disordered((row[1], row[2]) for row in applied))
    found.lost_inside = _lost_inside(platform)
    _compare_books(found, writers.requests, events)
    if not found.lost:
        found.differing = list(_differing(platform))
    for one in writers.requests:
        cut = one.status == 0 and storm and storm.was_without_gateway(one.began, one.ended)
        if one.status == -1 or one.ended - one.began > DEADLINE + MARGIN:
            found.late.append(one)
        elif one.told and not cut:
            found.wrong.append(one)
    return found


def _delivered(platform: Platform, since: int, patience: float) -> list[Event]:
    """The events after a position, once the CRM has them all or has got no more of them for a while. A
    request that its client gave up may still be under way: no event is new for as long as it can live."""
    chosen = (
        "SELECT id, type, subject, coalesce(request_id, '') FROM outbox "
        "WHERE position > %s AND type ~ '^(customer|cpe|pots|action)[.]' ORDER BY position"
    )
    books, quiet_since = (-1, -1), time.monotonic()
    while True:
        events = [Event(*row) for row in platform.isp(chosen, since)]
        seen = {row[0] for row in platform.crm("SELECT event FROM inbox")}
        if (len(events), len(seen)) != books:
            books, quiet_since = (len(events), len(seen)), time.monotonic()
        quiet = time.monotonic() - quiet_since
        if quiet > patience or (quiet > DEADLINE and all(one.id in seen for one in events)):
            return events
        platform.revive()
        time.sleep(1)


def _made(id_: str) -> float:
    """When a UUIDv7 was made: seconds since 1970."""
    return (UUID(id_).int >> 80) / 1000


def _disordered(applied: Iterable[tuple[str, int]]) -> Iterator[str]:
    newest: dict[str, int] = defaultdict(int)
    for subject, sequence in applied:
        if sequence <= newest[subject]:
            yield f"{subject}: {sequence} after {newest[subject]}"
        newest[subject] = sequence


def _endless(platform: Platform) -> Iterator[str]:
    """Actions that have not ended though their deadline has passed. Waits for those of which it has not."""
    open_ = (
        "SELECT id, kind, state, deadline < now() - %s * interval '1 s' FROM actions WHERE state <> ALL(%s)"
    )
    end = time.monotonic() + TIMEOUT + 2 * TENDED
    while (left := platform.isp(open_, TENDED, list(ENDED))) and time.monotonic() < end:
        platform.revive()
        time.sleep(0.5)
    for id_, kind, state, _ in left:
        yield f"actions/{id_} {kind}: {state}"


def _lost_inside(platform: Platform) -> list[str]:
    """What isp and the executor told each other and did not handle, once."""
    by_lab = {row[0] for row in platform.lab("SELECT event FROM inbox")}
    by_isp = {row[0] for row in platform.isp("SELECT event FROM inbox")}
    handed = platform.isp("SELECT id, type FROM outbox WHERE type = 'action.dispatched'")
    reported = platform.lab("SELECT id, type FROM outbox")
    held = [*platform.isp("SELECT event, error FROM held"), *platform.lab("SELECT event, error FROM held")]
    unhandled = [one for one in handed if one[0] not in by_lab] + [
        one for one in reported if one[0] not in by_isp
    ]
    return [f"{what} {id_}" for id_, what in (*unhandled, *held)]


def _compare_books(found: Evidence, requests: Sequence[Request], events: Sequence[Event]) -> None:
    """A write that was acknowledged has all its events, any other all or none, and none of them twice."""
    by_request: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_request[event.request_id].append(event)
    everywhere = {event.subject for event in events}
    for one in requests:
        types = Counter(event.type for event in by_request[one.id])
        told = f"{one.what} {one.id} ({one.status}): {dict(types)} instead of {dict(one.expected)}"
        if types and types != Counter(one.expected):
            found.torn.append(told)
        elif one.acknowledged and not (types or one.joins):
            found.unrecorded.append(told)
        elif one.acknowledged and not one.subjects <= everywhere:
            found.unrecorded.append(f"{told}, of other rows")


def _differing(platform: Platform) -> Iterator[str]:
    """Rows that are not the same at the CRM and in the API."""
    session = platform.session(CRM)
    for resource, members in MIRRORED.items():
        columns = ", ".join(f'"{one}"' for one in members)
        theirs = {row[0]: tuple(row) for row in platform.crm(f"SELECT {columns} FROM {resource}")}
        asked = {"attrs": ",".join(members), "format": "ndjson"}
        answer = session.get(f"/api/v2/isp/{resource}/", params=asked, timeout=60)
        assert answer.status_code == 200, answer.text
        rows = (json.loads(line) for line in answer.text.splitlines())
        ours = {row["id"]: tuple(stored(row[one]) for one in members) for row in rows}
        for id_ in ours.keys() | theirs.keys():
            if ours.get(id_) != theirs.get(id_):
                yield f"{resource}/{id_}: {ours.get(id_)} is {theirs.get(id_)} at the CRM"


def _listed(counted: Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in sorted(counted.items()))
