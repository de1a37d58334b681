"""What readings of a CMTS leave behind: modems, changes told once, alarms; and who may see them."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest

from services.common.devices.errors import DeviceSilent
from services.common.errors import InvalidInput, NotFound
from services.common.events.outbox import Outbox
from services.docsis.domain.cable_modem import by_channel
from services.docsis.models import metadata
from services.docsis.questions import Questions
from services.docsis.reading import read
from tests.integration.devices.agent import Agent, recorded
from tests.integration.docsis import recordings
from tests.integration.docsis.network import CMTS, Network
from tests.integration.docsis.recordings import ANA, EVA, LUIS, NORA, OMAR, TEO
from tests.integration.engine.world import BOTH, DEM, NOBODY, PIM, ROOT, refused


def colons(mac: str) -> str:
    return bytes.fromhex(mac).hex(":")


def states(network: Network) -> dict[str, str]:
    return {row["mac"]: row["state"] for row in network.rows("cable_modems")}


# ---- what there is --------------------------------------------------------------------------------


def test_a_reading_becomes_rows(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert (ana["mac"], ana["cmts"], ana["registration_id"], ana["state"]) == (
        colons(ANA.mac),
        CMTS,
        29,
        "online",
    )
    assert (ana["md"], ana["fibernode"], ana["ids"]) == ("catv-mac.1", "nodo1", "77/1/7/1")
    assert ana["reg_tags"] == [CMTS, "catv-mac.1", "nodo1", "dn.0-3-0", "up.1-0-0"]
    assert (ana["ip"], ana["uprx"], ana["upsnr"], ana["realm"]) == ("127.0.0.1", 5.2, 38.2, "pim")
    assert (ana["dnrx"], ana["poll"], ana["polled_at"]) == (None, None, None)
    assert "id" not in ana
    (teo,) = network.page("cable-modems", mac=colons(TEO.mac))
    assert (teo["partial_service"], teo["lacking"]) == (True, 1)
    assert teo["downstreams"] == [f"dn.0-{place // 2}-{place % 2}" for place in range(8)]
    assert "downstream" not in teo
    found = {row["mac"]: row["state"] for row in network.page("cable-modems", limit="100")}
    assert found == {
        colons(ANA.mac): "online",
        colons(LUIS.mac): "online",
        colons(EVA.mac): "offline",
        colons(NORA.mac): "blocked",
        colons(OMAR.mac): "ranging",
        colons(TEO.mac): "online",
    }


def test_a_cmts_without_a_zone_tells_times_in_its_own(network: Network) -> None:
    network.questions = Questions(read)
    played = recordings.casa()
    half_past_nine = bytes((7, 0xEA, 11, 25, 9, 30, 0, 0))
    played.row(recordings.REG, ANA.number, c14=(recordings.HEX, half_past_nine))
    network.cmts()
    with Agent(recorded(played.text())) as agent:
        network.play("network", snmp_port=agent.port)
        network.poll()
        shown = network.modem(ANA.mac)["last_reg_time"]
    (ana,) = network.rows("cable_modems", mac=colons(ANA.mac))
    zone = network.engine.settings.zone
    assert ana["last_reg_time"] == dt.datetime(2026, 11, 25, 9, 30, tzinfo=zone)
    assert shown == ana["last_reg_time"].astimezone(zone).isoformat()
    assert shown.endswith("09:30:00+01:00")


def test_modems_are_found_by_what_is_known_of_them(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    asked = {
        ("state", "online"): 3,
        ("state__in", "ranging,blocked"): 2,
        ("md", "catv-mac.1"): 6,
        ("fibernode", "nodo1"): 6,
        ("upstream", "up.1-1-0"): 4,
        ("upstream", "up.1-1"): 0,
        ("downstream", "dn.0-3-0"): 5,
        ("ip", "127.0.0.1"): 4,
        ("partial_service", "true"): 1,
        ("cmts", CMTS): 6,
        ("search", LUIS.mac): 1,
        ("uprx__gt", "5"): 3,
        ("cpe", "1"): 0,
    }
    found = {one: network.engine.list(ROOT, "cable-modems", by_channel([one])).meta["count"] for one in asked}
    assert found == asked


def test_a_cmts_shows_what_it_is_and_has(network: Network) -> None:
    network.cmts()
    before = network.page("cmtss")[0]
    assert (before["state"], before["mac_domains"], before["observed_at"]) == ("unknown", None, None)
    network.poll()
    (shown,) = network.page("cmtss")
    assert (shown["vendor"], shown["model"], shown["software_version"], shown["uptime"]) == (
        *("Casa Systems", "C1G", "6.1.3"),
        5_000_000,
    )
    assert (shown["state"], shown["error"]) == ("up", None)
    assert shown["cable_modems"] == {"online": 3, "offline": 1, "blocked": 1, "ranging": 1}
    assert shown["cable_modems_count"] == 6
    assert shown["mac_domains"][0]["channels"][0] == {
        "chanid": 1,
        "pri": True,
        "ifindex": 141,
        "name": "Downstream 0/0/0",
        "freq": 464_000_000,
        "direction": "downstream",
    }
    assert {
        name: shown["fiber_nodes"][1][name] for name in ("name", "map", "ds_channels", "us_channels")
    } == {
        "name": "nodo2",
        "map": [{"md_ifindex": 77, "md_cm_sg_id": 2, "md_ds_sg_id": 1, "md_us_sg_id": 2}],
        "ds_channels": [1, 2, 3, 4, 5, 6, 7, 8],
        "us_channels": [5, 6, 7, 8],
    }
    assert shown["fiber_nodes"][1]["upstream"] == {"chset_ids": [257], "channels": [5, 6, 7, 8]}
    up = {name: shown["upstreams"][0][name] for name in ("ifindex", "id", "width", "modulation_profile")}
    assert up == {"ifindex": 397, "id": 1, "width": 3_200_000, "modulation_profile": 2}
    assert (shown["upstreams"][0]["unerroreds"], shown["downstreams"][0]["power"]) == (9_000_000_000, 57.0)


# ---- what changes ---------------------------------------------------------------------------------


def test_what_is_found_first_is_told_to_nobody_and_what_changes_once(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    network.poll()
    assert network.events() == []
    network.play("network-later")
    network.poll()
    told = [
        ("modem.full_service", colons(TEO.mac)),
        ("modem.offline", colons(LUIS.mac)),
        ("modem.online", colons(EVA.mac)),
    ]
    assert sorted(network.events()) == told
    network.poll()
    network.play("network-again")
    network.poll()
    assert sorted(network.events()) == told
    history = network.page("state-changes", sort="kind")
    assert [(row["kind"], row["former"], row["mac"]) for row in history] == [
        ("full_service", "online", colons(TEO.mac)),
        ("offline", "online", colons(LUIS.mac)),
        ("online", "offline", colons(EVA.mac)),
    ]
    offline = next(row for row in network.rows("outbox") if row["type"] == "modem.offline")
    assert (offline["realm"], offline["data"]["former"], offline["data"]["cmts"]) == ("pim", "online", CMTS)


def test_shares_of_codewords_are_of_the_interval(network: Network) -> None:
    network.cmts()
    network.poll()
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert (ana["upcorr"], ana["upko"]) == (None, None)
    time.sleep(0.1)  # the most that a channel carries would take 4 ms for what is counted next
    network.play("network-later")
    network.poll()
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert (ana["upcorr"], ana["upko"]) == (9.0, 1.0)
    time.sleep(0.1)
    network.play("network-again")
    network.poll()
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert (ana["upcorr"], ana["upko"]) == (0.0, 0.0)


def test_a_restart_of_the_cmts_renumbers_modems_and_no_share_comes_of_it(network: Network) -> None:
    network.cmts()
    network.poll()
    network.play("network-rebooted")
    network.poll()
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert (ana["registration_id"], ana["state"]) == (1029, "online")
    assert (ana["upcorr"], ana["upko"]) == (None, None)
    assert network.events() == []


def test_a_modem_that_is_missing_once_keeps_its_state(network: Network) -> None:
    network.cmts()
    network.poll()
    network.play("network-without")
    network.poll()
    assert states(network)[colons(ANA.mac)] == "online"
    assert network.events() == []
    network.poll()
    assert states(network)[colons(ANA.mac)] == "offline"
    network.poll()
    assert network.events() == [("modem.offline", colons(ANA.mac))]
    network.play("network")
    network.poll()
    assert network.events() == [("modem.offline", colons(ANA.mac)), ("modem.online", colons(ANA.mac))]


def test_a_modem_that_moves_to_another_cmts_is_one_modem(network: Network) -> None:
    network.cmts()
    south = network.cmts("cmtsSur", "network-without")
    network.poll()
    network.poll("cmtsSur")
    assert {row["cmts_id"] for row in network.rows("cable_modems", mac=colons(LUIS.mac))} == {south}
    network.play("network-without")
    network.play("network", "cmtsSur")
    network.poll("cmtsSur")
    (ana,) = network.rows("cable_modems", mac=colons(ANA.mac))
    assert (ana["cmts_id"], ana["state"]) == (south, "online")
    network.poll()
    network.poll()
    assert states(network)[colons(ANA.mac)] == "online"
    assert network.events() == []


# ---- alarms ---------------------------------------------------------------------------------------


def test_partial_service_is_an_alarm_until_it_ends(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.play("network-later")
    network.poll()
    network.play("network")
    network.poll()
    (alarm,) = network.page("alarms", name="partial_service")
    assert (alarm["mac"], alarm["level"], alarm["extra"], alarm["end_time"]) == (
        *(colons(TEO.mac), "warning", "lacking=1"),
        None,
    )
    network.poll()
    network.play("network-later")
    network.poll()
    (alarm,) = network.page("alarms", name="partial_service")
    assert alarm["end_time"] is not None


def test_many_modems_of_a_fiber_node_down_at_once_are_one_outage(network: Network) -> None:
    network.cmts(agent="network-many", realms=["pim"])
    network.poll()
    network.age()
    network.play("network-many-down")
    network.poll()
    (alarm,) = network.page("alarms", name="mass_outage")
    assert (alarm["fibernode"], alarm["affected_modems"], alarm["level"]) == ("nodo1", 8, "critical")
    network.play("network-many")
    network.poll()
    assert network.page("alarms", name="mass_outage")[0]["end_time"] is not None


def test_a_silent_cmts_is_told_once_and_its_modems_keep_what_was_seen(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    network.play("nobody")
    with pytest.raises(DeviceSilent) as caught:
        network.poll()
    with pytest.raises(DeviceSilent):
        network.poll()
    assert (caught.value.status, caught.value.body["device"]) == (504, CMTS)
    (shown,) = network.page("cmtss")
    assert (shown["state"], shown["error"]) == ("down", "The device did not answer in time.")
    assert states(network)[colons(ANA.mac)] == "online"
    network.play("network")
    network.poll()
    assert [kind for kind, _ in network.events("cmts.")] == [
        "cmts.created",
        "cmts.unreachable",
        "cmts.reachable",
    ]
    (alarm,) = network.page("alarms", name="cmts_unreachable")
    assert (alarm["realm"], alarm["end_time"] is not None) == ("pim", True)


# ---- who sees what ----------------------------------------------------------------------------------


def test_a_realm_sees_its_own_modems_alone(network: Network) -> None:
    """A CMTS for all: Ana's modem is pim's by her CPE, Luis's dem's, the others are nobody's."""
    network.cmts()
    network.subscriber(ANA.mac, "pim")
    network.subscriber(LUIS.mac, "dem")
    network.hear()
    network.poll()
    assert [network.visible(who) for who in (PIM, DEM, BOTH, NOBODY, ROOT)] == [1, 1, 2, 0, 6]
    for who, mac in ((PIM, ANA.mac), (DEM, LUIS.mac)):
        assert [row["mac"] for row in network.page("cable-modems", who)] == [colons(mac)]
        assert network.engine.list(who, "cable-modems", []).meta["count"] == 1
        assert network.page("cmtss", who)[0]["cable_modems"] == {"online": 1}
        counted = network.questions.documents(network.engine, who, "mac_domains", {"cmts": CMTS}, [])
        assert counted[0]["cable_modems"] == {"total": 1, "online": 1}
    assert network.page("cable-modems", NOBODY) == []
    with pytest.raises(NotFound):
        network.modem(LUIS.mac, PIM)
    with pytest.raises(NotFound):
        network.modem(TEO.mac, BOTH)


