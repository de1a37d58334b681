"""Every write is sent three times with one key while the whole gateway is killed again and again: each is
done once, and answered with the same bytes at last."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import psutil
import psycopg
import pytest
import requests

from tests.chaos.platform import CRM, Platform
from tests.servers import Session, stop

KILLS, MOST_KILLS, CLIENTS = 20, 50, 4
"""More than `KILLS` only until one of them has met a write between its commit and its answer."""
UNANSWERED = "done though not answered"
MOST = 60.0
"""Seconds after which a client gives up, once the kills have ended; it never should. While they go on, a slow
machine may have answered it nothing before the next one."""
CUSTOMERS, REALM = "/api/v2/isp/customers/", "pim"
LATER = {("service_unavailable", 503), ("deadline_exceeded", 504), ("idempotency_key_in_use", 409)}


class Client:
    """One story after the other: a customer is made, changed and deleted, and two are made at once.

    `done`: names of the customers that are to be there in the end; `gone`: ids of those that are not.
    """

    def __init__(self, platform: Platform, name: str, enough: threading.Event) -> None:
        self.session: Session = platform.session(CRM)
        self.named, self.enough = name, enough
        self.done: list[str] = []
        self.gone: list[int] = []
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        while not self.enough.is_set():
            self.story(f"{self.named}-{self.seen['stories']}")
            self.seen["stories"] += 1

    def story(self, name: str) -> None:
        made = self.thrice("POST", CUSTOMERS, 201, {"name": name, "realm": REALM})
        path = made.headers["Location"]
        self.thrice("PATCH", path, 200, {"surname": name})
        pair = [f"{name}-a", f"{name}-b"]
        several = self.thrice(
            "POST", f"{CUSTOMERS}bulk/", 200, {"items": [{"name": one, "realm": REALM} for one in pair]}
        )
        assert several.json()["created"] == 2
        self.done += pair
        self.thrice("DELETE", path, 204)
        self.gone.append(made.json()["id"])

    def thrice(self, verb: str, path: str, status: int, body: Any = None) -> requests.Response:
        key = str(uuid.uuid4())
        answers = [self.answer(verb, path, key, body) for _ in range(3)]
        assert [one.status_code for one in answers] == [status] * 3, [one.text[:200] for one in answers]
        assert len({one.content for one in answers}) == 1
        assert len({(one.headers.get("ETag"), one.headers.get("Location")) for one in answers}) == 1
        if "Idempotency-Replayed" in answers[0].headers:
            self.seen[UNANSWERED] += 1
        return answers[0]

    def answer(self, verb: str, path: str, key: str, body: Any) -> requests.Response:
        """The answer at last; what was cut, or is to be sent again later, is."""
        end = time.monotonic() + MOST
        while True:
            if not self.enough.is_set():
                end = time.monotonic() + MOST
            assert time.monotonic() < end, "no answer"
            try:
                answer = self.session.request(
                    verb, path, json=body, headers={"Idempotency-Key": key}, timeout=7
                )
            except requests.RequestException as error:
                self.seen["no gateway" if "refused" in str(error) else "cut"] += 1
                time.sleep(0.05)
                continue
            if answer.ok:
                return answer
            told = (answer.json()["code"], answer.status_code)
            assert told in LATER, answer.text
            self.seen[told[0]] += 1
            time.sleep(0.05)


class Gateways:
    """Gateways of a platform, one at a time."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        stop(platform.children["gateway"])
        command = (sys.executable, "-m", "tests.chaos.gateways", str(platform.port))
        with (platform.data / "gateways.log").open("ab") as log:
            self.nursery = subprocess.Popen(
                command,
                env=platform.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self) -> psutil.Process:
        """A gateway that answers."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        print("another", file=self.nursery.stdin, flush=True)
        started = psutil.Process(int(self.nursery.stdout.readline()))
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(requests.RequestException):
                if requests.get(f"{self.platform.url}/healthz", timeout=2).status_code == 200:
                    return started
            time.sleep(0.01)
        raise AssertionError(self.platform.logs()[-2000:])

    def end(self) -> None:
        """As it was before."""
        self.nursery.communicate()
        self.platform.start_gateway()
        self.platform.wait()


def kill(gateway: psutil.Process) -> None:
    """All of its processes at once, the workers first, so that none of them can tell of its end. It is held
    meanwhile: a worker that it started for the first one would outlive it, and answer for the next."""
    gateway.suspend()
    family = [*gateway.children(recursive=True), gateway]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, 5)


@pytest.mark.timeout(900)
def test_no_write_is_done_twice_however_often_the_gateway_dies(shaken: Platform) -> None:
    run, enough = f"idem-{uuid.uuid4().hex[:8]}", threading.Event()
    clients = [Client(shaken, f"{run}-{number}", enough) for number in range(CLIENTS)]
    gateways = Gateways(shaken)
    gateway, kills = gateways.start(), 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        try:
            stories = [pool.submit(one.run) for one in clients]
            while kills < KILLS or (not any(one.seen[UNANSWERED] for one in clients) and kills < MOST_KILLS):
                time.sleep(random.uniform(0.1, 0.4))
                kill(gateway)
                kills += 1
                gateway = gateways.start()
        finally:
            enough.set()
            wait(stories, 2 * MOST)
            kill(gateway)
            gateways.end()
    for story in stories:
        story.result()
    seen = sum((one.seen for one in clients), Counter[str]())
    print(f"{kills} kills: {dict(seen)}")
    assert seen["stories"] >= CLIENTS
    assert seen["cut"] + seen["no gateway"] >= KILLS
    assert seen[UNANSWERED] > 0  # else nothing was shown

    done, gone = [name for one in clients for name in one.done], [id_ for one in clients for id_ in one.gone]
    url = shaken.postgres.url("isp").replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT name, id FROM customers WHERE name LIKE %s", (f"{run}-%",)
        ).fetchall()
        assert sorted(name for name, _ in rows) == sorted(done)
        created = connection.execute(
            "SELECT subject, type FROM outbox WHERE data->>'name' LIKE %s ORDER BY position", (f"{run}-%",)
        ).fetchall()
    events: dict[str, list[str]] = {}
    for subject, type_ in created:
        events.setdefault(subject, []).append(type_)
    whole = ["customer.created", "customer.updated", "customer.deleted"]
    assert events == {f"customers/{id_}": ["customer.created"] for _, id_ in rows} | {
        f"customers/{id_}": whole for id_ in gone
    }
