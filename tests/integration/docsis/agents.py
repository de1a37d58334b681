"""Agents that speak SNMP, one process of snmpsim for all of them: a community is an agent."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.lab.network.book import free_port
from services.common.devices.access import SnmpAccess
from services.common.devices.snmp import Snmp
from tests.integration.docsis import recordings
from tests.integration.docsis.recordings import ANA, EVA, LUIS, NORA, OMAR, SUBSCRIBERS, TEO, Recording

SEEDS = range(5)
STARTING = 60.0
LOOPBACK = "127.0.0.1"
NOBODY = "nobody"
"""A community that no agent has: silence."""


@dataclass(frozen=True)
class Agents:
    """`port` on loopback."""

    port: int

    def access(self, community: str) -> SnmpAccess:
        return SnmpAccess(LOOPBACK, self.port, community=community, write_community=community, timeout=5.0)

    def open(self, community: str) -> Snmp:
        return Snmp(community, self.access(community))


def played() -> dict[str, Recording]:
    """By community. The `network…` are one CMTS at several times, whose modems answer where it does."""
    found = {
        "casa": recordings.casa(),
        "cisco": recordings.cisco(),
        "arris": recordings.arris(),
        "modem": recordings.modem(file="cm.cm"),
        "modem-restarted": recordings.modem(seconds=1, file="cm.cm"),
        "empty": Recording({}),
    }
    for seed in SEEDS:
        for name in ("casa", "cisco", "arris", "modem"):
            found[f"{name}{seed}"] = recordings.mangled(found[name], seed)
    first = [replace(one, ip=LOOPBACK) if one.state in (8, 17) else one for one in SUBSCRIBERS]
    ana, luis, eva, nora, omar, teo = first
    assert [one.mac for one in first] == [one.mac for one in (ANA, LUIS, EVA, NORA, OMAR, TEO)]
    found["network"] = recordings.casa(first)
    later = [ana, replace(luis, state=1, ups=()), replace(eva, state=8, ip=LOOPBACK), nora, omar]
    found["network-later"] = recordings.casa(
        [*later, replace(teo, muted=())], counted=1900, corrected=90, lost=10
    )
    found["network-again"] = recordings.casa(
        [*later, replace(teo, muted=())], counted=2000, corrected=90, lost=10
    )
    renumbered = [replace(one, number=one.number + 1000) for one in first]
    found["network-rebooted"] = recordings.casa(
        renumbered, seconds=30, counted=5000, corrected=4000, lost=3000
    )
    found["network-without"] = recordings.casa([one for one in first if one.mac != ANA.mac])
    many = [replace(ana, number=100 + place, mac=f"0a00cb84{place:04x}") for place in range(8)]
    found["network-many"] = recordings.casa(many)
    found["network-many-down"] = recordings.casa([replace(one, state=1, ups=()) for one in many])
    return found


@contextmanager
def running(folder: Path) -> Iterator[Agents]:
    data = folder / "data"
    data.mkdir()
    for name, recording in played().items():
        (data / f"{name}.snmprec").write_text(recording.text() or "1.3.6.1.6.3.99.0|4|\n")
    found = Agents(free_port(set()))
    command = [
        str(Path(sys.executable).parent / "snmpsim-command-responder"),
        f"--data-dir={data}",
        f"--cache-dir={folder / 'cache'}",
        f"--agent-udpv4-endpoint={LOOPBACK}:{found.port}",
        "--logging-method=null",
    ]
    if pwd.getpwuid(os.getuid()).pw_name == "root":
        command += ["--process-user=root", "--process-group=root"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_answer(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(10)


def _await_answer(agents: Agents, process: subprocess.Popen[bytes]) -> None:
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
