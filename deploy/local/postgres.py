"""A private PostgreSQL: loopback only, SCRAM passwords, no Unix socket, durable unless `fast`."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local.instance import LOOPBACK, Instance
from deploy.local.packages import MissingPackages, postgresql_programs
from deploy.local.process import Process
from deploy.local.unit import StartError

ROLE = "krill"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    # A failing statement would be logged with its literals, passwords of customers among them.
    "log_min_error_statement": "panic",
}

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Instance):
    name = "postgres"
    user = "postgres"
    port_names = ("sql",)
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def url(self, database: str) -> str:
        return f"postgresql://{ROLE}:{self.password}@{LOOPBACK}:{self.ports['sql']}/{database}"

    @property
    def address(self) -> str:
        return f"postgresql://{LOOPBACK}:{self.ports['sql']}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """An autocommit connection of the superuser."""
        return psycopg.connect(self.url(database), connect_timeout=3, autocommit=True)

    def ready(self) -> bool:
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False

    def create_database(self, name: str) -> str:
        """Makes it unless it is there; returns its URL."""
        with self.connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _programs(self) -> Path:
        version = self._data / "PG_VERSION"
        major = version.read_text().strip() if version.exists() else None
        programs = postgresql_programs(major)
        if programs is None:
            raise MissingPackages(f"PostgreSQL {major or ''} is not installed: apt-get install postgresql")
        return programs

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.home), "LC_ALL": "C.UTF-8"}

    def _prepare(self) -> None:
        if (self._data / "PG_VERSION").exists():
            self._forget_recycled_pid()
            return
        # Made beside its place and renamed, so that an interrupted initdb leaves nothing half made.
        with tempfile.TemporaryDirectory(prefix="initdb-", dir=self.home) as temporary:
            work = self.account.own(Path(temporary), 0o700)
            secret = work / "password"
            secret.touch(0o600)
            secret.write_text(self.password)
            self.account.own(secret, 0o600)
            done = subprocess.run(
                [
                    self._programs() / "initdb",
                    f"--pgdata={work / 'data'}",
                    f"--username={ROLE}",
                    f"--pwfile={secret}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    *(["--no-sync"] if self.fast else []),
                ],
                cwd=work,
                env=self._environment(),
                capture_output=True,
                check=False,
                **self.account.popen_options(),
            )
            self.log.write_bytes(done.stdout + done.stderr)
            self.log.chmod(0o600)
            if done.returncode:
                raise StartError(self.name, "could not make its data folder", self.log)
            if self._data.exists():
                shutil.rmtree(self._data)
            (work / "data").rename(self._data)

    def _forget_recycled_pid(self) -> None:
        """PostgreSQL refuses to start while its lock file names a living pid, even that of another program.
        A lock of a dead pid is left: with it PostgreSQL itself looks for sessions that outlived the crash."""
        lock = self._data / "postmaster.pid"
        if not lock.exists():
            return
        holder = Path("/proc") / lock.read_text().split("\n", 1)[0].strip() / "cmdline"
        if holder.exists() and str(self._data).encode() not in holder.read_bytes().split(b"\0"):
            lock.unlink()

    def _launch(self) -> list[Process]:
        settings = {**SETTINGS, **(FAST if self.fast else {}), "port": str(self.ports["sql"])}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [
            Process.launch(
                [self._programs() / "postgres", "-D", self._data, *options],
                log=self.log,
                cwd=self.home,
                env=self._environment(),
                account=self.account,
            )
        ]
