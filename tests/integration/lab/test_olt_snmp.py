"""The OLT of the lab over SNMP, as managers that know nothing of it see it."""

from __future__ import annotations

import time

import pytest
from gufo.snmp import NoSuchInstance, SnmpError
from gufo.snmp.sync import SnmpSession

from deploy.lab.network.starter import RunningLab
from tests.integration.lab.conftest import SLOW_REGISTRATION, plan
from tests.integration.lab.managers import Manager, until, v3_user

XPON = "1.3.6.1.4.1.2011.6.128.1.1.2"
SN, DESC = f"{XPON}.43.1.3", f"{XPON}.43.1.9"
RESET, STATUS, CAUSE = f"{XPON}.46.1.2", f"{XPON}.46.1.15", f"{XPON}.46.1.24"
AUTOFIND_SN, RX_POWER, AT_OLT = f"{XPON}.48.1.2", f"{XPON}.51.1.4", f"{XPON}.51.1.6"
FIRST_PON = 4194312192
"""0/1/0: 0xFA000000 + 1 × 0x2000."""
NO_VALUE = 2147483647


def test_a_walk_of_everything_goes_up_without_repeating(olt: Manager) -> None:
    names = [tuple(map(int, name.split("."))) for name in olt.walk("1.3.6.1")]
    assert len(names) > 1_000
    assert names == sorted(set(names))


def test_getnext_and_getbulk_tell_the_same(olt: Manager) -> None:
    assert olt.step(SN) == olt.walk(SN)


def test_the_onus_of_the_plan_are_online_with_their_names_and_light(olt: Manager) -> None:
    serials, names, states, power = (olt.walk(oid) for oid in (SN, DESC, STATUS, RX_POWER))
    assert len(serials) == 12
    assert names[f"{FIRST_PON}.0"] == b"cpe0000"
    assert serials[f"{FIRST_PON}.0"].hex() == "4857544300000000"
    assert set(states.values()) == {1}
    assert all(-30_00 < value < -5_00 for value in power.values())
    assert all(-40_00 < value - 10_000 < -5_00 for value in olt.walk(AT_OLT).values())


def test_what_is_configured_nowhere_is_found(olt: Manager) -> None:
    assert sorted(sn.hex() for sn in olt.walk(AUTOFIND_SN).values()) == sorted(
        one.sn for one in plan().olts[0].onus if one.desc is None
    )


def test_counters_grow(olt: Manager) -> None:
    in_octets = f"1.3.6.1.2.1.31.1.1.1.6.{FIRST_PON}"
    before = olt.get(in_octets)
    until(lambda: olt.get(in_octets) > before)


def test_a_reset_takes_the_onu_down_and_it_registers_again(slow_lab: RunningLab) -> None:
    index = f"{FIRST_PON}.1"
    with Manager(slow_lab.device("oltLab1")) as olt:
        until(lambda: olt.get(f"{STATUS}.{index}") == 1)
        began = time.monotonic()
        assert olt.set(f"{RESET}.{index}", 1) == "noError"
        assert (olt.get(f"{STATUS}.{index}"), olt.get(f"{CAUSE}.{index}")) == (2, 9)
        assert olt.get(f"{RX_POWER}.{index}") == NO_VALUE
        until(lambda: olt.get(f"{STATUS}.{index}") == 1)
        assert time.monotonic() - began >= SLOW_REGISTRATION


@pytest.mark.parametrize(
    ("oid", "value", "community", "answer"),
    [
        (f"{RESET}.{FIRST_PON}.0", 1, "community", "noAccess"),
        (f"{RESET}.{FIRST_PON}.0", 7, "write_community", "wrongValue"),
        (f"{RESET}.{FIRST_PON}.0", b"1", "write_community", "wrongType"),
        (f"{RESET}.{FIRST_PON}.99", 1, "write_community", "noCreation"),
        (f"{STATUS}.{FIRST_PON}.0", 2, "write_community", "notWritable"),
    ],
)
def test_a_set_that_cannot_be_is_refused_by_its_name(
    olt: Manager, oid: str, value: int | bytes, community: str, answer: str
) -> None:
    assert olt.set(oid, value, community) == answer


def test_what_is_not_there_is_told(olt: Manager) -> None:
    with pytest.raises(NoSuchInstance):
        olt.get(f"{SN}.{FIRST_PON}.99")


def test_v3_answers_what_v2c_answers(lab: RunningLab, olt: Manager) -> None:
    with Manager(lab.device("oltLab1"), v3=True) as secured:
        assert secured.walk(SN) == olt.walk(SN)


def test_wrong_credentials_get_nothing(lab: RunningLab) -> None:
    entry = lab.device("oltLab1")
    with (
        Manager({**entry, "community": "public"}, timeout=0.2) as stranger,
        pytest.raises(TimeoutError),
    ):
        stranger.get("1.3.6.1.2.1.1.1.0")
    user = v3_user(entry, "wrongwrong")
    session = SnmpSession(addr=entry["address"], port=entry["snmp_port"], user=user, timeout=0.3)
    with pytest.raises((OSError, SnmpError)), session as stranger:
        stranger.get("1.3.6.1.2.1.1.1.0")
