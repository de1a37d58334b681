"""Index for the telephone lines changed since a moment

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_potses_realm_updated", "potses", ["realm", "updated", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_potses_realm_updated", table_name="potses")
