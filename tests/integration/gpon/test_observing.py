"""What readings make of the rows, events and alarms; who sees them; what a device that fails is told as."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from typing import Any

import pytest
from sqlalchemy import insert, update

from services.common.context import Context, Scope
from services.common.database.columns import now
from services.common.devices.errors import DeviceError, DeviceSilent
from services.common.errors import NotFound
from services.common.events.outbox import Outbox
from services.gpon import models, observing, reading
from services.gpon.converging import Sessions, converge
from services.gpon.drivers.base import OltFacts, Onu, Pon, Position, Unconfigured
from services.gpon.reading import Reading, rows
from services.gpon.service import GponService, poll
from tests.integration.engine.world import DEM, PIM, ROOT
from tests.integration.gpon.conftest import BOTH, NORTH, PATIENCE, SOUTH, Network, onu, plugged, shared
from tests.servers import eventually

PLACE = {"olt": NORTH, "frame": "0", "slot": "01", "port": "00"}


def provisioned(network: Network, *numbers: int, realm: str = "pim") -> list[dict]:
    """Subscribers whose ONUs are on the first PON, and up."""
    onus = [onu(number) for number in numbers]
    plugged(network, *onus)
    cpes = [network.subscriber(one.sn, realm) for one in onus]
    network.settle()
    sns = {one.sn for one in onus}
    network.until(lambda: sns <= {row["sn"] for row in network.rows("onus", status="online")})
    return cpes


def names(network: Network, context: Context, resource: str, member: str = "sn") -> list[str]:
    body = network.engine.list(context, resource, [("limit", "1000")]).body
    return [row[member] for row in json.loads(body)]


def test_what_does_not_change_is_told_once(network: Network):
    (cpe,) = provisioned(network, 60)
    told = network.events(cpe["sn"])
    for _ in range(3):
        network.read()
    assert network.events(cpe["sn"]) == told
    assert told.count("onu.online") == 1


@pytest.mark.parametrize(("fault", "kind"), [("los", "onu.los"), ("dying_gasp", "onu.dying_gasp")])
def test_an_onu_that_goes_down_is_told_with_its_reason_and_alarms(network: Network, fault: str, kind: str):
    (cpe,) = provisioned(network, 61)
    with network.fault({"fault": fault, "device": NORTH, "onu": cpe["sn"]}):
        network.until(lambda: kind in network.events(cpe["sn"]))
        open_ = network.rows("alarms", end_time=None)
        assert [(one["sn"], one["realm"], one["host_name"]) for one in open_] == [
            (cpe["sn"], "pim", cpe["internal_id"])
        ]
        (alarm,) = json.loads(network.engine.list(PIM, "alarms", [("end_time__isnull", "true")]).body)
        assert (alarm["type"], alarm["admin_status"]) == ("servicequality", "init")
        network.read()
        assert network.events(cpe["sn"]).count(kind) == 1
    network.until(lambda: network.events(cpe["sn"])[-1] == "onu.online")
    assert network.rows("alarms", end_time=None) == []
    history = network.rows("registrations", sn=cpe["sn"])
    assert len(history) == 2
    assert history[0]["ended"] is not None
    assert history[1]["ended"] is None


@BOTH
def test_many_at_once_are_an_outage_of_their_pon(network: Network):
    cpes = provisioned(network, *range(70, 76))
    with network.fault({"fault": "dying_gasp", "pon": "0/1/0", "device": NORTH}):
        network.until(lambda: len(network.rows("onus", state="dyinggasp")) == len(cpes))
        told = [row for row in network.rows("outbox") if row["type"] == "pon.outage"]
        assert [row["data"]["affected_onus"] for row in told] == [6]
        assert told[0]["data"]["cause"] == "dyinggasp"
    network.until(lambda: len(network.rows("onus", state="online")) == len(cpes))
    assert network.rows("alarms", name="mass_outage", end_time=None) == []


def test_an_olt_that_is_silent_is_told_once_and_holds_what_was_known(network: Network):
    (cpe,) = provisioned(network, 77)
    with network.fault({"fault": "silent", "device": NORTH}):
        for _ in range(2):
            with pytest.raises(DeviceSilent) as caught:
                network.read()
            assert caught.value.body["device"] == NORTH
        assert network.olt()["state"] == "down"
        info = network.questions.info(network.engine, cpe)
        assert (info["state"], info["registration"]["host"]) == ("down", NORTH)
        assert network.rows("onus")[0]["status"] == "online"
    network.read()
    kinds = [row["type"] for row in network.rows("outbox") if row["type"].startswith("olt.")]
    assert kinds == ["olt.unreachable", "olt.reachable"]


@BOTH
def test_a_user_of_one_realm_sees_only_what_is_of_it(network: Network):
    theirs, ours, nobody = shared(network, 80)
    network.hear()
    network.read()
    assert names(network, PIM, "unconfigured") == [ours.sn]
    assert names(network, DEM, "unconfigured") == [theirs.sn]
    assert set(names(network, ROOT, "unconfigured")) == {theirs.sn, ours.sn, nobody.sn}
    network.settle()
    network.until(lambda: len(network.rows("onus", status="online")) == 2)
    status = network.answer(network.questions.rows(network.engine, PIM, "status", PLACE, []))
    assert [row["sn"] for row in status] == [ours.sn]
    assert names(network, DEM, "onus") == [theirs.sn]
    olt = json.loads(network.engine.get(PIM, "olts", NORTH).body)
    assert sum(olt["onus"].values()) == 1
    port = network.questions.pons(network.engine, PIM, PLACE, [])
    assert port[0]["onus"]["total"] == 1
    assert network.questions.find(network.engine, PIM, theirs.sn) is None
    with network.fault({"fault": "los", "device": NORTH, "onu": theirs.sn}):
        network.until(lambda: "onu.los" in network.events(theirs.sn))
    assert names(network, PIM, "alarms") == []
    assert names(network, DEM, "alarms") == [theirs.sn]
    outbox = Outbox("gpon", network.engine.metadata, network.engine.database)
    outbox.number()
    seen, _ = outbox.after(0, PIM.scope)
    assert {one.event.data["sn"] for one in seen if "sn" in one.event.data} == {ours.sn}
    everything, _ = outbox.after(0, Scope(everything=True))
    assert {theirs.sn, ours.sn, nobody.sn} <= {one.event.data.get("sn") for one in everything}


def test_an_olt_of_other_realms_is_not_there(network: Network):
    with network.engine.database.write() as connection:
        values = {"olt_id": network.olt()["id"], "realm": "dem"}
        connection.execute(models.olt_realms.insert().values(**values))
    with pytest.raises(NotFound):
        network.questions.rows(network.engine, PIM, "status", PLACE, [])


@BOTH
def test_the_pons_of_an_olt_of_other_realms_are_not_there(network: Network):
    network.read(NORTH, SOUTH)
    with network.engine.database.write() as connection:
        values = {"olt_id": network.olt(NORTH)["id"], "realm": "dem"}
        connection.execute(models.olt_realms.insert().values(**values))
    (first, *_) = network.rows("pons", olt_id=network.olt(NORTH)["id"])
    assert set(names(network, PIM, "pons", "olt")) == {SOUTH}
    assert (
        set(names(network, DEM, "pons", "olt")) == {NORTH, SOUTH} == set(names(network, ROOT, "pons", "olt"))
    )
    assert network.engine.list(PIM, "pons", [("olt", NORTH)]).meta["count"] == 0
    with pytest.raises(NotFound):
        network.engine.get(PIM, "pons", str(first["id"]))
    olts = json.loads(network.engine.list(DEM, "olts").body)
    assert [one["ports"] for one in olts] == [len(network.rows("pons", olt_id=one["id"])) for one in olts]


def test_places_with_and_without_zeros_are_the_same_and_others_are_not_there(network: Network):
    provisioned(network, 83)
    bare = {**PLACE, "slot": "1", "port": "0"}
    stored = [("refresh", "false")]  # light and times are others in the next reading
    asked = [network.questions.rows(network.engine, ROOT, "status", one, stored) for one in (PLACE, bare)]
    assert asked[0].body == asked[1].body
    for wrong in ({**PLACE, "port": "77"}, {**PLACE, "port": "x"}, {**PLACE, "olt": "nobody"}):
        with pytest.raises(NotFound):
            network.questions.rows(network.engine, ROOT, "status", wrong, [])


def test_one_onu_is_told_whole(network: Network):
    (cpe,) = provisioned(network, 84)
    told = network.answer(network.questions.onu(network.engine, ROOT, {"sn": "HWTCaabb0054"}, []))
    assert {
        *("sn", "sn_ascii", "olt", "fsp", "onu_id", "status", "reg_status", "uptime", "desc", "type_name"),
        *("line_profile", "service_profile", "dnrx", "catvrx", "uptx", "uprx", "upatt", "dnbw", "upbw"),
        *("ips", "alarms", "service_ports", "registrations", "distance", "memento", "cpe"),
    } <= set(told)
    assert (told["sn"], told["status"], told["desc"]) == (cpe["sn"], "up", cpe["internal_id"])
    assert told["cpe"]["id"] == cpe["id"]
    assert {port["service_vlan"] for port in told["service_ports"]} == {933, 1100}
    assert told["registrations"][-1]["to"] is None or told["registrations"][0]["to"] is None
    (listed,) = network.answer(network.engine.list(ROOT, "onus", []))
    assert told["last_up_time"] == told["registrations"][-1]["from"] == listed["last_up_time"]
    assert told["observed_at"][-6:] == listed["observed_at"][-6:]


@BOTH
def test_mismatches_are_shown_and_not_mended(network: Network):
    (cpe,) = provisioned(network, 85)
    everything = network.questions.provisioned(network.engine, ROOT, {"olt": NORTH}, [])
    assert [row["mismatches"] for row in everything] == [[]]
    with network.engine.database.write() as connection:
        row = dict(network.provisioning(cpe["id"])["cpe_row"])
        row["access"] = False
        connection.execute(update(models.provisionings).values(cpe_row=row))
    different = network.questions.provisioned(network.engine, ROOT, {"olt": NORTH}, [], different=True)
    assert [row["mismatches"] for row in different] == [["service_ports"]]
    assert {port.service_vlan for port in network.on_olt(cpe["sn"]).service_ports} == {933, 1100}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("wrong_password", "device_refused"),
        ("new_host_key", "device_host_key_changed"),
    ],
)
def test_what_keeps_us_out_is_said_and_nothing_hangs(network: Network, fault: str, code: str):
    one = onu(86)
    plugged(network, one)
    with network.fault({"fault": fault, "device": NORTH}):
        cpe = network.subscriber(one.sn)
        network.settle()
        row = network.provisioning(cpe["id"])
        assert (row["state"], row["reason"]) == ("failed", code)
        assert row["due"] is not None
        assert network.rows("unconfigured")[0]["last_error"] == row["error"]
        password = network.olt()["ssh_password"]
        assert password not in json.dumps([one["data"] for one in network.rows("outbox")])
    network.look(cpe["id"])
    assert network.provisioning(cpe["id"])["state"] == "applied"


def test_a_session_that_breaks_in_the_middle_is_gone_on_with(network: Network):
    one = onu(87)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.hear()
    with network.fault({"fault": "resets", "device": NORTH, "command": 4}):
        network.settle()
        assert network.provisioning(cpe["id"])["state"] == "failed"
    network.look(cpe["id"])
    assert network.provisioning(cpe["id"])["state"] == "applied"
    assert len([kind for kind in network.events(one.sn) if kind == "onu.added"]) == 1


def test_an_olt_that_is_silent_keeps_nobody_who_waits_on_another_from_us(
    network: Network, monkeypatch: pytest.MonkeyPatch
):
    one = onu(91)
    plugged(network, one)
    answered, read = threading.Event(), reading.read

    def waited_for(olt: dict, *arguments: Any) -> Reading:
        if olt["name"] == SOUTH:  # it is silent for longer than the other takes, however slow this machine is
            answered.wait(PATIENCE)
        return read(olt, *arguments)

    monkeypatch.setattr(reading, "read", waited_for)
    service: Any = GponService()
    service.engine, service.context = network.engine, ROOT
    with network.fault({"fault": "silent", "device": SOUTH}):
        reply = service.list("unconfigured", parameters=[("refresh", "true")])
        assert network.olt(SOUTH)["state"] != "down", "it is still being asked"
        answered.set()
        assert [row["sn"] for row in network.answer(reply)] == [one.sn]
        eventually(lambda: network.olt(SOUTH)["state"] == "down")


def test_with_another_community_the_olt_is_silent(network: Network):
    right = network.olt(SOUTH)["snmp_community"]
    south = update(models.olts).where(models.olts.c.name == SOUTH)
    with network.engine.database.write() as connection:
        connection.execute(south.values(snmp_community="wrong"))
    with pytest.raises(DeviceError) as caught:
        network.read(SOUTH)
    with network.engine.database.write() as connection:
        connection.execute(south.values(snmp_community=right))
    assert caught.value.status in (502, 504)
    assert "wrong" not in str(caught.value)


def test_a_worker_converges_a_row_that_is_not_there_any_more(network: Network):
    with Sessions(network.engine) as sessions:
        assert converge(network.engine, 10**6, sessions) is None


@BOTH
def test_a_reading_that_repeats_itself_and_overflows_is_kept(network: Network):
    twice = Position(0, 1, 0), Position(0, 1, 1)
    waiting = [Unconfigured("48575443aabb00f0", "1" * 50, "x" * 90, at, "y" * 90) for at in twice]
    told = Onu(
        twice[0],
        3,
        "48575443aabb00f1",
        online=True,
        last_up_time=dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        distance=2**32 - 1,
    )
    pons = [Pon(at, 1, "GPON") for at in (*twice, *twice)]
    facts = OltFacts("Huawei", model="m" * 300, version="v" * 300)
    found = Reading("huawei", facts, pons, rows([told, told], pons, {}), waiting, True)
    observing.keep(network.engine, network.olt(), found)
    assert [row["sn"] for row in network.rows("unconfigured")] == ["48575443aabb00f0"]
    stored = network.rows("onus")[0]
    assert (stored["last_up_time"], stored["distance"]) == (None, None)
    network.until(lambda: not network.rows("onus") and not network.rows("unconfigured"))


@BOTH
def test_an_onu_of_which_no_serial_was_read_is_the_one_that_was_there(network: Network):
    (cpe,) = provisioned(network, 92)
    olt, (before,) = network.olt(), network.rows("onus")
    sn, at = before["sn"], Position(before["frame"], before["slot"], before["port"])
    told = Onu(at, before["onu_id"], None, online=True, states=("online",), raw_status="up")
    found = Reading("huawei", OltFacts("Huawei"), [], rows([told], [], None), [], False, full=False)
    events = network.events(sn)
    observing.keep(network.engine, olt, found)
    (after,) = network.rows("onus")
    kept = ("id", "sn", "cpe", "cpename", "realm", "status")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert [row["ended"] for row in network.rows("registrations", sn=sn)] == [None]
    assert network.events(sn) == events
    assert network.provisioning(cpe["id"])["state"] == "applied"


def test_what_a_quick_reading_leaves_out_stays_known(network: Network):
    (cpe,) = provisioned(network, 88)
    network.questions.fresh(network.engine, network.olt(), None, 0.0, full=True)
    whole = network.rows("onus")[0]
    assert None not in (whole["type"], whole["line_profile"], whole["distance"], whole["software_version"])
    network.read()
    again = network.rows("onus")[0]
    kept = ("type", "line_profile", "service_profile", "distance", "ips", "software_version", "version")
    assert {name: again[name] for name in kept} == {name: whole[name] for name in kept}
    assert network.provisioning(cpe["id"])["due"] is None


def online(network: Network, number: int) -> None:
    """A subscriber's ONU that is up, of which nothing but its state was read."""
    one = onu(number)
    plugged(network, one)
    network.subscriber(one.sn)
    network.settle()
    network.questions.forget(network.olt()["id"])
    end = time.monotonic() + PATIENCE
    while network.rows("onus")[0]["status"] != "online":
        assert time.monotonic() < end
        network.questions.fresh(network.engine, network.olt(), None, 0.0, levels=False)
    assert network.rows("onus")[0]["dnrx"] is None


