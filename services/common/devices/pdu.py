"""One SNMPv2 request and its whole answer, error status included, through pysnmp: SET, which gufo-snmp lacks,
and GETBULK where gufo-snmp's answer may be the end of a table or an error that it keeps to itself.

Blocks on a real socket and needs no event loop: those share locks between threads in a green process.
RFC 3416 (PDUs), RFC 1901 (communities), RFC 3414 (users).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.carrier.base import AbstractTransportAddress, AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.cmdgen import CommandGenerator
from pysnmp.error import PySnmpError
from pysnmp.proto import errind, rfc1902, rfc1905
from pysnmp.proto.api import v2c

from services.common.devices.access import SnmpAccess
from services.common.devices.native import genuine

socket = genuine("socket")

Oid = tuple[int, ...]
Plain = int | bytes | str | None

STATUS: dict[int, str] = {number: name for name, number in rfc1905.errorStatus.namedValues.items()}
"""Error status by number: `tooBig`, `genErr`, `noAccess` …"""

SYNTAXES: dict[str, Any] = {
    "integer": rfc1902.Integer32,
    "octets": rfc1902.OctetString,
    "unsigned": rfc1902.Unsigned32,
    "address": rfc1902.IpAddress,
    "oid": rfc1902.ObjectIdentifier,
}
_AUTHENTICATION = {
    None: config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha": config.USM_AUTH_HMAC96_SHA,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    None: config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes": config.USM_PRIV_CFB128_AES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES,
    "aes256": config.USM_PRIV_CFB256_AES,
}
_UDP = config.SNMP_UDP_DOMAIN
_SOMEWHERE = ("127.0.0.1", 161)
"""In place of an address: the socket is connected to one already, which pysnmp need not know."""
_NO_VALUE = (rfc1905.NoSuchObject, rfc1905.NoSuchInstance, rfc1905.EndOfMibView, univ.Null)


class Unanswered(Exception):
    """No answer came in time."""


class Senseless(Exception):
    """What came is no answer."""


class Unwelcome(Exception):
    """The agent does not know the user, or not by this password; says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` "" for success, else a name of `STATUS`; `ended`: the MIB view ends there."""

    status: str
    variables: tuple[tuple[Oid, Plain], ...]
    ended: bool


class Exchange(Protocol):
    """Sends a PDU and returns the one that answers it. Raises `Unanswered`, `Senseless`, `Unwelcome`,
    OSError."""

    def ask(self, pdu: Any, tries: int) -> Any: ...

    def close(self) -> None: ...


def open_exchange(access: SnmpAccess, writing: bool = False) -> Exchange:
    if access.version == "3":
        return _Users(access)
    return _Communities(access, (access.write_community if writing else None) or access.community or "")


def bulk(exchange: Exchange, after: Oid, repetitions: int, tries: int) -> Answer:
    """The variables after `after`: GETBULK, or GETNEXT for a single one."""
    nothing = ((after, univ.Null("")),)
    pdu: Any
    if repetitions > 1:
        pdu = v2c.GetBulkRequestPDU()
        v2c.apiBulkPDU.set_defaults(pdu)
        v2c.apiBulkPDU.set_non_repeaters(pdu, 0)
        v2c.apiBulkPDU.set_max_repetitions(pdu, repetitions)
        v2c.apiBulkPDU.set_varbinds(pdu, nothing)
    else:
        pdu = v2c.GetNextRequestPDU()
        v2c.apiPDU.set_defaults(pdu)
        v2c.apiPDU.set_varbinds(pdu, nothing)
    return _answer(exchange.ask(pdu, tries))


def write(exchange: Exchange, oid: Oid, value: int | bytes | str, syntax: str) -> Answer:
    """SET, sent once: whether it was done is not known when no answer comes."""
    pdu = v2c.SetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, ((oid, SYNTAXES[syntax](value)),))
    return _answer(exchange.ask(pdu, tries=1))


def _answer(pdu: Any) -> Answer:
    try:
        number = int(v2c.apiPDU.get_error_status(pdu))
        found: Sequence[tuple[Any, Any]] = v2c.apiPDU.get_varbinds(pdu)
        variables = tuple((tuple(oid), _plain(value)) for oid, value in found)
    except (PyAsn1Error, PySnmpError) as failure:
        raise Senseless(str(failure)) from failure
    ended = bool(found) and isinstance(found[-1][1], rfc1905.EndOfMibView)
    return Answer(STATUS.get(number, f"status {number}") if number else "", variables, ended)


def _plain(value: Any) -> Plain:
    if isinstance(value, _NO_VALUE):
        return None
    if isinstance(value, rfc1902.IpAddress | univ.ObjectIdentifier):
        return str(value.prettyPrint())
    if isinstance(value, univ.OctetString):
        return bytes(value)
    return int(value)


class _Communities:
    """SNMPv2c."""

    def __init__(self, access: SnmpAccess, community: str) -> None:
        self._community, self._timeout = community, access.timeout
        self._socket = _connected(access)

    def ask(self, pdu: Any, tries: int) -> Any:
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, self._community)
        v2c.apiMessage.set_pdu(message, pdu)
        sent, number = encoder.encode(message), v2c.apiPDU.get_request_id(pdu)
        for _ in range(tries):
            self._socket.send(sent)
            if (found := self._await(number)) is not None:
                return found
        raise Unanswered

    def _await(self, number: Any) -> Any:
        """The answer with that number, or None; what else comes in is passed over."""
        until = time.monotonic() + self._timeout
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                message, _ = decoder.decode(self._socket.recv(65535), asn1Spec=v2c.Message())
                pdu = v2c.apiMessage.get_pdu(message)
                if pdu.isSameTypeWith(v2c.GetResponsePDU()) and v2c.apiPDU.get_request_id(pdu) == number:
                    return pdu
            except TimeoutError:
                return None
            except (PyAsn1Error, PySnmpError) as failure:
                raise Senseless(str(failure)) from failure
        return None

    def close(self) -> None:
        self._socket.close()


class _Users:
    """SNMPv3, User-based Security Model."""

    def __init__(self, access: SnmpAccess) -> None:
        self._access = access
        self._socket = _connected(access)
        self._engine = SnmpEngine()
        self._wire = _Wire(self._socket)
        self._engine.register_transport_dispatcher(self._wire)
        config.add_v3_user(
            self._engine,
            access.user,
            _AUTHENTICATION[access.auth_protocol],
            access.auth_password,
            _PRIVACY[access.privacy_protocol],
            access.privacy_password,
        )
        level = (
            "authPriv"
            if access.privacy_protocol
            else "authNoPriv"
            if access.auth_protocol
            else "noAuthNoPriv"
        )
        config.add_target_parameters(self._engine, "way", access.user, level)

    def ask(self, pdu: Any, tries: int) -> Any:
        target = f"tries-{tries}"
        timeout = self._access.timeout * 100
        config.add_target_address(self._engine, target, _UDP, _SOMEWHERE, "way", timeout, tries - 1)
        told: list[tuple[Any, Any]] = []

        def hear(engine: Any, handle: Any, failure: Any, found: Any, _: Any) -> None:
            told.append((failure, found))

        try:
            CommandGenerator().send_pdu(self._engine, target, None, b"", pdu, hear, None)
            until = time.monotonic() + (tries + 2) * self._access.timeout
            while not told and time.monotonic() < until:
                self._wire.turn(self._engine)
        except (PyAsn1Error, PySnmpError) as senseless:
            raise Senseless(str(senseless)) from senseless
        failure, found = told[0] if told else (errind.requestTimedOut, None)
        if failure is None:
            return found
        if isinstance(failure, errind.RequestTimedOut):
            raise Unanswered
        raise Unwelcome(str(failure))

    def close(self) -> None:
        self._engine.unregister_transport_dispatcher()
        self._socket.close()


class _Address(tuple[str, int], AbstractTransportAddress):  # type: ignore[misc]
    pass


class _Wire(AbstractTransportDispatcher):  # type: ignore[misc]
    """Carries pysnmp's messages over one connected socket, a turn at a time."""

    ADDRESS_TYPE = _Address

    def get_transport(self, domain: Any) -> _Wire:
        return self

    def __init__(self, way: Any) -> None:
        super().__init__()
        self._socket = way
        self._socket.settimeout(self.get_timer_resolution())

    def send_message(self, message: bytes, domain: Any, address: Any) -> None:
        self._address = address
        self._socket.send(message)

    def turn(self, engine: Any) -> None:
        try:
            message = self._socket.recv(65535)
        except TimeoutError:
            pass
        else:
            engine.message_dispatcher.receive_message(engine, _UDP, self._address, message)
        self.handle_timer_tick(time.monotonic())


def _connected(access: SnmpAccess) -> Any:
    """A UDP socket that hears only the device. Raises OSError."""
    family, kind, protocol, _, place = socket.getaddrinfo(
        access.address, access.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    way = socket.socket(family, kind, protocol)
    try:
        way.connect(place)
    except OSError:
        way.close()
        raise
    return way
