"""Configuration files against what others make of the same fields, and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.docsis.domain import configuration
from services.docsis.domain.configuration import Service, SnmpObject, VendorField, modem_file, mta_file, read
from services.docsis.domain.tlv import INTEGER, IP_ADDRESS, OCTETS, TICKS, Tlv, binding, bound, encode, number

# The fields of t/docsis-configfile.t in DOCSIS::ConfigFile 0.76 (CPAN), and the digests that it expects:
# another implementation's word, without and with a shared secret.
OF_ANOTHER = [
    number(3, 1, 1),
    Tlv(11, binding("1.3.6.1.4.1.1.77.1.6.1.1.6.2", INTEGER, 1)),
    Tlv(11, binding("1.3.6.1.4.1.1429.77.1.6.1.1.6.2", OCTETS, "bootfile.bin")),
    Tlv(
        17,
        tuple(number(place, value, 4) for place, value in enumerate((10, 10, 600, 1, 1, 600, 60, 1, 4), 1)),
    ),
    number(18, 2, 1),
    Tlv(
        22,
        (
            number(1, 2, 1),
            number(3, 2, 2),
            number(5, 64, 1),
            Tlv(9, (number(2, 17, 2), number(7, 1000, 2), number(8, 2000, 2))),
        ),
    ),
    Tlv(24, (number(1, 2, 2), number(6, 7, 1), number(14, 0, 2))),
    number(29, 1, 1),
    Tlv(43, (Tlv(8, bytes.fromhex("0011ee")), Tlv(30, b"\xff"), Tlv(31, b"\0"), Tlv(32, b"\x28"))),
]
CM_MIC = "08481e28d2c97902fc6c52f547cbbcac"


@pytest.mark.parametrize(
    ("secret", "cmts_mic"),
    [(b"", "bedbbbc3a8ecd0f15a44092cc5b6c5bc"), (b"s3cret", "c5ab82b1738136be0a4a75badb454b4e")],
)
def test_digests_are_those_of_another_implementation(secret: bytes, cmts_mic: str) -> None:
    found = read(configuration.signed(OF_ANOTHER, secret))
    assert [one.content.hex() for one in found.of(configuration.CM_MIC)] == [CM_MIC]
    assert [one.content.hex() for one in found.of(configuration.CMTS_MIC)] == [cmts_mic]
    assert found.intact
    assert found.is_ours(secret)
    assert not found.is_ours(secret + b"x")


def test_the_file_of_a_subscriber_byte_for_byte() -> None:
    service = Service(downstream=100_000_000, upstream=20_000_000, max_cpe=4, frequency=602_000_000)
    assert encode(configuration.fields(service)).hex(" ") == (
        "01 04 23 e1 ca 80 "  # downstream frequency: 602 MHz
        "03 01 01 "  # network access
        "12 01 04 "  # devices behind it
        "18 10 01 02 00 01 06 01 07 07 01 01 08 04 01 31 2d 00 "  # upstream flow 1, 20 Mbit/s
        "19 10 01 02 00 02 06 01 07 07 01 01 08 04 05 f5 e1 00 "  # downstream flow 2, 100 Mbit/s
        "1d 01 01"  # privacy
    )
    made = modem_file(service, b"secret")
    assert len(made) % 4 == 0
    assert made[-4:].lstrip(b"\0") != b""
    assert made.rstrip(b"\0")[-1] == 255


def test_a_modem_of_docsis_10_gets_a_class_of_service() -> None:
    service = Service(quality="1.0", downstream=8_000_000, upstream=1_000_000, network_access=False)
    assert encode(configuration.fields(service)).hex(" ") == (
        "03 01 00 04 15 01 01 01 02 04 00 7a 12 00 03 04 00 0f 42 40 04 01 01 07 01 01 12 01 10"
    )


def test_without_a_rate_a_flow_has_no_limit() -> None:
    found = read(modem_file(Service(), b"x"))
    for type_ in (configuration.UPSTREAM_FLOW, configuration.DOWNSTREAM_FLOW):
        (flow,) = found.of(type_)
        assert number(8, 0, 4) in flow.value


def test_objects_and_fields_of_makers_are_in_the_file() -> None:
    objects = (
        SnmpObject("1.3.6.1.2.1.69.1.2.1.7.1", INTEGER, 4),
        SnmpObject("1.3.6.1.2.1.69.1.3.1.0", IP_ADDRESS, "192.0.2.7"),
        SnmpObject("1.3.6.1.4.1.9.9.1", OCTETS, b"\xff\0" * 70),
    )
    found = read(modem_file(Service(objects=objects, vendors=(VendorField("00000c", ((1, b"ab"),)),)), b"x"))
    assert found.objects == [
        ("1.3.6.1.2.1.69.1.2.1.7.1", INTEGER, b"\4"),
        ("1.3.6.1.2.1.69.1.3.1.0", IP_ADDRESS, bytes((192, 0, 2, 7))),
        ("1.3.6.1.4.1.9.9.1", OCTETS, b"\xff\0" * 70),
    ]
    assert found.of(configuration.VENDOR) == [Tlv(43, (Tlv(8, b"\0\0\x0c"), Tlv(1, b"ab")))]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="type 11 has"):
        modem_file(Service(objects=(SnmpObject("1.3.6", OCTETS, b"x" * 300),)), b"x")


def test_a_damaged_file_is_noticed() -> None:
    made = bytearray(modem_file(Service(downstream=20_000_000), b"x"))
    assert read(bytes(made)).intact
    made[2] ^= 1
    assert not read(bytes(made)).intact
    with pytest.raises(ValueError, match="cut off"):
        read(bytes(made[:9]))


def test_the_file_of_a_voice_adapter_is_between_delimiters() -> None:
    made = mta_file([SnmpObject("1.3.6.1.2.1.140.1.1.6.0", INTEGER, 1)])
    assert made.hex(" ") == "fe 01 01 0b 12 30 10 06 0b 2b 06 01 02 01 81 0c 01 01 06 00 02 01 01 fe 01 ff"


@given(value=st.integers(-(2**31), 2**31 - 1))
def test_integers_are_as_short_as_they_can_be(value: int) -> None:
    oid, kind, content = bound(binding("1.3.6.1.2.1.1.7.0", INTEGER, value))
    assert (oid, kind) == ("1.3.6.1.2.1.1.7.0", INTEGER)
    assert int.from_bytes(content, "big", signed=True) == value
    assert len(content) == 1 or content[:2].hex() not in ("0000", "ffff")
    if len(content) > 1:
        assert not (content[0] == 0 and content[1] < 0x80)
        assert not (content[0] == 0xFF and content[1] >= 0x80)


@given(parts=st.lists(st.integers(0, 2**32 - 1), max_size=20), value=st.integers(0, 2**32 - 1))
def test_objects_are_read_back(parts: list[int], value: int) -> None:
    oid = ".".join(str(one) for one in (1, 3, *parts))
    found, kind, content = bound(binding(oid, TICKS, value))
    assert (found, kind, int.from_bytes(content, "big")) == (oid, TICKS, value)


@given(
    downstream=st.none() | st.integers(8000, 2**32 - 1),
    access=st.booleans(),
    quality=st.sampled_from(configuration.QUALITIES),
    secret=st.binary(max_size=80),
)
def test_every_file_is_whole_and_ours(downstream: int, access: bool, quality: str, secret: bytes) -> None:
    made = modem_file(Service(network_access=access, downstream=downstream, quality=quality), secret)
    found = read(made)
    assert found.intact
    assert found.is_ours(secret)
    assert len(made) % 4 == 0
    assert [one.content for one in found.of(configuration.NETWORK_ACCESS)] == [bytes((access,))]
