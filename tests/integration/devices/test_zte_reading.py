"""Whole readings of a C320, against snmpsim."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from services.common.devices.errors import DeviceError
from services.gpon.drivers.base import Optics, Position, Registration, Traffic, Unconfigured
from services.gpon.drivers.zte.reading import ZteReader
from tests.integration.devices.conftest import MANGLED
from tests.integration.devices.snmpsim import SnmpSim

FIRST, SECOND = Position(1, 2, 1), Position(1, 2, 2)


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


@pytest.fixture(params=["zte", "zte-other"])
def olt(snmpsim: SnmpSim, request: pytest.FixtureRequest) -> Iterator[ZteReader]:
    """With ifIndexes that are the same in all tables, and with others in IF-MIB."""
    with ZteReader("oltZ", snmpsim.access(request.param)) as reader:
        yield reader


def test_facts_and_boards(olt: ZteReader) -> None:
    facts = olt.facts()
    assert (facts.vendor, facts.model, facts.version) == ("ZTE", "C320", "V2.1.0")
    assert (facts.cpu, facts.temperature, facts.sysname) == (31.0, 38.0, "oltZ")
    assert [(slot.frame, slot.slot, slot.type, slot.state, slot.cpu) for slot in olt.slots()] == [
        (1, 2, "GTGH", "in service", 7.0),
        (1, 3, "SMXA", "in service", 31.0),
    ]


def test_pons(olt: ZteReader) -> None:
    first, second = olt.pons()
    assert (first.position, first.name, first.oper_state) == (FIRST, "gpon_1/2/1", "up")
    assert (first.temperature, first.voltage, first.bias, first.tx_power) == (41.25, 3.29, 17.5, 4.12)
    assert (second.position, second.admin_state, second.oper_state) == (SECOND, "up", "down")


def test_onus(olt: ZteReader) -> None:
    for full in (True, False):
        told = {(onu.position, onu.onu_id): onu for onu in olt.onus(full=full)}
        assert {place: onu.states for place, onu in told.items()} == {
            (FIRST, 1): ("online",),
            (FIRST, 2): ("losi",),
            (FIRST, 5): ("dyinggasp",),
            (SECOND, 1): ("offline",),
        }
        assert [onu.sn for onu in told.values()] == [
            "5a54454701020304",
            "5a544547c0ffee42",
            "485754431426779a",
            "414c434c00000001",
        ]
        assert told[FIRST, 5].last_down_cause == "dyinggasp"
        assert told[FIRST, 5].last_down_time == at(2026, 11, 21, 1, 2, 3)
        assert told[SECOND, 1].last_down_cause == "reset"
    online = told[FIRST, 1]
    assert (online.raw_status, online.desc, online.last_up_time) == (
        "working",
        "cpe0001",
        at(2026, 11, 20, 8, 30, 5),
    )


def test_onus_of_one_pon(olt: ZteReader) -> None:
    first = olt.onus(FIRST)
    assert [onu.onu_id for onu in first] == [1, 2, 5]
    assert (first[0].type, first[0].distance, first[0].hardware_version) == ("ZTE-F660", 1234, "V5.0")
    assert olt.onus(Position(1, 7, 1)) == []
    assert olt.onus(Position(0, 0, 0)) == []


def test_optical_levels(olt: ZteReader) -> None:
    told = olt.optics()
    assert told[FIRST, 1] == Optics(dnrx=-21.0, uptx=2.2, uprx=-22.35)
    assert told[FIRST, 2] == Optics()
    assert olt.optics(SECOND) == {(SECOND, 1): Optics()}


def test_those_who_wait(olt: ZteReader) -> None:
    assert olt.unconfigured() == [
        Unconfigured(
            "5a544547aabbccdd",
            index="268567040",
            onu_type="F601",
            position=SECOND,
            software_version="V6.0.1P1",
            password="secret",
        )
    ]


def test_one_onu_in_detail(olt: ZteReader) -> None:
    found = olt.onu(FIRST, 1)
    assert found is not None
    assert (found.onu.sn, found.optics.uprx, found.traffic) == ("5a54454701020304", -22.35, Traffic())
    assert found.registrations == (
        Registration(None, at(2026, 11, 19, 23, 0, 0), None),
        Registration(at(2026, 11, 20, 8, 30, 5), None, "noerror"),
    )
    assert olt.onu(FIRST, 77) is None


@pytest.mark.parametrize("seed", MANGLED)
def test_a_mangled_device_costs_values_never_the_reading(snmpsim: SnmpSim, seed: int) -> None:
    with ZteReader("oltZ", snmpsim.access(f"zte-{seed}")) as reader:
        try:
            for pon in (None, FIRST):
                for full in (True, False):
                    reader.onus(pon, full=full)
                reader.optics(pon)
            reader.facts()
            reader.slots()
            reader.pons()
            reader.unconfigured()
            reader.onu(FIRST, 1)
        except DeviceError as failure:
            pytest.fail(f"{failure!r}")
        assert reader.onus()
