"""What devices put into values: each form is read, and nothing that an agent may answer raises."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.devices import values

ANYTHING = st.one_of(st.none(), st.integers(), st.floats(), st.binary(max_size=24), st.text(max_size=24))
SERIALS = st.tuples(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=4), st.binary(min_size=4, max_size=4)
)


@given(ANYTHING)
def test_nothing_raises(value: values.Value) -> None:
    assert isinstance(values.text(value), str)
    for read in (values.words, values.number, values.timeticks, values.mac, values.serial, values.address):
        read(value)
    values.scaled(value, 100, -1)
    for found in (values.date_and_time(value), values.moment(value)):
        assert found is None or found.utcoffset() == dt.timedelta(0)


@given(SERIALS)
def test_a_serial_number_is_the_same_in_every_form(parts: tuple[str, bytes]) -> None:
    vendor, number = parts
    octets = vendor.encode() + number
    printed = vendor + number.hex().upper()
    forms: list[values.Value] = [
        octets,
        octets.hex(),
        octets.hex().upper().encode(),
        octets.hex(" ").encode(),
        "0x" + octets.hex(),
        printed,
        printed.encode(),
        f'"{printed}"',
        f" {vendor}-{number.hex()} ",
        f"{octets.hex().upper()} ({vendor}-{number.hex().upper()})",
        printed.encode() + b"\0\0",
        octets + b"\0\0",
    ]
    assert {values.serial(form) for form in forms} == {octets.hex()}


@pytest.mark.parametrize("value", [b"", b"\0" * 8, "0" * 16, "HWTC", "HWTC1426779G", None, 7, b"HWTC\x14"])
def test_what_is_no_serial_number(value: values.Value) -> None:
    assert values.serial(value) is None


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_address_is_the_same_in_every_form(octets: bytes) -> None:
    digits = octets.hex()
    forms: list[values.Value] = [
        octets,
        digits,
        octets.hex(":").encode(),
        octets.hex("-").upper(),
        octets.hex(" "),
        f"{digits[:4]}.{digits[4:8]}.{digits[8:]}",
        "0x" + digits,
        b"\x06" + octets,
        ":".join(f"{octet:x}" for octet in octets),
    ]
    assert values.mac(octets + b"\0") == octets.hex(":") or octets[0] == 6
    assert {values.mac(form) for form in forms} == {octets.hex(":")}


@given(
    st.datetimes(dt.datetime.fromisoformat("1990-01-02"), dt.datetime.fromisoformat("2100-01-01")),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_is_the_same_in_every_form(moment: dt.datetime, minutes: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    moment = moment.replace(microsecond=0, tzinfo=zone)
    octets = struct.pack(
        ">HBBBBBB", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, 0
    )
    offset = struct.pack(">cBB", b"-" if minutes < 0 else b"+", abs(minutes) // 60, abs(minutes) % 60)
    assert values.date_and_time(octets, zone) == moment
    shown = f"{moment.year}-{moment.month}-{moment.day},{moment.hour}:{moment.minute}:{moment.second}.0"
    away = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60}:{abs(minutes) % 60}"
    assert values.date_and_time(shown.encode(), zone) == values.moment(shown, zone) == moment
    assert values.date_and_time(f"{shown},{away}") == moment
    assert values.date_and_time(octets + offset) == moment
    assert values.moment(octets, zone) == moment
    assert values.moment(str(moment).encode()) == moment
    assert values.moment(f"{moment:%Y/%m/%d %H:%M:%S}", zone) == moment


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 8,
        struct.pack(">HBBBBBB", 2026, 13, 1, 0, 0, 0, 0),
        "-",
        "never",
        "1970-01-01",
    ],
)
def test_a_moment_that_never_was(value: values.Value) -> None:
    assert values.moment(value) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_also_as_text(number: int) -> None:
    assert (
        values.number(number)
        == values.number(str(number))
        == values.number(f" {number}\0".encode())
        == number
    )
    assert values.number(number, number) is None


def test_scaled_numbers_know_what_stands_for_none() -> None:
    assert values.scaled(-2214, 100) == -22.14
    assert values.scaled(values.INVALID, 100) is None
    assert values.scaled(-1, 100, -1) is None
    assert values.scaled("N/A", 100) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"Pe\xf1a", "Peña"),
        ("Peña".encode(), "Peña"),
        (b"HG8245\0\0\0", "HG8245"),
        (b" a\tb\r\nc ", "a b  c"),
        (b"\x01\x02x\x7f", "x"),
        (None, ""),
        (7, "7"),
    ],
)
def test_text(value: values.Value, shown: str) -> None:
    assert values.text(value) == shown


@pytest.mark.parametrize("value", [b"", b"--", "N/A", "-", "null", b"\0\0"])
def test_words_for_nothing(value: values.Value) -> None:
    assert values.words(value) is None
