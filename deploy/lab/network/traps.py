"""SNMPv2 notifications (RFC 3416) of a device, to where `KRILL_LAB_TRAPS` says (`address:port`, comma
separated).

linkDown and linkUp (IF-MIB) tell of a PON; everything else that changed on an OLT, entConfigChange
(ENTITY-MIB): a reason to look.
"""

from __future__ import annotations

import itertools
import os
import socket

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid

SYS_UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
LINK_DOWN: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 3)
LINK_UP: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 4)
CONFIG_CHANGE: Oid = (1, 3, 6, 1, 2, 1, 47, 2, 0, 1)
IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
TRAP = 0xA7

_numbers = itertools.count(1)


def targets() -> list[tuple[str, int]]:
    told = os.environ.get("KRILL_LAB_TRAPS", "")
    return [(host, int(port)) for host, _, port in (one.rpartition(":") for one in told.split(",") if one)]


def message(community: str, uptime: float, trap: Oid, ifindex: int | None = None) -> bytes:
    varbinds = [(SYS_UPTIME, ber.timeticks(uptime)), (TRAP_OID, ber.oid(trap))]
    if ifindex is not None:
        varbinds.append(((*IF_INDEX, ifindex), ber.integer32(ifindex)))
    listed = ber.sequence(*(ber.sequence(ber.oid(name), value) for name, value in varbinds))
    pdu = ber.sequence(ber.integer(next(_numbers)), ber.integer(0), ber.integer(0), listed, tag=TRAP)
    return ber.sequence(ber.integer(1), ber.octets(community), pdu)


def send(address: str, datagram: bytes) -> None:
    """From the device's address, to all who are to know."""
    with socket.socket(type=socket.SOCK_DGRAM) as out:
        out.bind((address, 0))
        for target in targets():
            out.sendto(datagram, target)
