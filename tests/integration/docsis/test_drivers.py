"""Drivers against agents: what they read, and that nothing an agent answers is too strange for them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pysnmp.proto.rfc1902 import Integer32, OctetString

from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceError, DeviceRefused, DeviceSilent, DeviceUnreachable
from services.common.devices.snmp import Snmp
from services.docsis.domain.enumerations import STATES
from services.docsis.drivers.cmts import Cmts
from services.docsis.drivers.mib import CmtsCmReg
from services.docsis.drivers.modem import CableModem
from services.docsis.drivers.readings import Channel, Codewords, FiberNode, Flow, Place
from tests.integration.devices.agent import Agent, Request, rows
from tests.integration.docsis.agents import SEEDS, Agents
from tests.integration.docsis.recordings import ANA, EVA, NORA, OMAR, TEO

RESET_NOW = "1.3.6.1.2.1.69.1.1.3.0"


def colons(mac: str) -> str:
    return bytes.fromhex(mac).hex(":")


# ---- what is read -------------------------------------------------------------------------------


def test_what_a_cmts_is(agents: Agents) -> None:
    told = {}
    for name in ("casa", "cisco", "arris"):
        with agents.open(name) as snmp:
            told[name] = Cmts(snmp).facts()
    assert [(one.vendor, one.model, one.software_version, one.uptime) for one in told.values()] == [
        ("Casa Systems", "C1G", "6.1.3", 5_000_000),
        ("Cisco", "UBR10K4", "12.2(33)SCH2", 5_000_000),
        ("Arris", "C4", "07.03.01", 5_000_000),
    ]


def test_channels_of_a_cmts(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        found = Cmts(snmp).topology()
    down, up = found.downstreams[6], found.upstreams[0]
    assert (down.ifindex, down.id, down.freq, down.width, down.modulation) == (
        147,
        7,
        512_000_000,
        8_000_000,
        "qam256",
    )
    assert (down.power, down.interface, down.name, down.state) == (57.0, "dn.0-3-0", "Downstream 0/3/0", "up")
    assert (down.annex, down.interleave) == ("annexA", "taps12increment17")
    assert (up.ifindex, up.id, up.freq, up.width) == (397, 1, 35_000_000, 3_200_000)
    assert (up.interface, up.name) == ("up.1-0-0", "Logical Upstream Channel 1/0/0")
    assert (up.modulation_profile, up.modulation, up.type) == (2, "qam64", "atdma")
    assert (up.snr, up.codewords, up.utilization) == (35.2, Codewords(9_000_000_000, 90, 10, 64), 10)
    assert (up.slot_size, up.tx_timing_offset, up.pre_eq_enable, up.ranging_backoff_end) == (
        2,
        1200,
        False,
        8,
    )
    assert [one.state for one in found.upstreams] == ["up"] * 7 + ["down"]


def test_mac_domains_have_their_channels(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        (domain,) = Cmts(snmp).topology().mac_domains
    assert (domain.ifindex, domain.name, domain.ip_provisioning_mode) == (77, "catv-mac.1", "dualStack")
    assert len(domain.channels) == 16
    assert domain.channels[0] == Channel(141, 1, True, "downstream", "Downstream 0/0/0", 464_000_000)
    assert domain.channels[-1] == Channel(
        404, 8, False, "upstream", "Logical Upstream Channel 1/7/0", 57_400_000
    )


def test_fiber_nodes_have_their_channel_sets(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        nodes = {one.name: one for one in Cmts(snmp).topology().fiber_nodes}
    channels = tuple(range(1, 9))
    assert nodes["nodo1"] == FiberNode(
        "nodo1", "Calle Real", (Place(77, 1, 1, 1),), (256,), channels, (256,), (1, 2)
    )
    assert (nodes["nodo2"].upstream_sets, nodes["nodo2"].upstream_channels) == ((257,), (5, 6, 7, 8))
    assert (nodes["nodo vacío"].upstream_sets, nodes["nodo vacío"].upstream_channels) == ((), ())
    assert nodes["nodo vacío"].downstream_channels == channels


def test_modems_and_how_they_are_heard(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        found = {one.mac: one for one in Cmts(snmp).modems()}
    assert len(found) == 6
    ana = found[colons(ANA.mac)]
    assert (ana.id, ana.state, ana.status, ana.ip, ana.ipv6) == (
        29,
        "online",
        "operational",
        "10.0.32.48",
        None,
    )
    assert (ana.md_ifindex, ana.md_cm_sg_id, ana.rcs_id, ana.tcs_id) == (77, 1, 7, 1)
    assert ana.last_reg_time is not None
    assert ana.last_reg_time.isoformat() == "2026-11-25T08:30:00+00:00"
    (up,) = ana.upstreams
    assert (up.ifindex, up.rx, up.snr, up.codewords) == (397, 5.2, 38.2, Codewords(1000, 0, 0, 32))
    states = {
        name: found[colons(one.mac)].state for name, one in (("eva", EVA), ("nora", NORA), ("omar", OMAR))
    }
    assert states == {"eva": "offline", "nora": "blocked", "omar": "ranging"}
    assert [one.muted for one in found[colons(TEO.mac)].upstreams] == [False, True]


def test_one_modem_is_found_whatever_number_it_has_now(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        cmts = Cmts(snmp)
        for hint in (ANA.number, None, 30, 999):
            found = cmts.modem(colons(ANA.mac), hint)
            assert found is not None
            assert (found.id, found.rcp_id, found.qos_version) == (29, "0010000000", "docsis11")
            assert (found.upstreams[0].microreflections, found.upstreams[0].timing_offset) == (25, 48_000)
        assert cmts.modem("0a:00:00:00:00:99") is None


def test_a_modem_is_found_where_there_is_no_pointer_to_it(agents: Agents) -> None:
    with agents.open("cisco") as snmp:
        found = Cmts(snmp).modem("0a:00:cb:83:42:02")
    assert found is not None
    assert (found.id, found.ip, found.upstreams) == (900, "10.1.0.9", ())


def test_service_flows_of_a_modem(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        assert Cmts(snmp).flows(colons(ANA.mac)) == [
            Flow(100, "downstream", 20_000_000, 100_000_000),
            Flow(101, "upstream", 2_000_000, 101_000_000),
        ]
        assert Cmts(snmp).flows(colons(EVA.mac)) == []
    with agents.open("arris") as snmp:
        assert Cmts(snmp).flows("0a:00:cb:83:43:01") == [Flow(5, "downstream", 8_000_000, None, 32)]


def test_a_mac_domain_that_names_other_interfaces_of_its_channels(agents: Agents) -> None:
    with agents.open("cisco") as snmp:
        found = Cmts(snmp).topology()
    (domain,) = found.mac_domains
    assert domain.name == "ca3-0"
    assert [(one.name, one.id, one.primary, one.freq) for one in domain.channels[:2]] == [
        ("In3/0:0", 1, True, 657_000_000),
        ("In3/0:1", 2, True, 663_000_000),
    ]
    assert [(one.name, one.primary, one.freq) for one in domain.channels[4:6]] == [
        ("Ca3/0-upstream0", False, 32_600_000),
        ("Ca3/0-upstream1", False, 32_600_000),
    ]
    assert [(one.interface, one.power, one.width) for one in found.downstreams[:2]] == [
        ("in3-0-dn0", 46.0, 8_000_000),
        ("in3-0-dn1", 46.0, None),
    ]
    assert found.fiber_nodes == ()


def test_modems_of_which_little_is_known(agents: Agents) -> None:
    with agents.open("cisco") as snmp:
        found = {one.mac: one for one in Cmts(snmp).modems()}
    assert sorted(found) == ["0a:00:cb:83:42:01", "0a:00:cb:83:42:02", "0a:00:cb:83:42:03"]
    assert (found["0a:00:cb:83:42:01"].state, found["0a:00:cb:83:42:01"].rcs_id) == ("online", None)
    moved = found["0a:00:cb:83:42:03"]
    assert (moved.id, moved.state) == (70_000, "online")


def test_a_cmts_of_docsis_2(agents: Agents) -> None:
    with agents.open("arris") as snmp:
        cmts = Cmts(snmp)
        topology, modems = cmts.topology(), cmts.modems()
        one = cmts.modem("0a:00:cb:83:43:02")
    (domain,) = topology.mac_domains
    assert [(channel.ifindex, channel.direction, channel.id) for channel in domain.channels] == [
        (600, "downstream", 1),
        (701, "upstream", 1),
    ]
    assert [(m.state, m.status, m.downstream, m.upstreams[0].rx, m.upstreams[0].snr) for m in modems] == [
        ("online", "registrationComplete", 600, 0.0, 35.2),
        ("online", "operational", 600, 1.2, 34.0),
        ("blocked", "accessDenied", 600, None, None),
    ]
    assert one == modems[1]


def test_what_a_modem_says_of_itself(agents: Agents) -> None:
    with agents.open("modem") as snmp:
        found = CableModem(snmp).read()
    assert (found.uptime, found.file, found.software_version, found.serial_number) == (
        86_400,
        "cm.cm",
        "6.1.129T",
        "NL0012",
    )
    assert [(d.ifindex, d.id, d.freq, d.level, d.snr, d.codewords) for d in found.downstreams] == [
        (3, 7, 512_000_000, 4.1, 41.0, Codewords(5_000_000_000, 7, 1, 64)),
        (48, 8, 520_000_000, 4.0, 41.0, Codewords(5_000_000_000, 7, 1, 64)),
    ]
    assert [(u.id, u.level, u.t3_timeouts, u.ranging_status, u.muted) for u in found.upstreams] == [
        (1, 45.0, 3, 4, False),
        (2, 45.0, 3, 4, False),
    ]


def test_a_modem_tells_its_own_flows_and_all_of_its_traffic(agents: Agents) -> None:
    with agents.open("modem") as snmp:
        found = CableModem(snmp).read()
    assert found.flows == (Flow(1, "downstream", 50_000_000), Flow(2, "upstream", 5_000_000))
    assert [(one.direction, one.octets, one.bits) for one in found.traffic] == [
        ("downstream", 123_456_789_012, 64),
        ("upstream", 9_876_543_210, 64),
    ]


# ---- what is set --------------------------------------------------------------------------------


def test_an_upstream_is_moved_to_another_frequency(agents: Agents) -> None:
    with agents.open("casa") as snmp:
        cmts = Cmts(snmp)
        cmts.set_frequency(397, 36_000_000)
        assert {one.ifindex: one.freq for one in cmts.topology().upstreams}[397] == 36_000_000
        cmts.set_frequency(397, 35_000_000)


def test_a_cmts_that_refuses_to_be_set_says_so(agents: Agents) -> None:
    with agents.open("casa") as snmp, pytest.raises(DeviceRefused) as caught:
        Cmts(snmp).set_frequency(398, 36_000_000)
    assert caught.value.device == "casa"


def test_a_modem_is_restarted(agents: Agents) -> None:
    with agents.open("modem") as snmp:
        snmp.set(RESET_NOW, 2)  # another test may have restarted it
        assert snmp.get(RESET_NOW) == {RESET_NOW: 2}
        CableModem(snmp).reset()
        assert snmp.get(RESET_NOW) == {RESET_NOW: 1}


# ---- what goes wrong ----------------------------------------------------------------------------


def test_an_agent_without_anything_is_an_error_and_no_empty_cmts(agents: Agents) -> None:
    with agents.open("empty") as snmp, pytest.raises(DeviceError, match="nothing of itself"):
        Cmts(snmp).facts()
    with agents.open("empty") as snmp, pytest.raises(DeviceError, match="nothing of itself"):
        CableModem(snmp).read()


def test_states_that_a_walk_left_out_or_broke_off_at_put_nobody_offline() -> None:
    entry = tuple(map(int, CmtsCmReg.ENTRY.split(".")))
    states = (*entry, CmtsCmReg.VALUE)
    macs = [bytes.fromhex("0200000000") + bytes((number,)) for number in (1, 2)]
    told = [((*entry, CmtsCmReg.MAC, number), OctetString(mac)) for number, mac in enumerate(macs, 1)]
    whole = rows([*told, ((*states, 1), Integer32(8))])

    def breaks(request: Request) -> bytes | list[bytes] | None:
        if states < request.oid < (*entry, CmtsCmReg.VALUE + 1):
            return request.answer(request.variables, status=5)
        return whole(request)

    with Agent(whole) as agent, Snmp("cmtsNorte", SnmpAccess("127.0.0.1", agent.port, community="r")) as snmp:
        assert [(one.mac, one.state) for one in Cmts(snmp).modems()] == [(macs[0].hex(":"), "online")]
    with Agent(breaks) as agent:
        way = Snmp("cmtsNorte", SnmpAccess("127.0.0.1", agent.port, community="r", repetitions=1))
        with way as snmp, pytest.raises(DeviceError):
            Cmts(snmp).modems()


def test_a_silent_cmts_is_named(agents: Agents) -> None:
    silent = dataclasses.replace(agents.access("nobody"), timeout=0.1, retries=0)
    with pytest.raises(DeviceSilent) as caught, Snmp("cmtsNorte", silent) as snmp:
        Cmts(snmp).facts()
    assert (caught.value.status, caught.value.body["device"]) == (504, "cmtsNorte")
    with pytest.raises(DeviceUnreachable), Snmp("cmtsNorte", dataclasses.replace(silent, port=1)) as snmp:
        Cmts(snmp).facts()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["casa", "cisco", "arris"])
def test_no_answer_of_a_cmts_is_too_strange(agents: Agents, name: str, seed: int) -> None:
    with agents.open(f"{name}{seed}") as snmp:
        cmts = Cmts(snmp)
        facts, topology, modems = cmts.facts(), cmts.topology(), cmts.modems()
        for one in modems[:3]:
            again = cmts.modem(one.mac, one.id)
            assert again is None or again.mac == one.mac
            cmts.flows(one.mac)
    assert facts.vendor != "unknown"
    channels: list[Any] = [*topology.downstreams, *topology.upstreams]
    for channel in channels:
        assert channel.freq is None or channel.freq > 0
        assert channel.interface
    for one in modems:
        assert one.state in STATES
        assert one.mac == colons(one.mac.replace(":", ""))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_answer_of_a_modem_is_too_strange(agents: Agents, seed: int) -> None:
    with agents.open(f"modem{seed}") as snmp:
        found = CableModem(snmp).read()
    assert all(one.freq for one in (*found.downstreams, *found.upstreams))
