"""Column types that mean the same on PostgreSQL and SQLite, and the tables every service has.

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
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    func,
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


def metadata_with_kernel() -> MetaData:
    """A service's metadata, with the tables that every service has: outbox, audit, tally, import progress."""
    metadata = MetaData(naming_convention=NAMING)
    Table(
        "outbox",
        metadata,
        Column("position", BigInt, primary_key=True, autoincrement=True),
        Column("id", String(36), nullable=False, unique=True),
        Column("type", String(128), nullable=False),
        Column("dataschema", String(128), nullable=False),
        Column("subject", String(128), nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("realm", String(32), nullable=False),
        Column("time", Timestamp, nullable=False),
        Column("data", JsonB, nullable=False),
        Column("request_id", String(64)),
        Column("traceparent", String(64)),
        Column("sent_at", Timestamp),
        Index("ix_outbox_subject_sequence", "subject", "sequence", unique=True),
        Index("ix_outbox_unsent", "position", postgresql_where=Column("sent_at").is_(None)),
        sqlite_autoincrement=True,
    )
    Table(
        "audit",
        metadata,
        identity(),
        Column("time", Timestamp, nullable=False),
        Column("user", String(150)),
        Column("user_id", BigInt),
        Column("action", Integer, nullable=False),
        Column("resource", String(64), nullable=False),
        Column("model", String(64), nullable=False),
        Column("object_id", String(64), nullable=False),
        Column("object_repr", String(512), nullable=False),
        Column("realm", String(32), nullable=False),
        Column("changes", JsonB, nullable=False),
        Column("request_id", String(64)),
        Index("ix_audit_object", "resource", "object_id"),
        Index("ix_audit_realm_id", "realm", "id"),
        sqlite_autoincrement=True,
    )
    Table(
        "tally",
        metadata,
        identity(),
        Column("resource", String(64), nullable=False),
        Column("realm", String(32), nullable=False),
        Column("rows", BigInt, nullable=False),
        Column("writes", BigInt, nullable=False),
        Index("ix_tally_resource_realm", "resource", "realm"),
    )
    Table(
        "imports",
        metadata,
        Column("id", String(64), primary_key=True),
        Column("owner", String(150), primary_key=True),
        Column("resource", String(64), primary_key=True),
        Column("lines", BigInt, nullable=False, server_default="0"),
        Column("created", BigInt, nullable=False, server_default="0"),
        Column("failed", BigInt, nullable=False, server_default="0"),
        Column("errors", JsonB, nullable=False),
        Column("updated", Timestamp, nullable=False, server_default=func.now()),
    )
    return metadata


LongText = Text
