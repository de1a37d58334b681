"""Value types of the field (serial numbers, MAC addresses, coordinates), and the ports through which
a service's rules see the world. Standard library only.

Each function takes what a client may write and returns the stored form, or raises `ValueError`
with the text that the API shows.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError
from typing import Any, Protocol

_HEX16 = re.compile(r"[0-9a-fA-F]{16}")
_VENDOR_FORM = re.compile(r"[0-9A-Za-z]{4}[0-9a-fA-F]{8}")
_MAC_SEPARATORS = re.compile(r"[:\-.]")
_HEX12 = re.compile(r"[0-9a-fA-F]{12}")
_POSTAL_CODE = re.compile(r"[0-9-]*")
_DEVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NETWORK_ADDRESS = re.compile(r"[A-Za-z0-9.:_-]+")
_SEVEN_PLACES = Decimal("0.0000001")


def serial_number(text: str) -> str:
    """GPON serial number as 16 lower-case hex digits (ITU-T G.984.3: 4 vendor bytes, 4 serial bytes).

    Takes those 16 digits, or the printed form: 4 vendor characters followed by 8 hex digits.
    """
    text = text.strip()
    if _HEX16.fullmatch(text):
        return text.lower()
    if _VENDOR_FORM.fullmatch(text):
        return text[:4].upper().encode("ascii").hex() + text[4:].lower()
    raise ValueError("The Serial number must contain 12 or 16 alphanumeric characters.")


def device_name(text: str) -> str:
    """What a device is called: letters, digits, dots, hyphens and underscores."""
    if not _DEVICE_NAME.fullmatch(text):
        raise ValueError("Enter letters, digits, dots, hyphens and underscores.")
    return text


def network_address(text: str) -> str:
    """A host name, or an IPv4 or IPv6 address."""
    if not _NETWORK_ADDRESS.fullmatch(text):
        raise ValueError("Enter a host name or an IP address.")
    return text


def is_placeholder(sn: str) -> bool:
    """Whether a stored serial number is a vendor placeholder (serial part all zero): not unique."""
    return sn.endswith("00000000")


def mac(text: str) -> str:
    """MAC address (EUI-48) as 12 lower-case hex digits, from 12 digits or six groups with separators."""
    digits = _MAC_SEPARATORS.sub("", text.strip())
    if _HEX12.fullmatch(digits):
        return digits.lower()
    raise ValueError("The MAC address must contain 12 hexadecimal digits, with or without separators.")


def postal_code(text: str) -> str:
    if _POSTAL_CODE.fullmatch(text):
        return text
    raise ValueError("The postal code may contain digits and hyphens only.")


def lower(text: str) -> str:
    """The text in lower case, letter for letter: as long as it was."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text.strip()))
    except AddressValueError:
        raise ValueError("Enter a valid IPv4 address.") from None


def ipv4_interface(text: str) -> str:
    """Address and prefix length in one, such as `192.168.1.1/24`."""
    try:
        return str(IPv4Interface(text.strip()))
    except (AddressValueError, NetmaskValueError, ValueError):
        raise ValueError("Enter a valid IPv4 address with its prefix length.") from None


def coordinate(value: str | int | float | Decimal, bound: int) -> Decimal:
    """Degrees with seven decimals; surplus decimals are rounded, not refused. `bound` is 90 or 180."""
    try:
        text = str(value).strip()
        if "_" in text:
            raise InvalidOperation
        number = Decimal(text)
    except ArithmeticError:
        raise ValueError("A valid number is required.") from None
    # What has more digits than a Decimal is not to be rounded; nor is there an `abs` of such an exponent.
    if number.is_finite() and number.copy_abs() < bound + 1:
        number = number.quantize(_SEVEN_PLACES, ROUND_HALF_EVEN) + 0  # and no minus zero
    if not number.is_finite() or number.copy_abs() > bound:
        raise ValueError(f"Ensure this value is between -{bound} and {bound}.")
    return number


Row = dict[str, Any]
"""A row as rules see it: wire fields by name (a reference by its key), other columns by column name."""


class Installation(Protocol):
    """What rules may know of the installation's settings."""

    @property
    def links_prefix(self) -> str: ...

    @property
    def serial_number_required(self) -> bool: ...

    @property
    def pppoe_domain(self) -> str: ...


class Writing(Protocol):
    """The write that rules may add to: same transaction, same audit and events."""

    now: dt.datetime

    def rows(self, resource: str, **equals: Any) -> list[Row]: ...

    def lock(self, resource: str, id_: Any) -> None: ...

    def create(self, resource: str, values: Row) -> Row: ...

    def change(self, resource: str, id_: Any, values: Row, *, silently: bool = False) -> None: ...

    def delete(self, resource: str, id_: Any) -> None: ...

    def emit(self, type_: str, id_: Any, sequence: int, realm: str, data: Row) -> None: ...
