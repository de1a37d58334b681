"""Empty databases of both kinds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres


def empty_database(request: pytest.FixtureRequest, kind: str, name: str, folder: Path) -> str:
    """The URL of a new one: `sqlite`, a file in the folder, or `postgres`, on the server of this run."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/{name}.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create_database(f"{name}_{time.time_ns()}")
