"""Column types that mean the same on PostgreSQL and SQLite.

Timestamps are whole seconds: the API prints seconds, and storing more than is shown would make
filters and cursors lie.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Integer,
    Numeric,
    String,
    TypeDecorator,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class SqliteTimestamp(TypeDecorator[dt.datetime]):
    """An instant on SQLite: text in UTC, read as an aware datetime in the installation's zone."""

    impl = String(19)
    cache_ok = True
    zone: dt.tzinfo = dt.UTC

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:
        """Whole seconds are 19 characters; a fraction, which only a query can have, sorts after them."""
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        instant = dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)
        return instant.astimezone(SqliteTimestamp.zone)


def use_zone(zone: ZoneInfo) -> None:
    """The zone in which SQLite timestamps are read; PostgreSQL has it as a session setting."""
    SqliteTimestamp.zone = zone


class Degrees(TypeDecorator[Any]):
    """A coordinate with seven decimals: `numeric(10, 7)`, on SQLite an integer of 1e-7 degrees. Read as
    text.
    """

    impl = Numeric(10, 7)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Numeric(10, 7))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return int((Decimal(value) * 10_000_000).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return f"{Decimal(value) / 10_000_000:.7f}" if dialect.name == "sqlite" else f"{value:.7f}"


Timestamp = DateTime(timezone=True).with_variant(SqliteTimestamp(), "sqlite")
BigInt = BigInteger().with_variant(Integer(), "sqlite")
JsonB = JSON().with_variant(JSONB(), "postgresql")


def now() -> dt.datetime:
    """This instant, in whole seconds, aware."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def identity() -> Column[int]:
    """A primary key that is never reused, since other systems keep it."""
    return Column("id", BigInt, primary_key=True, autoincrement=True)


def version() -> Column[int]:
    """Bumped by every write of the row: its ETag, and the sequence of its events."""
    return Column("version", Integer, nullable=False, server_default="1")


def flag(name: str, default: bool = False) -> Column[bool]:
    from sqlalchemy import Boolean, true

    return Column(name, Boolean, nullable=False, server_default=true() if default else false())
