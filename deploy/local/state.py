"""Small JSON files that hold secrets or pids: mode 0600, replaced whole, so that a reader never sees half."""

from __future__ import annotations

import json
import os
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
