"""The tables of the gateway's own database. What they mean to clients is in `contract.py`.

No secret is stored in a form that lets anybody in: passwords as argon2id, API tokens as SHA-256.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, func, text

from services.common.database.columns import (
    BigInt,
    JsonB,
    Timestamp,
    flag,
    identity,
    version,
)
from services.common.database.kernel import metadata_with_kernel

metadata = metadata_with_kernel()

users = Table(
    "users",
    metadata,
    identity(),
    Column("username", String(150), nullable=False, unique=True),
    Column("password", String(255), nullable=False),
    Column("first_name", String(150), nullable=False, server_default=""),
    Column("last_name", String(150), nullable=False, server_default=""),
    Column("email", String(254), nullable=False, server_default=""),
    Column("language", String(8), nullable=False, server_default="en"),
    flag("is_active", True),
    flag("is_staff"),
    flag("is_superuser"),
    Column("last_login", Timestamp),
    Column("date_joined", Timestamp, nullable=False),
    version(),
    Index("ix_users_email_lower", func.lower(text("email"))),
    sqlite_autoincrement=True,
)

groups = Table(
    "groups",
    metadata,
    identity(),
    Column("name", String(150), nullable=False, unique=True),
    version(),
    sqlite_autoincrement=True,
)

permissions = Table(
    "permissions",
    metadata,
    identity(),
    Column("app", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("codename", String(100), nullable=False),
    Column("name", String(255), nullable=False),
    version(),
    UniqueConstraint("app", "codename"),
    sqlite_autoincrement=True,
)

realms = Table(
    "realms",
    metadata,
    identity(),
    Column("name", String(32), nullable=False, unique=True),
    version(),
    sqlite_autoincrement=True,
)


def _link(name: str, mine: str, theirs: str) -> Table:
    one, other = f"{mine}_id", f"{theirs}_id"
    return Table(
        name,
        metadata,
        Column(one, ForeignKey(f"{mine}s.id", ondelete="CASCADE"), primary_key=True),
        Column(other, ForeignKey(f"{theirs}s.id", ondelete="CASCADE"), primary_key=True, index=True),
    )


user_groups = _link("user_groups", "user", "group")
user_permissions = _link("user_permissions", "user", "permission")
group_permissions = _link("group_permissions", "group", "permission")

user_realms = Table(
    "user_realms",
    metadata,
    # A membership is written from its user's side as (user_id, realm) and from its realm's side as
    # (realm_id, username); `rules.membership.complete` fills in the other two in the same transaction.
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),
    Column("realm", ForeignKey("realms.name", ondelete="CASCADE", onupdate="CASCADE")),
    Column("realm_id", ForeignKey("realms.id", ondelete="CASCADE")),
    Column("username", ForeignKey("users.username", ondelete="CASCADE", onupdate="CASCADE")),
    UniqueConstraint("user_id", "realm"),
    UniqueConstraint("realm_id", "username"),
    Index("ix_user_realms_realm", "realm"),
    Index("ix_user_realms_username", "username"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("jti", String(32), primary_key=True, comment="of the refresh token"),
    Column("access_jti", String(32), nullable=False, unique=True),
    Column("family", String(32), nullable=False, index=True, comment="the login it descends from"),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires", BigInt, nullable=False, index=True, comment="of the refresh token, Unix time"),
    flag("used"),
    flag("revoked"),
)

tokens = Table(
    "tokens",
    metadata,
    identity(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("prefix", String(8), nullable=False),
    Column("digest", String(64), nullable=False, unique=True, comment="SHA-256 of the key"),
    Column("expires", Timestamp),
    Column("created", Timestamp, nullable=False),
    version(),
    sqlite_autoincrement=True,
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("until", BigInt, nullable=False, index=True, comment="end of the window, Unix time"),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("settings", JsonB, nullable=False),
    Column("updated", Timestamp, nullable=False),
    version(),
)

bookmarks = Table(
    "bookmarks",
    metadata,
    identity(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", String(128), nullable=False),
    Column("query", Text, nullable=False, server_default=""),
    Column("view", String(128), nullable=False, server_default=""),
    flag("global"),
    Column("created", Timestamp, nullable=False),
    Column("updated", Timestamp, nullable=False),
    version(),
    sqlite_autoincrement=True,
)

searches = Table(
    "searches",
    metadata,
    identity(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("view", String(128), nullable=False, server_default=""),
    Column("created", Timestamp, nullable=False),
    version(),
    sqlite_autoincrement=True,
)

request_log = Table(
    "request_log",
    metadata,
    identity(),
    Column("requested_at", Timestamp, nullable=False),
    Column("user_id", BigInt, comment="no foreign key: the log outlives its users"),
    Column("user", String(150)),
    Column("realms", Text, comment="the user's at the request, as `,dem,pim,`; null: a superuser's"),
    Column("remote_addr", String(45)),
    Column("response_ms", Integer, nullable=False),
    Column("status_code", Integer, nullable=False),
    Column("method", String(16), nullable=False),
    Column("path", String(2048), nullable=False),
    Column("host", String(255), nullable=False),
    Column("view", String(128)),
    Column("view_method", String(64)),
    Column("query_params", JsonB),
    Column("data", JsonB),
    Column("response", JsonB),
    Column("errors", JsonB),
    Column("outcome", String(5), nullable=False, comment="ok or error"),
    Column("resource", String(64), comment="app.resource of the row in the path"),
    Column("object_id", String(64)),
    version(),
    Index("ix_request_log_requested_at", "requested_at", "id"),
    Index("ix_request_log_user_id", "user_id", "id"),
    Index("ix_request_log_object", "resource", "object_id", "id"),
    sqlite_autoincrement=True,
)
