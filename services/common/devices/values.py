"""What devices put into SNMP values and CLI answers, made plain. Nothing here raises: what makes no sense is
None, for one bad cell must not cost a table."""

from __future__ import annotations

import datetime as dt
import re
from ipaddress import AddressValueError, IPv4Address

Value = int | float | bytes | str | None
"""INTEGER, counters and time ticks: int. OCTET STRING: bytes. OBJECT IDENTIFIER and IpAddress: str."""

INVALID = 2147483647
"""What many agents answer in place of a number that they do not have (INTEGER's largest)."""

_FIRST_YEAR = 1990
"""Before it no such device was; what it tells of then is a clock that nobody set, or zeros."""
_HEX = re.compile(r"[0-9a-fA-F]+")
_PUNCTUATION = re.compile(r"[\s:.\-\"']|^0[xX]")
_DISPLAYED = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?),(\d\d?):(\d\d?):(\d\d?)(?:\.(\d))?(?:,([+-])(\d\d?):(\d\d?))?", re.ASCII
)
"""The display hint of DateAndTime."""
_VENDOR_FORM = re.compile(r"([0-9A-Za-z]{4})-?([0-9a-fA-F]{8})")


def text(value: Value) -> str:
    """UTF-8, else Latin-1; without NULs, other control characters and outer blanks. "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            found = value.decode()
        except UnicodeDecodeError:
            found = value.decode("latin-1")
    else:
        found = str(value)
    return "".join(" " if letter in "\t\r\n" else letter for letter in found if _shows(letter)).strip()


def _shows(letter: str) -> bool:
    return letter in "\t\r\n" or (letter >= " " and not "\x7f" <= letter <= "\x9f")


def words(value: Value) -> str | None:
    """`text`, or None where it is empty or a device's word for nothing."""
    found = text(value)
    return None if found in _NOTHING else found


_NOTHING = frozenset({"", "-", "--", "N/A", "n/a", "NULL", "null", "Null", "invalid"})


def number(value: Value, *sentinels: int) -> int | None:
    """An integer, also where an agent writes it as text; None for a sentinel or anything else."""
    found: int | None = None
    if isinstance(value, int):
        found = value
    elif isinstance(value, float):
        found = int(value) if abs(value) < 1e18 else None  # also no NaN
    elif value is not None:
        shown = text(value)
        if len(shown) <= 20 and re.fullmatch(r"[+-]?[0-9]+", shown) and int(shown) < 1 << 64:
            found = int(shown)
    return None if found in sentinels else found


def scaled(value: Value, divisor: float, *sentinels: int) -> float | None:
    """`value / divisor`; None for one of the `sentinels`, or `INVALID`, as which the agent tells "none"."""
    found = number(value, INVALID, -INVALID - 1, *sentinels)
    return None if found is None else round(found / divisor, 4)


def within(found: float | None, low: float, high: float) -> float | None:
    """None for what nothing measures: agents have stand-ins of their own (65535, 32767, 4294967295)."""
    return found if found is not None and low <= found <= high else None


def timeticks(value: Value) -> int | None:
    """Whole seconds of TimeTicks (hundredths, RFC 2578)."""
    found = number(value)
    return None if found is None or found < 0 else found // 100


def mac(value: Value) -> str | None:
    """`00:15:96:cb:83:4d`, from six octets, also after their number or before a NUL, or from text in any of
    the usual spellings, `0:15:96:cb:83:4d` among them."""
    if isinstance(value, bytes) and len(value) == 7 and (value[0] == 6 or not value[6]):
        value = value[1:] if value[0] == 6 else value[:6]
    if isinstance(value, bytes) and len(value) == 6:
        return value.hex(":")
    shown = text(value)
    parts = re.split(r"[:-]", shown)
    digits = "".join(one.zfill(2) for one in parts) if len(parts) == 6 else _PUNCTUATION.sub("", shown)
    if len(digits) == 12 and _HEX.fullmatch(digits):
        return bytes.fromhex(digits).hex(":")
    return None


def serial(value: Value) -> str | None:
    """A GPON serial number as 16 lower-case hex digits (ITU-T G.984.3), from eight octets, 16 hex digits or
    the printed form `HWTC1426779a`; in quotes, with blanks, filled up with NULs, or followed by the other
    form in brackets. None for what is none of these, or all zero."""
    found: str | None = None
    if isinstance(value, bytes) and len(value) == 8:
        found = value.hex()
    else:
        found = _written_serial(text(value))
        if found is None and isinstance(value, bytes) and len(value) > 8 and not value[8:].strip(b"\0"):
            found = value[:8].hex()
    return None if found is None or not found.strip("0") else found


def _written_serial(shown: str) -> str | None:
    bare = _PUNCTUATION.sub("", shown.partition("(")[0])
    if len(bare) == 16 and _HEX.fullmatch(bare):
        return bare.lower()
    if bare.isascii() and (form := _VENDOR_FORM.fullmatch(bare)):
        return form[1].upper().encode().hex() + form[2].lower()
    return None


def date_and_time(value: Value, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    """DateAndTime (RFC 2579): 8 octets in the device's own time, which `zone` is, or up to 11 with its
    offset; or as it is displayed, `2026-11-25,9:30:0.0,+1:0`. None for a moment that cannot be, which is how
    "never" is told."""
    if (shown := _DISPLAYED.fullmatch(text(value))) is not None:
        numbers = [int(one or 0) for one in shown.groups()[:7]]
        if not all(one < 256 for one in numbers[1:]) or numbers[0] > 9999:
            return None
        value = numbers[0].to_bytes(2) + bytes(numbers[1:])
        if shown[8]:
            value += shown[8].encode() + bytes((int(shown[9]), int(shown[10])))
    if not isinstance(value, bytes) or not 8 <= len(value) <= 11:
        return None
    year, (month, day, hour, minute, second, deci) = int.from_bytes(value[:2]), value[2:8]
    if year < _FIRST_YEAR:
        return None
    sign, hours, minutes = value[8:].ljust(3, b"\0")
    if sign in b"+-" and hours < 15 and minutes < 60:
        offset = dt.timedelta(hours=hours, minutes=minutes)
        zone = dt.timezone(-offset if sign == 0x2D else offset)
    try:
        found = dt.datetime(year, month, day, hour, minute, min(second, 59), min(deci, 9) * 100_000, zone)
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def moment(value: Value, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    """The same as text, `2022-12-21 10:45:47+01:00`, or as DateAndTime."""
    if isinstance(value, bytes) and not value[:4].isdigit():
        return date_and_time(value, zone)
    if "," in text(value):
        return date_and_time(value, zone)
    try:
        found = dt.datetime.fromisoformat(text(value).replace("/", "-"))
        if found.year < _FIRST_YEAR:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def address(value: Value) -> str | None:
    """An IPv4 address, from four octets or as text."""
    shown = ".".join(map(str, value)) if isinstance(value, bytes) and len(value) == 4 else text(value)
    try:
        return str(IPv4Address(shown))
    except AddressValueError:
        return None
