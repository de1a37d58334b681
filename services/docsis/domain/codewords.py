"""Counters of codewords, and what part of them was corrected or lost in the time between two readings.

Counters wrap, are reset when a device restarts, and are given to another modem when a CMTS numbers its modems
anew. Of such an interval nothing is said: a share is never negative, never above 100 %, never made of a jump.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_PER_SECOND = 250_000
"""Codewords on one channel. A downstream of 8 MHz in 256-QAM has 34,000 (ITU-T J.83 A, RS(204,188)), 48,000
by J.83 B; an upstream of 6.4 MHz in 64-QAM with codewords of 16 bytes 240,000."""

REBOOT_SLACK = 30
"""Seconds by which the uptime of a device may lag behind our clock without a restart."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a channel counted by a moment. `at`: seconds on our clock. `bits`: 32 or 64. `uptime`: of the
    device, in seconds; None unknown. `source`: what the counters belong to (CMTS, its number of the modem,
    channel); another one counts something else."""

    source: tuple[int | str, ...]
    at: float
    unerrored: int
    corrected: int
    uncorrectable: int
    bits: int = 64
    uptime: int | None = None


@dataclass(frozen=True, slots=True)
class Codewords:
    """How many there were in an interval."""

    unerrored: int = 0
    corrected: int = 0
    uncorrectable: int = 0

    @property
    def shares(self) -> tuple[float, float]:
        """Corrected and uncorrectable ones in percent of all; where there were none nothing went wrong."""
        total = self.unerrored + self.corrected + self.uncorrectable
        if not total:
            return 0.0, 0.0
        return round(100 * self.corrected / total, 2), round(100 * self.uncorrectable / total, 2)


def between(before: Reading | None, after: Reading | None) -> Codewords | None:
    """What was counted from one reading to the next; None when that cannot be told."""
    if before is None or after is None or before.source != after.source or before.bits != after.bits:
        return None
    seconds = after.at - before.at
    if seconds <= 0 or _restarted(before, after, seconds):
        return None
    pairs = (
        (before.unerrored, after.unerrored),
        (before.corrected, after.corrected),
        (before.uncorrectable, after.uncorrectable),
    )
    counted = [_difference(first, last, after.bits) for first, last in pairs]
    if any(one < 0 for one in counted) or sum(counted) > MOST_PER_SECOND * seconds:
        return None
    return Codewords(*counted)


def together(parts: Iterable[Codewords | None]) -> Codewords | None:
    """The sum of those that are known; None when none is."""
    known = [one for one in parts if one is not None]
    if not known:
        return None
    return Codewords(
        sum(one.unerrored for one in known),
        sum(one.corrected for one in known),
        sum(one.uncorrectable for one in known),
    )


def _restarted(before: Reading, after: Reading, seconds: float) -> bool:
    if before.uptime is None or after.uptime is None:
        return False
    return after.uptime < before.uptime + seconds - REBOOT_SLACK


def _difference(first: int, last: int, bits: int) -> int:
    """A counter of 32 bits may have wrapped once; one of 64 does not live to see it."""
    if last < first and bits == 32:
        return last + 2**32 - first
    return last - first
