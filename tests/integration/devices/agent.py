"""An SNMPv2c agent that does as a test tells it: loses requests, repeats rows, answers errors or garbage."""

from __future__ import annotations

import socket
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v2c

Oid = tuple[int, ...]


class Request:
    """What came in: `kind` `get`, `next`, `bulk` or `set`, its variables, and ways to answer."""

    KINDS = (
        (v2c.GetRequestPDU, "get"),
        (v2c.GetNextRequestPDU, "next"),
        (v2c.GetBulkRequestPDU, "bulk"),
        (v2c.SetRequestPDU, "set"),
    )

    def __init__(self, data: bytes) -> None:
        self._message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        self._pdu = v2c.apiMessage.get_pdu(self._message)
        self.community = bytes(v2c.apiMessage.get_community(self._message)).decode()
        self.kind = next(kind for type_, kind in self.KINDS if self._pdu.isSameTypeWith(type_()))
        self.number = int(v2c.apiPDU.get_request_id(self._pdu))
        bulk = self.kind == "bulk"
        self.repetitions = int(v2c.apiBulkPDU.get_max_repetitions(self._pdu)) if bulk else 1
        variables = (v2c.apiBulkPDU if bulk else v2c.apiPDU).get_varbinds(self._pdu)
        self.variables = [(tuple(oid), value) for oid, value in variables]

    @property
    def oid(self) -> Oid:
        return self.variables[0][0]

    def answer(self, variables: Iterable[tuple[Oid, Any]], status: int = 0, shift: int = 0) -> bytes:
        """`shift` is added to the request's number, so that it answers another."""
        message = v2c.apiMessage.get_response(self._message)
        pdu = v2c.apiMessage.get_pdu(message)
        v2c.apiPDU.set_varbinds(pdu, list(variables))
        v2c.apiPDU.set_error_status(pdu, status)
        if shift:
            v2c.apiPDU.set_request_id(pdu, self.number + shift)
        return bytes(encoder.encode(message))


Behaviour = Callable[[Request], bytes | list[bytes] | None]


class Agent:
    """A context manager; `port` is where it listens, `requests` what it was asked."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.requests: list[Request] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Agent:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(60)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(65535)
            if not data:
                return
            request = Request(data)
            self.requests.append(request)
            told = self._behaviour(request)
            for one in [told] if isinstance(told, bytes) else told or []:
                self._socket.sendto(one, sender)


def rows(table: Iterable[tuple[Oid, Any]]) -> Behaviour:
    """A well-behaved agent with these rows, which it has in their order."""
    there = dict(table)
    known = sorted(there.items())
    oids = [oid for oid, _ in known]

    def behave(request: Request) -> bytes:
        if request.kind == "get":
            return request.answer(
                (oid, there.get(oid, rfc1905.noSuchInstance)) for oid, _ in request.variables
            )
        if request.kind == "set":
            return request.answer(request.variables)
        first = bisect_right(oids, request.oid)
        after = known[first : first + request.repetitions]
        return request.answer(after or [(request.oid, rfc1905.endOfMibView)])

    return behave


TAGS: dict[str, Callable[[str], Any]] = {
    "2": lambda value: rfc1902.Integer32(int(value)),
    "4": lambda value: rfc1902.OctetString(value.encode()),
    "4x": lambda value: rfc1902.OctetString(bytes.fromhex(value)),
    "6": rfc1902.ObjectIdentifier,
    "64": rfc1902.IpAddress,
    "65": lambda value: rfc1902.Counter32(int(value)),
    "66": lambda value: rfc1902.Gauge32(int(value)),
    "67": lambda value: rfc1902.TimeTicks(int(value)),
    "70": lambda value: rfc1902.Counter64(int(value)),
}


def recorded(text: str) -> Behaviour:
    """A well-behaved agent with the rows of a .snmprec file; those that snmpsim would vary are left out."""
    told = [line.split("|", 2) for line in text.splitlines()]
    return rows(
        (tuple(map(int, oid.split("."))), TAGS[tag](value)) for oid, tag, value in told if tag in TAGS
    )


SILENCE, END = -1, -2


def failing(behaviour: Behaviour, *subtrees: str, how: int = 5) -> Behaviour:
    """The same agent, which fails on walks of these subtrees: with an error status of SNMP, with `SILENCE`,
    or by saying at once that the MIB ends there (`END`)."""
    bad = [tuple(map(int, one.split("."))) for one in subtrees]

    def behave(request: Request) -> bytes | list[bytes] | None:
        if request.kind in ("get", "set") or not any(request.oid[: len(one)] == one for one in bad):
            return behaviour(request)
        if how == SILENCE:
            return None
        if how == END:
            return request.answer([(request.oid, rfc1905.endOfMibView)])
        return request.answer(request.variables, status=how)

    return behave


def integers(base: Oid, numbers: Iterable[int]) -> list[tuple[Oid, Any]]:
    return [((*base, number), rfc1902.Integer32(number)) for number in numbers]
