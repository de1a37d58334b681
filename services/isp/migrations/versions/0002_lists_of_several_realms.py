"""Indexes for deep pages of lists of several realms

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("customers", "cpes", "potses")


def upgrade() -> None:
    for table in TABLES:
        op.create_index(f"ix_{table}_id_realm", table, ["id", "realm"], unique=False)


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(f"ix_{table}_id_realm", table_name=table)
