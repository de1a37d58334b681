"""Long tables, and the time and memory that they take."""

from __future__ import annotations

import time
import tracemalloc
from bisect import bisect_right

from pyasn1.codec.ber import encoder
from pyasn1.type import univ

from services.common.devices.access import SnmpAccess
from services.common.devices.snmp import Snmp
from services.gpon.drivers import objects
from services.gpon.drivers.huawei import mib
from tests.integration.devices.agent import Agent, Behaviour, Request

ROWS = 30_000
COLUMN = (*map(int, mib.SERVICE_PORTS.entry.split(".")), 5)


def encoded(tag: int, content: bytes) -> bytes:
    """BER, by hand: pysnmp would take longer to answer than we to ask."""
    length = len(content)
    head = bytes([length]) if length < 128 else bytes([0x82, *length.to_bytes(2)])
    return bytes([tag]) + head + content


def number(value: int) -> bytes:
    return encoded(2, value.to_bytes(4))


def quick(column: tuple[int, ...], rows: int) -> Behaviour:
    """An agent with integers below `column`, which are their index modulo 128."""
    oids = [(*column, row) for row in range(rows)]
    names = [bytes(encoder.encode(univ.ObjectIdentifier(oid))) for oid in oids]
    known = [encoded(0x30, name + number(row % 128)) for row, name in enumerate(names)]
    end = encoded(0x30, names[-1] + b"\x82\0")

    def behave(request: Request) -> bytes:
        first = bisect_right(oids, request.oid)
        found = b"".join(known[first : first + request.repetitions]) or end
        pdu = number(request.number) + number(0) * 2 + encoded(0x30, found)
        return encoded(0x30, number(1) + encoded(4, request.community.encode()) + encoded(0xA2, pdu))

    return behave


def test_thirty_thousand_service_ports() -> None:
    with Agent(quick(COLUMN, ROWS)) as agent:
        access = SnmpAccess("127.0.0.1", agent.port, community="read", timeout=5.0, repetitions=50)
        with Snmp("olt", access) as session:
            begin = time.thread_time()
            told = objects.rows(session, mib.SERVICE_PORTS, "onu_id")
            took = time.thread_time() - begin
            tracemalloc.start()
            session.table(mib.SERVICE_PORTS.entry, [5])
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert len(agent.requests) <= 2 * (ROWS / 50 + 3)
    assert {index[0]: row["onu_id"] for index, row in told.items()} == {row: row % 128 for row in range(ROWS)}
    assert took < 3
    assert most < 64_000_000
