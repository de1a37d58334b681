"""Service flows: at a CMTS those of one of its modems, at a modem its own. DOCS-QOS3-MIB, else
DOCS-QOS-MIB."""

from __future__ import annotations

from collections.abc import Sequence

from services.common.devices import values
from services.common.devices.snmp import Snmp
from services.docsis.drivers import mib
from services.docsis.drivers.readings import DOWNSTREAM, UPSTREAM, Flow

WAYS = {1: DOWNSTREAM, 2: UPSTREAM}

Place = tuple[int, int]
"""Of a flow: its ifIndex and its id."""


def of_modem(snmp: Snmp, mac: str) -> list[Flow]:
    """At a CMTS, as far as it tells which are whose."""
    octets = ".".join(str(one) for one in bytes.fromhex(mac.replace(":", "")))
    for where in (mib.FLOWS, mib.FORMER_FLOWS):
        found = snmp.optional(f"{where.of_mac}.{octets}")
        if mine := [(values.number(value) or 0, index[-1]) for index, value in found if index]:
            return _described(snmp, where, mine)
    return []


def own(snmp: Snmp) -> list[Flow]:
    """At a modem."""
    for where in (mib.FLOWS, mib.FORMER_FLOWS):
        if mine := [(index[0], index[1]) for index, _ in snmp.optional(where.direction) if len(index) == 2]:
            return _described(snmp, where, mine)
    return []


def _described(snmp: Snmp, where: mib.Flows, mine: Sequence[Place]) -> list[Flow]:
    asked = {
        place: (
            f"{where.direction}.{place[0]}.{place[1]}",
            where.rate_of(*place),
            f"{where.octets}.{place[0]}.{place[1]}",
        )
        for place in mine
    }
    told = snmp.get(*(oid for oids in asked.values() for oid in oids))
    found = []
    for (_, id_), (direction, rate, octets) in asked.items():
        if (way := WAYS.get(values.number(told.get(direction)) or 0)) is not None:
            counted = values.number(told.get(octets))
            found.append(Flow(id_, way, values.number(told.get(rate)) or 0, counted, where.bits))
    return found
