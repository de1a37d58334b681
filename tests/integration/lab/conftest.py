"""A lab of its own process, and clients that the lab does not know: gufo, pysnmp, netmiko, asyncssh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.network import invent
from deploy.lab.network.invent import Subscriber
from deploy.lab.network.plan import Plan
from deploy.lab.network.starter import RunningLab
from tests.integration.lab.managers import Manager

REGISTRATION = 0.3
SLOW_REGISTRATION = 8.0
"""Long enough to look at what a device says meanwhile."""


def plan(registration: float = REGISTRATION) -> Plan:
    """One OLT with 2 × 2 PONs and 12 ONUs, and one CMTS with 6 modems."""
    flows = (invent.MANAGEMENT, invent.internet("100M"))
    onus = [Subscriber(f"cpe{n:04d}", f"48575443000000{n:02x}", "HG8245Q2", flows) for n in range(12)]
    modems = [
        Subscriber(f"cpe{n + 100:04d}", f"0200000000{n:02x}", "EPC3928AD", down=50_000_000, up=5_000_000)
        for n in range(6)
    ]
    made = invent.lab((), modems, registration=registration)
    made.olts = [invent.olt("oltLab1", onus, ports=2, waiting=invent.WAITING)]
    return made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    folder: Path = tmp_path_factory.mktemp("lab")
    with RunningLab(folder, plan()) as running:
        yield running


@pytest.fixture
def slow_lab(tmp_path: Path) -> Iterator[RunningLab]:
    with RunningLab(tmp_path, plan(SLOW_REGISTRATION)) as running:
        yield running


@pytest.fixture
def faulty(lab: RunningLab) -> Iterator[RunningLab]:
    """The lab, well again afterwards."""
    yield lab
    lab.faults()


@pytest.fixture
def cmts(lab: RunningLab) -> Iterator[Manager]:
    with Manager(lab.device("cmtsLab1")) as manager:
        yield manager


@pytest.fixture
def olt(lab: RunningLab) -> Iterator[Manager]:
    with Manager(lab.device("oltLab1")) as manager:
        yield manager
