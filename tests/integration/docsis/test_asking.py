"""Questions to devices, and what they are asked to do: details, info, frequencies, restarts."""

from __future__ import annotations

import json
import threading
from typing import Any

import jsonschema
import pytest
import structlog
from sqlalchemy import create_engine

from services.common.cpe_info import INFO
from services.common.devices.errors import DeviceRefused, DeviceSilent
from services.common.errors import InvalidInput, NotFound, PermissionDenied, ServiceUnavailable
from services.common.executing.executor import Refused, Uncertain
from services.common.executing.tasks import Tasks
from services.common.resource.representation import dumps
from services.common.rpc.reply import Reply
from services.docsis import doing, info, questions, tasks
from tests.integration.docsis.network import CMTS, Network
from tests.integration.docsis.recordings import ANA, EVA, LUIS, NORA, TEO
from tests.integration.engine.world import PIM, ROOT

UPSTREAM = {"cmts": CMTS, "ifindex": "397"}
RESET_NOW = "1.3.6.1.2.1.69.1.1.3.0"


def colons(mac: str) -> str:
    return bytes.fromhex(mac).hex(":")


def answer(reply: Reply) -> Any:
    return json.loads(reply.body)


def documents(network: Network, member: str, **parameters: str) -> list[dict[str, Any]]:
    asked = list(parameters.items())
    return network.questions.documents(network.engine, ROOT, member, {"cmts": CMTS}, asked)


# ---- a modem ----------------------------------------------------------------------------------------


