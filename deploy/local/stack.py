"""The platform for real on one machine: RabbitMQ, PostgreSQL, one process a service, gunicorn in front.

Servers named by `KRILL_AMQP_URI` and `KRILL_DATABASE_URL` are used as they are and never started,
stopped or given databases; those not named are private instances below the data folder.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import services
from deploy.local import lab, packages, supervisor
from deploy.local.instance import free_port
from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.supervisor import AlreadyRunning, Command, Interrupted, Supervisor
from deploy.local.unit import StartError, Unit
from services.common.settings import Settings

KRILL = (sys.executable, "-m", "deploy.cli")

STEPS: tuple[tuple[str, ...], ...] = ((*KRILL, "migrate"), (*KRILL, "seed", "--if-empty"))
"""What is done between the servers and the services, in this order."""

GATEWAY = (
    *(sys.executable, "-m", "gunicorn", "-c", "python:gateway.server", "gateway.wsgi:app"),
    *("--graceful-timeout", "10"),
)


def built_services() -> list[str]:
    """The services that can run: those whose folder holds a `service.py`."""
    folders = [Path(folder) for folder in services.__path__]
    return sorted(module.parent.name for folder in folders for module in folder.glob("*/service.py"))


def up(
    settings: Settings,
    *,
    detach: bool = False,
    steps: Sequence[Sequence[str]] = STEPS,
    say: Callable[[str], None] = print,
) -> int:
    """Runs it until SIGTERM, SIGINT or `down`; with `detach` returns once it is ready.

    Returns an exit code: 0 after an orderly end (or, detached, once ready), 1 when something could not be
    started, which was then said through `say`.
    """
    if detach:
        return _detached(settings, steps, say)
    try:
        _run(settings, steps, say)
    except Interrupted:
        pass  # told to end while starting: an orderly end
    except (StartError, AlreadyRunning, packages.MissingPackages, OSError) as error:
        say(f"error: {error}")
        return 1
    except subprocess.CalledProcessError as error:
        say(f"error: `{' '.join(error.cmd[-2:])}` failed with code {error.returncode}")
        return 1
    say("Stopped.")
    return 0


def down(settings: Settings) -> bool:
    """Ends what `up` started, in this shell or another. False when nothing was running. Data stays."""
    return supervisor.end(_state_file(settings))


def status(settings: Settings) -> dict[str, Any] | None:
    """None when nothing was started, else `phase` (starting, running, stopping), `supervisor` and `units`, a
    list of `name`, `alive`, `address`, `log`, `restarts` and `processes`."""
    return supervisor.read(_state_file(settings))


def _data(settings: Settings) -> Path:
    folder = settings.data_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _state_file(settings: Settings) -> Path:
    return _data(settings) / "stack.json"


def _run(settings: Settings, steps: Sequence[Sequence[str]], say: Callable[[str], None]) -> None:
    data = _data(settings)
    logs = data / "log"
    logs.mkdir(exist_ok=True)
    private = {"rabbitmq-server": settings.amqp_uri is None, "postgresql": settings.database_url is None}
    packages.ensure([name for name, wanted in private.items() if wanted], say)
    with Supervisor(_state_file(settings), say) as stack:
        servers: list[Unit] = []
        if settings.amqp_uri is None:
            rabbitmq = RabbitMQ(data / "rabbitmq", say=say)
            servers.append(rabbitmq)
        if settings.database_url is None:
            postgres = Postgres(data / "postgres", say=say)
            servers.append(postgres)
        if servers:
            stack.start(*servers)
        if settings.amqp_uri is None:
            settings = settings.model_copy(update={"amqp_uri": SecretStr(rabbitmq.uri)})
        if settings.database_url is None:
            for name in (*built_services(), "gateway"):
                postgres.create_database(name)
            settings = settings.model_copy(update={"database_url": SecretStr(postgres.url("{service}"))})
        env = environment(settings)
        if settings.demo:
            env |= lab.notifying(env)
        for step in steps:
            say(f"Running {' '.join(step[3:])}")
            stack.run(step, env)
        if settings.demo and settings.lab:
            stack.start(lab.unit(KRILL, data, logs, env))
            stack.run((*KRILL, "lab", "introduce"), env)
        stack.start(*(_service(name, (*KRILL, "service", name), logs, env) for name in built_services()))
        if settings.demo:
            stack.start(_service("lab", (*KRILL, "lab", "executor"), logs, env))
        stack.start(_gateway(settings, logs, env))
        say(f"Ready on http://{settings.bind}/ (logs: {logs}; `krill down` ends it)")
        stack.watch()
        say("Stopping")


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting in it, so that each child sees what we see."""
    env = dict(os.environ)
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            env[f"KRILL_{name.upper()}"] = str(value)
    env["KRILL_DATA_DIR"] = str(settings.data_dir.resolve())
    return env


def _service(name: str, argv: tuple[str, ...], logs: Path, env: dict[str, str]) -> Command:
    key = f"KRILL_{name.upper()}_METRICS_PORT"
    port = int(env.get(key) or free_port())
    return Command(
        name,
        argv,
        logs / f"{name}.log",
        {**env, key: str(port)},
        is_ready=lambda: _answers("127.0.0.1", port, "/readyz") == 200,
        address=f"http://127.0.0.1:{port}/metrics",
    )


def _gateway(settings: Settings, logs: Path, env: dict[str, str]) -> Command:
    host, _, port = settings.bind.rpartition(":")
    reached_at = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))
    return Command(
        "gateway",
        (*GATEWAY, "-b", settings.bind),
        logs / "gateway.log",
        env,
        is_ready=lambda: _answers(reached_at, int(port), "/") is not None,
        address=f"http://{settings.bind}",
    )


def _answers(host: str, port: int, path: str) -> int | None:
    """The HTTP status, or None when nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _detached(settings: Settings, steps: Sequence[Sequence[str]], say: Callable[[str], None]) -> int:
    """Runs `up` in a child that has its own session, and returns when that is ready or has ended."""
    log = _data(settings) / "log" / "stack.log"
    log.parent.mkdir(exist_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor in (1, 2):
            os.dup2(out, descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = 1
        try:
            code = up(settings, steps=steps, say=lambda line: print(line, flush=True))
        finally:
            sys.stdout.flush()
            os._exit(code)
    while True:
        ended, _ = os.waitpid(child, os.WNOHANG)
        if ended:
            say(log.read_text(errors="replace").rstrip())
            return 1
        state = status(settings)
        if state and state["phase"] == "running" and state["supervisor"]["pid"] == child:
            say(log.read_text(errors="replace").rstrip())
            return 0
        time.sleep(0.1)
