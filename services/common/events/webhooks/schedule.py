"""When what failed is tried again. Times in seconds.

A message follows the schedule of Standard Webhooks. A webhook that fails is probed besides: after 5 s, 5 min,
then each half hour one of its waiting messages is sent, so that the schedules of the others are not used up
and what comes back is noticed soon.
"""

from __future__ import annotations

import random

MINUTE, HOUR = 60, 3600
SCHEDULE = (0, 5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""The pause before each attempt, counted from the one before."""

WHOLE = sum(SCHEDULE)
"""From the first attempt to the last; a webhook that took nothing for so long is disabled."""

LONG = 10 * MINUTE
"""After an outage of so long what failed in it is sent at once, and does not wait for its next turn."""

_PROBES = SCHEDULE[1:4]
_JITTER = 0.05


def pause(attempts: int) -> float:
    """After `attempts` failed ones, up to 5 % longer than written so that not all come at once."""
    return SCHEDULE[attempts] * random.uniform(1, 1 + _JITTER)


def probe(failing: float) -> float:
    """Until the next probe of a webhook that has been failing for so long."""
    return next((one for one in _PROBES if failing < one), _PROBES[-1])
