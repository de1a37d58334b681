"""What keyed writes were answered, kept in the transaction of the write itself.

So there is never an effect without its answer, nor an answer without its effect, whoever is killed. A key
belongs to one user and counts for 24 hours. What was refused left nothing behind and is not kept.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, tuple_

from services.common.context import Context
from services.common.database.engine import Database
from services.common.database.kernel import milliseconds
from services.common.errors import KeyInUse, KeyReused
from services.common.rpc.reply import Reply

KEPT_FOR = 24 * 3600 * 1000
FORGOTTEN_AT_ONCE = 1000


def claim(connection: Connection, table: Table, context: Context) -> Reply | None:
    """Makes the caller's key this transaction's own. Answers what is kept under it; None: the work is to be
    done.

    Raises `KeyInUse` when another transaction has the key, `KeyReused` when it came with another request.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        lock = func.hashtextextended(f"idempotency/{context.user_id}/{context.idempotency_key}", 0)
        if not connection.execute(select(func.pg_try_advisory_xact_lock(lock))).scalar_one():
            raise KeyInUse()
    row = _row(connection, table, context)
    if row is not None and _is_old(row):
        connection.execute(delete(table).where(*_mine(table, context)))
        return None
    return _replayed(row, context)


def kept(connection: Connection, table: Table, context: Context) -> Reply | None:
    """The answer that the caller's request got before, marked as `replayed`. Raises `KeyReused`."""
    row = _row(connection, table, context)
    return None if row is None or _is_old(row) else _replayed(row, context)


def keep(connection: Connection, table: Table, context: Context, reply: Reply) -> None:
    """Remember the answer to the request whose key is claimed."""
    connection.execute(
        insert(table).values(
            owner=context.user_id,
            key=context.idempotency_key,
            fingerprint=context.fingerprint,
            meta=reply.meta,
            body=reply.body,
            created=milliseconds(),
        )
    )


def forget(database: Database, table: Table) -> None:
    """Delete what no longer counts, a batch at a time."""
    old = select(table.c.owner, table.c.key).where(table.c.created < milliseconds() - KEPT_FOR)
    batch = old.order_by(table.c.created).limit(FORGOTTEN_AT_ONCE)
    gone = FORGOTTEN_AT_ONCE
    while gone == FORGOTTEN_AT_ONCE:
        with database.write() as connection:
            gone = connection.execute(
                delete(table).where(tuple_(table.c.owner, table.c.key).in_(batch))
            ).rowcount
        time.sleep(0)


def _row(connection: Connection, table: Table, context: Context) -> Row[Any] | None:
    return connection.execute(select(table).where(*_mine(table, context))).one_or_none()


def _is_old(row: Row[Any]) -> bool:
    return bool(row.created < milliseconds() - KEPT_FOR)


def _replayed(row: Row[Any] | None, context: Context) -> Reply | None:
    if row is None:
        return None
    if row.fingerprint != context.fingerprint:
        raise KeyReused()
    return Reply(bytes(row.body), {**row.meta, "replayed": True})


def _mine(table: Table, context: Context) -> tuple[ColumnElement[bool], ...]:
    return table.c.owner == context.user_id, table.c.key == context.idempotency_key
