"""A private RabbitMQ node for the rpc tests: own ports, own data, loopback only. To be swapped for the shared
one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.instance import free_port


class Broker:
    """`uri` to connect to; `kill()` is kill -9; `start()` returns once the AMQP port is open."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, dist, epmd = free_port(), free_port(), free_port()
        self.uri = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        (home / "rmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nloopback_users.guest = true\n"
        )
        (home / "enabled_plugins").write_text("[].\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._as: list[str] = []
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "RABBITMQ_NODENAME": f"rpctest{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(home / "db"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_CONFIG_FILE": str(home / "rmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_DIST_PORT": str(dist),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # it may be told to end while it still knows a node
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }
        if os.geteuid() == 0:
            user = pwd.getpwnam("rabbitmq")
            self._as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            for path in [home, *home.iterdir()]:
                os.chown(path, user.pw_uid, user.pw_gid)

    def _command(self, name: str) -> list[str]:
        installed = Path("/usr/lib/rabbitmq/bin") / name
        return [*self._as, str(installed) if installed.exists() else name]

    def start(self) -> float:
        """Seconds of `time.monotonic()` at which the port was seen open."""
        with (self.home / "stdout").open("ab") as out:
            self._process = subprocess.Popen(
                self._command("rabbitmq-server"), env=self._env, cwd=self.home, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"the broker ended: {(self.home / 'stdout').read_text()[-2000:]}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return time.monotonic()
            time.sleep(0.02)
        raise RuntimeError("the broker did not open its port")

    def ctl(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command("rabbitmqctl"), *arguments],
            env=self._env, cwd=self.home, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout

    def signal(self, number: int) -> None:
        """To the Erlang machine itself and whatever the start scripts left in its session, epmd apart."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                return
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            asked = subprocess.run(
                ["epmd", "-kill"], env=self._env, capture_output=True, text=True, check=False
            )
            if "Killed" not in asked.stdout:  # nobody listens there any more
                return
            time.sleep(0.05)
        raise RuntimeError(f"epmd goes on: {asked.stdout}{asked.stderr}")


@contextmanager
def broker() -> Iterator[Broker]:
    home = Path(tempfile.mkdtemp(prefix="krill-rpc-broker-", dir="/tmp"))
    node = Broker(home)
    try:
        node.start()
        yield node
    finally:
        node.stop()
        shutil.rmtree(home, ignore_errors=True)
