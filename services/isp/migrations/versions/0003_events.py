"""Numbers of events, answers to remember, inbox, webhooks

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt, JsonB, Timestamp

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("subscription", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("envelope", JsonB, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("due", BigInt, nullable=False),
        sa.Column("received", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.create_index(
            "ix_held_waiting",
            ["subscription", "subject"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index("uq_held_subscription_event", ["subscription", "event"], unique=True)

    op.create_table(
        "idempotency",
        sa.Column("owner", BigInt, autoincrement=False, nullable=False, comment="id of the user"),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False, comment="SHA-256 of what was asked"),
        sa.Column("meta", JsonB, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created"), ["created"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("subscription", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("received", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("subscription", "event", name=op.f("pk_inbox")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_received"), ["received"], unique=False)

    op.create_table(
        "sequencer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="always 1"),
        sa.Column("last", BigInt, nullable=False, comment="the highest number given"),
        sa.Column("pruned", BigInt, nullable=False, comment="numbers up to here may be gone"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequencer")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("description", sa.String(length=255), server_default="", nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("former_secret", sa.String(length=128), nullable=True),
        sa.Column("former_until", BigInt, nullable=True, comment="until then the former secret signs too"),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("failing_since", Timestamp, nullable=True),
        sa.Column("paused_until", BigInt, nullable=True, comment="while it fails, nothing is sent before"),
        sa.Column("disabled_reason", sa.String(length=255), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhooks", schema=None) as batch_op:
        batch_op.create_index("ix_webhooks_realm_id", ["realm", "id"], unique=False)

    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("webhook_id", BigInt, nullable=False),
        sa.Column("number", BigInt, nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", BigInt, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="of the last answer"),
        sa.Column("error", sa.String(length=512), server_default="", nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("ended", Timestamp, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhook_deliveries_due",
            ["webhook_id", "due"],
            unique=False,
            postgresql_where=sa.text("state = 'pending'"),
            sqlite_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_webhook_deliveries_ended",
            ["ended"],
            unique=False,
            postgresql_where=sa.text("ended IS NOT NULL"),
            sqlite_where=sa.text("ended IS NOT NULL"),
        )
        batch_op.create_index("ix_webhook_deliveries_webhook_id_id", ["webhook_id", "id"], unique=False)
        batch_op.create_index("ix_webhook_deliveries_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index(
            "uq_webhook_deliveries_webhook_id_number", ["webhook_id", "number"], unique=True
        )

    op.create_table(
        "webhook_types",
        sa.Column("webhook_id", BigInt, nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_types_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "type", name=op.f("pk_webhook_types")),
    )
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("number", BigInt, nullable=True))
        batch_op.drop_index("ix_outbox_unsent", postgresql_where=sa.text("sent_at IS NULL"))
        batch_op.create_index(
            "ix_outbox_unsent",
            ["number"],
            unique=False,
            postgresql_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
            sqlite_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
        )
        batch_op.create_index("ix_outbox_realm_number", ["realm", "number"], unique=False)
        batch_op.create_index(
            "ix_outbox_unnumbered",
            ["position"],
            unique=False,
            postgresql_where=sa.text("number IS NULL"),
            sqlite_where=sa.text("number IS NULL"),
        )
        batch_op.create_unique_constraint(batch_op.f("uq_outbox_number"), ["number"])


def downgrade() -> None:
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_outbox_number"), type_="unique")
        batch_op.drop_index(
            "ix_outbox_unnumbered",
            postgresql_where=sa.text("number IS NULL"),
            sqlite_where=sa.text("number IS NULL"),
        )
        batch_op.drop_index("ix_outbox_realm_number")
        batch_op.drop_index(
            "ix_outbox_unsent",
            postgresql_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
            sqlite_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_unsent", ["position"], unique=False, postgresql_where=sa.text("sent_at IS NULL")
        )
        batch_op.drop_column("number")

    op.drop_table("webhook_types")
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index("uq_webhook_deliveries_webhook_id_number")
        batch_op.drop_index("ix_webhook_deliveries_webhook_id_id")
        batch_op.drop_index("ix_webhook_deliveries_realm_id")
        batch_op.drop_index(
            "ix_webhook_deliveries_ended",
            postgresql_where=sa.text("ended IS NOT NULL"),
            sqlite_where=sa.text("ended IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_webhook_deliveries_due",
            postgresql_where=sa.text("state = 'pending'"),
            sqlite_where=sa.text("state = 'pending'"),
        )

    op.drop_table("webhook_deliveries")
    with op.batch_alter_table("webhooks", schema=None) as batch_op:
        batch_op.drop_index("ix_webhooks_realm_id")

    op.drop_table("webhooks")
    op.drop_table("sequencer")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_received"))

    op.drop_table("inbox")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created"))

    op.drop_table("idempotency")
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.drop_index("uq_held_subscription_event")
        batch_op.drop_index(
            "ix_held_waiting",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("held")
