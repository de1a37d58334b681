"""What changed about a modem from one reading to the next, as the events that tell of it: each once."""

from __future__ import annotations

from dataclasses import dataclass

from services.docsis.domain.enumerations import OFFLINE, STATES

PARTIAL_SERVICE, FULL_SERVICE = "partial_service", "full_service"
KINDS = (*STATES, PARTIAL_SERVICE, FULL_SERVICE)

MISSES = 2
"""So many readings in a row without a modem that was there before mean that it is offline: one alone may be a
table that broke off."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`partial`: it has fewer channels than it was given."""

    state: str
    partial: bool = False


def changes(before: Condition | None, after: Condition, *, baseline: bool) -> list[str]:
    """What is to be told, by `KINDS`. `before`: None of a modem that was never seen; `baseline`: nor was
    anything else of its CMTS, so that all of it is as it was found."""
    if before is None:
        if baseline:
            return []
        before = Condition(OFFLINE)
    told = [after.state] if after.state != before.state else []
    if after.partial != before.partial and after.state != OFFLINE:
        told.append(PARTIAL_SERVICE if after.partial else FULL_SERVICE)
    return told


def missed(before: Condition, misses: int) -> Condition:
    """What is known of a modem that the CMTS has not listed for so many readings."""
    return before if misses < MISSES else Condition(OFFLINE)
