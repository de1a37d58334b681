"""The toy's table."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from services.common.database.columns import identity, version
from services.common.database.kernel import metadata_of_service

metadata = metadata_of_service()

meters = Table(
    "meters",
    metadata,
    identity(),
    Column("cpe", Integer),
    Column("customer_key", String(64)),
    Column("label", String(64), nullable=False),
    Column("pin", String(64)),
    Column("realm", String(32), nullable=False),
    version(),
    Index("ix_meters_realm_id", "realm", "id"),
    Index("ix_meters_cpe", "cpe"),
    sqlite_autoincrement=True,
)
