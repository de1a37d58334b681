"""SNMP with agents that misbehave: what is there is read, what cannot be is a `DeviceError` of its kind."""

from __future__ import annotations

import random
import socket
from contextlib import closing

import pytest
from pysnmp.proto import rfc1902, rfc1905

from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceError, DeviceRefused, DeviceSilent, DeviceUnreachable
from services.common.devices.snmp import Snmp
from tests.integration.devices.agent import Agent, Behaviour, Request, integers, rows

BASE = (1, 3, 6, 1, 4, 1, 1)
OID = ".".join(map(str, BASE))
SIXTY = integers(BASE, range(1, 61))
BEHIND = integers((1, 3, 6, 1, 4, 1, 2), [1])


SOON = 1.0
"""Seconds to wait for an answer that does not come; others are given time. Where some come and some do not it
is the time of both, and the agent is a thread of a process that may have to wait for its turn."""


def snmp(agent: Agent, **changed: object) -> Snmp:
    kept = {"community": "read", "write_community": "write", "timeout": 5.0} | changed
    return Snmp("oltNorte", SnmpAccess("127.0.0.1", agent.port, **kept))  # type: ignore[arg-type]


def walked(behaviour: Behaviour, **changed: object) -> list[int]:
    """The last numbers of the indexes, in the order in which they came."""
    with Agent(behaviour) as agent, snmp(agent, **changed) as session:
        return [index[-1] for index, _ in session.walk(OID)]


def fails(kind: type[DeviceError], behaviour: Behaviour) -> DeviceError:
    with (
        Agent(behaviour) as agent,
        pytest.raises(DeviceError) as raised,
        snmp(agent, timeout=SOON if kind is DeviceSilent else 5.0) as session,
    ):
        list(session.walk(OID))
    assert type(raised.value) is kind, raised.value
    assert raised.value.body["device"] == "oltNorte"
    return raised.value


@pytest.mark.parametrize("table", [SIXTY, SIXTY + BEHIND], ids=["last of the MIB", "something behind"])
def test_a_table_is_read_to_its_end_and_no_further(table: list[tuple[tuple[int, ...], object]]) -> None:
    assert walked(rows(table)) == list(range(1, 61))


def test_a_table_that_is_not_there_is_empty() -> None:
    assert walked(rows(BEHIND)) == []
    assert walked(rows([])) == []


def test_an_agent_that_refuses_large_answers_is_asked_for_small_ones() -> None:
    def behave(request: Request) -> bytes:
        return request.answer([], status=1) if request.kind == "bulk" else rows(SIXTY)(request)  # type: ignore

    assert walked(behave) == list(range(1, 61))


def test_large_answers_that_are_lost_on_the_way_are_asked_for_in_parts() -> None:
    def behave(request: Request) -> bytes | list[bytes] | None:
        return None if request.repetitions > 5 else rows(SIXTY)(request)

    assert walked(behave, timeout=SOON) == list(range(1, 61))


def test_an_error_in_the_middle_is_no_end_of_the_table() -> None:
    def behave(request: Request) -> bytes | list[bytes] | None:
        if request.oid >= (*BASE, 25) and request.kind == "bulk":
            return request.answer([], status=5)
        return rows(SIXTY)(request)

    assert walked(behave) == list(range(1, 61))


def test_lost_requests_are_asked_again() -> None:
    lost = iter([False, True, True, False, True, False, False, True] + [False] * 99)

    def behave(request: Request) -> bytes | list[bytes] | None:
        return None if next(lost) else rows(SIXTY + BEHIND)(request)

    assert walked(behave, timeout=SOON) == list(range(1, 61))


def test_an_agent_that_answers_in_circles_ends() -> None:
    circle = integers(BASE, [5, 4, 3])
    assert walked(lambda request: request.answer(circle)) == [5, 4, 3]


def test_an_agent_that_answers_what_it_was_asked_after_ends() -> None:
    assert walked(lambda request: request.answer([(request.oid, rfc1902.Integer32(7))])) == []


def test_rows_in_no_order_are_all_read_once() -> None:
    order = list(range(1, 61))
    random.Random(7).shuffle(order)
    chain = integers(BASE, order) + BEHIND
    follows = {before: chain[place:] for place, before in enumerate([BASE, *(oid for oid, _ in chain)])}

    def behave(request: Request) -> bytes:
        return request.answer(follows[request.oid][: request.repetitions])

    assert walked(behave) == order


def test_answers_to_other_requests_are_passed_over() -> None:
    def behave(request: Request) -> list[bytes]:
        right = rows(SIXTY)(request)
        assert isinstance(right, bytes)
        return [request.answer(integers(BASE, [99]), shift=77), right]

    assert walked(behave) == list(range(1, 61))


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (lambda request: request.answer(request.variables, status=5), DeviceError),
        (lambda request: request.answer(request.variables, status=16), DeviceRefused),
        (lambda request: b"\x30\x05abc", DeviceError),
        (lambda request: None, DeviceSilent),
    ],
    ids=["genErr", "authorizationError", "garbage", "silence"],
)
def test_each_failure_has_its_name(behaviour: Behaviour, kind: type[DeviceError]) -> None:
    fails(kind, behaviour)


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.connect(("127.0.0.1", 9))  # nobody else gets the port, and it hears nobody else
        access = SnmpAccess("127.0.0.1", taken.getsockname()[1], community="c")
        with pytest.raises(DeviceUnreachable), Snmp("x", access) as session:
            session.get("1.3.6.1.2.1.1.1.0")


