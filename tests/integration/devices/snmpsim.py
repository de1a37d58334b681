"""snmpsim as a process of its own: one agent a recording, told apart by their communities."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.lab.network.book import free_port
from deploy.local.process import Process
from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceError
from services.common.devices.snmp import Snmp

PATIENCE = 60.0


class SnmpSim:
    """`recordings`: community → lines of a .snmprec file. A context manager; `access(community)` leads to
    one."""

    def __init__(self, folder: Path, recordings: Mapping[str, str], *options: str) -> None:
        self._folder = folder
        data = folder / "data"
        data.mkdir(parents=True)
        for name, text in {"public": "1.3.6.1.2.1.1.1.0|4|ready\n", **recordings}.items():
            (data / f"{name}.snmprec").write_text(text, encoding="latin-1")
        self._options = options
        self._process: Process | None = None

    def __enter__(self) -> SnmpSim:
        self.port = free_port(set())  # none that an outgoing datagram may take until it listens
        program = Path(sys.executable).with_name("snmpsim-command-responder")
        self._process = Process.launch(
            [
                program,
                f"--data-dir={self._folder / 'data'}",
                f"--cache-dir={self._folder / 'cache'}",
                f"--agent-udpv4-endpoint=127.0.0.1:{self.port}",
                "--logging-method=null",
                "--process-user=root",
                "--process-group=root",
                *self._options,
            ],
            log=self._folder / "log",
            cwd=self._folder,
            env={"HOME": str(self._folder), "PATH": "/usr/bin:/bin"},
        )
        try:
            self._await()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        if self._process is not None:
            self._process.kill()

    def _await(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._process is None or not self._process.alive:
                raise RuntimeError((self._folder / "log").read_text())
            try:
                with Snmp("snmpsim", self.access("public", timeout=0.3, retries=0)) as session:
                    if session.get("1.3.6.1.2.1.1.1.0"):
                        return
            except DeviceError:
                time.sleep(0.2)
        raise TimeoutError("snmpsim is not ready")

    def access(self, community: str, **changed: object) -> SnmpAccess:
        kept: dict[str, object] = {"community": community, "timeout": 10.0, "retries": 0}
        return SnmpAccess("127.0.0.1", self.port, **(kept | changed))  # type: ignore[arg-type]
