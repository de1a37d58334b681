"""From a reading of an OLT to what has changed, and what of that is worth an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from services.common.types import Installation

ONLINE, OFFLINE, LOSI, LOFI, DYING_GASP, ALARM = "online", "offline", "losi", "lofi", "dyinggasp", "alarm"
ALARMED = frozenset((LOSI, LOFI, DYING_GASP, ALARM))

EVENTS = {
    ONLINE: "onu.online",
    LOSI: "onu.los",
    LOFI: "onu.los",
    DYING_GASP: "onu.dying_gasp",
    ALARM: "onu.alarm",
    OFFLINE: "onu.offline",
}
"""Registration state → the event of an ONU that got into it."""

WORST = (DYING_GASP, LOSI, LOFI, ALARM, OFFLINE, ONLINE)

FEWEST, SHARE = 4, 0.5
"""A PON with so many ONUs down at once, and so large a share of its ONUs, has an outage of its own."""


def state(states: Collection[str]) -> str:
    """The one that counts of an ONU's registration states."""
    return next((one for one in WORST if one in states), OFFLINE)


def event(before: str | None, after: str) -> str | None:
    """The event of a change of state. An ONU seen for the first time is told of only when it is up."""
    if before == after:
        return None
    if before is None and after != ONLINE:
        return None
    return EVENTS[after]


def alarmed(states: Collection[str]) -> bool:
    return not ALARMED.isdisjoint(states)


def outage(total: int, down: int) -> bool:
    """Whether so many ONUs down are one fault, of the fibre or of the power, and not each its own."""
    return down >= FEWEST and down >= SHARE * total


def uptime(
    installation: Installation, status: str, up: dt.datetime | None, observed: dt.datetime
) -> int | None:
    """Seconds; None of one that is down, or when its OLT does not tell since when it is up."""
    if status != ONLINE or up is None:
        return None
    return max(0, int((observed - up).total_seconds()))
