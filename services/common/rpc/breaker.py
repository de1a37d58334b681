"""Stops calling a service that has fallen silent, so that its callers do not all wait for their deadlines.

Only silence opens it: calls that ran out of time while the service answered nobody. Errors are answers, and a
missing service is told by the broker within milliseconds anyway. While open, one probe a `pause` is let through;
any answer closes it. Needs no lock: a lost count only delays the opening by one call.
"""

from __future__ import annotations

import time

THRESHOLD = 5
PATIENCE = 1.0
PAUSE = 1.0


class Breaker:
    """One per service. Times are `time.monotonic()` seconds."""

    __slots__ = ("heard_at", "_silent_calls", "_silent_since", "_next_probe")

    def __init__(self) -> None:
        self.heard_at = float("-inf")
        self._silent_calls = 0
        self._silent_since = float("inf")
        self._next_probe = 0.0

    @property
    def open(self) -> bool:
        return self._silent_calls >= THRESHOLD and time.monotonic() - self._silent_since >= PATIENCE

    def admits(self) -> bool:
        """Whether a call may be sent now; an open breaker admits one a pause."""
        if self._silent_calls < THRESHOLD or not self.open:
            return True
        now = time.monotonic()
        if now < self._next_probe:
            return False
        self._next_probe = now + PAUSE
        return True

    def heard(self) -> None:
        """The service answered, be it with an error."""
        self.heard_at = time.monotonic()
        self._silent_calls = 0
        self._silent_since = float("inf")

    def gone(self) -> None:
        """The broker says that nobody serves it: known at once, so that there is nothing to protect from."""
        self._silent_calls = 0
        self._silent_since = float("inf")

    def silent(self, since: float) -> None:
        """A call begun at `since` ran out of time."""
        if self.heard_at < since:
            self._silent_calls += 1
            self._silent_since = min(self._silent_since, since)
