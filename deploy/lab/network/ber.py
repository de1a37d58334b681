"""The part of BER (X.690) that SNMP messages are made of (RFC 3417 section 8). Values are whole TLVs as
`bytes`.

Decoding raises `ValueError` on anything that is not well-formed; it never guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

Oid = tuple[int, ...]

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIMETICKS, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = b"\x80\x00", b"\x81\x00", b"\x82\x00"
ABSENT = b"\x05\x00"


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


@lru_cache(maxsize=20_000)
def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def integer32(value: int) -> bytes:
    """As devices whose ifIndexes begin at 0xFA000000 do it: what does not fit is negative."""
    return integer(value - 2**32 if value >= 2**31 else value)


def octets(value: bytes | str) -> bytes:
    return tlv(OCTETS, value.encode() if isinstance(value, str) else value)


def ip_address(value: str) -> bytes:
    return tlv(IP_ADDRESS, bytes(map(int, value.split("."))))


def counter32(value: int) -> bytes:
    return integer(value & 0xFFFF_FFFF, COUNTER32)


def counter64(value: int) -> bytes:
    return integer(value & 0xFFFF_FFFF_FFFF_FFFF, COUNTER64)


def gauge32(value: int) -> bytes:
    return integer(value, GAUGE32)


def timeticks(seconds: float) -> bytes:
    return integer(int(seconds * 100) & 0xFFFF_FFFF, TIMETICKS)


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    return tlv(tag, b"".join(parts))


def arcs(oid: Iterable[int]) -> bytes:
    """Sub-identifiers in base 128, without the tag: what may be joined to the arcs of a prefix."""
    out = bytearray()
    for arc in oid:
        if arc < 0x80:
            out.append(arc)
            continue
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return bytes(out)


def prefix(oid: Oid) -> bytes:
    """The arcs of an OID from its root: the first two share an octet."""
    return arcs((oid[0] * 40 + oid[1], *oid[2:]))


def oid(value: Oid) -> bytes:
    return tlv(OID, prefix(value))


def parse(dotted: str) -> Oid:
    return tuple(map(int, dotted.strip(".").split(".")))


# ---- reading ------------------------------------------------------------------------------------


def read(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Tag, content and end of the TLV that begins at `at`."""
    try:
        tag, size = data[at], data[at + 1]
    except IndexError:
        raise ValueError("truncated") from None
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or at + count > len(data):
            raise ValueError("bad length")
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    if at + size > len(data):
        raise ValueError("truncated")
    return tag, data[at : at + size], at + size


def each(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, content, at = read(data, at)
        yield tag, content


def expect(data: bytes, *tags: int) -> Sequence[bytes]:
    """The contents of a row of TLVs that must have exactly these tags."""
    found = list(each(data))
    if [tag for tag, _ in found] != list(tags):
        raise ValueError("unexpected shape")
    return [content for _, content in found]


def to_int(content: bytes) -> int:
    if not content:
        raise ValueError("empty integer")
    return int.from_bytes(content, "big", signed=True)


def to_oid(content: bytes) -> Oid:
    found: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            found.append(arc)
            arc = 0
    if not found or content[-1] & 0x80:
        raise ValueError("bad OID")
    first = min(found[0] // 40, 2)
    return (first, found[0] - first * 40, *found[1:])
