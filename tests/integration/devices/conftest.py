"""One snmpsim for all tests here, with every recording that they need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.devices import recordings
from tests.integration.devices.snmpsim import SnmpSim

MANGLED = range(6)


@pytest.fixture(scope="session")
def snmpsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpSim]:
    huawei = recordings.huawei()
    texts = {"huawei": recordings.written(huawei)}
    texts["large"] = recordings.written(recordings.large(16, 64))
    texts |= {f"huawei-{seed}": recordings.written(recordings.mangled(huawei, seed)) for seed in MANGLED}
    with SnmpSim(tmp_path_factory.mktemp("snmpsim"), texts) as server:
        yield server
