"""Answers to remember

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt, JsonB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        "sequencer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="always 1"),
        sa.Column("last", BigInt, nullable=False, comment="the highest number given"),
        sa.Column("pruned", BigInt, nullable=False, comment="numbers up to here may be gone"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequencer")),
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

    op.drop_table("sequencer")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created"))

    op.drop_table("idempotency")