def test_a_modem_now_as_the_product_tells_it(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    found = network.modem(ANA.mac, PIM)
    assert {name: found[name] for name in ("cmts", "id", "state", "fibernode", "md", "ids", "mac", "ip")} == {
        "cmts": CMTS,
        "id": 29,
        "state": "online",
        "fibernode": "nodo1",
        "md": "catv-mac.1",
        "ids": "77/1/7/1",
        "mac": colons(ANA.mac),
        "ip": "127.0.0.1",
    }
    assert (found["poll"], found["file"], found["uptime"], found["model"]) == (
        "success",
        "cm.cm",
        86_400,
        "NL552B",
    )
    assert found["last_reg_time"] == "2026-11-25T09:30:00+01:00"
    assert found["reg_tags"] == [CMTS, "catv-mac.1", "nodo1", "dn.0-3-0", "up.1-0-0"]
    assert found["output"] == f"online {CMTS}:29 127.0.0.1"
    assert found["downstream_sfs"] == [20_000_000]
    assert [(one["id"], one["direction"], one["rate"]) for one in found["service_flows"]] == [
        (100, "downstream", 20_000_000),
        (101, "upstream", 2_000_000),
    ]
    assert (found["dnbw"], found["upbw"]) == (0.0, 0.0)
    assert found["system_description"]["VENDOR"] == "Northlight, L.L.C."
    assert found["downstream"][0] == {
        "id": 0,
        "chanid": 7,
        "itf_name": "dn.0-3-0",
        "freq": 512_000_000,
        "width": 8_000_000,
        "mod": "qam256",
        "rx": 4.1,
        "att": 52.9,
        "snr": 41.0,
        "corr": 0.0,
        "ko": 0.0,
        "microreflections": None,
    }
    up = found["upstream"][0]
    assert {
        name: up[name]
        for name in ("id", "itf_name", "freq", "width", "mod", "tx", "att", "snr", "corr", "ko")
    } == {
        "id": 0,
        "itf_name": "up.1-0-0",
        "freq": 35_000_000,
        "width": 3_200_000,
        "mod": "qam64",
        "tx": 45.0,
        "att": 39.8,
        "snr": 38.2,
        "corr": 0.0,
        "ko": 0.0,
    }
    assert found["upstream_total"] == {"tx": 45.0, "att": 39.8, "snr": 38.2, "corr": 0.0, "ko": 0.0}
    assert found["services"] == {
        "qos": {"state": "OK", "output": "dncorr=0.00% dnko=0.00% upcorr=0.00% upko=0.00%"},
        "downstream": {"state": "OK", "output": "dnatt=53.0dB dnrx=4.0dBm dnsnr=41.0dB"},
        "upstream": {"state": "OK", "output": "upatt=39.8dB uptx=45.0dBm upsnr=38.2dB"},
        "docsis": {"state": "OK", "output": "cmtsinvups=0 cminvups=0"},
    }
    assert repr((found["cmtsinvups"], found["cminvups"])) == "(0, 0)"
    assert found["realm"] == "pim"


def test_what_was_seen_of_a_modem_is_kept(network: Network) -> None:
    network.cmts()
    network.poll()
    network.modem(ANA.mac)
    (row,) = network.page("cable-modems", mac=ANA.mac)
    kept = {
        name: row[name]
        for name in ("dnatt", "dnrx", "dnsnr", "upatt", "uptx", "uprx", "poll", "model", "file")
    }
    assert kept == {
        "dnatt": 53.0,
        "dnrx": 4.0,
        "dnsnr": 41.0,
        "upatt": 39.8,
        "uptx": 45.0,
        "uprx": 5.2,
        "poll": "success",
        "model": "NL552B",
        "file": "cm.cm",
    }
    assert row["polled_at"] is not None


def test_a_modem_is_asked_no_more_than_it_likes(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "FRESH", 600.0)
    network.cmts()
    network.poll()
    first = network.modem(ANA.mac)
    network.play("nobody")
    assert network.modem(ANA.mac) == first
    network.forget_looks()
    with pytest.raises(DeviceSilent):
        network.modem(ANA.mac)


def test_a_modem_that_does_not_answer_is_told_as_its_cmts_hears_it(network: Network) -> None:
    network.cmts(modem_community="nobody")
    network.poll()
    found = network.modem(ANA.mac)
    assert (found["poll"], found["state"], found["downstream"]) == ("device_silent", "online", [])
    assert (found["upstream"][0]["rx"], found["upstream"][0]["tx"], found["upstream"][0]["att"]) == (
        5.2,
        None,
        None,
    )
    assert found["services"]["downstream"] == {"state": "UNKNOWN", "output": ""}
    assert found["services"]["upstream"]["output"] == "upsnr=38.2dB"


def test_without_a_community_for_modems_they_are_not_asked(network: Network) -> None:
    network.cmts(modem_community=None, modem_write_community=None)
    network.poll()
    assert network.modem(ANA.mac)["poll"] == "device_refused"


def test_channels_that_a_modem_cannot_use_are_counted(network: Network) -> None:
    network.cmts()
    network.poll()
    found = network.modem(TEO.mac)
    assert (found["partial_service"], found["lacking"], found["cmtsinvups"], found["cminvups"]) == (
        True,
        1,
        1.0,
        0,
    )
    assert found["services"]["docsis"] == {"state": "WARNING", "output": "cmtsinvups=1 cminvups=0"}


def test_modems_that_are_not_up_are_told_without_being_asked(network: Network) -> None:
    network.cmts()
    network.poll()
    found = network.modem(EVA.mac)
    assert (found["state"], found["poll"], found["ip"], found["downstream"]) == ("offline", None, None, [])
    assert network.modem(NORA.mac)["state"] == "blocked"


def test_a_look_that_finds_a_change_tells_it_once(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    network.play("network-later")
    assert network.modem(LUIS.mac)["state"] == "offline"
    network.poll()
    assert network.events().count(("modem.offline", colons(LUIS.mac))) == 1


def test_a_modem_that_nobody_has_is_not_there(network: Network) -> None:
    network.cmts()
    network.poll()
    for spelled in ("0a00000000ff", "no-mac", ""):
        with pytest.raises(NotFound):
            network.modem(spelled)
    south = network.cmts("cmtsSur")
    with pytest.raises(NotFound):
        network.questions.modem(network.engine, ROOT, {"cmts": str(south), "mac": ANA.mac})


# ---- a CMTS ------------------------------------------------------------------------------------------


def test_a_cmts_is_asked_again_when_that_is_wanted(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "FRESH", 600.0)
    network.cmts()
    assert [one["ifindex"] for one in documents(network, "upstreams")] == list(range(397, 405))
    network.play("cisco")
    assert documents(network, "upstreams")[0]["ifindex"] == 397
    network.forget_looks()
    assert documents(network, "upstreams", refresh="true")[0]["ifindex"] == 1337
    network.play("network")
    assert documents(network, "upstreams", refresh="true")[0]["ifindex"] == 1337
    with pytest.raises(InvalidInput):
        documents(network, "upstreams", refresh="perhaps")


def test_a_cmts_that_is_silent_when_asked_is_504_with_its_name(network: Network) -> None:
    network.cmts(agent="nobody")
    with pytest.raises(DeviceSilent) as caught:
        documents(network, "mac_domains")
    assert (caught.value.status, caught.value.code, caught.value.body["device"]) == (
        504,
        "device_silent",
        CMTS,
    )
    assert network.page("cmtss")[0]["state"] == "down"


def test_an_upstream_is_moved_and_that_is_written_down(network: Network) -> None:
    network.cmts(agent="casa")
    network.poll()
    shown = answer(network.questions.set_frequency(network.engine, ROOT, UPSTREAM, {"freq": "36000000"}))
    try:
        assert shown["ifindex"] == 397
        with network.agents.open("casa") as snmp:
            oid = "1.3.6.1.2.1.10.127.1.1.2.1.2.397"
            assert snmp.get(oid) == {oid: 36_000_000}
    finally:
        network.questions.set_frequency(network.engine, ROOT, UPSTREAM, {"freq": 35_000_000})
    changes = [row["changes"] for row in network.rows("audit", resource="cmtss") if row["action"] == 2]
    assert changes[0] == {"upstreams/397/freq": [35_000_000, 36_000_000]}


def test_a_frequency_that_cannot_be_is_refused_before_the_device_is_asked(network: Network) -> None:
    network.cmts()
    network.poll()
    for body in ({"freq": 1}, {"freq": "fast"}, {}, {"freq": 36_000_000, "width": 1}, None):
        with pytest.raises(InvalidInput):
            network.questions.set_frequency(network.engine, ROOT, UPSTREAM, body)
    with pytest.raises(NotFound):
        network.questions.set_frequency(
            network.engine, ROOT, {**UPSTREAM, "ifindex": "1"}, {"freq": 36_000_000}
        )
    with pytest.raises(PermissionDenied):
        network.questions.set_frequency(network.engine, PIM, UPSTREAM, {"freq": 36_000_000})


def test_a_cmts_that_refuses_is_told_as_it_is(network: Network) -> None:
    network.cmts(agent="casa")
    network.poll()
    with pytest.raises(DeviceRefused) as caught:
        network.questions.set_frequency(
            network.engine, ROOT, {**UPSTREAM, "ifindex": "398"}, {"freq": 36_000_000}
        )
    assert caught.value.device == CMTS
    network.play("casa", snmp_write_community=None)
    with pytest.raises(DeviceRefused, match="no community"):
        network.questions.set_frequency(network.engine, ROOT, UPSTREAM, {"freq": 36_000_000})


# ---- info ----------------------------------------------------------------------------------------------


def told(network: Network, cpe: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dumps(info.of_cpe(network.engine, network.questions, cpe)))
    jsonschema.validate(found, INFO)
    return found


def test_info_of_a_cpe_whose_modem_is_up(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber(ANA.mac)
    network.hear()
    network.poll()
    found = told(network, cpe)
    assert (found["state"], found["state_id"], found["ips"], found["uptime"]) == (
        "up",
        0,
        ["127.0.0.1"],
        86_400,
    )
    assert found["output"] == f"online {CMTS}:29 127.0.0.1"
    assert found["registration"] == {
        "host": CMTS,
        "id": "29",
        "last_down_time": None,
        "related_services": [],
        "states": ["online"],
        "tags": [CMTS, "catv-mac.1", "nodo1", "dn.0-3-0", "up.1-0-0"],
    }
    assert set(found["services"]) == {"qos", "downstream", "upstream", "docsis"}
    received = next(one for one in found["services"]["downstream"]["perfdatas"] if one["metric"] == "dnrx")
    assert (received["value"], received["uom"], received["thresholds"]) == (4.0, "dBm", [-15, -10, 10, 15])
    assert [(one["channel"], one["value"]) for one in received["items"]] == [
        ("dn.0-3-0", 4.1),
        ("dn.0-3-1", 4.0),
    ]
    assert (found["tech"]["type_name"], len(found["tech"]["downstream"])) == ("NL552B", 2)


def test_info_of_a_cpe_whose_modem_is_down(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber(LUIS.mac)
    network.hear()
    network.poll()
    network.play("network-later")
    network.poll()
    found = told(network, cpe)
    assert (found["state"], found["state_id"], found["output"]) == ("down", 1, f"offline {CMTS}:30 0.0.0.0")
    assert (found["registration"]["states"], found["ips"]) == (["offline"], ["0.0.0.0"])
    assert found["registration"]["last_down_time"] is not None
    assert found["services"]["downstream"]["output"] == ""


def test_info_while_the_cmts_is_silent_is_what_was_seen_last(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber(TEO.mac)
    network.hear()
    network.poll()
    network.modem(TEO.mac)
    network.forget_looks()
    network.play("nobody")
    found = told(network, cpe)
    assert (found["state"], found["registration"]["host"], found["ips"]) == ("down", CMTS, ["127.0.0.1"])
    sent = next(one for one in found["services"]["upstream"]["perfdatas"] if one["metric"] == "uptx")
    assert sent["value"] == 45.0
    assert found["registration"]["tags"][:3] == [CMTS, "catv-mac.1", "nodo1"]


def test_info_of_a_cpe_that_no_cmts_has(network: Network) -> None:
    network.cmts()
    found = told(network, network.subscriber("0a00000000ff"))
    assert (found["state"], found["registration"]["host"], found["registration"]["id"]) == ("down", "", "")


# ---- restarts -------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _not_restarted(network: Network) -> None:
    with network.agents.open("modem") as snmp:
        snmp.set(RESET_NOW, 2)


def is_reset(network: Network) -> bool:
    with network.agents.open("modem") as snmp:
        return snmp.get(RESET_NOW) == {RESET_NOW: 1}


def test_a_modem_is_restarted_by_a_task(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    asked = network.questions.reset(network.engine, PIM, {"mac": ANA.mac})
    assert (asked.meta["status"], answer(asked)["status"]) == (202, "queued")
    assert answer(network.questions.reset(network.engine, PIM, {"mac": colons(ANA.mac)})) == answer(asked)
    work = Tasks(tasks.work, tasks.MANNERS)
    network.eventually(lambda: not work(network.engine) and network.rows("tasks")[0]["finished"] is not None)
    (task,) = network.page("tasks", PIM)
    assert (task["status"], task["kind"], task["mac"], task["requested_by"]) == (
        "done",
        "reset",
        colons(ANA.mac),
        "pim",
    )
    assert is_reset(network)


def test_a_modem_of_another_realm_is_not_restarted(network: Network) -> None:
    network.cmts(realms=["dem"])
    network.poll()
    with pytest.raises(NotFound):
        network.questions.reset(network.engine, PIM, {"mac": ANA.mac})
    assert network.rows("tasks") == []


def test_a_task_whose_worker_died_is_not_run_again(network: Network) -> None:
    network.cmts()
    network.poll()
    network.questions.reset(network.engine, ROOT, {"mac": ANA.mac})
    network.mark("tasks", status="running")
    work = Tasks(tasks.work, tasks.MANNERS)
    work(network.engine)
    (task,) = network.page("tasks")
    assert (task["status"], task["exception"]) == ("unknown", "worker_died")
    assert not is_reset(network)


def test_a_task_under_way_is_not_taken_for_lost_when_the_database_was_away(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.cmts()
    network.poll()
    network.questions.reset(network.engine, ROOT, {"mac": ANA.mac})
    free, begun = threading.Event(), threading.Event()

    def slow(*_: Any) -> None:
        begun.set()
        free.wait(60)

    work = Tasks(slow, tasks.MANNERS)
    work(network.engine)
    assert begun.wait(60)
    with monkeypatch.context() as patch, pytest.raises(ServiceUnavailable):
        patch.setattr(network.engine.database, "reading", _away)
        work(network.engine)
    work(network.engine)
    assert network.page("tasks")[0]["status"] == "running"
    free.set()
    network.eventually(lambda: network.rows("tasks")[0]["finished"] is not None)
    assert network.page("tasks")[0]["status"] == "done"


def _away(_: Any) -> Any:
    raise ServiceUnavailable


def test_the_end_of_a_task_waits_for_a_database_that_takes_no_writes(network: Network) -> None:
    """Somebody holds what is to be written for longer than a write waits; nothing else is wrong."""
    network.cmts()
    network.poll()
    network.questions.reset(network.engine, ROOT, {"mac": ANA.mac})
    free, database = threading.Event(), network.engine.database

    def slow(*_: Any) -> None:
        free.wait(60)

    work = Tasks(slow, tasks.MANNERS)
    work(network.engine)
    network.eventually(lambda: network.rows("tasks")[0]["status"] == "running")
    held = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN; SELECT 1 FROM tasks FOR UPDATE"}
    other = create_engine(database.engine.url, isolation_level="AUTOCOMMIT")
    with structlog.testing.capture_logs() as logs, other.connect() as connection:
        for statement in held[database.dialect].split("; "):
            connection.exec_driver_sql(statement)
        free.set()
        network.eventually(lambda: any("end of a task" in one["event"] for one in logs), 60)
        connection.exec_driver_sql("ROLLBACK")
    other.dispose()
    assert network.rows("tasks")[0]["status"] == "running"
    work(network.engine)
    assert network.page("tasks")[0]["status"] == "done"


def test_an_action_restarts_the_modem_of_its_cpe(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber(ANA.mac)
    network.poll()
    assert doing.perform(network.run("reboot", cpe)) == {
        "cmts": CMTS,
        "mac": colons(ANA.mac),
        "uptime": 86_400,
    }
    assert is_reset(network)


def test_what_cannot_be_done_says_why(network: Network) -> None:
    network.cmts()
    network.poll()
    cases = {
        "0a00000000ff": "No CMTS has a modem with its MAC.",
        EVA.mac: f"{colons(EVA.mac)} is offline on {CMTS}.",
    }
    for mac, text in cases.items():
        with pytest.raises(Refused) as caught:
            doing.perform(network.run("reboot", network.subscriber(mac)))
        assert str(caught.value) == text
    with pytest.raises(Refused, match="factory defaults"):
        doing.perform(network.run("factory", network.subscriber(ANA.mac)))
    network.play("network", modem_community="nobody")
    with pytest.raises(Refused, match=f"{colons(LUIS.mac)} on {CMTS}: The device did not answer in time."):
        doing.perform(network.run("reboot", network.subscriber(LUIS.mac)))


def test_a_restart_that_is_not_answered_is_seen_by_how_long_the_modem_is_up(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent takes the request and is silent, as a modem that restarts is."""
    network.cmts(modem_write_community="nobody")
    cpe = network.subscriber(ANA.mac)
    network.poll()
    with pytest.raises(Refused, match="did not restart"):
        doing.perform(network.run("reboot", cpe))
    monkeypatch.setattr(doing, "COMING_BACK", 0.5)
    sent = doing._send_reset

    def goes_away(cmts: Any, modem: Any) -> None:
        cmts["modem_community"] = "nobody"
        sent(cmts, modem)

    monkeypatch.setattr(doing, "_send_reset", goes_away)
    with pytest.raises(Uncertain, match="has not answered since"):
        doing.perform(network.run("reboot", cpe))
