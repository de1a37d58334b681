"""The tables that every database has, and those that a service has besides: its events and who wants them.

Moments that decide what is done when (`due`, `until`) are milliseconds since 1970 (UTC): retries of less than
a second need more than the whole seconds of a `Timestamp`, and integers mean the same on both databases.
"""

from __future__ import annotations

import time

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    text,
    true,
)

from services.common.database.columns import NAMING, BigInt, JsonB, Timestamp, identity, version


def milliseconds() -> int:
    """This instant, in milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


def metadata_with_kernel() -> MetaData:
    """Metadata with what every database has: outbox, audit, tally, import progress, answers to remember."""
    metadata = MetaData(naming_convention=NAMING)
    _outbox(metadata)
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
    Table(
        "idempotency",
        metadata,
        Column("owner", BigInt, primary_key=True, autoincrement=False, comment="id of the user"),
        Column("key", String(255), primary_key=True),
        Column("fingerprint", String(64), nullable=False, comment="SHA-256 of what was asked"),
        Column("meta", JsonB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created", BigInt, nullable=False, index=True),
    )
    return metadata


def metadata_of_service() -> MetaData:
    """Metadata with what every service's database has: the kernel, its inbox, its webhooks."""
    metadata = metadata_with_kernel()
    _inbox(metadata)
    _webhooks(metadata)
    return metadata


def _outbox(metadata: MetaData) -> None:
    """Events, written in the transaction of the change. `position` is taken when a transaction writes,
    `number` when it is seen to be committed: only numbers say what has been missed. `sent_at`: when the
    broker confirmed."""
    unnumbered, unsent = text("number IS NULL"), text("sent_at IS NULL AND number IS NOT NULL")
    Table(
        "outbox",
        metadata,
        Column("position", BigInt, primary_key=True, autoincrement=True),
        Column("number", BigInt, unique=True),
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
        Index("ix_outbox_realm_number", "realm", "number"),
        Index("ix_outbox_unnumbered", "position", postgresql_where=unnumbered, sqlite_where=unnumbered),
        Index("ix_outbox_unsent", "number", postgresql_where=unsent, sqlite_where=unsent),
        sqlite_autoincrement=True,
    )
    Table(
        "sequencer",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1"),
        Column("last", BigInt, nullable=False, comment="the highest number given"),
        Column("pruned", BigInt, nullable=False, comment="numbers up to here may be gone"),
    )


def _inbox(metadata: MetaData) -> None:
    """`inbox`: what a subscription has handled, by event id. `held`: what it could not handle yet (`waiting`
    until `due`) or not at all (`parked`)."""
    Table(
        "inbox",
        metadata,
        Column("subscription", String(64), primary_key=True),
        Column("event", String(36), primary_key=True),
        Column("received", BigInt, nullable=False, index=True),
    )
    waiting = text("state = 'waiting'")
    Table(
        "held",
        metadata,
        identity(),
        Column("subscription", String(64), nullable=False),
        Column("event", String(36), nullable=False),
        Column("source", String(64), nullable=False),
        Column("type", String(128), nullable=False),
        Column("subject", String(128), nullable=False),
        Column("realm", String(32), nullable=False),
        Column("envelope", JsonB, nullable=False),
        Column("state", String(16), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("error", Text, nullable=False),
        Column("due", BigInt, nullable=False),
        Column("received", Timestamp, nullable=False),
        version(),
        Index("uq_held_subscription_event", "subscription", "event", unique=True),
        Index("ix_held_waiting", "subscription", "subject", postgresql_where=waiting, sqlite_where=waiting),
        sqlite_autoincrement=True,
    )


def _webhooks(metadata: MetaData) -> None:
    """`webhooks`: who wants which events; `position`: the number of the last event taken over into
    `webhook_deliveries`, one row for each event and webhook. A test event has a `number` below zero."""
    Table(
        "webhooks",
        metadata,
        identity(),
        Column("url", String(2048), nullable=False),
        Column("description", String(255), nullable=False, server_default=""),
        Column("realm", String(32), nullable=False),
        Column("active", Boolean, nullable=False, server_default=true()),
        Column("secret", String(128), nullable=False),
        Column("former_secret", String(128)),
        Column("former_until", BigInt, comment="until then the former secret signs too"),
        Column("position", BigInt, nullable=False),
        Column("failing_since", Timestamp),
        Column("paused_until", BigInt, comment="while it fails, nothing is sent before"),
        Column("disabled_reason", String(255)),
        Column("created", Timestamp, nullable=False),
        Column("updated", Timestamp, nullable=False),
        version(),
        Index("ix_webhooks_realm_id", "realm", "id"),
        sqlite_autoincrement=True,
    )
    Table(
        "webhook_types",
        metadata,
        Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True),
        Column("type", String(128), primary_key=True),
    )
    pending, ended = text("state = 'pending'"), text("ended IS NOT NULL")
    Table(
        "webhook_deliveries",
        metadata,
        identity(),
        Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
        Column("number", BigInt, nullable=False),
        Column("event", String(36), nullable=False),
        Column("type", String(128), nullable=False),
        Column("realm", String(32), nullable=False),
        Column("state", String(16), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("due", BigInt, nullable=False),
        Column("status", Integer, comment="of the last answer"),
        Column("error", String(512), nullable=False, server_default=""),
        Column("created", Timestamp, nullable=False),
        Column("ended", Timestamp),
        version(),
        Index("uq_webhook_deliveries_webhook_id_number", "webhook_id", "number", unique=True),
        Index("ix_webhook_deliveries_realm_id", "realm", "id"),
        Index("ix_webhook_deliveries_webhook_id_id", "webhook_id", "id"),
        Index(
            "ix_webhook_deliveries_due", "webhook_id", "due", postgresql_where=pending, sqlite_where=pending
        ),
        Index("ix_webhook_deliveries_ended", "ended", postgresql_where=ended, sqlite_where=ended),
        sqlite_autoincrement=True,
    )
