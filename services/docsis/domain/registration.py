"""Where a modem is registered, as the product writes it, and whether it has all of its channels."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

NO_ADDRESS = str(IPv4Address(0))


def ids(md: int | None, cm_sg: int | None, rcs: int | None, tcs: int | None) -> str:
    """`77/1/7/1`: MAC domain (ifIndex), service group, receive and transmit channel set; 0 is unknown."""
    return "/".join(str(one or 0) for one in (md, cm_sg, rcs, tcs))


def tags(
    cmts: str,
    md: str | None,
    fibernode: str | None,
    downstreams: Sequence[str] = (),
    upstreams: Sequence[str] = (),
) -> list[str]:
    """`[cmts, MAC domain, fiber node, downstream channels, upstream channels]`, without what is unknown."""
    named = [cmts, md, fibernode, *downstreams, *upstreams]
    return list(dict.fromkeys(one for one in named if one))


def output(state: str, cmts: str, number: int | None, ip: str | None) -> str:
    """`online cmtsNorte:29 10.0.32.48`."""
    place = cmts if number is None else f"{cmts}:{number}"
    return f"{state} {place} {ip or NO_ADDRESS}"


def lacking(operational: int | None, assigned: int | None) -> int:
    """How many of the channels that a modem was given it cannot use; 0 where either is not known."""
    if operational is None or assigned is None:
        return 0
    return max(0, assigned - operational)
