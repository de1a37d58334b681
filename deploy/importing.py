"""Sends a file to a gateway's import, as it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

TYPES = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
BLOCK = 65_536


def send(
    url: str,
    file: Path,
    user: tuple[str, str],
    *,
    name: str | None = None,
    dry_run: bool = False,
    sent: Callable[[int], object] = lambda number: None,
) -> dict[str, Any]:
    """The gateway's answer, errors included.

    `name` defaults to the file's digest, so that the same file goes on where it was cut. `sent` is told the
    bytes as they go. Raises ValueError for an ending that says no format.
    """
    kind = TYPES.get(file.suffix.lower())
    if kind is None:
        raise ValueError(f"{file.name}: the ending must be one of {', '.join(TYPES)}")
    parameters = {"id": name or digest(file), "dry_run": str(dry_run).lower()}
    headers = {"Content-Type": kind, "Content-Length": str(file.stat().st_size)}
    body = _Blocks(file, sent)
    answer = requests.post(url, params=parameters, data=body, headers=headers, auth=user, timeout=(10, None))
    found: dict[str, Any] = answer.json()
    return found if answer.ok else {"complete": False, "failed": 0, "status": answer.status_code, **found}


def digest(file: Path) -> str:
    """64 hex digits that name the file's content."""
    whole = hashlib.sha256()
    for block in _Blocks(file, lambda number: None):
        whole.update(block)
    return whole.hexdigest()


class _Blocks:
    def __init__(self, file: Path, sent: Callable[[int], object]) -> None:
        self._file = file
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        with self._file.open("rb") as opened:
            while block := opened.read(BLOCK):
                yield block
                self._sent(len(block))
