"""The platform with the toy in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from tests.servers import GROUPS, PASSWORD, Real, eventually, stop

CPES, CUSTOMERS = "/api/v2/isp/cpes/", "/api/v2/isp/customers/"


class Extended(Real):
    """The platform and the toy. Users: `joiner` (realm pim, isp and toy); `own` may not see the toy."""

    def __init__(self, data: Path, postgres: Postgres, rabbitmq: RabbitMQ) -> None:
        super().__init__(data, postgres, rabbitmq, prefix="extended_")
        postgres.create_database("extended_toy")

    def start(self) -> Extended:
        super().start()
        return self

    def start_toy(self) -> None:
        self.spawn("toy", sys.executable, "-m", "tests.contract.toy.service")

    def stop_toy(self) -> None:
        stop(self.children["toy"])

    def start_gateway(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.contract.toy.gateway"],
            env=self.env,
            capture_output=True,
            timeout=110,
        )
        assert done.returncode == 0, done.stderr.decode()
        self.start_toy()  # now its tables are there
        gunicorn = (sys.executable, "-m", "gunicorn", "tests.contract.toy.gateway:app", "-k", "gthread")
        options = ("-w", "1", "--threads", "8", "--no-control-socket")
        self.spawn("gateway", *gunicorn, *options, "-b", f"127.0.0.1:{self.port}")

    def make_users(self) -> None:
        super().make_users()
        admin = self.session("admin")
        groups = admin.get("/api/v2/auth/groups/", params={"limit": "100", "attrs": "id,name"}).json()
        member = [one["id"] for one in groups["results"] if one["name"] in (*GROUPS, "APP: toy")]
        assert len(member) == len(GROUPS) + 1
        body = {"username": "joiner", "password": PASSWORD, "realms": ["pim"], "groups": member}
        made = admin.post("/api/v2/auth/users/", json=body)
        assert made.status_code == 201, made.text

    def delay(self, seconds: float | None) -> None:
        """How long the toy takes to answer a list."""
        mark = self.data / "toy-delay"
        mark.unlink(missing_ok=True)
        if seconds is not None:
            mark.write_text(str(seconds))

    @contextmanager
    def held(self) -> Iterator[None]:
        """No reading of the toy ends inside the block."""
        mark = self.data / "toy-held"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()


def fill(server: Extended) -> None:
    """CPE 350 has two meters in its realm and one of another; CPE 74 has one; customer 27 has one."""
    admin = server.session("admin")
    eventually(lambda: admin.get("/api/v2/toy/meters/").ok)  # a process of its own, that may start slowly
    for body in (
        {"cpe": 350, "label": "first", "realm": "pim", "pin": "meterpin-1"},
        {"cpe": 350, "label": "second", "realm": "pim"},
        {"cpe": 350, "label": "strange", "realm": "swt"},
        {"cpe": 74, "label": "third", "realm": "pim"},
        {"customer_key": "crm-27", "label": "of the customer", "realm": "pim"},
    ):
        made = admin.post("/api/v2/toy/meters/", json=body)
        assert made.status_code == 201, made.text
    changed = admin.patch(f"{CUSTOMERS}27/", json={"external_id": "crm-27"})
    assert changed.status_code == 200, changed.text
