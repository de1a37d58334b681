"""Rules of the network: states, levels, counters, names."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.docsis.domain import changes, codewords, levels, naming, rate, registration
from services.docsis.domain.changes import Condition
from services.docsis.domain.codewords import Codewords, Reading, between, together
from services.docsis.domain.description import system_description
from services.docsis.domain.enumerations import (
    FORMER_REGISTRATION,
    REGISTRATION,
    STATES,
)
from services.docsis.domain.enumerations import (
    registration as state_of,
)
from services.docsis.drivers.cmts import tenths

# ---- states -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "former", "state"),
    [
        (8, False, "online"),
        (6, False, "online"),
        (17, False, "blocked"),
        (18, False, "blocked"),
        (2, False, "ranging"),
        (14, False, "ranging"),
        (9, False, "ranging"),
        (1, False, "offline"),
        (None, False, "offline"),
        (99, False, "offline"),
        (7, True, "blocked"),
        (8, True, "online"),
        (6, True, "online"),
        (3, True, "ranging"),
        (9, True, "ranging"),
        (12, True, "offline"),
    ],
)
def test_what_a_registration_state_means(value: int | None, former: bool, state: str) -> None:
    assert state_of(value, former=former)[1] == state


def test_every_registration_state_means_one_of_ours() -> None:
    assert {state for table in (REGISTRATION, FORMER_REGISTRATION) for _, state in table.values()} == set(
        STATES
    )
    assert state_of(99) == ("unknown(99)", "offline")


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_a_change_of_state_is_told_and_no_change_is_not(before: str, after: str) -> None:
    told = changes.changes(Condition(before), Condition(after), baseline=False)
    assert told == ([] if before == after else [after])


def test_what_is_found_at_first_is_no_change() -> None:
    assert changes.changes(None, Condition("online", partial=True), baseline=True) == []
    assert changes.changes(None, Condition("online"), baseline=False) == ["online"]
    assert changes.changes(None, Condition("offline"), baseline=False) == []


def test_partial_service_is_told_when_it_begins_and_when_it_ends() -> None:
    whole, part = Condition("online"), Condition("online", partial=True)
    assert changes.changes(whole, part, baseline=False) == ["partial_service"]
    assert changes.changes(part, part, baseline=False) == []
    assert changes.changes(part, whole, baseline=False) == ["full_service"]
    assert changes.changes(part, Condition("offline"), baseline=False) == ["offline"]
    assert changes.changes(Condition("offline"), part, baseline=False) == ["online", "partial_service"]


def test_a_modem_missing_once_may_be_a_table_that_broke_off() -> None:
    online = Condition("online", partial=True)
    assert changes.missed(online, 1) == online
    assert changes.missed(online, changes.MISSES) == Condition("offline")


# ---- levels -------------------------------------------------------------------------------------


def test_attenuation_as_it_was_measured_on_a_real_modem() -> None:
    assert levels.downstream_attenuation(57.0, 4.1) == 52.9
    assert levels.upstream_attenuation(45.0, 5.2) == 39.8


@given(power=st.integers(-600, 1200), rx=st.integers(-600, 600))
def test_attenuation_and_level_give_the_power_again(power: int, rx: int) -> None:
    found = levels.downstream_attenuation(power / 10, rx / 10)
    assert found is not None
    assert round(found + rx / 10, 1) == power / 10


@pytest.mark.parametrize("stand_in", [2**31 - 1, -(2**31), 2**31, 2**32 - 1, 65535, 32767, -32768])
def test_no_stand_in_for_none_becomes_a_level(stand_in: int) -> None:
    assert tenths(stand_in) is None
    assert tenths(-153) == -15.3


def test_attenuation_of_what_is_not_known_is_not_known() -> None:
    assert levels.downstream_attenuation(None, 4.1) is None
    assert levels.upstream_attenuation(45.0, None) is None
    assert levels.mean([None, None]) is None
    assert levels.mean([4.0, None, 5.0]) == 4.5


def test_services_are_written_as_the_product_writes_them() -> None:
    values = {
        "dnatt": 52.9,
        "dnrx": 4.1,
        "dnsnr": 41.0,
        "upatt": 39.8,
        "uptx": 45.0,
        "upsnr": 38.2,
        **dict.fromkeys(("dncorr", "dnko", "upcorr", "upko", "cmtsinvups", "cminvups"), 0),
    }
    assert levels.services(values) == {
        "qos": {"state": "OK", "output": "dncorr=0.00% dnko=0.00% upcorr=0.00% upko=0.00%"},
        "downstream": {"state": "OK", "output": "dnatt=52.9dB dnrx=4.1dBm dnsnr=41.0dB"},
        "upstream": {"state": "OK", "output": "upatt=39.8dB uptx=45.0dBm upsnr=38.2dB"},
        "docsis": {"state": "OK", "output": "cmtsinvups=0 cminvups=0"},
    }


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("dnrx", 0.0, levels.OK),
        ("dnrx", -10.0, levels.WARNING),
        ("dnrx", 15.0, levels.CRITICAL),
        ("dnsnr", 36.0, levels.OK),
        ("dnsnr", 29.9, levels.WARNING),
        ("dnsnr", 20.0, levels.CRITICAL),
        ("uptx", 52.0, levels.WARNING),
        ("dnko", 4.9, levels.WARNING),
        ("dnko", 5.0, levels.CRITICAL),
        ("dnatt", 119.0, levels.OK),
        ("upsnr", None, levels.OK),
    ],
)
def test_how_good_a_value_is(name: str, value: float | None, state: int) -> None:
    assert levels.METRICS[name].state(value) == state


def test_a_service_of_which_nothing_is_known_is_unknown() -> None:
    assert levels.services({})["downstream"] == {"state": "UNKNOWN", "output": ""}


# ---- codewords ----------------------------------------------------------------------------------


def reading(at: float, *counts: int, bits: int = 64, uptime: int | None = None, source: int = 7) -> Reading:
    unerrored, corrected, uncorrectable = counts
    return Reading((source,), at, unerrored, corrected, uncorrectable, bits=bits, uptime=uptime)


def test_shares_are_of_the_interval_alone() -> None:
    counted = between(reading(0, 10_000_000, 9_000, 1_000), reading(60, 10_900_000, 99_000, 11_000))
    assert counted == Codewords(900_000, 90_000, 10_000)
    assert counted.shares == (9.0, 1.0)


def test_a_counter_of_32_bits_may_wrap() -> None:
    counted = between(reading(0, 2**32 - 50, 5, 0, bits=32), reading(60, 50, 5, 0, bits=32))
    assert counted == Codewords(100, 0, 0)


@pytest.mark.parametrize(
    "after",
    [
        reading(60, 50, 5, 0),  # one of 64 bits does not wrap: it was reset
        reading(60, 9_000_000_000, 5, 0),  # more than a channel can carry
        reading(60, 200_000, 5, 0, source=8),  # the number is another modem's now
        reading(60, 200_000, 5, 0, uptime=20),  # restarted, and counted past where it was
        reading(0, 200_000, 5, 0),  # no time passed
    ],
)
def test_of_an_interval_that_makes_no_sense_nothing_is_said(after: Reading) -> None:
    assert between(reading(0, 100_000, 5, 0, uptime=5_000), after) is None


def test_a_counter_of_64_bits_does_not_wrap_where_one_of_32_would() -> None:
    assert between(reading(0, 2**32 - 50, 5, 0), reading(60, 50, 5, 0)) is None


def test_without_codewords_nothing_went_wrong() -> None:
    assert Codewords().shares == (0.0, 0.0)


def test_channels_are_counted_together() -> None:
    assert together([Codewords(1, 2, 3), None, Codewords(10, 0, 0)]) == Codewords(11, 2, 3)
    assert together([None]) is None


COUNTS = st.tuples(*[st.integers(0, 2**64 - 1)] * 3)
SMALL = st.tuples(*[st.integers(0, 2**32 - 1)] * 3)


@given(
    before=COUNTS | SMALL,
    after=COUNTS | SMALL,
    bits=st.sampled_from((32, 64)),
    seconds=st.floats(-10, 100_000),
    uptimes=st.tuples(*[st.none() | st.integers(0, 10**7)] * 2),
)
def test_whatever_the_counters_say_a_share_is_a_share(
    before: tuple[int, ...],
    after: tuple[int, ...],
    bits: int,
    seconds: float,
    uptimes: tuple[int | None, int | None],
) -> None:
    counted = between(
        reading(0, *before, bits=bits, uptime=uptimes[0]),
        reading(seconds, *after, bits=bits, uptime=uptimes[1]),
    )
    if counted is None:
        return
    assert min(counted.unerrored, counted.corrected, counted.uncorrectable) >= 0
    assert sum((counted.unerrored, counted.corrected, counted.uncorrectable)) <= (
        codewords.MOST_PER_SECOND * seconds
    )
    corrected, uncorrectable = counted.shares
    assert 0 <= corrected <= 100
    assert 0 <= uncorrectable <= 100
    assert corrected + uncorrectable <= 100.01


# ---- names --------------------------------------------------------------------------------------

DESCRIPTION = (
    "Northlight Euro-DOCSIS 2.0 / SIP 2.0 Voice Modem <<HW_REV: 04; VENDOR: Northlight Interactive, L.L.C.; "
    "BOOTR: 5.01; SW_REV: 6.1.129T.EURO.SIP; MODEL: NL552B>>"
)


def test_what_a_modem_says_of_itself() -> None:
    assert system_description(DESCRIPTION) == {
        "DESC": "Northlight Euro-DOCSIS 2.0 / SIP 2.0 Voice Modem",
        "HW_REV": "04",
        "VENDOR": "Northlight Interactive, L.L.C.",
        "BOOTR": "5.01",
        "SW_REV": "6.1.129T.EURO.SIP",
        "MODEL": "NL552B",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        (None, {}),
        ("\0\0", {}),
        ("a router", {"DESC": "a router"}),
        ("<<HW_REV:1;MODEL:X>>", {"HW_REV": "1", "MODEL": "X"}),
        ("x <<MODEL: cut of", {"DESC": "x", "MODEL": "cut of"}),
        (
            "<<hw_rev: 2; VENDOR: A; B GmbH; MODEL: http://x>>",
            {"HW_REV": "2", "VENDOR": "A; B GmbH", "MODEL": "http://x"},
        ),
        ("<<;;:;MODEL: Y;>> tail", {"DESC": "tail", "MODEL": "Y"}),
    ],
)
def test_descriptions_come_in_every_shape(text: str | None, found: dict[str, str]) -> None:
    assert system_description(text) == found


@given(st.text())
def test_no_description_is_too_strange(text: str) -> None:
    for name, value in system_description(text).items():
        assert name
        assert "\0" not in value


def test_a_registration_as_the_product_writes_it() -> None:
    assert registration.ids(77, 1, 7, 1) == "77/1/7/1"
    assert registration.ids(77, None, 0, None) == "77/0/0/0"
    assert registration.tags("cmtsNorte", "catv-mac.1", "nodo1", ["dn.0-3-0"], ["up.1-0-0"]) == [
        *("cmtsNorte", "catv-mac.1", "nodo1", "dn.0-3-0", "up.1-0-0")
    ]
    assert registration.tags("cmtsNorte", None, "") == ["cmtsNorte"]
    assert registration.output("online", "cmtsNorte", 29, "10.0.32.48") == "online cmtsNorte:29 10.0.32.48"
    assert registration.output("offline", "cmtsNorte", None, None) == "offline cmtsNorte 0.0.0.0"


def test_a_modem_lacks_what_it_was_given_and_cannot_use() -> None:
    assert registration.lacking(3, 4) == 1
    assert registration.lacking(4, 4) == 0
    assert registration.lacking(5, 4) == 0
    assert registration.lacking(None, 4) == 0
    assert registration.lacking(1, None) == 0


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("20M", 20_000_000),
        ("1G", 1_000_000_000),
        ("512k", 512_000),
        ("2,5G", 2_500_000_000),
        ("300 Mbit/s", 300_000_000),
        ("100Mbps", 100_000_000),
        (" 1.5m ", 1_500_000),
        ("64000", 64_000),
    ],
)
def test_speeds(text: str, bits: int) -> None:
    assert rate.bits(text) == bits


@pytest.mark.parametrize("text", ["", "fast", "100", "M20", "-5M", "10G", "20MB/s x", "20M/2M"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        rate.bits(text)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Downstream 0/3/0", "dn.0-3-0"),
        ("Logical Upstream Channel 1/0/0", "up.1-0-0"),
        ("Logical Upstream Channel 3/7.1/0", "up.3-7.1-0"),
        ("Ca3/0-upstream0", "ca3-0-up0"),
        ("In3/1-downstream2", "in3-1-dn2"),
        ("CATV-MAC 1", "catv-mac.1"),
        ("Ca5/0", "ca5-0"),
        ("", ""),
    ],
)
def test_interfaces_are_named_in_one_word(name: str, short: str) -> None:
    assert naming.interface(name) == short
