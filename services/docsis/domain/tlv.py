"""Type, length, value: how DOCSIS configuration files are written (CM-SP-MULPIv3.1, annex C), and the SNMP
objects in them (BER, X.690).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

END, PAD = 255, 0
LONGEST = 254
"""Bytes of a value in a file; a longer one is split by nobody."""

INTEGER, OCTETS, OID, IP_ADDRESS, UNSIGNED, TICKS = 0x02, 0x04, 0x06, 0x40, 0x42, 0x43
_SEQUENCE = 0x30


@dataclass(frozen=True, slots=True)
class Tlv:
    """`value`: bytes, or the fields within."""

    type: int
    value: bytes | tuple[Tlv, ...]

    @property
    def content(self) -> bytes:
        return self.value if isinstance(self.value, bytes) else encode(self.value)

    def encode(self) -> bytes:
        """Raises `ValueError` when the value is too long."""
        content = self.content
        if len(content) > LONGEST:
            raise ValueError(f"the value of type {self.type} has {len(content)} bytes, of {LONGEST} at most")
        return bytes((self.type, len(content))) + content


def encode(fields: Iterable[Tlv]) -> bytes:
    return b"".join(one.encode() for one in fields)


def number(type_: int, value: int, size: int) -> Tlv:
    """An unsigned number in `size` bytes, the most significant first."""
    return Tlv(type_, value.to_bytes(size, "big"))


def decode(data: bytes, nested: Iterable[int] = ()) -> list[Tlv]:
    """The fields up to the end marker, those of the types `nested` with the fields within. Raises
    `ValueError` for what is cut off."""
    return list(_fields(data, frozenset(nested)))


def _fields(data: bytes, nested: frozenset[int]) -> Iterator[Tlv]:
    place = 0
    while place < len(data):
        type_ = data[place]
        if type_ == END:
            return
        if type_ == PAD:
            place += 1
            continue
        if place + 2 > len(data) or place + 2 + data[place + 1] > len(data):
            raise ValueError(f"type {type_} at byte {place} is cut off")
        content = data[place + 2 : place + 2 + data[place + 1]]
        yield Tlv(type_, tuple(_fields(content, frozenset())) if type_ in nested else content)
        place += 2 + len(content)


# ---- SNMP objects -------------------------------------------------------------------------------


def binding(oid: str, type_: int, value: int | bytes | str) -> bytes:
    """An object and its value as `VarBind` (RFC 3416)."""
    return _ber(_SEQUENCE, _ber(OID, _oid(oid)) + _ber(type_, _content(type_, value)))


def bound(data: bytes) -> tuple[str, int, bytes]:
    """Object, type and content of a `VarBind`. Raises `ValueError`."""
    tag, body, rest = _unwrapped(data)
    if tag != _SEQUENCE or rest:
        raise ValueError("not a VarBind")
    tag, oid, rest = _unwrapped(body)
    if tag != OID:
        raise ValueError("a VarBind without an object")
    kind, content, rest = _unwrapped(rest)
    if rest:
        raise ValueError("a VarBind with something after its value")
    return _named(oid), kind, content


def _content(type_: int, value: int | bytes | str) -> bytes:
    if type_ == IP_ADDRESS:
        return IPv4Address(str(value)).packed
    if type_ == OID:
        return _oid(str(value))
    if isinstance(value, int):  # two's complement, as short as it can be; unsigned ones keep a leading zero
        size = (value.bit_length() if value >= 0 else (value + 1).bit_length()) // 8 + 1
        return value.to_bytes(size, "big", signed=True)
    return value.encode() if isinstance(value, str) else value


def _ber(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _oid(text: str) -> bytes:
    first, second, *others = (int(part) for part in text.strip(".").split("."))
    return b"".join(_base128(part) for part in (40 * first + second, *others))


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))


def _named(content: bytes) -> str:
    parts, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(value)
            value = 0
    first = min(parts[0] // 40, 2) if parts else 0
    return ".".join(str(one) for one in (first, parts[0] - 40 * first, *parts[1:])) if parts else ""


def _unwrapped(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content, and what comes after it."""
    if len(data) < 2:
        raise ValueError("cut off")
    start, size = 2, data[1]
    if size & 0x80:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        raise ValueError("cut off")
    return data[0], data[start : start + size], data[start + size :]
