"""CMTSs that fail on a table: what they tell of the rest is kept, and what could not be read is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceError, DeviceSilent
from services.common.devices.snmp import Snmp, within
from services.docsis.drivers.cmts import Cmts
from services.docsis.drivers.modem import CableModem
from services.docsis.questions import Questions
from services.docsis.reading import read
from tests.integration.devices.agent import END, SILENCE, Agent, Behaviour, Request, failing, recorded
from tests.integration.docsis import recordings
from tests.integration.docsis.network import CMTS, Network
from tests.integration.docsis.recordings import ANA, CHANNEL, IF3, LUIS, MODULATION, NODE, REG, TEO, US

IF31 = "1.3.6.1.4.1.4491.2.1.28"
OPTIONAL = (
    *(recordings.IFX, recordings.STACK, recordings.QUALITY, recordings.UTILIZATION, MODULATION),
    *(NODE, f"{IF3}.13", f"{IF3}.14", f"{IF3}.16", f"{IF3}.22", f"{IF3}.23", US, IF31),
    *(recordings.NODE_DESCR, recordings.QOS3, f"{REG}.14", f"{REG}.12"),
)
PATIENCE = 0.6
"""For those that are silent. Others have the time of real devices."""
MANNERS = {"tooBig": 1, "noSuchName": 2, "genErr": 5, "noAccess": 6, "silence": SILENCE, "end": END}


@contextmanager
def asked(behaviour: Behaviour, timeout: float = 2.0) -> Iterator[Snmp]:
    with Agent(behaviour) as agent:
        access = SnmpAccess("127.0.0.1", agent.port, community="r", timeout=timeout, retries=1)
        with Snmp(CMTS, access) as snmp:
            yield snmp


def patience(manner: str) -> float:
    return PATIENCE if manner == "silence" else 2.0


def casa() -> Behaviour:
    return recorded(recordings.casa().text())


@pytest.mark.parametrize("manner", MANNERS)
def test_a_cmts_that_fails_on_what_need_not_be_there_tells_all_the_rest(manner: str) -> None:
    for subtree in OPTIONAL:
        with asked(failing(casa(), subtree, how=MANNERS[manner]), patience(manner)) as snmp:
            cmts = Cmts(snmp)
            cmts.facts()
            topology, modems = cmts.topology(), {one.mac: one for one in cmts.modems()}
            assert (len(topology.downstreams), len(topology.upstreams), len(modems)) == (8, 8, 6), subtree
            assert [len(one.channels) for one in topology.mac_domains] == [16], subtree
            assert {one.state for one in modems.values()} == {"online", "offline", "ranging", "blocked"}
            again = cmts.modem(colons(ANA.mac), ANA.number)
            assert again is not None
            assert (again.state, again.ip) == ("online", "10.0.32.48")
            cmts.flows(again.mac)
            if manner in ("noSuchName", "end"):  # it says that it has no such table
                assert cmts.failed == {}
            else:
                assert cmts.failed, subtree
                table = subtree.removesuffix(".14").removesuffix(".12")  # where one column is silent
                assert all(within(oid, table) for oid in cmts.failed), subtree


def colons(mac: str) -> str:
    return bytes.fromhex(mac).hex(":")


@pytest.mark.parametrize("manner", MANNERS)
def test_an_old_cmts_that_fails_on_the_newer_mibs_is_read_by_the_older_ones(manner: str) -> None:
    old = recorded(recordings.arris().text())
    with asked(old) as snmp:
        wanted = Cmts(snmp).modems()
    with asked(failing(old, "1.3.6.1.4.1.4491", how=MANNERS[manner]), patience(manner)) as snmp:
        cmts = Cmts(snmp)
        (domain,) = cmts.topology().mac_domains
        assert len(domain.channels) == 2
        assert cmts.modems() == wanted
        assert cmts.modem("0a:00:cb:83:43:02") == wanted[1]
        assert cmts.flows("0a:00:cb:83:43:01") != []


@pytest.mark.parametrize("subtree", [recordings.DOWN, recordings.UP])
def test_a_cmts_that_fails_on_its_channels_tells_its_modems(subtree: str) -> None:
    with asked(failing(casa(), subtree)) as snmp:
        cmts = Cmts(snmp)
        topology = cmts.topology()
        assert (len(topology.downstreams) + len(topology.upstreams), len(cmts.modems())) == (8, 6)
        assert [len(one.channels) for one in topology.mac_domains] == [16]
        assert list(topology.failed) == [subtree]


@pytest.mark.parametrize("subtree", [recordings.IF, REG])
def test_without_interfaces_or_modems_it_is_no_reading(subtree: str) -> None:
    with asked(failing(casa(), subtree)) as snmp, pytest.raises(DeviceError):
        cmts = Cmts(snmp)
        cmts.topology()
        cmts.modems()


def test_a_cmts_that_does_not_tell_its_modems_has_not_lost_one() -> None:
    lists = (REG, recordings.CMTS_CM)
    with asked(failing(casa(), *lists)) as snmp, pytest.raises(DeviceError, match="does not tell its modems"):
        Cmts(snmp).modem("0a:00:00:00:00:99")


def test_a_cmts_that_goes_in_the_middle_is_silent_and_not_without_a_table() -> None:
    whole = casa()
    gone: list[bool] = []

    def behave(request: Request) -> bytes | list[bytes] | None:
        if request.oid[: len(node)] == node:
            gone.append(True)
        return None if gone else whole(request)

    node = tuple(map(int, NODE.split(".")))
    with asked(behave, PATIENCE) as snmp, pytest.raises(DeviceSilent):
        Cmts(snmp).topology()


@pytest.mark.parametrize("manner", MANNERS)
def test_a_modem_that_fails_on_tables_tells_the_rest(manner: str) -> None:
    whole = recorded(recordings.modem().text())
    for subtree in (recordings.QUALITY, IF3, recordings.CM, recordings.IF, recordings.QOS3, recordings.UP):
        with asked(failing(whole, subtree, how=MANNERS[manner]), patience(manner)) as snmp:
            found = CableModem(snmp).read()
        assert (found.uptime, len(found.downstreams)) == (86_400, 2)


# ---- what is kept of it -------------------------------------------------------------------------


@contextmanager
def playing(network: Network, behaviour: Behaviour) -> Iterator[None]:
    with Agent(behaviour) as agent:
        network.play("network", snmp_port=agent.port)
        yield


def test_numbers_that_no_column_holds_cost_themselves(network: Network) -> None:
    network.questions = Questions(read)
    strange = recordings.casa()
    most = (recordings.COUNTER64, 2**64 - 1)
    strange.row(REG, ANA.number, c7=most, c8=most, c11=most, c12=(recordings.OCTETS, "9" * 20))
    network.cmts()
    with playing(network, recorded(strange.text())):
        network.poll()
        assert network.modem(ANA.mac)["state"] == "online"
    (ana,) = network.rows("cable_modems", mac=colons(ANA.mac))
    assert (ana["md_cm_sg_id"], ana["rcs_id"], ana["tcs_id"], ana["uprx"]) == (None, None, None, 5.2)


def test_a_table_that_fails_once_changes_nothing_that_it_tells(network: Network) -> None:
    network.questions = Questions(read)
    subscribers = [ANA, LUIS, replace(TEO, ip="10.0.32.61")]
    whole = recorded(recordings.casa(subscribers).text())
    network.cmts(realms=["pim"])
    with playing(network, whole):
        network.poll()
    before, documents = network.rows("cable_modems"), network.rows("cmtss")[0]
    told = network.events()
    assert [row["partial"] for row in before] == [False, False, True]
    channels = (recordings.DOWN, recordings.UP)
    failed = (*channels, NODE, US, CHANNEL, f"{IF3}.22", f"{IF3}.23", f"{REG}.8", f"{REG}.12")
    with playing(network, failing(whole, *failed)):
        network.poll()
        (cmts,) = network.rows("cmtss")
        assert cmts["state"] == "up"
        assert cmts["error"].startswith("Could not be read: ")
        assert f"{recordings.DOWN} (The agent answers genErr.)" in cmts["error"]
        for name in ("fiber_nodes", "mac_domains", "downstreams", "upstreams"):
            assert cmts[name] == documents[name]
        names = ("mac", "state", "partial", "lacking", "md", "fibernode", "downstream", "upstream", "tcs_id")
        for row, old in zip(network.rows("cable_modems"), before, strict=True):
            assert {name: row[name] for name in names} == {name: old[name] for name in names}
        assert network.modem(TEO.mac)["state"] == "online"
        assert {row["fibernode"] for row in network.rows("cable_modems")} == {"nodo1"}
    with playing(network, whole):
        network.poll()
    assert network.rows("cmtss")[0]["error"] is None
    assert network.events() == told
    assert [row["partial"] for row in network.rows("cable_modems")] == [False, False, True]
