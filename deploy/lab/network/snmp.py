"""An SNMP agent on a UDP port: v2c with a read and a write community, v3 with one user at authPriv.

RFC 3416 for the operations. Requests with another community, or that make no sense, get no answer, as on real
devices. Why not a library: see docs/decisions/0017-lab-snmp-agent.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid
from deploy.lab.network.usm import WRONG_DIGEST, Security, Unsecured
from deploy.lab.network.view import Refused, View

GET, GET_NEXT, RESPONSE, SET, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5
TOO_BIG, NO_ACCESS = 1, 6
LARGEST = 1_472
"""Octets of an answer: what fits an Ethernet frame. A bulk answer ends there."""
OVERHEAD = 160

Varbind = tuple[Oid, int, bytes]


@dataclass
class Agent:
    """What answers for one device. `settle` is called before each request: the view is of that moment."""

    view: View
    community: str
    write_community: str | None = None
    security: Security | None = None
    settle: Callable[[], None] = lambda: None
    refuses: bool = False
    """Whether nobody's credentials hold."""

    def answer(self, message: bytes) -> bytes | None:
        """The datagram to send back; None for silence. Raises ValueError on what is not SNMP."""
        tag, body, _ = ber.read(message)
        if tag != ber.SEQUENCE:
            raise ValueError("not a message")
        tag, version, at = ber.read(body)
        if tag != ber.INTEGER:
            raise ValueError("no version")
        self.settle()
        if version == b"\x01":
            return self._community_message(body, at)
        if version == b"\x03" and self.security is not None:
            return self._secured_message(self.security, message, body[at:])
        return None

    def _community_message(self, body: bytes, at: int) -> bytes | None:
        tag, community, at = ber.read(body, at)
        may_write = self.write_community is not None and community == self.write_community.encode()
        if tag != ber.OCTETS or self.refuses or not (may_write or community == self.community.encode()):
            return None
        tag, pdu, _ = ber.read(body, at)
        made = self._pdu(tag, pdu, may_write)
        return made and ber.sequence(ber.integer(1), ber.octets(community), made)

    def _secured_message(self, security: Security, message: bytes, rest: bytes) -> bytes | None:
        tag, head, at = ber.read(rest)
        identity, _, flags, model = ber.expect(head, ber.INTEGER, ber.INTEGER, ber.OCTETS, ber.INTEGER)
        message_id = ber.to_int(identity)
        tag, parameters, at = ber.read(rest, at)
        if tag != ber.OCTETS or len(flags) != 1 or ber.to_int(model) != 3:
            raise ValueError("not USM")
        try:
            if self.refuses and flags[0] & 1:
                raise Unsecured(WRONG_DIGEST)
            scoped = security.opened(message, flags[0], parameters, rest[at:])
        except Unsecured as error:
            return security.report(message_id, 0, error.counter)
        (_, engine), (_, context), (tag, pdu) = ber.each(scoped)
        made = self._pdu(tag, pdu, may_write=True)
        return made and security.sealed(
            message_id, ber.sequence(ber.octets(engine), ber.octets(context), made)
        )

    # ---- operations -------------------------------------------------------------------------

    def _pdu(self, tag: int, pdu: bytes, may_write: bool) -> bytes | None:
        operations: dict[int, Callable[[list[Varbind], int, int], tuple[int, int, bytes]]] = {
            GET: self._get,
            GET_NEXT: self._next,
            GET_BULK: self._bulk,
            SET: self._set,
        }
        operation = operations.get(tag)
        if operation is None:
            return None
        request, first, second, listed = ber.expect(pdu, ber.INTEGER, ber.INTEGER, ber.INTEGER, ber.SEQUENCE)
        varbinds: list[Varbind] = []
        for _, pair in ber.each(listed):
            kind, name, at = ber.read(pair)
            if kind != ber.OID:
                raise ValueError("no name")
            kind, content, _ = ber.read(pair, at)
            varbinds.append((ber.to_oid(name), kind, content))
        if tag == SET and not may_write:
            return _response(request, NO_ACCESS, 1, listed)
        status, index, answer = operation(varbinds, ber.to_int(first), ber.to_int(second))
        if status == 0 and len(answer) > LARGEST - OVERHEAD and tag != GET_BULK:
            return _response(request, TOO_BIG, 0, b"")
        return _response(request, status, index, answer if status == 0 else listed)

    def _get(self, varbinds: list[Varbind], *_: int) -> tuple[int, int, bytes]:
        return 0, 0, b"".join(ber.sequence(ber.oid(oid), self.view.get(oid)) for oid, _, _ in varbinds)

    def _next(self, varbinds: list[Varbind], *_: int) -> tuple[int, int, bytes]:
        return 0, 0, b"".join(self._following(oid) for oid, _, _ in varbinds)

    def _following(self, oid: Oid) -> bytes:
        found = next(self.view.after(oid), None)
        return _ended(oid) if found is None else ber.sequence(found[1], found[2])

    def _bulk(self, varbinds: list[Varbind], non_repeaters: int, repetitions: int) -> tuple[int, int, bytes]:
        once, repeated = varbinds[: max(0, non_repeaters)], varbinds[max(0, non_repeaters) :]
        answer = [self._following(oid) for oid, _, _ in once]
        room = LARGEST - OVERHEAD - sum(map(len, answer))
        walks = [self.view.after(oid) for oid, _, _ in repeated]
        last = [oid for oid, _, _ in repeated]
        for _ in range(repetitions):
            ended = 0
            for number, walk in enumerate(walks):
                found = next(walk, None)
                if found is None:
                    part = _ended(last[number])
                    ended += 1
                else:
                    last[number] = found[0]
                    part = ber.sequence(found[1], found[2])
                room -= len(part)
                if room < 0 and answer:
                    return 0, 0, b"".join(answer)
                answer.append(part)
            if ended == len(walks):
                break
        return 0, 0, b"".join(answer)

    def _set(self, varbinds: list[Varbind], *_: int) -> tuple[int, int, bytes]:
        """In order; what was set before a refusal stays, as on many devices."""
        for number, (oid, tag, content) in enumerate(varbinds, 1):
            try:
                self.view.set(oid, tag, content)
            except Refused as error:
                return error.status, number, b""
        return (
            0,
            0,
            b"".join(ber.sequence(ber.oid(oid), ber.tlv(tag, content)) for oid, tag, content in varbinds),
        )


def _response(request: bytes, status: int, index: int, varbinds: bytes) -> bytes:
    return ber.sequence(
        ber.tlv(ber.INTEGER, request),
        ber.integer(status),
        ber.integer(index),
        ber.sequence(varbinds),
        tag=RESPONSE,
    )


def _ended(oid: Oid) -> bytes:
    return ber.sequence(ber.oid(oid), ber.END_OF_MIB_VIEW)


class Port(asyncio.DatagramProtocol):
    """A UDP port in front of an agent. `delay()` tells how long an answer waits: None for ever."""

    def __init__(self, agent: Agent, delay: Callable[[], float | None] = lambda: 0.0) -> None:
        self.agent = agent
        self.delay = delay
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        delay = self.delay()
        if delay is None:
            return
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, data, addr)
        else:
            self._answer(data, addr)

    def _answer(self, data: bytes, addr: Any) -> None:
        try:
            answer = self.agent.answer(data)
        except ValueError:  # not SNMP, or not well-formed: RFC 3412 drops it
            return
        if answer is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, addr)
