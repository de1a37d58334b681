"""The steps from what an OLT has to what the books want: no more than are needed, in the contract's order."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.gpon.domain import provisioning as p
from services.gpon.domain.provisioning import Configured, ConfiguredPort, Place, Service, Step, Wanted

SN = "48575443aabbcc01"
PON, ELSEWHERE = Place(0, 5, 2), Place(0, 5, 3)
HERE = replace(PON, onu_id=7)

MAP = (
    Service(p.MANAGEMENT, 1, 933, 20, "management", "management", None),
    Service(p.INTERNET, 2, 1100, 1021, "", "", 1),
    Service(p.TELEPHONY, 3, 934, 1024, "voip", "voip", None),
    Service(p.TELEVISION, 4, 935, 1025, "tv", "tv", None),
)
CPE = {
    "id": 350,
    "internal_id": "pim0350",
    "sn": SN,
    "active": True,
    "access": True,
    "disable_provision": False,
    "is_bitstream": False,
    "tv_profile": None,
    "model": {"id": "HG8245H", "catv": 1},
    "profile": {"id": 8, "downstream": "100M", "upstream": "20M", "internet_access": True},
    "potses": [{"cli": "910000001"}],
}


def want(**changes: object) -> Wanted:
    return p.wanted({**CPE, **changes}, MAP, "ftth", "HG8245H")


def names(steps: list[Step]) -> list[str]:
    return [one.name for one in steps]


def carried_out(steps: list[Step], have: Configured | None, want: Wanted | None) -> Configured | None:
    """What a device that does as it is told has afterwards."""
    numbers = count(100)
    for step in steps:
        detail = step.detail
        match step.name:
            case p.ADD:
                place = Place(detail["frame"], detail["slot"], detail["port"], 7)
                have = Configured(
                    place, detail["sn"], detail["line_profile"], detail["service_profile"],
                    detail["description"], (), False, (),
                )  # fmt: skip
            case p.REMOVE:
                have = None
            case p.PORT_OFF:
                assert have is not None
                have = replace(have, ports=tuple(one for one in have.ports if one.id != detail["id"]))
            case p.PORT_ON:
                assert have is not None
                made = ConfiguredPort(
                    next(numbers), detail["gem"], detail["service_vlan"], detail["user_vlan"],
                    detail["inbound"], detail["outbound"],
                )  # fmt: skip
                assert made.key not in {one.key for one in have.ports}, "a port was made before it was free"
                have = replace(have, ports=(*have.ports, made))
            case p.PROFILES:
                assert have is not None
                have = replace(
                    have, line_profile=detail["line_profile"], service_profile=detail["service_profile"]
                )
            case p.DESCRIBE:
                assert have is not None
                have = replace(have, description=detail["description"])
            case p.NATIVE:
                assert have is not None
                native = dict(have.native or ()) | {detail["ethernet_port"]: detail["vlan"]}
                have = replace(have, native=tuple(sorted(native.items())))
            case p.RF_ON | p.RF_OFF:
                assert have is not None
                have = replace(have, rf=step.name == p.RF_ON)
    return have


def provisioned(wanted: Wanted) -> Configured:
    have = carried_out(p.steps(wanted, [], PON), None, wanted)
    assert have is not None
    return have


def test_an_onu_that_is_heard_is_added_with_its_ports_in_the_map_s_order():
    steps = p.steps(want(), [], PON)
    assert names(steps) == [p.ADD, p.PORT_ON, p.PORT_ON, p.PORT_ON, p.NATIVE]
    assert [one.detail["service"] for one in steps if one.name == p.PORT_ON] == [
        p.MANAGEMENT,
        p.INTERNET,
        p.TELEPHONY,
    ]
    internet = steps[2].detail
    assert (internet["inbound"], internet["outbound"]) == ("20M", "100M")


def test_what_is_wanted_by_its_number_is_compared_by_its_number():
    wanted = replace(want(), line_profile="10", service_profile="20")
    have = replace(provisioned(want()), line_profile_id=10, service_profile_id=20)
    assert p.steps(wanted, [have], None) == []
    assert names(p.steps(wanted, [replace(have, service_profile_id=21)], None)) == [p.PROFILES]
    assert p.steps(wanted, [replace(have, line_profile_id=None)], None) == []  # it does not tell
    first, *rest = wanted.ports
    by_number = replace(wanted, ports=(replace(first, inbound="30"), *rest))
    old, *others = have.ports
    assert p.steps(by_number, [replace(have, ports=(replace(old, inbound_id=30), *others))], None) == []
    remade = p.steps(by_number, [replace(have, ports=(replace(old, inbound_id=31), *others))], None)
    assert names(remade) == [p.PORT_OFF, p.PORT_ON]


def test_one_that_is_not_heard_and_not_configured_waits():
    assert p.steps(want(), [], None) == []


def test_what_is_as_wanted_needs_nothing():
    assert p.steps(want(), [provisioned(want())], None) == []


def test_cut_access_takes_internet_and_leaves_telephony():
    have = provisioned(want())
    steps = p.steps(want(access=False), [have], None)
    assert names(steps) == [p.PORT_OFF]
    after = carried_out(steps, have, None)
    assert after is not None
    assert [one.gem for one in after.ports] == [1, 3]


def test_without_service_and_telephone_nothing_but_management_stays():
    assert [one.service for one in want(access=False, potses=[]).ports] == [p.MANAGEMENT]
    assert want(active=False, access=False, potses=[]).ports == ()


def test_another_speed_makes_only_the_internet_port_anew():
    faster = {**CPE["profile"], "downstream": "600M"}  # type: ignore[dict-item]
    steps = p.steps(want(profile=faster), [provisioned(want())], None)
    assert names(steps) == [p.PORT_OFF, p.PORT_ON]
    assert steps[1].detail["service"] == p.INTERNET


def test_rf_goes_off_before_anything_else_and_comes_last():
    television = provisioned(want(tv_profile="catv-basic"))
    assert television.rf
    assert names(p.steps(None, [television], None))[0] == p.RF_OFF
    assert names(p.steps(None, [television], None))[-1] == p.REMOVE
    assert names(p.steps(want(tv_profile="catv-basic"), [], PON))[-1] == p.RF_ON


def test_a_model_without_an_outlet_gets_no_rf():
    assert not want(tv_profile="catv-basic", model={"id": "HG8010H", "catv": 0}).rf


def test_an_onu_that_was_moved_goes_from_its_old_pon_first():
    have = provisioned(want())
    steps = p.steps(want(), [have], ELSEWHERE)
    assert names(steps) == [*[p.PORT_OFF] * 3, p.REMOVE, p.ADD, *[p.PORT_ON] * 3, p.NATIVE]
    assert steps[4].detail["port"] == ELSEWHERE.port


def test_a_serial_that_is_there_twice_stays_once():
    have = provisioned(want())
    twin = replace(have, place=Place(0, 6, 1, 3), ports=())
    assert [one.detail["slot"] for one in p.steps(want(), [have, twin], None)] == [6]


def test_what_an_olt_does_not_tell_is_no_difference():
    have = replace(provisioned(want()), line_profile=None, service_profile=None, description=None)
    assert p.steps(want(), [have], None) == []


def test_a_port_without_a_speed_is_not_made_of_nothing():
    assert p.unspeedy(want(profile=None)) == [p.INTERNET]
    assert p.unspeedy(want()) == []


def test_who_is_left_alone():
    assert p.blocked({**CPE, "is_bitstream": True}) == p.BITSTREAM
    assert p.blocked({**CPE, "disable_provision": True}) == p.DISABLED
    assert p.blocked({**CPE, "sn": None}) == p.NO_SERIAL
    assert p.blocked({**CPE, "sn": "4857544300000000"}) == p.PLACEHOLDER
    assert p.blocked(CPE) is None


ports = st.lists(
    st.builds(
        ConfiguredPort,
        id=st.integers(1, 60),
        gem=st.integers(0, 5),
        service_vlan=st.sampled_from([933, 934, 935, 1100, 7]),
        user_vlan=st.sampled_from([None, 20, 1021, 1024, 1025]),
        inbound=st.sampled_from([None, "20M", "management", "voip"]),
        outbound=st.sampled_from([None, "100M", "management", "voip"]),
    ),
    max_size=6,
    unique_by=(lambda one: one.id, lambda one: one.key),
)
configured = st.builds(
    Configured,
    place=st.just(HERE),
    sn=st.just(SN),
    line_profile=st.sampled_from([None, "ftth", "old"]),
    service_profile=st.sampled_from([None, "HG8245H", "old"]),
    description=st.sampled_from([None, "pim0350", "somebody"]),
    ports=ports.map(tuple),
    rf=st.sampled_from([None, True, False]),
    native=st.sampled_from([None, (), ((1, 1021),), ((1, 5),)]),
)
wants = st.one_of(
    st.none(),
    st.builds(
        want,
        access=st.booleans(),
        active=st.booleans(),
        tv_profile=st.sampled_from([None, "catv", "iptv"]),
        potses=st.sampled_from([[], [{"cli": "1"}], [{"cli": None}]]),
    ),
)


@given(wants, configured, st.sampled_from([None, PON, ELSEWHERE]))
def test_done_once_nothing_is_left_and_the_order_is_the_contract_s(wanted, have, heard):
    steps = p.steps(wanted, [have], heard)
    order = [p.STEPS.index(one.name) for one in steps]
    assert order == sorted(order)
    after = carried_out(steps, have, wanted)
    assert p.steps(wanted, [after] if after else [], None) == []


@given(wants, configured, st.integers(0, 12))
def test_stopped_anywhere_what_is_left_leads_to_the_same_end(wanted, have, done):
    steps = p.steps(wanted, [have], None)
    half = carried_out(steps[:done], have, wanted)
    heard = PON if half is None else None
    rest = p.steps(wanted, [half] if half else [], heard)
    whole = carried_out(steps, have, wanted)
    ended = carried_out(rest, half, wanted)
    if whole is None or wanted is None:
        assert ended is None
    else:
        assert ended is not None
        assert {one.key for one in ended.ports} == {one.key for one in whole.ports}
