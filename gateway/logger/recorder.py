"""The request log, written in batches by one background thread.

A request never waits for its log: what does not fit into the queue is counted in a metric and left out.
Secrets are masked before anything is queued. Plain threading, so that it works with real and with green
threads.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from flask import Request, Response
from prometheus_client import Counter

from gateway.accounts.models import request_log
from gateway.logger.entry import entry
from services.common.database.bulk import write_rows
from services.common.database.engine import Database
from services.common.errors import ApiError

ROOM = 10_000
BATCH = 200
PAUSE = 0.2
TIDY_SECONDS = 60.0

log = structlog.get_logger(__name__)
dropped = Counter("krill_request_log_dropped", "Requests that are missing in the request log", ["reason"])

Entry = dict[str, Any]


class Recorder:
    """`chore`: something to be done every minute by the same thread."""

    def __init__(self, database: Database, chore: Callable[[], None]) -> None:
        self._database = database
        self._chore = chore
        self._queue: queue.Queue[Entry] = queue.Queue(ROOM)
        self._waiting: list[Entry] = []
        self._apart = 0
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def observe(self, request: Request, response: Response, facts: Any) -> None:
        """Log a request that was routed; `facts`: what the gateway put on `flask.g` on the way."""
        if facts.get("route") is not None:
            self.record(entry(request, response, facts))

    def record(self, one: Entry) -> None:
        """Queue one row of the request log."""
        self._start()
        try:
            self._queue.put_nowait(one)
        except queue.Full:
            dropped.labels("full").inc()

    def close(self) -> None:
        """Write what is queued, and end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        """On first use: a thread begun before a server forks its workers would not be in them."""
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        tidy_at = time.monotonic() + TIDY_SECONDS
        while True:
            last = self._closing.wait(PAUSE)
            while self._take():
                if not self._write(last):
                    break
            if last:
                return
            if time.monotonic() >= tidy_at:
                tidy_at = time.monotonic() + TIDY_SECONDS
                self._tidy()

    def _take(self) -> bool:
        """Fill the batch that waits to be written; whether there is anything to write."""
        while len(self._waiting) < BATCH:
            try:
                self._waiting.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return bool(self._waiting)

    def _write(self, last: bool) -> bool:
        """Whether it can go on: rows were written, or found unwritable. A database that is away is tried
        again. Of rows that are refused together each is written by itself, so that only the bad ones are
        lost."""
        rows = self._waiting[:1] if self._apart else self._waiting
        try:
            with self._database.write() as connection:
                write_rows(connection, request_log, rows)
        except ApiError:  # it is away, or busy: nothing is wrong with the rows
            if not last:
                return False
            dropped.labels("unavailable").inc(len(rows))
            log.warning("request log lost at the end", rows=len(rows))
        except Exception:
            if len(rows) > 1:
                self._apart = len(rows)
                return True
            dropped.labels("refused").inc()
            log.exception("request log refused")
        self._waiting = self._waiting[len(rows) :]
        self._apart = max(0, self._apart - len(rows))
        return True

    def _tidy(self) -> None:
        """A round that fails is a matter for the next one; the log is written whatever comes of it."""
        try:
            self._chore()
        except ApiError as error:
            log.warning("tidying put off", error=str(error))
        except Exception:
            log.exception("tidying failed")
