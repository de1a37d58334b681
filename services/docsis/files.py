"""Configuration files where a TFTP server finds them: written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from services.common.settings import Settings


def folder(settings: Settings) -> Path:
    """What a TFTP server is to serve, and nothing else."""
    return settings.data_dir / "docsis" / "files"


def write(settings: Settings, name: str, content: bytes) -> None:
    """Readable by everybody, since a TFTP server is somebody else. What is there already is left alone."""
    path = folder(settings) / name
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{name}")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o644)
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def remove(settings: Settings, name: str) -> None:
    (folder(settings) / name).unlink(missing_ok=True)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
