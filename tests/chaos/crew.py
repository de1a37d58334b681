"""Threads that ask a platform until they are told to stop, and none of which may hang."""

from __future__ import annotations

import threading
from typing import Self

DEADLINE, MARGIN = 5.0, 1.0
"""Seconds that a request may take, and those that its way to us may take besides."""


class Crew:
    """A context. Whoever inherits fills `_threads`, which end when `_stop` is set."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in self._threads:
            one.join(DEADLINE + MARGIN + 5)
        assert not any(one.is_alive() for one in self._threads), "a request hangs"
