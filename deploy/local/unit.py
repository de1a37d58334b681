"""What can be started, awaited and supervised: a private server, or a command of ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Unit(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def patience(self) -> float:
        """Seconds within which it must become ready."""

    @property
    def log(self) -> Path: ...
    @property
    def alive(self) -> bool: ...
    def launch(self) -> None:
        """Starts it unless it runs, and returns at once."""

    def ready(self) -> bool: ...
    def stop(self) -> None:
        """Orderly; kills what does not end in time."""

    def describe(self) -> dict[str, Any]:
        """`name`, `address`, `log`, `stop_signal`, `processes` (the main one last); no secret."""


class StartError(RuntimeError):
    """A unit did not become ready; the message ends with the last lines of its log."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        super().__init__("\n".join([f"{name} {reason}; {log} ends with:", *lines]))


def await_ready(unit: Unit, pause: Callable[[float], None] = time.sleep) -> None:
    """Returns when a launched unit is ready. Raises StartError, and whatever `pause` raises."""
    deadline = time.monotonic() + unit.patience
    while not unit.ready():
        if not unit.alive:
            raise StartError(unit.name, "ended while starting", unit.log)
        if time.monotonic() > deadline:
            raise StartError(unit.name, f"is not ready after {unit.patience:.0f} s", unit.log)
        pause(0.1)
