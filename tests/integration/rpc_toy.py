"""Toy services for the rpc tests, runnable as a process: `python -m tests.integration.rpc_toy NAME…`."""

# ruff: noqa: E402
from services.common.rpc import green

green.patch()

import os
import sys
import time
from pathlib import Path

import eventlet
import orjson
from nameko.extensions import DependencyProvider

from services.common import log
from services.common.errors import InvalidInput, NotFound, ServiceUnavailable, Throttled
from services.common.rpc.entrypoint import CallContext, rpc, timer
from services.common.rpc.reply import Reply
from services.common.rpc.runner import run_services
from services.common.settings import Settings

LONGEST_HOLD = 60.0
"""Seconds after which a call is let go although nobody said so."""


class Database(DependencyProvider):
    """Fails as a database that is away would, when the call says so."""

    def get_dependency(self, worker_ctx):
        if worker_ctx.kwargs.get("database") == "away":
            raise ServiceUnavailable("database away")
        if worker_ctx.kwargs.get("database") == "broken":
            raise KeyError("a defect in a dependency")

    def worker_teardown(self, worker_ctx):
        if worker_ctx.kwargs.get("database") == "teardown":
            raise RuntimeError("a defect after the reply")


class Toy:
    name = "toy"
    context = CallContext()
    database = Database()
    ticks = 0

    @rpc
    def echo(self, **value):
        return Reply(orjson.dumps(value), {"status": 200})

    @rpc
    def raw(self, body, meta):
        return Reply(body.encode(), meta)

    @rpc
    def who(self):
        c = self.context
        seen = {
            "user": c.user, "realms": sorted(c.scope.realms), "everything": c.scope.everything,
            "request_id": c.request_id, "secrets": c.secrets, "left": c.remaining,
        }  # fmt: skip
        return Reply(orjson.dumps(seen))

    @rpc
    def sleep(self, seconds, mark=None):
        if mark:
            with Path(mark).open("a") as file:
                file.write("executed\n")
        eventlet.sleep(seconds)
        return Reply(b'"slept"')

    @rpc
    def hold(self, until, mark=None):
        """Answers once the file `until` is there."""
        if mark:
            with Path(mark).open("a") as file:
                file.write("executed\n")
        end = time.monotonic() + LONGEST_HOLD
        while not Path(until).exists() and time.monotonic() < end:
            eventlet.sleep(0.01)
        return Reply(b'"held"')

    @rpc
    def fail(self, how):
        match how:
            case "missing":
                raise NotFound("no such cpe", key="7")
            case "invalid":
                raise InvalidInput({"cpename": ["This field is required."]})
            case "throttled":
                raise Throttled(retry_after=17)
            case "defect":
                raise RuntimeError("the password is hunter2")
            case "nothing":
                return None
            case "bytes":
                return Reply(b"\xff\xfe", {"content_type": "text/csv"})

    @rpc
    def use(self, database):
        return Reply(b"true")

    @rpc
    def pid(self):
        return Reply(orjson.dumps(os.getpid()))

    @timer(interval=0.05)
    def tick(self):
        type(self).ticks += 1

    @rpc
    def ticked(self):
        return Reply(orjson.dumps(self.ticks))


class Other:
    name = "other"

    @rpc
    def echo(self, **value):
        return Reply(orjson.dumps({"other": value}))


def is_to_die() -> bool:
    """Counts down in the file, which the test reads at any moment."""
    left = Path(os.environ["TOY_DEATHS"])
    deaths = int(left.read_text())
    if deaths:
        fresh = left.with_suffix(".new")
        fresh.write_text(str(deaths - 1))
        fresh.replace(left)
    return deaths > 0


class Frail(DependencyProvider):
    """Kills its container as often as the file says."""

    def start(self):
        self.container.spawn_managed_thread(self.fail)

    def fail(self):
        if is_to_die():
            raise RuntimeError("a defect in an extension")


class Mortal:
    name = "mortal"
    frail = Frail()

    @rpc
    def echo(self, **value):
        return Reply(orjson.dumps(value))


class Late(DependencyProvider):
    """Cannot be set up as often as the file says, as when a database is not there yet."""

    def setup(self):
        if is_to_die():
            raise ConnectionError("not there yet")


class Stillborn:
    name = "stillborn"
    late = Late()

    @rpc
    def echo(self, **value):
        return Reply(orjson.dumps(value))

    @timer(interval=60)
    def tick(self):
        """Never comes."""


if __name__ == "__main__":
    settings = Settings()
    log.configure(settings, "toy")
    known = {one.name: one for one in (Toy, Other, Mortal, Stillborn)}
    classes = [known[name] for name in sys.argv[1:]]
    sys.exit(run_services(classes, settings))
