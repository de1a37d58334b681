"""One snmpsim for all tests here, with every recording that they need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.devices import recordings
from tests.integration.devices.snmpsim import SnmpSim

MANGLED = range(6)


@pytest.fixture(scope="session")
def snmpsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpSim]:
    olts = {
        "huawei": recordings.huawei(),
        "huawei-combo": recordings.huawei_combo(),
        "zte": recordings.zte(),
        "zte-other": recordings.zte(0x11010200, 1),
        "generic": recordings.generic(),
        "large": recordings.large(16, 64),
    }
    for name in ("huawei", "zte", "generic"):
        olts |= {f"{name}-{seed}": recordings.mangled(olts[name], seed) for seed in MANGLED}
    texts = {name: recordings.written(lines) for name, lines in olts.items()}
    with SnmpSim(tmp_path_factory.mktemp("snmpsim"), texts) as server:
        yield server