def test_levels_are_asked_for_although_states_were_just_read(network: Network):
    online(network, 89)
    (row,) = network.answer(network.questions.rows(network.engine, ROOT, "txrx", PLACE, []))
    assert row["dnrx"] is not None


def test_an_onu_that_is_new_is_read_in_full_with_the_next_poll(network: Network):
    online(network, 90)
    (row,) = network.rows("onus")
    other = {**row, "id": row["id"] + 1, "onu_id": 99, "position": "0/1/0-99", "sn": "48575443aabb00ff"}
    with network.engine.database.write() as connection:  # one whose levels were read a moment ago
        connection.execute(insert(models.onus).values(**{**other, "optics_at": now()}))
    poll(network.engine, row["olt_id"])
    fresh = network.rows("onus", sn=row["sn"])[0]
    assert None not in (fresh["type"], fresh["dnrx"], fresh["software_version"])


def test_the_levels_of_an_onu_that_is_back_are_read_with_the_next_poll(network: Network):
    (cpe,) = provisioned(network, 91)
    olt_id = network.rows("onus")[0]["olt_id"]
    with network.fault({"fault": "los", "device": NORTH, "onu": cpe["sn"]}):
        network.until(lambda: network.rows("onus", sn=cpe["sn"], status="offline"))
    stale = {"dnrx": -1.0, "optics_at": now()}
    with network.engine.database.write() as connection:  # as if all had been read in full a moment ago
        connection.execute(update(models.onus).values(**stale))

    def back() -> bool:
        poll(network.engine, olt_id)
        return bool(network.rows("onus", sn=cpe["sn"], status="online"))

    eventually(back, PATIENCE)
    assert network.rows("onus", sn=cpe["sn"])[0]["dnrx"] < -5
