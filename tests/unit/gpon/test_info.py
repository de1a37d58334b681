"""What a CPE's info shows: the shape of the real product, and the rules that its values follow from."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gpon.domain import info, listing, naming, observing, optics, waiting

LEVELS = ("dntx", "dnrx", "dnatt", "uptx", "uprx", "upatt", "tvrx", "pondesv")
ONU = {
    "frame": 0,
    "slot": 5,
    "port": 14,
    "fsp": "0/5/14",
    "position": "0/5/14-2",
    "onu_id": 2,
    "sn": "48575443aabbcc01",
    "status": "online",
    "states": ["online"],
    "ips": ["10.8.33.14"],
    "last_up_time": None,
    "last_down_time": None,
    "last_down_cause": None,
    "raw_status": "up",
    "line_profile": "residential",
    "service_profile": "HG1000",
    "type": "110H",
    "description": "pim0350",
    "distance": 812,
    "uptime": 14042,
    "cpe": 350,
    **dict.fromkeys(LEVELS),
    "dnrx": -22.14,
    "uptx": 2.27,
    "uprx": -12.71,
    "dnatt": 22.14,
    "upatt": 14.98,
    "pondesv": 0.0,
}
PORT = {
    "id": 6038,
    "user_vlan": 1023,
    "service_vlan": 833,
    "inbound": "management",
    "outbound": "management",
    "native_vlan": None,
    "tag_transform": "translate",
}
ALARM = {
    "level": "warning",
    "type": "processerror",
    "admin_status": "init",
    "name": "The GPON ONT configuration recovery fails",
    "extra": "effect=serviceaffect curr=0 prev=1",
}


def shown(**changes: object) -> dict:
    return info.info(
        "oltNorte", {**ONU, **changes}, alarms=[ALARM], service_ports=[PORT], traffic={"dnbw": 1.5}
    )


def test_of_one_that_is_up():
    told = shown()
    assert set(told) == {
        *("alarms", "distance", "dnbw", "ips", "output", "registration", "services", "state", "state_id"),
        *("tech", "upbw", "uptime"),
    }
    assert told["alarms"] == [ALARM]
    assert told["output"] == "online oltNorte:0/5/14-2 10.8.33.14"
    assert told["registration"] == {
        "host": "oltNorte",
        "id": "0/5/14-2",
        "last_down_time": None,
        "related_services": ["onug-olt0/05/14"],
        "states": ["online"],
        "tags": ["oltNorte-0/5/14", "oltNorte"],
    }
    assert (told["state"], told["state_id"], told["uptime"]) == ("up", 0, 14042)
    txrx = told["services"]["txrx"]
    assert txrx["output"] == "dnrx=-22.14 uptx=2.27 uprx=-12.71 dnatt=22.14 upatt=14.98 pondesv=0.00"
    assert txrx["state_id"] == 0
    assert [one["metric"] for one in txrx["perfdatas"]] == ["dnrx", "uptx", "uprx", "upatt"]
    assert txrx["perfdatas"][0] == {
        "items": [],
        "max": 5,
        "metric": "dnrx",
        "min": -49,
        "thresholds": [-29, -27, -11, -8],
        "uom": "dBm",
        "value": -22.14,
    }
    assert set(told["tech"]) == {"line_profile", "service_ports", "service_profile", "type_name"}
    port = told["tech"]["service_ports"][0]
    assert port["native_vlan"] == 0
    assert port["inbound_traffic_table_name"] == "management"
    assert (told["dnbw"], told["upbw"]) == (1.5, 0.0)


@pytest.mark.parametrize("how", ["offline", "unreachable"])
def test_of_one_that_is_down_no_level_is_known(how):
    if how == "offline":
        told = shown(status="offline", states=["losi"], ips=[])
    else:
        told = info.info("oltNorte", ONU, reachable=False)
    assert (told["state"], told["state_id"], told["uptime"], told["distance"]) == ("down", 1, 0, -1)
    txrx = told["services"]["txrx"]
    assert txrx["output"] == ""
    assert [one["value"] for one in txrx["perfdatas"]] == [None, None, None, -1.0]
    assert txrx["state_id"] == 0
    assert told["output"].startswith("offline oltNorte:0/5/14-2 ")


def test_of_one_that_was_never_there_the_members_are_the_same():
    assert set(info.never_registered()) == set(shown())
    assert set(info.never_registered()["registration"]) == set(shown()["registration"])


levels = st.one_of(st.none(), st.floats(-60, 30).map(lambda one: round(one, 2)))


@given(levels, levels)
def test_attenuation_is_what_was_lost(sent, received):
    lost = optics.attenuation(sent, received)
    if sent is None or received is None:
        assert lost is None
    else:
        assert lost == pytest.approx(sent - received, abs=0.006)


@given(st.dictionaries(st.integers(0, 127), levels, max_size=40))
def test_deviations_sum_to_nothing_and_keep_the_order(received):
    found = optics.deviations(received)
    known = {key: value for key, value in received.items() if value is not None}
    assert set(found) == set(known)
    if len(known) < 3:
        assert set(found.values()) <= {0.0}
        return
    assert sum(found.values()) == pytest.approx(0, abs=0.006 * len(found))
    by_level = sorted(known, key=lambda key: known[key])
    assert [found[key] for key in by_level] == sorted(found[key] for key in by_level)


@given(st.fixed_dictionaries(dict.fromkeys(("dnrx", "uptx", "uprx", "dnatt", "upatt", "pondesv"), levels)))
def test_the_output_line_tells_what_is_known_and_no_more(values):
    line = optics.output(values)
    told = dict(part.split("=") for part in line.split())
    assert {name for name, value in values.items() if value is not None} == set(told)
    assert all(float(text) == pytest.approx(values[name], abs=0.006) for name, text in told.items())


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"dnrx": -22.0}, 0),
        ({"dnrx": -27.0}, 1),
        ({"dnrx": -29.5}, 2),
        ({"dnrx": -7.0}, 2),
        ({"upatt": 26.0}, 1),
        ({"upatt": 46.0}, 2),
        ({"upatt": -1.0}, 0),
        ({"uprx": -31.0, "dnrx": -20.0}, 1),
        ({}, 0),
    ],
)
def test_levels_are_good_within_their_thresholds(values, state):
    assert optics.state(values) == state


@given(st.text(), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 255))
def test_tags_have_no_onu_id_and_places_read_back(olt, frame, slot, port, onu_id):
    pon = naming.Pon(frame, slot, port)
    assert naming.tags(olt, pon) == [f"{olt}-{frame}/{slot}/{port}", olt]
    assert naming.parse(pon.fsp) == naming.parse(f"{frame:02d}/{slot:02d}/{port:03d}") == pon
    assert naming.position(pon, onu_id) == f"{pon.fsp}-{onu_id}"


def test_serials_are_written_as_the_vendor_prints_them():
    assert naming.ascii_form("444632326a183197") == "DF226A183197"
    assert naming.ascii_form("0001020304050607") == "0001020304050607"


def test_rows_of_one_that_is_down_carry_their_identity_alone():
    down = {**ONU, "status": "offline"}
    assert set(listing.txrx("oltNorte", down)) == set(listing.identity("oltNorte", down))
    up = listing.txrx("oltNorte", ONU)
    assert up["tvrx"] == -1.0
    assert up["dnrx"] == -22.14


def test_rates_are_told_to_a_tenth_of_a_bit():
    counted = {"dnbw": 40463.71231368603, "upbw": None}
    assert listing.rates(counted) == {"dnbw": 40463.7, "upbw": 0.0}
    assert listing.bandwidth("oltNorte", ONU, counted)["dnbw"] == 40463.7
    assert info.info("oltNorte", ONU, traffic=counted)["dnbw"] == 40463.7


def test_an_event_for_each_change_of_state_and_none_for_what_did_not_change():
    assert observing.event("online", "online") is None
    assert observing.event("online", "losi") == "onu.los"
    assert observing.event("losi", "dyinggasp") == "onu.dying_gasp"
    assert observing.event("dyinggasp", "online") == "onu.online"
    assert observing.event(None, "offline") is None
    assert observing.event(None, "online") == "onu.online"
    assert observing.state(["offline", "dyinggasp"]) == "dyinggasp"


def test_many_down_at_once_are_one_outage():
    assert observing.outage(64, 40)
    assert not observing.outage(64, 10)
    assert not observing.outage(3, 3)


def test_validations_refuse_what_fits_and_what_is_not_named():
    allow = {"model": "HG8245Q2", "hardware_version": "", "software_version": "V5R020", "allowed": True}
    deny = {**allow, "software_version": "V1R001", "allowed": False}
    assert waiting.refusal([allow], "hg8245q2", None, "V5R020") == ""
    assert "V1R001" in waiting.refusal([deny], "HG8245Q2", None, "V1R001")
    assert waiting.refusal([deny], "HG8245Q2", None, "V5R020") == ""
    assert "not allowed" in waiting.refusal([allow], "HG8245Q2", None, "V3")
    assert waiting.refusal([allow], "110H", None, "V3") == ""


def test_uptime_is_counted_to_when_it_was_observed():
    seen = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    up = seen - dt.timedelta(hours=1)
    assert observing.uptime(None, "online", up, seen) == 3600  # type: ignore[arg-type]
    assert observing.uptime(None, "offline", up, seen) is None  # type: ignore[arg-type]
