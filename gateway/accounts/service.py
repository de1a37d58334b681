"""The accounts of an installation: everything the gateway keeps for itself, put together.

One `Accounts` per process; `attach` tells it of the platform whose accounts it keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from gateway.accounts import bootstrap
from gateway.accounts.contract import AUTH, CONTRACTS, GROUPS, REALMS, USERS
from gateway.accounts.directory import Directory
from gateway.accounts.models import groups, metadata, realms
from gateway.accounts.operations import OPERATIONS
from gateway.auth.authenticate import Authenticator
from gateway.auth.oauth import OAuth
from gateway.auth.passwords import Passwords
from gateway.auth.sessions import Sessions
from gateway.auth.throttle import Throttle
from gateway.auth.tokens import Signer
from gateway.auth.version import Version
from gateway.logger import history
from gateway.logger.recorder import Recorder
from gateway.routes import discovered
from services.common.context import Context, Scope
from services.common.database.engine import Database
from services.common.errors import InvalidInput
from services.common.keyfile import signing_key
from services.common.settings import Settings

if TYPE_CHECKING:
    from gateway.call import Answer, Call
    from gateway.platform import Platform

Operation = Callable[["Call"], "Answer"]


class Accounts:
    """`engines`: the gateway's own apps. `operations`: `<app>.<operation>` → handler. `recorder`: the
    request log."""

    operations: dict[str, Operation] = OPERATIONS

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database("gateway"), settings)
        self.passwords = Passwords()
        self.signer = Signer(signing_key(settings))
        self.version = Version(self.database)
        self.throttle = Throttle(self.database)
        self.sessions = Sessions(self.database, self.signer, self.version)
        self.authenticator = Authenticator(
            self.database, self.signer, self.sessions, self.passwords, self.throttle, self.version
        )
        self.oauth = OAuth(self.database, self.signer, settings)
        self.engines: dict[str, Directory] = {
            one.name: Directory(one, metadata, self.database, settings, self.passwords, self.version)
            for one in CONTRACTS
        }
        self.recorder = Recorder(self.database, self.tidy)

    def attach(self, platform: Platform) -> None:
        """From now on a realm is deleted only when no service of the platform has rows of it."""

        def usage(realm: str, context: Context) -> dict[str, dict[str, int]]:
            asked = [
                (one.name, platform.start(one.name, "usage", {"realm": realm}, context, read=True))
                for one in platform.services
            ]
            answers = {name: orjson.loads(pending.result().body) for name, pending in asked}
            return {name: rows for name, rows in answers.items() if rows}

        self.engines["core"].realm_usage = usage

    def logs(self, call: Call) -> Answer:
        """What was done to one row: `/{app}/{resource}/{key}/logs`."""
        return history.of_row(call)

    def realm_names(self) -> list[str]:
        """Every realm there is."""
        names = select(realms.c.name).order_by(realms.c.name)
        return self.database.reading(lambda connection: list(connection.execute(names).scalars()))

    def check(self) -> None:
        """Raises when the database does not answer."""
        self.database.check()

    def prepare(self, realm_names: Iterable[str] = (), *, demo: bool = False) -> None:
        """Bring permissions, application groups and realms in line with the contracts; again and again, if
        you like.

        `demo`: also the user demo, whose password everybody knows, so on loopback only.
        """
        contracts = [*CONTRACTS, *discovered()]
        with self.database.write() as connection:
            fresh = bootstrap.ensure_permissions(connection, contracts)
            bootstrap.ensure_groups(connection, contracts, fresh)
            self.version.bump(connection)
        self._ensure_realms(realm_names)
        if demo and self.settings.demo and self.settings.loopback:
            bootstrap.seed_demo(self, list(realm_names))

    def create_user(
        self,
        username: str,
        password: str,
        *,
        realms: Iterable[str] = (),
        groups: Iterable[str] = (),
        is_staff: bool = False,
        is_superuser: bool = False,
        **profile: Any,
    ) -> int:
        """A user made by the operator of this machine; returns his id. Realms are made when they are not
        there yet.

        Raises `InvalidInput` for a bad name or password or an unknown group.
        """
        realms = list(realms)
        self._ensure_realms(realms)
        body = {
            **profile,
            "username": username,
            "password": password,
            "realms": realms,
            "groups": self._group_ids(list(groups)),
            "is_staff": is_staff,
            "is_superuser": is_superuser,
        }
        reply = self.engines["auth"].create(self.trusted, USERS.name, body)
        return int(reply.meta["id"])

    @property
    def trusted(self) -> Context:
        """The platform's own context: every realm, no user."""
        return Context(scope=Scope(everything=True), secrets=True)

    def tidy(self) -> None:
        """Forget what has expired and fold the counters; called now and then."""
        self.sessions.tidy()
        self.throttle.tidy()
        self.engines[AUTH.name].compact()
        self.engines[AUTH.name].forget()

    def close(self) -> None:
        self.recorder.close()
        self.database.close()

    def _ensure_realms(self, names: Iterable[str]) -> None:
        known = set(self.realm_names())
        for name in dict.fromkeys(names):
            if name not in known:
                self.engines["core"].create(self.trusted, REALMS.name, {"name": name})

    def _group_ids(self, names: list[str]) -> list[int]:
        known = select(groups.c.name, groups.c.id).where(groups.c.name.in_(names))
        found = self.database.reading(
            lambda connection: {row.name: row.id for row in connection.execute(known)}
        )
        if missing := [name for name in names if name not in found]:
            raise InvalidInput(
                {GROUPS.name: [f'Invalid group "{one}" - object does not exist.' for one in missing]}
            )
        return [found[name] for name in names]