def test_events_changes_and_alarms_are_of_the_realm_of_the_modem(network: Network) -> None:
    network.cmts()
    network.subscriber(LUIS.mac, "pim")
    network.subscriber(EVA.mac, "dem")
    network.hear()
    network.poll()
    network.play("network-later")
    network.poll()
    outbox = Outbox("docsis", metadata, network.engine.database)
    outbox.number()
    for who, mac in ((PIM, LUIS.mac), (DEM, EVA.mac)):
        events, _ = outbox.after(0, who.scope, types=["modem.*"])
        assert {one.event.data["mac"] for one in events} == {colons(mac)}
        assert [row["mac"] for row in network.page("state-changes", who)] == [colons(mac)]
    everything, _ = outbox.after(0, ROOT.scope, types=["modem.*"])
    assert len(everything) == 3
    assert network.page("state-changes", NOBODY) == []


def test_a_cmts_of_one_realm_is_there_for_that_realm_alone(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    assert network.visible(PIM) == 6
    assert network.page("cmtss", DEM) == []
    with pytest.raises(NotFound):
        network.questions.documents(network.engine, DEM, "upstreams", {"cmts": CMTS}, [])


def test_a_modem_is_another_realms_once_its_cpe_is(network: Network) -> None:
    network.cmts()
    network.poll()
    assert network.visible(PIM) == 0
    cpe = network.subscriber(ANA.mac, "pim")
    network.hear()
    assert network.visible(PIM) == 1
    (ana,) = network.page("cable-modems", PIM)
    assert (ana["cpe"], ana["cpename"]) == (cpe["id"], cpe["cpename"])
    network.isp.delete("cpes", cpe["id"])
    network.settle()
    assert network.visible(PIM) == 0


# ---- credentials ------------------------------------------------------------------------------------


def test_credentials_are_encrypted_and_never_shown(network: Network) -> None:
    id_ = network.cmts(
        agent="network", snmp_auth_password="invented-password", modem_community="invented-community"
    )
    network.engine.update(ROOT, "cmtss", CMTS, {"shared_secret": "invented-other"}, partial=True)
    shown = network.engine.get(ROOT, "cmtss", str(id_)).body.decode()
    written = json.dumps(
        [row["data"] for row in network.rows("outbox")] + [row["changes"] for row in network.rows("audit")]
    )
    with network.engine.database.read() as connection:
        raw = str(connection.exec_driver_sql("SELECT * FROM cmtss").mappings().all())
    for secret in ("invented-password", "invented-community", "invented-secret", "invented-other"):
        assert secret not in shown
        assert secret not in written
        assert secret not in raw
    assert network.rows("cmtss")[0]["shared_secret"] == "invented-other"


def test_what_makes_no_sense_of_a_cmts_is_refused(network: Network) -> None:
    body = {"name": "x", "address": "192.0.2.1"}
    assert refused(network.engine.create, ROOT, "cmtss", body) == {
        "snmp_community": ["SNMP v2c needs a community."]
    }
    assert refused(network.engine.create, ROOT, "cmtss", {**body, "snmp_version": "3"}) == {
        "snmp_user": ["SNMP v3 needs a user."]
    }
    network.cmts()
    with pytest.raises(InvalidInput):
        network.cmts()
