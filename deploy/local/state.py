"""Small JSON files that hold secrets or pids: mode 0600, replaced whole, so that a reader never sees half.
And files that one process holds.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, TextIO


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
    """Another process holds the file."""


def held(path: Path) -> TextIO:
    """The open file, which no other process holds until it is closed; whoever dies gives it back. Raises
    `InUse`."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise InUse(str(path)) from None
    return file
