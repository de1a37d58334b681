"""Whole readings of a SmartAX, against snmpsim."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from pysnmp.proto import rfc1902

from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceError
from services.gpon.drivers.base import (
    Counted,
    Counters,
    EthernetPort,
    Onu,
    Optics,
    Position,
    Registration,
    ServicePort,
    Traffic,
    Unconfigured,
    together,
)
from services.gpon.drivers.huawei import reading
from services.gpon.drivers.huawei.reading import HuaweiReader
from services.gpon.reading import sent_to
from tests.integration.devices import recordings
from tests.integration.devices.agent import Agent, Behaviour, Oid, Request, rows
from tests.integration.devices.conftest import MANGLED
from tests.integration.devices.snmpsim import SnmpSim

FIRST, SECOND = Position(0, 5, 2), Position(0, 5, 3)
DARK = Optics()


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


@pytest.fixture
def olt(snmpsim: SnmpSim) -> Iterator[HuaweiReader]:
    with HuaweiReader("oltInvented", snmpsim.access("huawei")) as reader:
        yield reader


def test_facts_name_model_and_version_and_the_hottest_board(olt: HuaweiReader) -> None:
    facts = olt.facts()
    assert (facts.vendor, facts.model, facts.version) == ("Huawei", "MA5800", "V100R019C12")
    assert (facts.uptime, facts.cpu, facts.temperature) == (86_400, 23.0, 47.0)
    assert (facts.sysname, facts.sysdescr) == ("oltInvented", "Huawei Integrated Access Software")


def test_boards_without_a_name_are_empty_slots(olt: HuaweiReader) -> None:
    assert [(slot.slot, slot.type, slot.state) for slot in olt.slots()] == [
        (1, "H901GPHF", "normal"),
        (8, "H901MPSC", "normal"),
    ]


def test_pons_are_interfaces_with_their_light(olt: HuaweiReader) -> None:
    first, second = olt.pons()
    assert (first.position, first.ifindex, first.name) == (FIRST, 4194345472, "GPON 0/5/2")
    assert (first.admin_state, first.oper_state, first.type) == ("up", "up", "gpon")
    assert (first.tx_power, first.bias, first.temperature, first.voltage) == (5.12, 22.0, 43.0, 3.28)
    assert second.position == SECOND


def test_an_onu_online(olt: HuaweiReader) -> None:
    onu = olt.onus(FIRST)[0]
    assert (onu.onu_id, onu.sn, onu.desc, onu.type) == (1, "485754431426779a", "cpe0264", "HG8245Q2")
    assert (onu.online, onu.raw_status, onu.states) == (True, "up", ("online",))
    assert (onu.line_profile, onu.service_profile, onu.distance) == ("residential", "HG8245", 1834)
    assert onu.last_up_time == at(2026, 11, 20, 8, 30, 5)
    assert onu.uptime is None or onu.uptime >= 0
    assert onu.ips == ("10.8.33.14",)
    assert (onu.hardware_version, onu.software_version) == ("10C7.A", "V3R017C10S120")


def test_the_state_of_an_onu_that_is_away_is_why(olt: HuaweiReader) -> None:
    for full in (True, False):
        states = {(onu.position, onu.onu_id): onu.states for onu in olt.onus(full=full)}
        assert states == {
            (FIRST, 1): ("online",),
            (FIRST, 2): ("losi",),
            (FIRST, 7): ("dyinggasp",),
            (SECOND, 0): ("offline",),
            (SECOND, 9): ("offline",),
        }
    away = olt.onus(FIRST)[1]
    assert (away.raw_status, away.last_down_cause, away.uptime) == ("down", "losi", None)
    assert away.last_down_time == at(2026, 11, 21, 1, 2, 3)
    assert (away.distance, away.type, away.desc) == (None, None, None)


def test_the_whole_olt_tells_since_when_and_why_an_onu_is_away(olt: HuaweiReader) -> None:
    away = olt.onus()[1]
    assert (away.last_down_cause, away.last_down_time) == ("losi", at(2026, 11, 21, 1, 2, 3))


def test_an_onu_with_nothing_but_a_serial_number_is_there(olt: HuaweiReader) -> None:
    bare = olt.onus(SECOND)[-1]
    assert (bare.onu_id, bare.sn, bare.online, bare.raw_status) == (9, "4857544300000005", False, None)


def test_optical_levels(olt: HuaweiReader) -> None:
    told = olt.optics()
    assert told[FIRST, 1] == Optics(dnrx=-22.14, uptx=2.27, uprx=-11.34, tvrx=None)
    assert told[FIRST, 2] == DARK
    assert olt.optics(FIRST)[FIRST, 1] == Optics(
        dnrx=-22.14, uptx=2.27, uprx=-11.34, tvrx=None, bias=12.0, temperature=45.0, voltage=3.28
    )


def test_traffic_is_the_difference_of_two_readings(
    olt: HuaweiReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = olt.counters(FIRST)[FIRST, 1]
    assert now.down is not None
    assert (now.down.octets, now.up and now.up.octets) == (9001, 1001)
    then = now.down.at - 8000  # against which the seconds that the next reading takes count for nothing
    before = {(FIRST, 1): Counters(down=Counted(then, 1001), up=Counted(then, 2000))}
    traffic = olt.traffic(FIRST, before=before)
    assert traffic[FIRST, 1].dnbw == pytest.approx(8 * 8000 / 8000, rel=0.01)
    assert traffic[FIRST, 1].upbw is None
    assert traffic[FIRST, 2] == Traffic()
    monkeypatch.setattr(reading, "INTERVAL", 0.05)
    assert olt.traffic(FIRST)[FIRST, 1] == Traffic(0.0, 0.0)


def test_the_onus_of_a_combo_port_are_on_one_pon(snmpsim: SnmpSim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "INTERVAL", 0.0)
    with HuaweiReader("oltInvented", snmpsim.access("huawei-combo")) as olt:
        pons = olt.pons()
        assert [(pon.position, pon.type, pon.tx_power) for pon in pons] == [
            (FIRST, "gpon", 5.12),
            (FIRST, "xgspon", 7.01),
        ]
        (pon,) = together(pons).values()
        assert (pon.type, pon.name, pon.oper_state, pon.tx_power) == ("combo", "GPON 0/5/2", "up", 5.12)
        for place in (None, FIRST):
            onus = olt.onus(place)
            assert [(onu.onu_id, onu.online, sent_to(onu, pons)) for onu in onus] == [
                *((1, True, 7.01), (2, True, 5.12), (3, True, 7.01)),
            ]
            told = olt.optics(place)
            assert [told[FIRST, onu_id].dnrx for onu_id in (1, 2, 3)] == [-22.14, -22.14, -22.14]
            assert len(olt.counters(place)) == 3
        for onu in onus:
            found = olt.onu(FIRST, onu.onu_id)
            assert found is not None
            assert (found.onu.sn, found.onu.ifindex, found.onu.online) == (onu.sn, onu.ifindex, True)
        (waiting,) = olt.unconfigured()
        assert waiting.position == FIRST


def test_those_who_wait_are_listed_without_the_ones_of_no_serial_number(olt: HuaweiReader) -> None:
    assert olt.unconfigured() == [
        Unconfigured(
            "54504c4797441b58",
            index="4194345472",
            onu_type="EG8145V5",
            position=FIRST,
            hardware_version="168D.A",
            software_version="V5R019C10S115",
            password="12345678",
        )
    ]


def test_service_ports_of_an_onu(olt: HuaweiReader) -> None:
    assert olt.service_ports(FIRST, 1) == [
        ServicePort(5558, FIRST, 1, 1, 20, 933, "100M-up", "100M", "translate", False, "up", 30, 31),
        ServicePort(5559, FIRST, 1, 1, 100, 1100, "100M-up", "100M", "translate", True, "up", 30, 31),
    ]
    assert [port.id for port in olt.service_ports()] == [7, 24, 5558, 5559]
    assert olt.service_ports(FIRST, 2)[0].user_vlan is None


def test_one_onu_in_detail(olt: HuaweiReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "INTERVAL", 0.0)
    found = olt.onu(FIRST, 1)
    assert found is not None
    onu, optics, traffic, ports, alarms, past = found
    assert (onu.sn, onu.type, onu.ips) == ("485754431426779a", "HG8245Q2", ("10.8.33.14",))
    assert onu.ethernet_ports == (EthernetPort(1, "up", "up", 1000, "full"),)
    assert (optics.dnrx, optics.voltage, traffic) == (-22.14, 3.28, Traffic(0.0, 0.0))
    assert [port.id for port in ports] == [5558, 5559]
    assert alarms == ()
    assert past == (
        Registration(at(2026, 11, 19, 10, 45, 47), at(2026, 11, 19, 23, 0, 0), "losi"),
        Registration(at(2026, 11, 20, 8, 30, 5), None, "noerror"),
    )


def test_an_onu_that_is_lost_has_its_alarm_and_its_last_time(olt: HuaweiReader) -> None:
    found = olt.onu(FIRST, 2)
    assert found is not None
    (alarm,) = found.alarms
    assert (alarm.level, alarm.type, alarm.admin_status) == ("warning", "servicequality", "init")
    assert alarm.name.endswith("(LOSi/LOBi)")
    assert found.registrations == (
        Registration(at(2026, 11, 20, 8, 30, 5), at(2026, 11, 21, 1, 2, 3), "losi"),
    )
    assert found.traffic == Traffic(0.0, 0.0)


def test_an_onu_that_is_not_there_is_none(olt: HuaweiReader) -> None:
    assert olt.onu(FIRST, 99) is None
    assert olt.onu(Position(0, 17, 3), 1) is None


def everything(reader: HuaweiReader) -> None:
    reader.facts()
    reader.slots()
    for pon in (None, FIRST):
        for full in (True, False):
            reader.onus(pon, full=full)
            reader.optics(pon, full=full)
        reader.counters(pon)
        reader.service_ports(pon)
    reader.pons()
    reader.unconfigured()
    reader.onu(FIRST, 1)


@pytest.mark.parametrize("seed", MANGLED)
def test_a_mangled_device_costs_values_never_the_reading(
    snmpsim: SnmpSim, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "INTERVAL", 0.0)
    with HuaweiReader("oltInvented", snmpsim.access(f"huawei-{seed}")) as reader:
        try:
            everything(reader)
        except DeviceError as failure:
            pytest.fail(f"{failure!r}")
        assert {onu.position for onu in reader.onus()} <= {FIRST, SECOND}
        assert reader.onus()


CONTROL = recordings.oid(recordings.XPON, "2.46.1")
RUN = (*CONTROL, 15)


def three_onus() -> list[tuple[Oid, Any]]:
    """All of them up."""
    at = [(recordings.pon_ifindex(5, 2), number) for number in (1, 2, 3)]
    sns = [b"HWTC\0\0\0" + bytes((number,)) for _, number in at]
    config = recordings.oid(recordings.XPON, "2.43.1")
    named = [((*config, 3, *one), rfc1902.OctetString(sn)) for one, sn in zip(at, sns, strict=True)]
    return named + [((*RUN, *one), rfc1902.Integer32(1)) for one in at]


def read_from(behaviour: Behaviour) -> list[Onu]:
    with Agent(behaviour) as agent:
        access = SnmpAccess("127.0.0.1", agent.port, community="read", timeout=5.0, repetitions=1)
        with HuaweiReader("oltInvented", access) as reader:
            return reader.onus()


def test_a_state_that_a_walk_left_out_is_asked_for_by_itself() -> None:
    told = three_onus()
    whole, holed = rows(told), rows(told[:-1])
    found = read_from(lambda request: (whole if request.kind == "get" else holed)(request))
    assert [onu.online for onu in found] == [True, True, True]


def test_states_that_broke_off_make_no_onu_offline() -> None:
    told = [*three_onus(), *(((*CONTROL, 22, *at[-2:]), rfc1902.OctetString(b"")) for at, _ in three_onus())]

    def behave(request: Request) -> bytes | list[bytes] | None:
        if RUN < request.oid < (*CONTROL, 16) and request.kind != "get":
            return request.answer(request.variables, status=5)
        return rows(told)(request)

    with pytest.raises(DeviceError):
        read_from(behave)


def test_a_device_of_another_kind_has_no_onus(snmpsim: SnmpSim) -> None:
    with HuaweiReader("router", snmpsim.access("public")) as reader:
        everything(reader)
        assert (reader.onus(), reader.pons(), reader.slots(), reader.unconfigured()) == ([], [], [], [])


def test_a_full_olt_is_read_without_asking_for_more_than_its_state(snmpsim: SnmpSim) -> None:
    with HuaweiReader("oltInvented", snmpsim.access("large")) as reader:
        onus = reader.onus()
    assert len(onus) == 1024
    assert sum(not onu.online for onu in onus) == 52
    assert all(onu.sn and onu.desc == f"cpe{number:05}" for number, onu in enumerate(onus))
    assert {onu.last_down_cause for onu in onus if not onu.online} == {"dyinggasp"}
