"""OLTs that fail on a table: what they tell of the rest is kept, and what could not be read is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from services.common.devices.entered import snmp_access
from services.common.devices.errors import DeviceError, DeviceSilent
from services.gpon import models, reading
from tests.integration.devices import recordings
from tests.integration.devices.agent import END, SILENCE, Agent, Behaviour, Request, failing, recorded
from tests.integration.devices.recordings import XPON
from tests.integration.gpon.conftest import NORTH, Network

MANNERS = {"tooBig": 1, "noSuchName": 2, "genErr": 5, "noAccess": 6, "silence": SILENCE, "end": END}
IF_STATES, IF_NAMES, ENTITIES = "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.2.1.47"
HUAWEI, ZTE = "1.3.6.1.4.1.2011", "1.3.6.1.4.1.3902"
OPTIONAL = {
    "huawei": (
        *(
            IF_STATES,
            IF_NAMES,
            ENTITIES,
            f"{HUAWEI}.2.6.7",
            f"{HUAWEI}.6.3.3",
            f"{XPON}.2.23",
            f"{XPON}.2.21",
        ),
        *(
            f"{XPON}.{one}"
            for one in ("2.21", "2.23", "2.43.1.7", "2.45", "2.46.1.20", "2.48", "2.49", "2.51", "2.51.1.4")
        ),
    ),
    "zte": (
        *(IF_STATES, IF_NAMES, f"{ZTE}.1015", f"{ZTE}.1012.3.13", f"{ZTE}.1012.3.50", f"{ZTE}.1012.3.11"),
        *(f"{ZTE}.1012.3.28.1.1.1", f"{ZTE}.1012.3.28.2.1.7"),
    ),
}
WHOLE = {"huawei": recordings.huawei, "zte": recordings.zte}


def played(vendor: str) -> Behaviour:
    return recorded(recordings.written(WHOLE[vendor]()))


def olt(vendor: str, agent: Agent, **more: Any) -> dict[str, Any]:
    """A row as far as a reading needs it."""
    none = (
        *("snmp_user", "snmp_auth_protocol", "snmp_auth_password"),
        *("snmp_privacy_protocol", "snmp_privacy_password"),
    )
    told = {"name": NORTH, "address": "127.0.0.1", "vendor": vendor, "snmp_version": "2c", "zone": dt.UTC}
    return {**dict.fromkeys(none), **told, "snmp_community": "r", "snmp_port": agent.port, **more}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on, agents that are silent are so after less time than real ones. Those that answer have the
    real time: they are in Python, and the machine may be busy."""

    def make() -> None:
        access = partial(snmp_access, timeout=0.6, retries=1)
        monkeypatch.setattr("services.gpon.devices.snmp_access", access)

    return make


def read(vendor: str, behaviour: Behaviour) -> reading.Reading:
    with Agent(behaviour) as agent:
        return reading.read(olt(vendor, agent), True, full=True)


def states(found: reading.Reading) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {(one["fsp"], one["onu_id"]): (one["sn"], one["status"]) for one in found.onus}


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("vendor", OPTIONAL)
def test_an_olt_that_fails_on_what_need_not_be_there_tells_its_onus(
    vendor: str, manner: str, quick: Callable[[], None]
) -> None:
    whole = played(vendor)
    wanted = states(read(vendor, whole))
    if manner == "silence":
        quick()
    for subtree in OPTIONAL[vendor]:
        found = read(vendor, failing(whole, subtree, how=MANNERS[manner]))
        assert states(found) == wanted, subtree
        if manner in ("noSuchName", "end"):  # it says that it has no such table
            assert (found.failed, found.unconfigured is None) == ({}, False), subtree
        else:
            assert found.failed, subtree


@pytest.mark.parametrize("manner", ["genErr", "silence"])
@pytest.mark.parametrize(
    ("vendor", "subtree"),
    [("huawei", f"{XPON}.2.43"), ("huawei", f"{XPON}.2.46"), ("zte", f"{ZTE}.1012.3.28.2")],
)
def test_without_its_onus_or_their_states_it_is_no_reading(
    vendor: str, subtree: str, manner: str, quick: Callable[[], None]
) -> None:
    if manner == "silence":
        quick()
    with pytest.raises(DeviceError):
        read(vendor, failing(played(vendor), subtree, how=MANNERS[manner]))


def test_an_olt_that_goes_in_the_middle_is_silent_and_not_without_a_table(quick: Callable[[], None]) -> None:
    quick()
    whole, gone = played("huawei"), list[bool]()
    optics = tuple(map(int, f"{XPON}.2.51".split(".")))

    def behave(request: Request) -> bytes | list[bytes] | None:
        if request.oid[: len(optics)] == optics:
            gone.append(True)
        return None if gone else whole(request)

    with pytest.raises(DeviceSilent):
        read("huawei", behave)


def test_a_row_whose_index_is_no_onus_is_none() -> None:
    lines = recordings.huawei() + recordings.huawei_onu(
        recordings.pon_ifindex(5, 2), 2**32 - 1, b"HWTC\0\0\0\1"
    )
    assert states(read("huawei", recorded(recordings.written(lines)))) == states(
        read("huawei", played("huawei"))
    )


@contextmanager
def playing(network: Network, behaviour: Behaviour) -> Iterator[None]:
    """The OLT is played by this agent for a while."""
    before = network.olt()
    with Agent(behaviour) as agent:
        told = {"address": "127.0.0.1", "vendor": "huawei", "snmp_version": "2c", "snmp_community": "r"}
        change(network, {**told, "snmp_port": agent.port})
        try:
            yield
        finally:
            change(network, {name: before[name] for name in (*told, "snmp_port")})


def change(network: Network, columns: dict[str, Any]) -> None:
    with network.engine.database.write() as connection:
        connection.execute(update(models.olts).where(models.olts.c.name == NORTH).values(**columns))


def test_a_table_that_fails_changes_nothing_that_it_tells(network: Network) -> None:
    whole = played("huawei")
    names = ("sn", "status", "type", "description", "line_profile", "software_version", "dnrx", "optics_at")
    with playing(network, whole):
        network.questions.fresh(network.engine, network.olt(), None, 0.0, full=True)
    before = network.rows("onus")
    told, waiting = len(network.rows("outbox")), network.rows("unconfigured")
    assert ("HG8245Q2", -22.14) in {(row["type"], row["dnrx"]) for row in before}
    assert len(waiting) == 1
    failed = (f"{XPON}.2.51", f"{XPON}.2.48", f"{XPON}.2.43.1.7", f"{XPON}.2.45")
    for _ in range(3):
        with playing(network, failing(whole, *failed)):
            network.questions.fresh(network.engine, network.olt(), None, 0.0, full=True)
        olt = network.olt()
        assert olt["state"] == "up"
        assert olt["error"].startswith("Could not be read: ")
        assert f"{XPON}.2.51.1 (The agent answers genErr.)" in olt["error"]
        now = network.rows("onus")
        assert [{name: row[name] for name in names} for row in now] == [
            {name: row[name] for name in names} for row in before
        ]
        assert network.rows("unconfigured") == waiting
    assert network.questions.failed_on_levels(olt["id"], 60.0)
    with playing(network, whole):
        network.read()
    assert network.olt()["error"] is None
    assert len(network.rows("outbox")) == told
