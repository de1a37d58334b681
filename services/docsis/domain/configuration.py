"""The configuration file of a cable modem: what it says, and the two digests that keep it from being changed.

CM-SP-MULPIv3.1, annex C (types) and annex D (file format): `CmMic` is the MD5 digest of all fields, so that a
modem notices a file that was damaged; `CmtsMic` an HMAC-MD5 (RFC 2104) of some of them under a secret that
only the provider and the CMTS know, so that the CMTS notices one that was made by somebody else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.docsis.domain.tlv import END, Tlv, binding, bound, decode, encode, number

FREQUENCY, NETWORK_ACCESS, CLASS_OF_SERVICE, CM_MIC, CMTS_MIC = 1, 3, 4, 6, 7
SNMP_OBJECT, MAX_CPE, UPSTREAM_FLOW, DOWNSTREAM_FLOW, PRIVACY, VENDOR = 11, 18, 24, 25, 29, 43
MTA_DELIMITER, MTA_BEGIN, MTA_END = 254, 1, 255
NESTED = (CLASS_OF_SERVICE, UPSTREAM_FLOW, DOWNSTREAM_FLOW, VENDOR)

CMTS_MIC_ORDER = (
    *(1, 2, 3, 4, 17, 43, 6, 18, 19, 20),
    *(22, 23, 24, 25, 28, 29, 26, 35, 36, 37, 40),
)
"""The types that `CmtsMic` covers, in the order in which it does (MULPI, D.2.1), whatever their order in the
file."""

DOCSIS_10, DOCSIS_11 = "1.0", "1.1"
QUALITIES = (DOCSIS_10, DOCSIS_11)
"""Class of service (1.0), or service flows (1.1 and later)."""

ALL_SETS = 7
"""A flow whose quality is provisioned, admitted and active from the start (MULPI, C.2.2.5.5)."""

FIRST_UPSTREAM, FIRST_DOWNSTREAM = 1, 2
"""References of the primary flows; they are counted over both directions."""


@dataclass(frozen=True, slots=True)
class SnmpObject:
    """Something that the modem sets on itself. `type`: a BER tag of `tlv`."""

    oid: str
    type: int
    value: int | bytes | str


@dataclass(frozen=True, slots=True)
class VendorField:
    """What only modems of one maker understand. `oui`: 6 hex digits; `fields`: type and value."""

    oui: str
    fields: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a subscriber's modem is given. Rates in bit/s, None: unlimited; `frequency` in Hz, None: wherever
    the modem finds a channel; `priority` 0 to 7."""

    network_access: bool = True
    downstream: int | None = None
    upstream: int | None = None
    priority: int = 1
    max_cpe: int = 16
    privacy: bool = True
    quality: str = DOCSIS_11
    frequency: int | None = None
    objects: tuple[SnmpObject, ...] = ()
    vendors: tuple[VendorField, ...] = ()


def modem_file(service: Service, secret: bytes) -> bytes:
    """The file, signed. Raises `ValueError` for what a file cannot say."""
    return signed(fields(service), secret)


def fields(service: Service) -> list[Tlv]:
    """What the file says, without digests."""
    said = []
    if service.frequency is not None:
        said.append(number(FREQUENCY, service.frequency, 4))
    said.append(number(NETWORK_ACCESS, int(service.network_access), 1))
    if service.quality == DOCSIS_10:
        said.append(_class_of_service(service))
    said += [
        Tlv(SNMP_OBJECT, binding(one.oid, one.type, one.value)) for one in service.objects
    ]  # annex C has them apply in the file's order
    said.append(number(MAX_CPE, service.max_cpe, 1))
    if service.quality != DOCSIS_10:
        said.append(_flow(UPSTREAM_FLOW, FIRST_UPSTREAM, service.upstream, service.priority))
        said.append(_flow(DOWNSTREAM_FLOW, FIRST_DOWNSTREAM, service.downstream, service.priority))
        said.append(number(PRIVACY, int(service.privacy), 1))
    said += [_vendor(one) for one in service.vendors]
    return said


def signed(said: Sequence[Tlv], secret: bytes) -> bytes:
    """Digests, end marker, and zeros up to a whole number of 32 bit words."""
    plain = encode(said)
    cm_mic = Tlv(CM_MIC, hashlib.md5(plain, usedforsecurity=False).digest())
    cmts_mic = Tlv(CMTS_MIC, digest([*said, cm_mic], secret))
    whole = plain + cm_mic.encode() + cmts_mic.encode() + bytes((END,))
    return whole + bytes(-len(whole) % 4)


def digest(said: Iterable[Tlv], secret: bytes) -> bytes:
    """`CmtsMic` of these fields, which include `CmMic`."""
    listed = list(said)
    covered = [one for type_ in CMTS_MIC_ORDER for one in listed if one.type == type_]
    return hmac.new(secret, encode(covered), "md5").digest()


def mta_file(objects: Iterable[SnmpObject]) -> bytes:
    """The file of the voice adapter in a modem (PKT-SP-PROV1.5, 9.1): objects between two delimiters."""
    inner = [Tlv(SNMP_OBJECT, binding(one.oid, one.type, one.value)) for one in objects]
    return encode([number(MTA_DELIMITER, MTA_BEGIN, 1), *inner, number(MTA_DELIMITER, MTA_END, 1)])


# ---- reading one --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was found. `intact`: its `CmMic` is right."""

    fields: tuple[Tlv, ...]
    intact: bool

    def of(self, type_: int) -> list[Tlv]:
        return [one for one in self.fields if one.type == type_]

    @property
    def objects(self) -> list[tuple[str, int, bytes]]:
        return [bound(one.content) for one in self.of(SNMP_OBJECT)]

    def is_ours(self, secret: bytes) -> bool:
        """Whether the CMTS with this secret takes it."""
        given = self.of(CMTS_MIC)
        return len(given) == 1 and hmac.compare_digest(given[0].content, digest(self.fields, secret))


def read(data: bytes) -> Read:
    """Raises `ValueError` for what is no configuration file."""
    found = tuple(decode(data, NESTED))
    plain = encode(one for one in found if one.type not in (CM_MIC, CMTS_MIC))
    mine = hashlib.md5(plain, usedforsecurity=False).digest()
    return Read(found, [one.content for one in found if one.type == CM_MIC] == [mine])


# ---- parts --------------------------------------------------------------------------------------


def _class_of_service(service: Service) -> Tlv:
    """DOCSIS 1.0 has one class, with both rates in it (MULPI, C.1.1.4)."""
    parts = [number(1, 1, 1)]
    if service.downstream is not None:
        parts.append(number(2, service.downstream, 4))
    if service.upstream is not None:
        parts.append(number(3, service.upstream, 4))
    parts += [number(4, service.priority, 1), number(7, int(service.privacy), 1)]
    return Tlv(CLASS_OF_SERVICE, tuple(parts))


def _flow(type_: int, reference: int, rate: int | None, priority: int) -> Tlv:
    """The primary service flow of a direction (MULPI, C.2.2.3 to C.2.2.7). Rate 0 is no limit."""
    parts = [number(1, reference, 2), number(6, ALL_SETS, 1), number(7, priority, 1)]
    parts.append(number(8, rate or 0, 4))
    return Tlv(type_, tuple(parts))


def _vendor(field: VendorField) -> Tlv:
    """The maker's identifier comes first (MULPI, C.1.1.17)."""
    identifier = Tlv(8, bytes.fromhex(field.oui))
    return Tlv(VENDOR, (identifier, *(Tlv(type_, value) for type_, value in field.fields)))
