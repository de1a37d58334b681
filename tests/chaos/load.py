"""A steady load of reads and writes, and what became of every request."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests

from tests.chaos.crew import DEADLINE, MARGIN, Crew
from tests.servers import Server

THREADS = 4
ENOUGH = 20
"""So many requests in a row show that all is well."""
CODES = {503: "service_unavailable", 504: "deadline_exceeded"}


@dataclass(frozen=True)
class Ended:
    """`status` 0: the connection ended without an answer; -1: no answer within deadline and margin. Times are
    of `time.monotonic()`."""

    what: str
    began: float
    ended: float
    status: int
    told: str = ""

    @property
    def fine(self) -> bool:
        return self.status == 200


class Load(Crew):
    """Each thread reads lists and details and writes rows of its own, one request after the other."""

    def __init__(self, server: Server, user: str = "own") -> None:
        super().__init__()
        self.server = server
        self.user = user
        self.ended: list[Ended] = []
        self.attempted: dict[int, list[str]] = {}
        self.acknowledged: dict[int, str] = {}
        self._under_way: dict[int, float] = {}
        session = server.session(user)
        rows = session.get("/api/v2/isp/cpes/", params={"attrs": "id", "limit": "40"}).json()["results"]
        ids = [row["id"] for row in rows]
        self._threads = [threading.Thread(target=self._run, args=(ids[n::THREADS],)) for n in range(THREADS)]

    def _run(self, ids: list[int]) -> None:
        session = self.server.session(self.user)
        number = 0
        while not self._stop.is_set():
            number += 1
            id_ = ids[number % len(ids)]
            value = f"{id_}-{number}"
            self.attempted.setdefault(id_, []).append(value)
            written = self._one(session, "PATCH", f"/api/v2/isp/cpes/{id_}/", json={"notes": value})
            if written.fine:
                self.acknowledged[id_] = value
            self._one(session, "GET", f"/api/v2/isp/cpes/{id_}/?joins=customer,potses")
            self._one(session, "GET", "/api/v2/isp/cpes/?limit=20&joins=customer")
            self._one(session, "GET", "/api/v2/isp/customers/?search=a&limit=5")
            self._stop.wait(0.02)

    def _one(self, session: requests.Session, verb: str, path: str, **more: Any) -> Ended:
        began = self._under_way[threading.get_ident()] = time.monotonic()
        told = ""
        try:
            answer = session.request(verb, path, timeout=DEADLINE + MARGIN, **more)
            status = answer.status_code
            if status != 200:
                told = self._complaint(answer)
        except requests.Timeout:
            status = -1
        except requests.ConnectionError as error:
            status, told = 0, str(error)
        one = Ended(f"{verb} {path}", began, time.monotonic(), status, told)
        self.ended.append(one)
        return one

    @staticmethod
    def _complaint(answer: requests.Response) -> str:
        """Empty when the refusal is as it should be."""
        code = CODES.get(answer.status_code)
        if answer.headers.get("Content-Type") != "application/json" or answer.json().get("code") != code:
            return f"not told: {answer.text[:200]}"
        if answer.status_code == 503 and not answer.headers.get("Retry-After", "").isdecimal():
            return "without Retry-After"
        return ""

    def well_for(self, seconds: float) -> bool:
        """Whether all requests that ended in the last so many seconds succeeded, and none of before is still
        under way."""
        since = time.monotonic() - seconds
        recent = [one.fine for one in self.ended if one.ended >= since]
        return min(self._under_way.values()) > since and all(recent) and len(recent) >= ENOUGH

    # ---- what is asked of it ------------------------------------------------------------------

    def statuses(self, begun_after: float = 0.0) -> Counter[int]:
        return Counter(one.status for one in self.ended if begun_after <= one.began)

    def check_each_ended_well(self, *also: int) -> None:
        """Within the deadline, with an answer or 503 or 504. `also`: statuses that are allowed besides."""
        wrong = [one for one in self.ended if one.status not in (200, 503, 504, *also)]
        wrong += [one for one in self.ended if one.told and one.status not in also]
        wrong += [one for one in self.ended if one.ended - one.began > DEADLINE + MARGIN]
        assert not wrong, wrong[:5]

    def check_well_again(self, back: float, within: float = 10.0) -> float:
        """All requests begun later than `within` seconds after `back` succeed; returns when the last failed,
        in seconds after `back`."""
        failures = [one for one in self.ended if not one.fine]
        last = max((one.ended for one in failures), default=back)
        late = self.statuses(begun_after=max(last, back))
        assert last - back <= within, (last - back, [one for one in failures if one.ended == last])
        assert late[200] >= ENOUGH, late
        return last - back

    def check_no_write_was_lost(self) -> None:
        """A row holds the last value that was acknowledged, or one that was tried after it."""
        session = self.server.session(self.user)
        assert len(self.acknowledged) > 10
        for id_, value in self.acknowledged.items():
            tried = self.attempted[id_]
            possible = tried[tried.index(value) :]
            found = session.get(f"/api/v2/isp/cpes/{id_}/", params={"attrs": "notes"}).json()["notes"]
            assert found in possible, (id_, found, possible)
