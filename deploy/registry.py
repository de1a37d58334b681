"""What is deployed: each database with its tables and migrations, each service with its class and demo
data.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sqlalchemy import MetaData

from deploy.local.stack import built_services
from services.common.database.engine import Database
from services.common.settings import Settings, for_service


@dataclass(frozen=True)
class Owner:
    """Who owns a database: a service, or the gateway."""

    name: str
    package: str

    @property
    def settings(self) -> Settings:
        return for_service(self.name)

    @property
    def metadata(self) -> MetaData:
        found: MetaData = self.module("models").metadata
        return found

    @property
    def migrations(self) -> str:
        return f"{self.package.removesuffix('.accounts')}.migrations"

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.package}.{name}")

    @property
    def demo(self) -> ModuleType | None:
        """Its demo data, if it has any: `seed` fills an empty database, `introduce` makes the lab known."""
        name = f"{self.package}.demo"
        return importlib.import_module(name) if importlib.util.find_spec(name) else None

    def database(self) -> Database:
        return Database(self.settings.database(self.name), self.settings)

    def migrate(self) -> str:
        """Bring its database to the newest schema; returns the revision."""
        from services.common.database import migrate  # alembic is not for processes that serve

        url = self.settings.database(self.name)
        if url.startswith("sqlite"):
            self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        database = self.database()
        try:
            return migrate.upgrade(self.migrations, self.metadata, database.engine)
        finally:
            database.close()


def services() -> list[Owner]:
    return [Owner(name, f"services.{name}") for name in built_services()]


def owners() -> list[Owner]:
    return [*services(), Owner("gateway", "gateway.accounts")]


def service_class(name: str) -> type[Any]:
    """The nameko class of a service: the one in its `service.py` that bears its name."""
    module = importlib.import_module(f"services.{name}.service")
    return next(one for one in _classes(module) if getattr(one, "name", None) == name)


def lab_executor() -> type[Any]:
    """The class that runs actions in the lab. Its database is a file: the lab's memory may be thrown away."""
    folder = Settings().data_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("KRILL_LAB_DATABASE_URL", f"sqlite:///{folder}/{{service}}.db")
    from deploy.lab.executor.service import LabExecutor

    return LabExecutor


def _classes(module: ModuleType) -> Iterator[type[Any]]:
    return (
        one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__
    )
