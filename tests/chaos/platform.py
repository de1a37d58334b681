"""The platform that is to be shaken: two replicas of isp behind proxies, a gateway, durable servers, the
executor of the lab, and the CRM of `deploy/examples` as the subscriber from outside.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from tests.chaos.proxy import Proxy
from tests.servers import KRILL, PASSWORD, Real

REPLICAS = ("isp-1", "isp-2")
CRM, LAB = "crm", "lab"
SETTLED = 12.0
"""Seconds until a new quorum queue survives the death of a RabbitMQ 3.10 node of its own."""

HONEST = (*KRILL, "service", "isp")


class Platform(Real):
    """`service`: the command of a replica; the idiom of others can be put in its place."""

    def __init__(self, data: Path, postgres: Postgres, rabbitmq: RabbitMQ) -> None:
        super().__init__(data, postgres, rabbitmq)
        self.service: Sequence[str] = HONEST
        self.broker_proxy = Proxy(rabbitmq.ports["amqp"])
        self.database_proxy = Proxy(postgres.ports["sql"])
        self.crm_file, self.lab_file = data / "crm.db", data / "lab.db"
        self.declared = 0.0

    def start(self) -> Platform:
        self.broker_proxy.__enter__()
        self.database_proxy.__enter__()
        self.krill("migrate")
        self.krill("seed")
        self.krill("user", "create", CRM, "--superuser")
        self.start_crm()
        self.start_service()
        self.start_lab()
        self.start_gateway()
        self.wait()
        self.await_crm()
        self.declared = time.monotonic()
        return self

    def stop(self) -> None:
        for name in self.children:
            self.kill(name)
        self.broker_proxy.__exit__()
        self.database_proxy.__exit__()

    def start_service(self) -> None:
        for name in REPLICAS:
            self.start_replica(name)

    def start_replica(self, name: str) -> None:
        env = {
            "KRILL_AMQP_URI": self.broker_proxy.through(self.rabbitmq.uri),
            "KRILL_DATABASE_URL": self.database_proxy.through(self.env["KRILL_DATABASE_URL"]),
        }
        self.spawn(name, *self.service, env=env)

    def start_lab(self) -> None:
        self.spawn(LAB, *KRILL, "lab", "executor")

    def start_crm(self) -> None:
        env = {
            "CRM_AMQP_URI": self.rabbitmq.uri,
            "CRM_API_URL": self.url,
            "CRM_API_USER": CRM,
            "CRM_API_PASSWORD": PASSWORD,
            "CRM_DATABASE": str(self.crm_file),
        }
        self.spawn(CRM, sys.executable, "-m", "deploy.examples.crm_sync", env=env)

    def kill(self, name: str) -> None:
        """SIGKILL for a process and all that it started."""
        child = self.children[name]
        if child.poll() is not None:
            return
        family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        for one in family:
            with suppress(psutil.NoSuchProcess):  # it may follow the first by itself
                one.kill()
        child.wait()
        psutil.wait_procs(family[1:], timeout=10)

    def revive(self) -> list[str]:
        """Start again what ended by itself, as a supervisor would; returns their names."""
        ended = [name for name, child in self.children.items() if child.poll() is not None]
        for name in ended:
            self.bring_back(name)
        return ended

    def bring_back(self, name: str) -> None:
        match name:
            case "gateway":
                self.start_gateway()
            case "crm":
                self.start_crm()
            case "lab":
                self.start_lab()
            case _:
                self.start_replica(name)

    # ---- what is known of it ------------------------------------------------------------------

    def isp(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What isp's database says."""
        with self.postgres.connect("isp") as connection:
            return connection.execute(statement, values).fetchall()

    def crm(self, statement: str) -> list[tuple[Any, ...]]:
        """What the CRM's database says."""
        return _ask(self.crm_file, statement)

    def lab(self, statement: str) -> list[tuple[Any, ...]]:
        """What the executor's database says."""
        return _ask(self.lab_file, statement)

    def await_crm(self, seconds: float = 60.0) -> None:
        """Until the CRM is in step for the first time."""

        def in_step() -> bool:
            try:
                return self.crm("SELECT behind FROM progress") == [(0,)]
            except sqlite3.OperationalError:  # its file is there before its tables are
                return False

        end = time.monotonic() + seconds
        while not in_step():
            assert time.monotonic() < end, self.logs()[-3000:]
            time.sleep(0.1)

    def await_replicas(self, seconds: float = 60.0) -> None:
        """Until each of them takes calls."""
        end = time.monotonic() + seconds
        with self.rabbitmq.connect() as connection:
            channel = connection.channel()
            while channel.queue_declare("rpc-isp", passive=True).method.consumer_count < len(REPLICAS):
                assert time.monotonic() < end, self.logs()[-3000:]
                time.sleep(0.05)

    def await_settled(self) -> None:
        """Until the queues survive the death of the broker."""
        time.sleep(max(0.0, self.declared + SETTLED - time.monotonic()))


def _ask(file: Path, statement: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def number(name: str, default: int) -> int:
    """A figure of the run, from the environment: `make chaos` asks for more."""
    return int(os.environ.get(f"KRILL_CHAOS_{name}", default))
