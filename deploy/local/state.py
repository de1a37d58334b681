"""Small JSON files that hold secrets or pids: mode 0600, replaced whole, so that a reader never sees half.
And the mark of who uses a folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def save(path: Path, data: Any) -> None:
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(data, file, indent=2)
    fresh.replace(path)


def load(path: Path) -> Any:
    """None when there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


class InUse(RuntimeError):
    """Another process uses the folder."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process has the folder meanwhile, which is made where it is not there; whoever dies gives it
    back. Raises `InUse`."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "run.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"{folder} is used by another process that runs.") from None
        yield
