"""Initial schema

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt, JsonB, Timestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("time", Timestamp, nullable=False),
        sa.Column("user", sa.String(length=150), nullable=True),
        sa.Column("user_id", BigInt, nullable=True),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("object_repr", sa.String(length=512), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("changes", JsonB, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_object", ["resource", "object_id"], unique=False)
        batch_op.create_index("ix_audit_realm_id", ["realm", "id"], unique=False)

    op.create_table(
        "groups",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_groups_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=150), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("lines", BigInt, server_default="0", nullable=False),
        sa.Column("created", BigInt, server_default="0", nullable=False),
        sa.Column("failed", BigInt, server_default="0", nullable=False),
        sa.Column("errors", JsonB, nullable=False),
        sa.Column("updated", Timestamp, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", "owner", "resource", name=op.f("pk_imports")),
    )
    op.create_table(
        "login_failures",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", BigInt, nullable=False, comment="end of the window, Unix time"),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_login_failures")),
    )
    with op.batch_alter_table("login_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_failures_until"), ["until"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("position", BigInt, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("dataschema", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("time", Timestamp, nullable=False),
        sa.Column("data", JsonB, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("traceparent", sa.String(length=64), nullable=True),
        sa.Column("sent_at", Timestamp, nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_subject_sequence", ["subject", "sequence"], unique=True)
        batch_op.create_index(
            "ix_outbox_unsent", ["position"], unique=False, postgresql_where=sa.text("sent_at IS NULL")
        )

    op.create_table(
        "permissions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("app", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("codename", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permissions")),
        sa.UniqueConstraint("app", "codename", name=op.f("uq_permissions_app_codename")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "realms",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_realms")),
        sa.UniqueConstraint("name", name=op.f("uq_realms_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "request_log",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("requested_at", Timestamp, nullable=False),
        sa.Column("user_id", BigInt, nullable=True, comment="no foreign key: the log outlives its users"),
        sa.Column("user", sa.String(length=150), nullable=True),
        sa.Column("remote_addr", sa.String(length=45), nullable=True),
        sa.Column("response_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("path", sa.String(length=2048), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("view", sa.String(length=128), nullable=True),
        sa.Column("view_method", sa.String(length=64), nullable=True),
        sa.Column("query_params", JsonB, nullable=True),
        sa.Column("data", JsonB, nullable=True),
        sa.Column("response", JsonB, nullable=True),
        sa.Column("errors", JsonB, nullable=True),
        sa.Column("outcome", sa.String(length=5), nullable=False, comment="ok or error"),
        sa.Column(
            "resource", sa.String(length=64), nullable=True, comment="app.resource of the row in the path"
        ),
        sa.Column("object_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_log")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("request_log", schema=None) as batch_op:
        batch_op.create_index("ix_request_log_object", ["resource", "object_id", "id"], unique=False)
        batch_op.create_index("ix_request_log_requested_at", ["requested_at", "id"], unique=False)
        batch_op.create_index("ix_request_log_user_id", ["user_id", "id"], unique=False)

    op.create_table(
        "tally",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("rows", BigInt, nullable=False),
        sa.Column("writes", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index("ix_tally_resource_realm", ["resource", "realm"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("first_name", sa.String(length=150), server_default="", nullable=False),
        sa.Column("last_name", sa.String(length=150), server_default="", nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("language", sa.String(length=8), server_default="en", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_staff", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_login", Timestamp, nullable=True),
        sa.Column("date_joined", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index("ix_users_email_lower", [sa.text("lower(email)")], unique=False)

    op.create_table(
        "bookmarks",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.Column("view", sa.String(length=128), server_default="", nullable=False),
        sa.Column("global", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_bookmarks_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookmarks")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("bookmarks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bookmarks_user_id"), ["user_id"], unique=False)

    op.create_table(
        "group_permissions",
        sa.Column("group_id", BigInt, nullable=False),
        sa.Column("permission_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_permissions_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["permissions.id"],
            name=op.f("fk_group_permissions_permission_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "permission_id", name=op.f("pk_group_permissions")),
    )
    with op.batch_alter_table("group_permissions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_group_permissions_permission_id"), ["permission_id"], unique=False
        )

    op.create_table(
        "searches",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("view", sa.String(length=128), server_default="", nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_searches_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("searches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_searches_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("jti", sa.String(length=32), nullable=False, comment="of the refresh token"),
        sa.Column("access_jti", sa.String(length=32), nullable=False),
        sa.Column("family", sa.String(length=32), nullable=False, comment="the login it descends from"),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("expires", BigInt, nullable=False, comment="of the refresh token, Unix time"),
        sa.Column("used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("revoked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_sessions")),
        sa.UniqueConstraint("access_jti", name=op.f("uq_sessions_access_jti")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires"), ["expires"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_family"), ["family"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the key"),
        sa.Column("expires", Timestamp, nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "user_groups",
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("group_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_user_groups_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_groups_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "group_id", name=op.f("pk_user_groups")),
    )
    with op.batch_alter_table("user_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_groups_group_id"), ["group_id"], unique=False)

    op.create_table(
        "user_permissions",
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("permission_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["permissions.id"],
            name=op.f("fk_user_permissions_permission_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_permissions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "permission_id", name=op.f("pk_user_permissions")),
    )
    with op.batch_alter_table("user_permissions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_permissions_permission_id"), ["permission_id"], unique=False
        )

    op.create_table(
        "user_realms",
        sa.Column("user_id", BigInt, nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("realm_id", BigInt, nullable=True),
        sa.Column("username", sa.String(length=150), nullable=True),
        sa.ForeignKeyConstraint(
            ["realm"],
            ["realms.name"],
            name=op.f("fk_user_realms_realm"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["realm_id"], ["realms.id"], name=op.f("fk_user_realms_realm_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_realms_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["username"],
            ["users.username"],
            name=op.f("fk_user_realms_username"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("realm_id", "username", name=op.f("uq_user_realms_realm_id_username")),
        sa.UniqueConstraint("user_id", "realm", name=op.f("uq_user_realms_user_id_realm")),
    )
    with op.batch_alter_table("user_realms", schema=None) as batch_op:
        batch_op.create_index("ix_user_realms_realm", ["realm"], unique=False)
        batch_op.create_index("ix_user_realms_username", ["username"], unique=False)

    op.create_table(
        "user_settings",
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("settings", JsonB, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_settings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_settings")),
    )


def downgrade() -> None:
    op.drop_table("user_settings")
    with op.batch_alter_table("user_realms", schema=None) as batch_op:
        batch_op.drop_index("ix_user_realms_username")
        batch_op.drop_index("ix_user_realms_realm")

    op.drop_table("user_realms")
    with op.batch_alter_table("user_permissions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_permissions_permission_id"))

    op.drop_table("user_permissions")
    with op.batch_alter_table("user_groups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_groups_group_id"))

    op.drop_table("user_groups")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tokens_user_id"))

    op.drop_table("tokens")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_family"))
        batch_op.drop_index(batch_op.f("ix_sessions_expires"))

    op.drop_table("sessions")
    with op.batch_alter_table("searches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_searches_user_id"))

    op.drop_table("searches")
    with op.batch_alter_table("group_permissions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_group_permissions_permission_id"))

    op.drop_table("group_permissions")
    with op.batch_alter_table("bookmarks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bookmarks_user_id"))

    op.drop_table("bookmarks")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index("ix_users_email_lower")

    op.drop_table("users")
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index("ix_tally_resource_realm")

    op.drop_table("tally")
    with op.batch_alter_table("request_log", schema=None) as batch_op:
        batch_op.drop_index("ix_request_log_user_id")
        batch_op.drop_index("ix_request_log_requested_at")
        batch_op.drop_index("ix_request_log_object")

    op.drop_table("request_log")
    op.drop_table("realms")
    op.drop_table("permissions")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_unsent", postgresql_where=sa.text("sent_at IS NULL"))
        batch_op.drop_index("ix_outbox_subject_sequence")

    op.drop_table("outbox")
    with op.batch_alter_table("login_failures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_failures_until"))

    op.drop_table("login_failures")
    op.drop_table("imports")
    op.drop_table("groups")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_realm_id")
        batch_op.drop_index("ix_audit_object")

    op.drop_table("audit")
