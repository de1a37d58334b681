"""Stops calling a service that has fallen silent, so that its callers do not all wait for their deadlines.

Only silence opens it: calls that ran out of time while the service answered nobody. Errors are answers, and a
missing service is told by the broker within milliseconds anyway. While open, one call at a time is let
through as a probe, a pause after the last one failed; any answer closes it. Needs no lock: a lost count only
delays the opening.
"""

from __future__ import annotations

import time

THRESHOLD = 5
PATIENCE = 1.0
PAUSE = 1.0


class Breaker:
    """One per service. Times are `time.monotonic()` seconds."""

    __slots__ = ("_next_probe", "_silent_calls", "_silent_since", "heard_at")

    def __init__(self) -> None:
        self.heard_at = float("-inf")
        self._silent_calls = 0
        self._silent_since = float("inf")
        self._next_probe = 0.0

    @property
    def open(self) -> bool:
        return self._silent_calls >= THRESHOLD and time.monotonic() - self._silent_since >= PATIENCE

    def admits(self) -> bool:
        """Whether a call may be sent now; an open breaker admits a probe now and then."""
        if not self.open:
            return True
        if time.monotonic() < self._next_probe:
            return False
        self._next_probe = float("inf")
        return True

    def heard(self) -> None:
        """The service answered, be it with an error."""
        self.heard_at = time.monotonic()
        self.reset()

    def reset(self) -> None:
        """The broker says that nobody serves it, or the broker itself went: that is told without waiting."""
        self._silent_calls = 0
        self._silent_since = float("inf")

    def silent(self, since: float) -> None:
        """A call begun at `since` ran out of time."""
        if self.heard_at < since:
            self._silent_calls += 1
            self._silent_since = min(self._silent_since, since)
            self._next_probe = time.monotonic() + PAUSE
