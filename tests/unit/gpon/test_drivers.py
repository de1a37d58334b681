"""The pure parts of the drivers: whatever stands in rows or answers, they do not raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.devices import values
from services.gpon.drivers import generic
from services.gpon.drivers.base import Counted, Counters, Optics, Position, Traffic, traffic_between
from services.gpon.drivers.huawei import cells, cli, mib
from services.gpon.drivers.objects import Table
from services.gpon.drivers.vendors import VENDORS, recognise
from services.gpon.drivers.zte import mib as zte
from services.gpon.drivers.zte import reading as zte_reading

PLACE = Position(0, 5, 2)
CELL = st.one_of(
    st.none(),
    st.integers(-(2**31), 2**32),
    st.sampled_from([-1, 0, 1, 2, 65535, values.INVALID]),
    st.binary(max_size=16),
    st.text(max_size=12),
)


def rows(*tables: Table) -> st.SearchStrategy[dict[str, values.Value]]:
    names = sorted({name for table in tables for name in table.columns})
    return st.dictionaries(st.sampled_from(names), CELL)


FRAGMENT = st.one_of(
    st.sampled_from(
        [
            "Failure: ",
            "% Unknown command",
            ", the error locates at '^'",
            "F/S/P : 0/5/2",
            "F/S/P : 9999999999999/5/2",
            "ONT-ID : 1",
            "ONTID :",
            "SN : 485754431426779A (HWTC-1426779A)",
            "Number : 1",
            "Index : 1",
            "UpTime : 2026-11-19 10:45:47+01:00",
            "DownTime : 2026-19-39",
            "DownCause : LOSi",
            "Password : 0x3132",
            " 5558  933 common   gpon 0/5 /2  1    1     vlan  20         31   30   up",
            " 99999999999999999999  933 common   gpon 0/5 /2  1    1     vlan  20     31   30   up",
            "( 1) The loss of signal",
            "ont port native-vlan 2 1 eth 1 vlan 100 priority 0",
            "Number of ONTs that can be added: 1, success: 0",
            "---------------------",
        ]
    ),
    st.text(max_size=20),
)
ANSWER = st.lists(FRAGMENT, max_size=12).map("\n".join)


@given(
    rows(mib.ONT_CONFIG, mib.ONT_CONTROL, mib.ONT_VERSION), st.lists(CELL, max_size=2), rows(mib.ONT_ETHERNET)
)
def test_any_row_of_a_smartax_is_an_onu(
    row: dict[str, values.Value], addresses: list[values.Value], port: dict[str, values.Value]
) -> None:
    onu = cells.onu(PLACE, 1, row, cells.Clock(), addresses, {1: port})
    assert onu.sn is None or len(onu.sn) == 16
    assert len(onu.states) == 1
    assert onu.online == (onu.states == ("online",))
    assert onu.uptime is None or onu.uptime >= 0
    cells.registrations([row], onu, cells.Clock())


@given(rows(mib.ONT_OPTICS), rows(mib.SERVICE_PORTS))
def test_any_other_row_of_a_smartax(light: dict[str, values.Value], port: dict[str, values.Value]) -> None:
    optics = cells.optics(light)
    assert optics.temperature is None or abs(optics.temperature) <= 250
    cells.service_port(1, port, {}, {1})


@pytest.mark.parametrize(
    "stand_in", [values.INVALID, -(2**31), 2**31, 2**32 - 1, 2**64 - 1, 65535, 32767, -32768]
)
def test_no_stand_in_for_none_becomes_a_number(stand_in: int) -> None:
    names = ("rx", "tx", "olt_rx", "catv_rx", "bias", "temperature", "voltage")
    assert cells.optics(dict.fromkeys(names, stand_in)) == Optics()
    assert zte_reading.level(stand_in) is None or stand_in == -32768
    assert zte_reading.onu_level(stand_in) is None


@given(rows(zte.ONU_CONFIG, zte.ONU_STATE, zte.ONU_DISTANCE, zte.ONU_VERSION), CELL)
def test_any_row_of_a_c320_is_an_onu(row: dict[str, values.Value], level: values.Value) -> None:
    onu = zte_reading.ZteReader("olt", None)._onu((PLACE, 1), row)  # type: ignore[arg-type]
    assert onu.online == (onu.states == ("online",))
    found = zte_reading.onu_level(level)
    assert found is None or -101 <= found <= 31
    zte_reading.share(level)


@given(ANSWER)
def test_any_answer_is_parsed(answer: str) -> None:
    cli.refusal(answer)
    ports = tuple(cli.service_ports(answer))
    cli.configured(answer, ports, answer)
    cli.unconfigured(answer)
    cli.registrations(answer)
    cli.active_alarms(answer)
    assert cli.first_free(answer) >= 1
    cli.next_free(answer)
    cli.added(answer)


@given(st.integers(0, 63), st.integers(0, 63), st.integers(0, 31))
def test_the_ifindex_of_a_smartax_holds_its_place(frame: int, slot: int, port: int) -> None:
    ifindex = mib.ifindex(frame, slot, port)
    assert mib.place(ifindex) == (frame, slot, port)
    assert ifindex < 1 << 32


def test_an_ifindex_that_was_captured() -> None:
    assert mib.ifindex(0, 5, 2) == 4194345472
    assert zte.place(268501248) == (1, 1, 1)
    assert zte.place(285278465) == (1, 1, 1)


@given(st.integers())
def test_any_number_may_be_an_ifindex(ifindex: int) -> None:
    cells.position_of(ifindex)
    zte.place(ifindex)


@given(st.integers(1, 16), st.integers(1, 255), st.integers(1, 255))
def test_the_ifindexes_of_a_c320_hold_its_place(shelf: int, slot: int, port: int) -> None:
    assert [zte.place(ifindex) for ifindex in zte.ifindexes(shelf, slot, port)] == [(shelf, slot, port)] * 2


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("gpon_1/2/3", (1, 2, 3)),
        ("gpon-olt_1/2/16", (1, 2, 16)),
        ("gpon0/3", (0, 0, 3)),
        ("eth0", None),
        ("gpon1/2/3/4", None),
        ("", None),
    ],
)
def test_names_of_ports(name: str, place: tuple[int, int, int] | None) -> None:
    assert generic.position_in(name) == place


@pytest.mark.parametrize(
    ("oid", "descr", "vendor"),
    [
        ("1.3.6.1.4.1.2011.2.248", "", "huawei"),
        (".1.3.6.1.4.1.2011.2.80.8", "whatever", "huawei"),
        ("1.3.6.1.4.1.3902.1082.1001.320.2.1", "", "zte"),
        ("1.3.6.1.4.1.20115.1", "CMTS", "generic"),
        ("1.3.6.1.4.1.39020", "", "generic"),
        ("", "Huawei Integrated Access Software", "huawei"),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux aztec", "generic"),
        ("", "ZXAN Version V1.2.5", "zte"),
        ("", "", "generic"),
    ],
)
def test_recognise(oid: str, descr: str, vendor: str) -> None:
    assert recognise(oid, descr) == vendor
    assert vendor in VENDORS


@given(st.text(), st.text())
def test_whatever_is_there_has_a_driver(oid: str, descr: str) -> None:
    assert recognise(oid, descr) in VENDORS


def test_traffic_needs_two_readings_in_order() -> None:
    place = (PLACE, 1)
    before = {place: Counters(down=Counted(10.0, 1000), up=Counted(10.0, 9000))}
    after = {place: Counters(down=Counted(12.0, 2000), up=Counted(12.0, 10)), (PLACE, 2): Counters()}
    assert traffic_between(before, after) == {place: Traffic(dnbw=4000.0), (PLACE, 2): Traffic()}
    assert traffic_between(before, before) == {place: Traffic()}
