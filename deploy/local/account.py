"""Under which user a private server runs, and a folder that this user can reach.

PostgreSQL refuses to run as root, so root hands the servers to the users that Debian made for them.
Anyone else runs them as himself.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHELTER = Path("/var/lib/krill-local")
"""Where data goes whose chosen place the server's user cannot reach. Not /var/tmp: that is emptied by age."""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int

    @classmethod
    def for_server(cls, name: str) -> Account:
        """Root gets the user `name`, anyone else himself. Raises KeyError when root lacks that user."""
        entry = pwd.getpwnam(name) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def other(self) -> bool:
        """Whether it is another user than the one who runs this process."""
        return self.uid != os.geteuid()

    def popen_options(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def own(self, path: Path, mode: int) -> Path:
        """Gives an existing file or folder to this account."""
        path.chmod(mode)
        if self.other:
            os.chown(path, self.uid, self.gid)
        return path

    def folder(self, path: Path) -> Path:
        path.mkdir(exist_ok=True)
        return self.own(path, 0o700)

    def reaches(self, path: Path) -> bool:
        """Whether it may enter that folder, all folders above included."""
        if not self.other:
            return os.access(path, os.X_OK)
        probe = subprocess.run(["test", "-x", path], check=False, cwd="/", **self.popen_options())
        return probe.returncode == 0


def settle(place: Path, account: Account, say: Callable[[str], None] = print) -> Path:
    """`place` as a folder that `account` can enter and only the caller can list or write.

    When a folder above it is closed to the account (root's home, a private temporary folder), the data
    goes to a new folder under `SHELTER` and `place` becomes a link to it. A link that leads nowhere is
    an error: the data it stood for is lost, and that must not pass as a fresh start.
    """
    if place.is_symlink() and not place.exists():
        raise FileNotFoundError(
            f"{place} points to {place.readlink()}, which is gone; remove it to start anew"
        )
    place.mkdir(parents=True, exist_ok=True)
    home = place.resolve()
    home.chmod(0o711 if account.other else 0o700)
    if account.reaches(home):
        return home
    if any(home.iterdir()):
        raise PermissionError(f"user {account.name} cannot enter {home}: open the folders above, or move it")
    SHELTER.mkdir(mode=0o711, exist_ok=True)
    shelter = Path(tempfile.mkdtemp(prefix=f"{place.name}-", dir=SHELTER))
    shelter.chmod(0o711)
    home.rmdir()
    place.symlink_to(shelter)
    say(f"User {account.name} cannot enter {place.parent}: the data of {place.name} is in {shelter}")
    return shelter


def unsettle(place: Path) -> None:
    """Deletes the folder that `settle` made, wherever it is."""
    shutil.rmtree(place.resolve())
    if place.is_symlink():
        place.unlink()
        with suppress(OSError):  # others still live there
            SHELTER.rmdir()
