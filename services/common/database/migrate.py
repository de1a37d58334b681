"""Schema migrations: one alembic history per service, run by `krill migrate` and by nothing else."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, text

from services.common.database.engine import unhurried

_LOCK = 0x6B72696C6C  # "krill": whoever migrates holds it, so that two do not at once


def upgrade(package: str, metadata: MetaData, engine: Engine) -> str:
    """Bring a database to the newest revision of `package` (such as `services.isp.migrations`); returns
    it. It takes as long as it takes; only a table that others hold is waited for no longer than by a request.
    """
    config = _config(package, metadata)
    with engine.begin() as connection, unhurried(connection):
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return str(ScriptDirectory.from_config(config).get_current_head())


def is_current(package: str, metadata: MetaData, engine: Engine) -> bool:
    """Whether the database is at the newest revision."""
    head = ScriptDirectory.from_config(_config(package, metadata)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _config(package: str, metadata: MetaData) -> Config:
    folder = Path(next(iter(importlib.import_module(package).__path__)))
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["metadata"] = metadata
    return config


def run() -> None:
    """What each history's `env.py` does."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=attributes["metadata"],
        render_as_batch=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
