"""VLAN maps of realms

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNIQUE = "uq_services_line_profile_gem_user_vlan"


def upgrade() -> None:
    with op.batch_alter_table("services", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(UNIQUE, type_="unique")
        batch_op.create_index("ix_services_line_profile", ["line_profile"], unique=False)
    op.create_table(
        "service_realms",
        sa.Column("service_id", BigInt, nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"], ["services.id"], name=op.f("fk_service_realms_service_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("service_id", "realm", name=op.f("pk_service_realms")),
    )


def downgrade() -> None:
    op.drop_table("service_realms")
    with op.batch_alter_table("services", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index("ix_services_line_profile")
        batch_op.create_unique_constraint(UNIQUE, ["line_profile", "gem", "user_vlan"])
