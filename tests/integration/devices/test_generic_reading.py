"""What a device of an unknown vendor tells, against snmpsim."""

from __future__ import annotations

import pytest

from services.gpon.drivers.base import Pon, Position, Slot
from services.gpon.drivers.generic import GenericReader
from services.gpon.drivers.vendors import VENDORS
from tests.integration.devices.conftest import MANGLED
from tests.integration.devices.snmpsim import SnmpSim


def test_what_the_standards_tell(snmpsim: SnmpSim) -> None:
    with GenericReader("other", snmpsim.access("generic")) as reader:
        facts = reader.facts()
        assert (facts.vendor, facts.model, facts.version) == ("Acme", "OLT-16", "1.2.3")
        assert reader.slots() == [Slot(0, 4, type="PON board")]
        assert reader.pons() == [Pon(Position(0, 4, 1), 1, "gpon0/4/1", admin_state="up", oper_state="down")]


@pytest.mark.parametrize("community", ["generic", "huawei", "zte", "public"])
def test_onus_are_never_invented(snmpsim: SnmpSim, community: str) -> None:
    with GenericReader("other", snmpsim.access(community)) as reader:
        reader.facts()
        assert (reader.onus(), reader.optics(), reader.traffic(), reader.counters()) == ([], {}, {}, {})
        assert (reader.unconfigured(), reader.service_ports()) == ([], [])
        assert reader.onu(Position(0, 5, 2), 1) is None


@pytest.mark.parametrize("seed", MANGLED[:2])
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("community", ["generic", "huawei", "zte"])
def test_every_driver_reads_every_device(snmpsim: SnmpSim, vendor: str, community: str, seed: int) -> None:
    """One of another vendor than was thought, on a bad day."""
    with VENDORS[vendor].reader("other", snmpsim.access(f"{community}-{seed}")) as reader:
        reader.facts()
        reader.slots()
        reader.pons()
        reader.onus()
        reader.optics()
        reader.unconfigured()
        reader.service_ports()