def test_what_is_no_address_is_unreachable() -> None:
    with pytest.raises(DeviceUnreachable), Snmp("x", SnmpAccess("no.such.host.invalid")):
        pass


def test_values_come_as_plain_ones() -> None:
    values = [
        (rfc1902.Integer32(-5), -5),
        (rfc1902.Counter64(2**64 - 1), 2**64 - 1),
        (rfc1902.Unsigned32(2**32 - 1), 2**32 - 1),
        (rfc1902.OctetString(b"\0\xff"), b"\0\xff"),
        (rfc1902.IpAddress("192.0.2.7"), "192.0.2.7"),
        (rfc1902.ObjectIdentifier("1.3.6.1.4"), "1.3.6.1.4"),
    ]
    table = [((*BASE, number), value) for number, (value, _) in enumerate(values)]
    expected = {f"{OID}.{number}": plain for number, (_, plain) in enumerate(values)}
    with Agent(rows(table)) as agent, snmp(agent) as session:
        assert session.get(*expected, f"{OID}.99") == expected
        assert {f"{OID}.{index[0]}": value for index, value in session.walk(OID)} == expected

    def slowly(request: Request) -> bytes | list[bytes] | None:
        return request.answer([], status=1) if request.kind == "bulk" else rows(table)(request)

    with Agent(slowly) as agent, snmp(agent) as session:
        assert {f"{OID}.{index[0]}": value for index, value in session.walk(OID)} == expected


def test_an_agent_that_refuses_all_because_of_one_is_asked_again_for_the_rest() -> None:
    def behave(request: Request) -> bytes | list[bytes] | None:
        there = {oid for oid, _ in SIXTY}
        missing = [oid for oid, _ in request.variables if oid not in there]
        return request.answer(request.variables, status=2) if missing else rows(SIXTY)(request)

    with Agent(behave) as agent, snmp(agent) as session:
        assert session.get(f"{OID}.1", f"{OID}.99", f"{OID}.3") == {f"{OID}.1": 1, f"{OID}.3": 3}


def test_a_table_has_the_columns_that_the_agent_has() -> None:
    table = integers((*BASE, 1, 1), [1, 2, 3]) + integers((*BASE, 1, 7), [3, 9])
    with Agent(rows(table)) as agent, snmp(agent) as session:
        assert session.table(f"{OID}.1", (1, 2, 7)) == {
            (1,): {1: 1},
            (2,): {1: 2},
            (3,): {1: 3, 7: 3},
            (9,): {7: 9},
        }


def test_a_column_that_the_agent_fails_on_costs_that_column_only() -> None:
    def behave(request: Request) -> bytes | list[bytes] | None:
        if request.oid >= (*BASE, 1, 2) and request.oid < (*BASE, 1, 3):
            return request.answer(request.variables, status=5)
        return rows(integers((*BASE, 1, 1), [1, 2]) + integers((*BASE, 1, 3), [1]))(request)

    with Agent(behave) as agent, snmp(agent) as session:
        assert session.table(f"{OID}.1", (1, 2, 3)) == {(1,): {1: 1, 3: 1}, (2,): {1: 2}}
        with pytest.raises(DeviceError):
            session.table(f"{OID}.1", (2,))


def test_a_column_that_is_needed_and_broke_off_is_an_error() -> None:
    def behave(request: Request) -> bytes | list[bytes] | None:
        if (*BASE, 1, 2, 2) <= request.oid < (*BASE, 1, 3):
            return request.answer(request.variables, status=5)
        return rows([row for column in (1, 2) for row in integers((*BASE, 1, column), [1, 2, last])])(request)

    last = 3
    with Agent(behave) as agent, snmp(agent, repetitions=1) as session:
        assert session.table(f"{OID}.1", (1, 2))[3,] == {1: 3}
        with pytest.raises(DeviceError):
            session.table(f"{OID}.1", (1, 2), needed=(2,))
        last = 2  # nothing is missing: it only has no other way to say that the table ends
        assert len(session.table(f"{OID}.1", (1, 2), needed=(2,))) == 2


def test_a_value_is_set_once_with_the_community_for_writing() -> None:
    with Agent(rows([])) as agent, snmp(agent) as session:
        session.set(f"{OID}.1", 1)
        session.set(f"{OID}.2", b"\1\2")
        assert [request.community for request in agent.requests] == ["write", "write"]
        assert [request.variables for request in agent.requests] == [
            [((*BASE, 1), rfc1902.Integer32(1))],
            [((*BASE, 2), rfc1902.OctetString(b"\1\2"))],
        ]


@pytest.mark.parametrize(("status", "kind"), [(17, DeviceRefused), (16, DeviceRefused), (10, DeviceError)])
def test_a_refused_set_says_so(status: int, kind: type[DeviceError]) -> None:
    with Agent(lambda request: request.answer(request.variables, status)) as agent, snmp(agent) as session:
        with pytest.raises(DeviceError, match=rfc1905.errorStatus.namedValues.getName(status)) as raised:
            session.set(f"{OID}.1", 1)
        assert type(raised.value) is kind


def test_a_set_without_answer_is_not_sent_again() -> None:
    silent = pytest.raises(DeviceSilent)
    with Agent(lambda request: None) as agent, silent, snmp(agent, timeout=SOON) as session:
        session.set(f"{OID}.1", 1)
    assert len(agent.requests) == 1  # it has ended, and so has seen all that came in
