"""Our side: databases, rows, one isp service process and the gateway, as `make up` runs them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import psycopg

from deploy.local.process import Process
from deploy.local.stack import built_services
from tests.bench.contestant import Account, Contestant
from tests.bench.stack import Stack

NAME = "krill"
GROUPS = ("APP: isp",)
REALMS = "SELECT realm FROM cpes GROUP BY realm ORDER BY count(*) DESC"
EXPORT = "format=ndjson"
"""The query parameter with which any list answers as a stream of JSON lines."""


@dataclass
class Platform:
    """The platform on databases named `<prefix>_<service>`, with `cpes` CPEs."""

    stack: Stack
    prefix: str
    cpes: int

    def __post_init__(self) -> None:
        for name in (*built_services(), "gateway"):
            self.stack.postgres.create_database(f"{self.prefix}_{name}")
        self.database = self.stack.postgres.url(f"{self.prefix}_isp")
        self._env = {
            "KRILL_DATABASE_URL": self.stack.postgres.url(self.prefix + "_{service}"),
            "KRILL_AMQP_URI": self.stack.rabbitmq.uri,
            "KRILL_DATA_DIR": str(self.stack.folder / self.prefix),
            "KRILL_SECRET_KEY": secrets.token_urlsafe(48),
            "KRILL_TIMEZONE": "Europe/Madrid",
            "KRILL_DEMO": "true",  # its rows are what `seed` makes
            "KRILL_LOG_LEVEL": "WARNING",
        }

    def fill(self) -> Account:
        """Tables and rows; returns the account of the run, which may see every realm but the smallest."""
        self._krill("migrate")
        self._krill("seed", "--cpes", str(self.cpes))
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            rows = connection.execute(REALMS).fetchall()
        return Account("bench", tuple(realm for (realm,) in rows[:-1]), secrets.token_urlsafe(16))

    def start(self, account: Account) -> Contestant:
        """The service and the gateway, the user logged in; no superuser, who would have no realm filter."""
        realms = [part for realm in account.realms for part in ("--realm", realm)]
        groups = [part for group in GROUPS for part in ("--group", group)]
        self._krill("user", "create", account.name, *realms, *groups, password=account.password)
        self.service: Process = self.stack.launch("isp", "-m", "deploy.cli", "service", "isp", env=self._env)
        address, process = self.stack.gunicorn("gateway", "gateway.wsgi:app", self._env)
        self.contestant = Contestant(NAME, address, process, account.login(address))
        return self.contestant

    def _krill(self, *arguments: str, password: str | None = None) -> None:
        env = self._env | ({"KRILL_PASSWORD": password} if password else {})
        self.stack.run("-m", "deploy.cli", *arguments, env=env)
