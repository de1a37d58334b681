"""Accounts on an SQLite database of their own, and the people in them."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import flask
import orjson
import pytest

from gateway.accounts.contract import CONTRACTS
from gateway.accounts.models import metadata
from gateway.accounts.service import Accounts
from gateway.call import Answer, Call
from gateway.platform import Platform
from gateway.principal import Principal
from gateway.routes import Route, discovered
from services.common.context import Context, Scope
from services.common.database import migrate
from services.common.database.engine import Database
from services.common.settings import Settings

PASSWORD = "correct horse 7"


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder, demo=True, **more)


def prepare(made: Settings) -> Path:
    """Leave a database as `krill migrate` and the first start do; returns the data folder."""
    database = Database(made.database("gateway"), made)
    migrate.upgrade("gateway.migrations", metadata, database.engine)
    database.close()
    accounts = Accounts(made)
    accounts.prepare(["pim", "cpe", "sur"])
    accounts.close()
    return made.data_dir


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(settings_in(tmp_path_factory.mktemp("prepared")))


@pytest.fixture
def settings(prepared: Path, tmp_path: Path) -> Settings:
    return settings_in(Path(shutil.copytree(prepared, tmp_path / "data")))


@pytest.fixture
def accounts(settings: Settings) -> Iterator[Accounts]:
    made = Accounts(settings)
    yield made
    made.close()


class Away:
    """No service is there: whoever asks one has a mistake in his test."""

    def start(self, service: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"nobody should call {service}")

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Gateway:
    """Calls to the gateway's own operations, without HTTP."""

    accounts: Accounts
    platform: Platform

    def route(self, path: str) -> tuple[Route, str | None]:
        for one in sorted(self.platform.routes, key=lambda one: one.detail):
            found = re.fullmatch(re.escape(one.rule).replace("<key>", "([^/]+)"), path)
            if found is not None:
                return one, found.group(1) if one.detail else None
        raise LookupError(path)

    def call(
        self,
        verb: str,
        path: str,
        who: Principal | None = None,
        handler: Callable[[Call], Answer] | None = None,
        **request: Any,
    ) -> Answer:
        """The answer of the operation at a path below /api/v2."""
        bare, _, query = path.partition("?")
        route, key = self.route(f"/api/v2{bare}")
        action = route.actions[verb]
        context = Context(
            scope=who.scope if who else Scope(),
            user=who.username if who else None,
            user_id=who.id if who else None,
        )
        app = flask.Flask("test")
        request.setdefault("environ_overrides", {"REMOTE_ADDR": "192.0.2.1"})
        with app.test_request_context(f"/api/v2{bare}", method=verb, query_string=query, **request):
            asked: Any = flask.request._get_current_object()  # type: ignore[attr-defined]
            call = Call(self.platform, asked, route, action, who, context, key, {})
            if handler is not None:
                return handler(call)
            assert action.operation is not None
            name = action.operation.name
            if action.resource is not None:
                name = f"{action.resource.singular}_{name}"
            return self.accounts.operations[f"{action.contract.name}.{name}"](call)

    def json(self, *arguments: Any, **request: Any) -> Any:
        return orjson.loads(self.call(*arguments, **request).body)


@pytest.fixture
def gateway(accounts: Accounts, settings: Settings) -> Gateway:
    platform = Platform(settings, Away(), [*CONTRACTS, *discovered()], accounts.engines, accounts)  # type: ignore[arg-type]
    accounts.attach(platform)
    return Gateway(accounts, platform)


def member(accounts: Accounts, name: str, **more: Any) -> Principal:
    """A user, as authentication would find him."""
    id_ = accounts.create_user(name, PASSWORD, **{"realms": ["pim"], **more})
    return accounts.authenticator.person(id_).principal


def again(accounts: Accounts, principal: Principal) -> Principal:
    return accounts.authenticator.person(principal.id).principal


def as_(principal: Principal) -> Context:
    return Context(scope=principal.scope, user=principal.username, user_id=principal.id)


def everything(principal: Principal, accounts: Accounts) -> Context:
    """A superuser's context of a write, as the gateway makes it."""
    scope = Scope(frozenset(accounts.realm_names()), everything=True)
    return replace(as_(principal), scope=scope)


def request(authorization: str | None = None, address: str = "192.0.2.1") -> Any:
    """A request with these credentials."""
    headers = {"Authorization": authorization} if authorization else {}
    context = flask.Flask("test").test_request_context(
        "/", headers=headers, environ_overrides={"REMOTE_ADDR": address}
    )
    return context.request


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
