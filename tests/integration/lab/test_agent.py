"""The agent against datagrams that nobody should send."""

from __future__ import annotations

import random
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ
from pysnmp.proto import api

from deploy.lab.network import ber
from deploy.lab.network.device import security
from deploy.lab.network.huawei_snmp import HuaweiView
from deploy.lab.network.olt import Olt
from deploy.lab.network.snmp import Agent
from tests.integration.lab.conftest import plan

V3 = {"user": "krill", "auth_password": "authentication", "privacy_password": "privacy-of-it"}
OLT = Olt(plan().olts[0], 0.3)
AGENT = Agent(HuaweiView(OLT).view, "public", "private", security({"name": "oltLab1", "v3": V3}))


def request(kind: int, *oids: tuple[int, ...], first: int = 0, second: int = 0) -> bytes:
    listed = ber.sequence(*(ber.sequence(ber.oid(oid), ber.ABSENT) for oid in oids))
    pdu = ber.sequence(ber.integer(7), ber.integer(first), ber.integer(second), listed, tag=kind)
    return ber.sequence(ber.integer(1), ber.octets("public"), pdu)


SOME = [
    request(0xA0, (1, 3, 6, 1, 2, 1, 1, 1, 0)),
    request(0xA5, (1, 3, 6, 1), second=25),
    AGENT.security.report(1, 1, 4) if AGENT.security else b"",
]


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_encoded_as_others_do(value: int) -> None:
    assert ber.integer(value) == encoder.encode(univ.Integer(value))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_oids_are_encoded_as_others_do(arcs: list[int]) -> None:
    oid = (1, 3, *arcs)
    assert ber.oid(oid) == encoder.encode(univ.ObjectIdentifier(oid))
    assert ber.to_oid(ber.read(ber.oid(oid))[1]) == oid


@given(st.binary(max_size=300))
def test_noise_is_not_answered(noise: bytes) -> None:
    with suppress(ValueError):
        assert AGENT.answer(noise) is None


@given(st.sampled_from(SOME), st.randoms(use_true_random=False))
def test_a_message_that_was_damaged_is_dropped_or_answered(message: bytes, chance: random.Random) -> None:
    damaged = bytearray(message)
    for _ in range(chance.randrange(1, 4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    with suppress(ValueError):
        AGENT.answer(bytes(damaged[: chance.randrange(1, len(damaged) + 1)]))


def test_an_answer_fits_a_frame_and_is_well_formed() -> None:
    answer = AGENT.answer(request(0xA5, (1, 3, 6, 1), (1, 3, 6, 1, 4), second=1_000))
    assert answer is not None
    assert len(answer) <= 1_472
    v2c = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    message, rest = decoder.decode(answer, asn1Spec=v2c.Message())
    assert rest == b""
    assert len(v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(message))) > 10
