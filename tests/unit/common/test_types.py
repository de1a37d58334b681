"""Value types: each accepted spelling has one stored form; the rest is refused with the API's text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common import types

HEX = "0123456789abcdef"
hex16 = st.text(HEX, min_size=16, max_size=16)
hex12 = st.text(HEX, min_size=12, max_size=12)
vendor = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=4)
serial = st.text(HEX, min_size=8, max_size=8)


def mixed(text: str, upper: list[bool]) -> str:
    """The text with some of its letters in upper case."""
    return "".join(c.upper() if up else c for c, up in zip(text, upper, strict=False))


cases = st.lists(st.booleans(), min_size=16, max_size=16)


@given(hex16, cases)
def test_a_serial_number_of_16_digits_is_stored_in_lower_case(digits: str, upper: list[bool]) -> None:
    assert types.serial_number(f" {mixed(digits, upper)}\t") == digits


@given(vendor, serial, cases)
def test_the_printed_serial_number_is_its_vendor_in_ascii_and_eight_digits(
    name: str, digits: str, upper: list[bool]
) -> None:
    stored = types.serial_number(mixed(name.lower() + digits, upper))
    assert bytes.fromhex(stored[:8]).decode() == name
    assert stored[8:] == digits
    assert types.serial_number(stored) == stored


def test_the_printed_and_the_stored_serial_number_of_one_device_are_the_same() -> None:
    assert (
        types.serial_number("HWTC614711a7") == types.serial_number("48575443614711A7") == "48575443614711a7"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HWTC",
        "HWTC614711a",
        "HWTC614711a77",
        "HWTC614711ag",
        "4857544361471",
        "48575443614711aZ",
        "ÑWTC614711a7",
        "HWTC 614711a7",
        "４857544361471１a7",
    ],
)
def test_other_serial_numbers_are_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^The Serial number must contain 12 or 16 alphanumeric characters\.$"
    ):
        types.serial_number(text)


def test_a_placeholder_is_a_serial_number_without_a_serial_part() -> None:
    assert types.is_placeholder("4857544300000000")
    assert not types.is_placeholder("4857544300000001")
    assert not types.is_placeholder("0000000048575443")


@given(hex12, cases, st.sampled_from(["", ":", "-", "."]))
def test_a_mac_is_stored_as_12_digits_whatever_separates_them(
    digits: str, upper: list[bool], between: str
) -> None:
    spelled = mixed(digits, upper)
    groups = between.join(spelled[at : at + 2] for at in range(0, 12, 2))
    assert types.mac(f" {groups} ") == digits


def test_a_mac_in_three_groups_is_read_too() -> None:
    assert types.mac("7483.C2E4.19BE") == "7483c2e419be"


@pytest.mark.parametrize(
    "text", ["", "7483c2e419b", "7483c2e419bee", "7483c2e419bg", "74 83 c2 e4 19 be", "٧483c2e419be"]
)
def test_other_macs_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The MAC address must contain 12 hexadecimal digits"):
        types.mac(text)


@pytest.mark.parametrize(
    ("text", "good"), [("30100", True), ("4910-170", True), ("", True), ("30 100", False), ("SW1A", False)]
)
def test_a_postal_code_has_digits_and_hyphens(text: str, good: bool) -> None:
    if good:
        assert types.postal_code(text) == text
    else:
        with pytest.raises(ValueError, match="digits and hyphens only"):
            types.postal_code(text)


def test_addresses_have_one_spelling() -> None:
    assert types.ipv4(" 100.64.99.11 ") == "100.64.99.11"
    assert (
        types.ipv4_interface("192.168.1.1/255.255.255.0")
        == types.ipv4_interface("192.168.1.1/24")
        == "192.168.1.1/24"
    )


@pytest.mark.parametrize("text", ["", "100.64.99", "100.64.99.256", "010.0.0.1", "::1", "1.2.3.4/24"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Enter a valid IPv4 address\.$"):
        types.ipv4(text)


@pytest.mark.parametrize("text", ["192.168.1.1/33", "192.168.1.300/24", "192.168.1.1/x", "::1/64"])
def test_other_interface_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="with its prefix length"):
        types.ipv4_interface(text)


degrees = st.decimals(min_value=-90, max_value=90, allow_nan=False, allow_infinity=False, places=12)


@given(degrees)
def test_a_coordinate_is_rounded_to_seven_decimals(value: Decimal) -> None:
    stored = types.coordinate(str(value), 90)
    assert abs(stored - value) <= Decimal("0.00000005")
    assert stored.as_tuple().exponent == -7
    assert types.coordinate(f"{stored:.7f}", 90) == stored


def test_a_coordinate_halfway_goes_to_the_even_neighbour() -> None:
    assert str(types.coordinate("38.01248665", 90)) == "38.0124866"
    assert str(types.coordinate("38.01248675", 90)) == "38.0124868"


@pytest.mark.parametrize("value", ["38.0124867", 38.0124867, " 38.0124867 ", "38.01248670001"])
def test_a_coordinate_may_be_a_number_or_a_text(value: str | float) -> None:
    assert str(types.coordinate(value, 90)) == "38.0124867"


@pytest.mark.parametrize(("bound", "value"), [(90, "90"), (90, "-90"), (180, "180"), (180, -180)])
@pytest.mark.parametrize("surplus", ["", ".00000004"])
def test_the_bounds_themselves_are_coordinates(bound: int, value: str | int, surplus: str) -> None:
    assert types.coordinate(f"{value}{surplus}", bound) == Decimal(value)


@pytest.mark.parametrize(
    ("bound", "value"),
    [(90, "90.0000001"), (90, "-91"), (180, "180.1"), (90, "NaN"), (90, "Infinity"), (90, "1e400")],
)
def test_beyond_the_bounds_there_is_no_coordinate(bound: int, value: str) -> None:
    with pytest.raises(ValueError, match=rf"^Ensure this value is between -{bound} and {bound}\.$"):
        types.coordinate(value, bound)


@pytest.mark.parametrize("value", ["", "north", "38,01", "38.0.1", "1_0"])
def test_what_is_no_number_is_no_coordinate(value: str) -> None:
    with pytest.raises(ValueError, match=r"^A valid number is required\.$"):
        types.coordinate(value, 90)
