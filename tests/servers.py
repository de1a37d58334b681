"""The platform under test, over HTTP: as one process (`krill run`) and for real (RabbitMQ, PostgreSQL,
gunicorn).

Tests talk to a `Server` and cannot tell the two apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import requests

from deploy.local.instance import free_port
from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.stack import built_services

KRILL = (sys.executable, "-m", "deploy.cli")
PASSWORD = "Correct-horse-7"
GROUPS = ("APP: isp", "APP: logger")
PATIENCE = 30.0
"""Seconds that a client waits for an answer: six times what the platform gives itself for one."""
IDLE = 1.0
"""Seconds after which a client takes a new connection. gunicorn ends one that was idle for two, and a request
sent at that very moment would be cut."""


def eventually(holds: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What `holds` returns, once that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.3)
    return found


class Session(requests.Session):
    """A client of one server, for one thread: paths instead of URLs, answers within `PATIENCE`."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self._used = 0.0

    def request(self, method: Any, url: Any, *args: Any, **more: Any) -> requests.Response:
        more.setdefault("timeout", PATIENCE)
        more.setdefault("allow_redirects", False)
        if time.monotonic() - self._used > IDLE:
            self.close()
        try:
            return super().request(method, f"{self.url}{url}" if url.startswith("/") else url, *args, **more)
        finally:
            self._used = time.monotonic()


class Server:
    """One platform. Users: `admin` (superuser), `own` (realm pim), `other` (realm swt), `outsider` (pim, no
    permissions), `operator` (staff of realm pim)."""

    mode = ""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._tokens: dict[str, str] = {}
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KRILL_")},
            "KRILL_DATA_DIR": str(data),
            "KRILL_BIND": f"127.0.0.1:{self.port}",
            "KRILL_DEMO": "true",
            "KRILL_LAB": "false",
            "KRILL_PASSWORD": PASSWORD,
            "KRILL_LOG_LEVEL": "WARNING",
            "KRILL_WEBHOOK_NETWORKS": "127.0.0.0/8,::1",
        }

    # ---- life ---------------------------------------------------------------------------------

    def start(self) -> Server:
        raise NotImplementedError

    def stop(self) -> None:
        for child in reversed(list(self.children.values())):
            stop(child)

    def spawn(self, name: str, *command: str, env: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
        """Start (or start again) a process of the platform; its output goes to `<name>.log`."""
        with (self.data / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(command, env={**self.env, **env}, stdout=log, stderr=log)
        self.children[name] = child
        return child

    def krill(self, *arguments: str) -> None:
        done = subprocess.run([*KRILL, *arguments], env=self.env, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr.decode()

    def wait(self, seconds: float = 120.0) -> None:
        """Until the platform answers a real request."""
        end = time.monotonic() + seconds
        while True:
            try:
                answer = requests.get(f"{self.url}/api/v2/isp/cpes/", auth=("demo", "demo"), timeout=10)
                if answer.status_code == 200:
                    return
            except requests.RequestException:
                pass
            assert time.monotonic() < end, f"not ready: {self.logs()[-3000:]}"
            time.sleep(0.1)

    def logs(self, after: Mapping[Path, int] = {}) -> str:
        """What the processes wrote; `after`: what `logged` told then is left out."""
        files = sorted(self.data.glob("*.log"))
        return "\n".join(one.read_bytes()[after.get(one, 0) :].decode(errors="replace") for one in files)

    def logged(self) -> dict[Path, int]:
        """How much is in the logs by now."""
        return {one: one.stat().st_size for one in self.data.glob("*.log")}

    def memory(self, name: str) -> int:
        """Resident bytes of a process and its children."""
        process = psutil.Process(self.children[name].pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))

    # ---- users --------------------------------------------------------------------------------

    def make_users(self) -> None:
        self.krill("user", "create", "admin", "--superuser")
        admin = self.session("admin")
        answer = admin.get("/api/v2/auth/groups/", params={"limit": "100", "attrs": "id,name"})
        ids = {one["name"]: one["id"] for one in answer.json()["results"]}
        groups = [ids[name] for name in GROUPS]
        staff = [*groups, ids["APP: auth"], ids["APP: core"]]
        for name, realm, member, is_staff in (
            ("own", "pim", groups, False),
            ("other", "swt", groups, False),
            ("outsider", "pim", [], False),
            ("operator", "pim", staff, True),
        ):
            body = {
                "username": name,
                "password": PASSWORD,
                "realms": [realm],
                "groups": member,
                "is_staff": is_staff,
            }
            made = admin.post("/api/v2/auth/users/", json=body)
            assert made.status_code == 201, made.text

    def token(self, username: str = "own") -> str:
        """An access token; one per user is kept."""
        if username not in self._tokens:
            password = "demo" if username == "demo" else PASSWORD
            body = {"username": username, "password": password}
            answer = requests.post(f"{self.url}/api/v2/auth/login", data=body, timeout=PATIENCE)
            assert answer.status_code == 200, answer.text
            self._tokens[username] = answer.json()["access"]
        return self._tokens[username]

    def session(self, username: str | None = "own") -> Session:
        """A logged-in client; None: an anonymous one."""
        session = Session(self.url)
        if username is not None:
            session.headers["Authorization"] = f"Bearer {self.token(username)}"
        return session


class Embedded(Server):
    """`krill run`: everything in one process."""

    mode = "embedded"

    def start(self) -> Embedded:
        self.spawn("krill", *KRILL, "run")
        self.wait()
        self.make_users()
        return self


class Real(Server):
    """The services in a process, the lab and gunicorn, on a broker and a database of the caller's."""

    mode = "real"

    def __init__(self, data: Path, postgres: Postgres, rabbitmq: RabbitMQ, prefix: str = "") -> None:
        super().__init__(data)
        self.postgres = postgres
        self.rabbitmq = rabbitmq
        self.env["KRILL_DATABASE_URL"] = postgres.url(f"{prefix}{{service}}")
        self.env["KRILL_AMQP_URI"] = rabbitmq.uri
        for name in (*built_services(), "gateway"):
            postgres.create_database(f"{prefix}{name}")

    def start(self) -> Real:
        self.krill("migrate")
        self.krill("seed")
        self.start_service()
        self.start_lab()
        self.start_gateway()
        self.wait()
        self.make_users()
        return self

    def start_service(self) -> None:
        others = (one for one in built_services() if one != "isp")
        self.spawn("isp", *KRILL, "service", "isp", *others)

    def start_lab(self) -> None:
        self.spawn("lab", *KRILL, "lab", "executor")

    def start_gateway(self) -> None:
        gunicorn = (sys.executable, "-m", "gunicorn", "-c", "python:gateway.server", "gateway.wsgi:app")
        self.spawn("gateway", *gunicorn, "-b", f"127.0.0.1:{self.port}")


def stop(child: subprocess.Popen[bytes], seconds: float = 15.0) -> None:
    """End a process and what it started, politely first."""
    if child.poll() is not None:
        return
    family = psutil.Process(child.pid).children(recursive=True)
    child.terminate()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for one in family:
        with suppress(psutil.NoSuchProcess):  # it knows its process from a later one with the same number
            one.kill()
