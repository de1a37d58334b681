"""Writers over HTTP: each with rows of its own, one request after the other, and a book of every request.

A request bears an id that its events bear too: so the outbox tells what became of it.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.chaos.crew import DEADLINE, MARGIN, Crew
from tests.chaos.load import CODES
from tests.chaos.platform import Platform
from tests.servers import Session

AT_ONCE = 20
ROWS = 60
"""Of each resource, per writer, of the demo data."""
MODEL, PORTS = "SOFTPHONE", 1
ACTIONS, TIMEOUT = ("reboot", "factory"), 15
"""What devices are asked to do, and the seconds that it may take."""
CONFLICT = 409
MEANWHILE = ("conflict", "idempotency_key_in_use")
"""Codes of 409 where a request meets one that was given up, or itself, still under way."""
AGAIN = 0.2
"""Seconds that a client waits after a request that was not acknowledged."""


@dataclass(frozen=True)
class Request:
    """`status` 0: the connection ended without an answer; -1: no answer within deadline and margin.
    `expected`: how many events of which type it makes. `subjects`: of them, as far as known. `joins`: it may
    find its work under way already, and make no event."""

    id: str
    what: str
    writes: int
    expected: Mapping[str, int]
    subjects: frozenset[str]
    began: float
    ended: float
    status: int
    told: str = ""
    joins: bool = False

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300


class Writers(Crew):
    """`with Writers(…) as writers:` writes until the block ends. `run` begins the ids of its requests.
    `since`: the position of the last event before it.
    `bulk`: most of them change many rows, and devices are asked for actions."""

    def __init__(
        self, platform: Platform, user: str, *, run: str, bulk: bool = True, threads: int = 4
    ) -> None:
        super().__init__()
        self.run = run
        self.since = platform.isp("SELECT coalesce(max(position), 0) FROM outbox")[0][0]
        self.requests: list[Request] = []
        self.acknowledged = 0
        self.bulk = bulk
        session = platform.session(user)
        self._writers = [_Writer(self, platform.session(user), number) for number in range(threads)]
        for name in ("customers", "cpes", "potses"):
            page = session.get(f"/api/v2/isp/{name}/", params={"attrs": "id", "limit": "1000"}).json()
            ids = [row["id"] for row in page["results"]]
            for number, writer in enumerate(self._writers):
                writer.rows[name] = ids[number::threads][:ROWS]
        self._threads = [threading.Thread(target=one.write, args=(self._stop,)) for one in self._writers]
        self._booking = threading.Lock()

    def book(self, request: Request) -> None:
        with self._booking:
            self.requests.append(request)
            if request.acknowledged:
                self.acknowledged += request.writes
        if not request.acknowledged:
            self._stop.wait(AGAIN)


class _Writer:
    """`rows`: ids that nobody else writes. What it deletes it has made itself."""

    def __init__(self, writers: Writers, session: Session, number: int) -> None:
        self.rows: dict[str, list[int]] = {}
        self._writers = writers
        self._session = session
        self._name = f"{writers.run}-{number}"
        self._random = random.Random(self._name)
        self._numbers = itertools.count(1)
        self._tag = f"{zlib.crc32(self._name.encode()):08x}"  # short enough for a label
        self._made: dict[str, list[int]] = {"customers": [], "cpes": []}
        self._asked = itertools.count()

    def write(self, stop: threading.Event) -> None:
        single: tuple[tuple[int, Callable[[], None]], ...] = (
            (10, lambda: self._patch_one("cpes", "cpe", "notes")),
            (6, lambda: self._patch_one("customers", "customer", "comment")),
            (6, lambda: self._patch_one("potses", "pots", "label")),
            (6, self._create_customer),
            (6, self._create_cpe),
            (4, lambda: self._delete_one("customers", {"customer.deleted": 1})),
            (4, lambda: self._delete_one("cpes", {"cpe.deleted": 1, "pots.deleted": PORTS})),
        )
        many: tuple[tuple[int, Callable[[], None]], ...] = (
            (14, lambda: self._patch_many("cpes", "cpe", "notes")),
            (26, lambda: self._patch_many("customers", "customer", "comment")),
            (16, lambda: self._patch_many("potses", "pots", "label")),
            (6, self._create_customers),
            (6, self._create_cpes),
            (4, lambda: self._delete_many("customers", {"customer.deleted": 1})),
            (4, lambda: self._delete_many("cpes", {"cpe.deleted": 1, "pots.deleted": PORTS})),
            (20, self._ask_device),
        )
        deeds = (*single, *many) if self._writers.bulk else single
        weights = [weight for weight, _ in deeds]
        while not stop.is_set():
            self._random.choices(deeds, weights)[0][1]()

    # ---- deeds --------------------------------------------------------------------------------

    def _patch_many(self, resource: str, singular: str, member: str) -> None:
        ids = self._random.sample(self.rows[resource], AT_ONCE)
        items = [{"id": id_, member: self._word()} for id_ in ids]
        expected = {f"{singular}.updated": len(ids)}
        self._send("PATCH", f"{resource}/bulk/", {"items": items}, expected, _subjects(resource, ids))

    def _patch_one(self, resource: str, singular: str, member: str) -> None:
        id_ = self._random.choice(self.rows[resource])
        expected = {f"{singular}.updated": 1}
        self._send(
            "PATCH", f"{resource}/{id_}/", {member: self._word()}, expected, _subjects(resource, [id_])
        )

    def _customer(self) -> dict[str, Any]:
        return {"name": self._word(), "surname": "Inventada", "city": "Coslada", "realm": "pim"}

    def _cpe(self) -> dict[str, Any]:
        owner = self._random.choice(self.rows["customers"])
        return {"customer": owner, "model": MODEL, "notes": self._word()}

    def _create_customers(self) -> None:
        items = [self._customer() for _ in range(AT_ONCE)]
        self._create("customers/bulk/", {"items": items}, {"customer.created": len(items)})

    def _create_cpes(self) -> None:
        items = [self._cpe() for _ in range(AT_ONCE)]
        made = {"cpe.created": len(items), "pots.created": len(items) * PORTS}
        self._create("cpes/bulk/", {"items": items}, made)

    def _create_customer(self) -> None:
        self._create("customers/", self._customer(), {"customer.created": 1})

    def _create_cpe(self) -> None:
        self._create("cpes/", self._cpe(), {"cpe.created": 1, "pots.created": PORTS})

    def _create(self, path: str, body: Any, expected: Mapping[str, int]) -> None:
        answer = self._send("POST", path, body, expected)
        if answer is not None:
            resource = path.partition("/")[0]
            rows = answer.get("results", [answer])
            self._made[resource] += [row["id"] for row in rows]

    def _delete_many(self, resource: str, each: Mapping[str, int]) -> None:
        ids, self._made[resource] = self._made[resource][:AT_ONCE], self._made[resource][AT_ONCE:]
        if ids:
            expected = {name: times * len(ids) for name, times in each.items()}
            self._send("DELETE", f"{resource}/bulk/", {"ids": ids}, expected, _subjects(resource, ids))

    def _delete_one(self, resource: str, each: Mapping[str, int]) -> None:
        if self._made[resource]:
            id_ = self._made[resource].pop()
            self._send("DELETE", f"{resource}/{id_}/", None, each, _subjects(resource, [id_]))

    def _ask_device(self) -> None:
        """Each device for a reboot, then each for its factory defaults, and again."""
        ids, turn = self.rows["cpes"], next(self._asked)
        path = f"cpes/{ids[turn % len(ids)]}/{ACTIONS[turn // len(ids) % len(ACTIONS)]}/"
        self._send("POST", path, {"timeout": TIMEOUT}, {"action.dispatched": 1}, joins=True)

    def _word(self) -> str:
        """One that was not there before."""
        return f"{self._tag}-{next(self._numbers)}"

    # ---- one request --------------------------------------------------------------------------

    def _send(
        self,
        verb: str,
        path: str,
        body: Any,
        expected: Mapping[str, int],
        subjects: frozenset[str] = frozenset(),
        *,
        joins: bool = False,
    ) -> Any:
        """The answer's body; None when it was not acknowledged."""
        id_ = f"{self._name}-r{next(self._numbers)}"
        headers = {"X-Request-Id": id_, "Idempotency-Key": id_}
        writes = len(body.get("items", body.get("ids", [0]))) if body else 1
        answer, told = None, ""
        began = time.monotonic()
        try:
            response = self._session.request(
                verb, f"/api/v2/isp/{path}", json=body, headers=headers, timeout=DEADLINE + MARGIN
            )
            status = response.status_code
            if 200 <= status < 300:
                answer = response.json() if response.content else {}
                told = _failed_items(answer)
                if joins:
                    subjects = _subjects("actions", [answer["action"]["id"]])
            else:
                told = _complaint(response)
        except requests.Timeout:
            status = -1
        except requests.ConnectionError as error:
            status, told = 0, str(error)
        ended = time.monotonic()
        self._writers.book(
            Request(id_, f"{verb} {path}", writes, expected, subjects, began, ended, status, told, joins)
        )
        return answer


def _subjects(resource: str, ids: list[int]) -> frozenset[str]:
    return frozenset(f"{resource}/{id_}" for id_ in ids)


def _failed_items(answer: Any) -> str:
    """Empty when every item of a bulk was done."""
    failed = [one for one in answer.get("results", ()) if "errors" in one]
    return f"items failed: {failed[:2]}" if failed else ""


def _complaint(answer: requests.Response) -> str:
    """Empty when the refusal is as it should be."""
    status = answer.status_code
    if answer.headers.get("Content-Type") == "application/json":
        code = answer.json().get("code")
        if code == CODES.get(status) or (status == CONFLICT and code in MEANWHILE):
            return ""
    return f"{status}: {answer.text[:200]}"
