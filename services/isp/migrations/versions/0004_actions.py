"""Actions on devices

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt, JsonB, Timestamp

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = sa.text("due IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "action_batches",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("parameters", JsonB, nullable=False),
        sa.Column("filter", JsonB, nullable=False),
        sa.Column("requested_by", sa.String(length=150), nullable=True),
        sa.Column("requested", Timestamp, nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Integer(), nullable=False),
        sa.Column("joined", sa.Integer(), nullable=False),
        sa.Column("skipped", JsonB, nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_batches")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "action_batch_realms",
        sa.Column("action_batch_id", BigInt, nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_batch_id"],
            ["action_batches.id"],
            name=op.f("fk_action_batch_realms_action_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("action_batch_id", "realm", name=op.f("pk_action_batch_realms")),
    )
    op.create_table(
        "actions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("cpe", BigInt, nullable=False),
        sa.Column("cpename", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("tech", sa.String(length=16), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("sn", sa.String(length=16), nullable=True),
        sa.Column("mac", sa.String(length=12), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("parameters", JsonB, nullable=False),
        sa.Column("open_key", sa.String(length=96), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requested_by", sa.String(length=150), nullable=True),
        sa.Column("batch", BigInt, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("repeatable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("deadline", Timestamp, nullable=False),
        sa.Column("lease", Timestamp, nullable=True),
        sa.Column("due", Timestamp, nullable=True),
        sa.Column("result", JsonB, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("late", JsonB, nullable=True),
        sa.Column("requested", Timestamp, nullable=False),
        sa.Column("dispatched", Timestamp, nullable=True),
        sa.Column("started", Timestamp, nullable=True),
        sa.Column("finished", Timestamp, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["action_batches.id"], name=op.f("fk_actions_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.create_index("ix_actions_batch_state", ["batch", "state"], unique=False)
        batch_op.create_index("ix_actions_cpe_id", ["cpe", "id"], unique=False)
        batch_op.create_index(
            "ix_actions_due", ["due"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN
        )
        batch_op.create_index("ix_actions_id_realm", ["id", "realm"], unique=False)
        batch_op.create_index("ix_actions_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("uq_actions_open_key", ["open_key"], unique=True)


def downgrade() -> None:
    for table in ("actions", "action_batch_realms", "action_batches"):
        op.drop_table(table)
