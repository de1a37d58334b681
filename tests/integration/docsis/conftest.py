"""Agents that speak SNMP, one process of snmpsim for all of them: a community is an agent."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.common.devices.access import SnmpAccess
from services.common.devices.snmp import Snmp
from tests.integration.docsis import recordings
from tests.integration.docsis.recordings import Recording

SEEDS = range(5)
STARTING = 30.0


@dataclass(frozen=True)
class Agents:
    """`port` on loopback; `folder`: the recordings, by community."""

    port: int
    folder: Path

    def access(self, community: str, **more: object) -> SnmpAccess:
        return SnmpAccess(
            "127.0.0.1", self.port, community=community, write_community=community, timeout=0.5, **more
        )

    def open(self, community: str) -> Snmp:
        return Snmp(community, self.access(community))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def played() -> dict[str, Recording]:
    found = {
        "casa": recordings.casa(),
        "cisco": recordings.cisco(),
        "arris": recordings.arris(),
        "modem": recordings.modem(file="cm.cfg"),
        "empty": Recording({}),
    }
    for seed in SEEDS:
        for name in ("casa", "cisco", "arris", "modem"):
            found[f"{name}{seed}"] = recordings.mangled(found[name], seed)
    return found


@pytest.fixture(scope="session")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    folder = tmp_path_factory.mktemp("snmp")
    data = folder / "data"
    data.mkdir()
    for name, recording in played().items():
        text = recording.text() or "1.3.6.1.6.3.99.0|4|\n"
        (data / f"{name}.snmprec").write_text(text)
    port, user = free_port(), pwd.getpwuid(os.getuid()).pw_name
    command = [str(Path(sys.executable).parent / "snmpsim-command-responder")]
    command += [
        f"--data-dir={data}",
        f"--cache-dir={folder / 'cache'}",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
    ]
    command += ["--logging-method=null"]
    if user == "root":
        command += ["--process-user=root", "--process-group=root"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = Agents(port, data)
    try:
        await_answer(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(10)


def await_answer(agents: Agents, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        assert process.poll() is None, "snmpsim has ended"
        try:
            with agents.open("casa") as snmp:
                assert snmp.get("1.3.6.1.2.1.1.1.0")
                return
        except Exception:  # noqa: BLE001 - it is not up yet
            time.sleep(0.2)
    raise AssertionError("snmpsim does not answer")
