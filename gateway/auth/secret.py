"""The key that signs tokens: given by the operator, or made once and kept in a file that only we can read."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from services.common.settings import Settings

SHORTEST = 32  # bytes; RFC 7518, 3.2: as long as the hash


def signing_key(settings: Settings) -> bytes:
    """Raises `ValueError` when the operator's key is too short to sign with."""
    if settings.secret_key is None:
        return _kept(settings.data_dir / "secret_key")
    key = settings.secret_key.get_secret_value().encode()
    if len(key) < SHORTEST:
        raise ValueError(f"KRILL_SECRET_KEY needs at least {SHORTEST} bytes")
    return key


def _kept(path: Path) -> bytes:
    """Several processes may start at once: a link to a finished file decides whose key it is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret_key")
        made = Path(name)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(SHORTEST))
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(made)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text().encode()
