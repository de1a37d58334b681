"""A connection to PostgreSQL that gives up a server which stands still.

The server's own limits (`statement_timeout`) need a server that runs. One that is stopped, or whose disk
hangs, sends no error, and its kernel goes on to confirm what it is sent.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

T = TypeVar("T")


class Unanswered(psycopg.OperationalError):
    """There was no answer in time. What was asked for may have been done."""


class ImpatientConnection(psycopg.Connection[Any]):
    """`patience`: seconds for an answer; None: as long as it takes."""

    patience: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if error.sqlstate is not None or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()  # what it may still say would be taken for the answer to something else
            raise Unanswered("The server does not answer.") from error
