"""A key that the operator did not give: made once, and kept in a file that only we can read."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from services.common.settings import Settings

BYTES = 32


def signing_key(settings: Settings) -> bytes:
    """What signs tokens. Raises `ValueError` when the operator's key is too short to sign with (RFC 7518,
    3.2: as long as the hash)."""
    if settings.secret_key is None:
        return kept(settings.data_dir / "secret_key")
    key = settings.secret_key.get_secret_value().encode()
    if len(key) < BYTES:
        raise ValueError(f"KRILL_SECRET_KEY needs at least {BYTES} bytes")
    return key


def kept(path: Path) -> bytes:
    """The key in this file, which is made if it is not there. Several processes may start at once: a link to
    a finished file decides whose key it is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
        made = Path(name)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(made)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text().encode()
