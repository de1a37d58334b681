"""Events: how fast the relay sends, how long an event takes to its subscriber, how fast a batch goes out.

On servers that are durable: a commit waits for the disk, a queue is a quorum queue. The time to the
subscriber is counted from commit to commit: PostgreSQL tells when it committed a row that is never changed
again (the audit row of the same request).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pika
import psycopg

from tests.bench.contestant import CPES, Account, Client, Contestant
from tests.bench.figures import Line
from tests.bench.platform import Platform
from tests.bench.stack import Stack

CPES_THERE = 14_500
EVENTS = 20_000
WRITES_PER_SECOND, SECONDS, WRITERS = 100, 20, 4
IN_BATCH = 10_000
SEEN_TOO = 12_500
"""So many CPEs of all realms, so that those of the user's realms are more than the batch is to have."""
PATIENCE = 120.0
QUEUE = "bench"

Say = Callable[[str], None]


class NotInTime(AssertionError):
    """What was waited for did not come."""


def measure(stack: Stack, say: Say) -> list[Line]:
    with psycopg.connect(stack.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    stack.postgres.restart()
    platform = Platform(stack, "events", CPES_THERE)
    say(f"filling {CPES_THERE:,} CPEs")
    account = platform.fill()
    _bind(stack)
    say("relay")
    lines = [_relay(platform, account)]
    say("latency")
    ours = platform.contestant
    lines += _latency(stack, platform, account, ours)
    say("batch of actions")
    return [*lines, _batch(platform, ours)]


def _bind(stack: Stack) -> None:
    """A subscriber that is away: its quorum queue takes every event."""
    with closing(pika.BlockingConnection(pika.URLParameters(stack.rabbitmq.uri))) as connection:
        channel = connection.channel()
        channel.exchange_declare("isp.events", "topic", durable=True)
        channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(QUEUE, "isp.events", "#")


def _relay(platform: Platform, account: Account) -> Line:
    """The relay of a service that starts with a full outbox, from its first confirmed event to the last."""
    with psycopg.connect(platform.database, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO outbox (id, type, dataschema, subject, sequence, realm, time, data)
               SELECT gen_random_uuid()::text, 'cpe.updated', 'urn:krill:isp:cpe.updated:1', 'cpes/' || n,
                      1000, 'pim', now(), jsonb_build_object('id', n, 'notes', repeat('x', 1000))
               FROM generate_series(1, %s) AS n""",
            (EVENTS,),
        )
        platform.start(account)
        first, left = _await(connection, lambda unsent: unsent < EVENTS)
        last, _ = _await(connection, lambda unsent: unsent == 0)
    rate = left / (last - first)
    what = f"relay, {EVENTS:,} events of 1 kB to a quorum queue, the service and gateway idle beside it"
    return Line(what, f"{left:,} in {last - first:.1f} s", f"{rate:,.0f}/s", "≥ 2,000/s", rate >= 2000)


def _await(connection: Any, holds: Callable[[int], bool]) -> tuple[float, int]:
    """(when it held, events not sent by then)."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        row = connection.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()
        if holds(row[0]):
            return time.monotonic(), row[0]
        time.sleep(0.02)
    raise NotInTime("events are not sent")


def _latency(stack: Stack, platform: Platform, account: Account, ours: Contestant) -> list[Line]:
    """Writers over HTTP at a steady rate, and a real subscriber that commits to its own database."""
    kept = stack.folder / "crm.db"
    env = {
        "CRM_DATABASE": str(kept),
        "CRM_AMQP_URI": stack.rabbitmq.uri,
        "CRM_API_URL": f"http://{ours.address}",
        "CRM_API_USER": account.name,
        "CRM_API_PASSWORD": account.password,
    }
    stack.launch("crm_sync", "-m", "deploy.examples.crm_sync", env=env)
    _until(lambda: kept.exists() and _row(kept, "SELECT behind FROM progress") == (0,))
    client = Client(ours)
    page = client.json(f"{CPES}?attrs=id&limit=1000")["results"]
    ids = [row["id"] for row in page]
    threads = [threading.Thread(target=_write, args=(ours, ids[n::WRITERS], n)) for n in range(WRITERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    wanted = WRITES_PER_SECOND * SECONDS
    counted = "SELECT count(*) FROM applied WHERE type = 'cpe.updated'"
    _until(lambda: _row(kept, counted)[0] >= wanted)
    took = _took(kept, platform)
    middle, late = median(took), quantiles(took, n=100)[98]
    measured = f"{len(took):,} writes at {WRITES_PER_SECOND}/s, from its commit to the subscriber's"
    what = "event at its subscriber"
    return [
        Line(f"{what}, median", measured, f"{middle:.0f} ms", "< 50 ms", middle < 50),
        Line(f"{what}, 99th percentile", measured, f"{late:.0f} ms", "< 500 ms", late < 500),
    ]


def _write(ours: Contestant, ids: list[int], start: int) -> None:
    """This thread's share of the writes, each at its moment."""
    connection = HTTPConnection(ours.address, timeout=30)
    step = WRITERS / WRITES_PER_SECOND
    begin = time.monotonic() + start * step / WRITERS
    for number in range(WRITES_PER_SECOND * SECONDS // WRITERS):
        time.sleep(max(0.0, begin + number * step - time.monotonic()))
        id_, text = ids[number % len(ids)], secrets.token_hex(8)
        body = json.dumps({"notes": text})
        headers = {**ours.headers, "Content-Type": "application/json"}
        connection.request("PATCH", f"{CPES}{id_}/", body, headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200 or json.loads(told)["notes"] != text:
            raise RuntimeError(f"a write was answered {answer.status}: {told[:200]!r}")
    connection.close()


def _took(kept: Path, platform: Platform) -> list[float]:
    """Milliseconds, of each write."""
    with psycopg.connect(platform.database) as connection:
        committed = dict(
            connection.execute(
                """SELECT o.id, extract(epoch FROM pg_xact_commit_timestamp(a.xmin))::float8
                   FROM outbox o JOIN audit a ON a.request_id = o.request_id WHERE o.type = 'cpe.updated'"""
            ).fetchall()
        )
    with closing(sqlite3.connect(kept)) as connection:
        applied = connection.execute("SELECT event, time FROM applied").fetchall()
    return [1000 * (moment / 1e9 - committed[event]) for event, moment in applied if event in committed]


def _batch(platform: Platform, ours: Contestant) -> Line:
    """From the request for a batch until each of its actions is out: its event confirmed by the broker."""
    connection = HTTPConnection(ours.address, timeout=60)
    body = {"kind": "reboot", "filter": {"id__lte": str(10**9)}, "max": 20_000}
    with psycopg.connect(platform.database, autocommit=True) as database:
        found = database.execute("SELECT id FROM cpes ORDER BY id OFFSET %s LIMIT 1", (SEEN_TOO,)).fetchone()
        body["filter"] = {"id__lt": str(found[0])}  # type: ignore[index]
        begin = time.monotonic()
        headers = {**ours.headers, "Content-Type": "application/json"}
        connection.request("POST", "/api/v2/isp/action-batches/", json.dumps(body), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != 202:
            raise RuntimeError(f"the batch was answered {answer.status}: {told}")
        open_ = "SELECT count(*) FROM actions WHERE state = 'requested'"
        end = begin + PATIENCE
        while database.execute(open_).fetchone() != (0,) and time.monotonic() < end:
            time.sleep(0.05)
        last, _ = _await(database, lambda unsent: unsent == 0)
        number = database.execute("SELECT count(*) FROM actions").fetchone()[0]  # type: ignore[index]
    took = last - begin
    what = f"{IN_BATCH:,} actions and more, of one batch, dispatched"
    return Line(what, f"{number:,} actions", f"{took:.1f} s", "< 15 s", took < 15 and number >= IN_BATCH)


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.1)
    raise NotInTime("the subscriber is not there")


def _row(kept: Path, statement: str) -> Any:
    try:
        with closing(sqlite3.connect(kept)) as connection:
            return connection.execute(statement).fetchone()
    except sqlite3.OperationalError:
        return (None,)
