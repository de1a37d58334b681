"""A private RabbitMQ node: loopback only, own user instead of guest, own name registry (epmd), no plugins."""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from pathlib import Path

import pika
import pika.exceptions

from deploy.local.instance import LOOPBACK, Instance, port_is_free
from deploy.local.packages import MissingPackages, rabbitmq_server
from deploy.local.process import Process

USER = "krill"
NODE = "krill@localhost"

CONFIGURATION = """\
listeners.tcp.1 = {loopback}:{port}
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 256MB
log.file = node.log
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 3
log.console = false
"""

# Idle schedulers spin by default, which starves the neighbours on a small machine.
ERLANG = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitMQ(Instance):
    name = "rabbitmq"
    user = "rabbitmq"
    port_names = ("amqp", "distribution", "epmd")

    @property
    def uri(self) -> str:
        return f"amqp://{USER}:{self.password}@{LOOPBACK}:{self.ports['amqp']}/"

    @property
    def address(self) -> str:
        return f"amqp://{LOOPBACK}:{self.ports['amqp']}/"

    def connect(self) -> pika.BlockingConnection:
        parameters = pika.URLParameters(self.uri)
        parameters.socket_timeout = parameters.blocked_connection_timeout = 3
        parameters.connection_attempts = 1
        return pika.BlockingConnection(parameters)

    def ready(self) -> bool:
        if port_is_free(self.ports["amqp"]):  # nobody listens: pika would only fill the log
            return False
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        try:
            self.connect().close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def _environment(self) -> dict[str, str]:
        """All that rabbitmq-env would otherwise look up under /etc/rabbitmq and /var/lib/rabbitmq."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self._data),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self.ports["epmd"]),
            # The start script becomes the node, instead of waiting beside it as a shell.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self.ports["distribution"]),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
            "RABBITMQ_CONF_ENV_FILE": str(self._data / "none.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._data / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._data / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._data / "enabled_plugins"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(self._data / "plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self._data / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(self._data / "schema"),
            "RABBITMQ_MNESIA_BASE": str(self._data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._data / "log"),
            "RABBITMQ_PID_FILE": str(self._data / "pid"),
        }

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _prepare(self) -> None:
        self.account.folder(self._data)
        (self._data / "pid").unlink(missing_ok=True)
        configuration = CONFIGURATION.format(
            loopback=LOOPBACK, port=self.ports["amqp"], user=USER, password=self.password
        )
        files = {"rabbitmq.conf": configuration, "enabled_plugins": "[].\n", "none.conf": ""}
        if not (self._data / ".erlang.cookie").exists():
            files[".erlang.cookie"] = secrets.token_hex(20)
        for name, content in files.items():
            path = self._data / name
            path.unlink(missing_ok=True)
            path.touch(0o600)
            path.write_text(content)
            self.account.own(path, 0o400 if name == ".erlang.cookie" else 0o600)

    def _launch(self) -> list[Process]:
        server, epmd = rabbitmq_server(), shutil.which("epmd")
        if server is None or epmd is None:
            raise MissingPackages("RabbitMQ is not installed: apt-get install rabbitmq-server")
        # Started by us: the one that a node starts on demand would outlive it.
        registry = self._run([epmd, "-address", LOOPBACK, "-port", str(self.ports["epmd"])])
        deadline = time.monotonic() + 5.0
        while port_is_free(self.ports["epmd"]) and registry.alive and time.monotonic() < deadline:
            time.sleep(0.02)
        return [registry, self._run([server])]

    def _run(self, argv: list[str | Path]) -> Process:
        return Process.launch(
            argv, log=self.log, cwd=self._data, env=self._environment(), account=self.account
        )
