"""Debian packages that the platform's private servers and its tests need, and where their programs are.

Standard library only: it runs before a virtual environment exists (`python -m deploy.local.packages NAME…`).
Installs what is missing, as root or through sudo, and never lets Debian start a daemon of its own:
the platform runs private instances.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


class MissingPackages(RuntimeError):
    """Something is not installed and cannot be installed from here; the message says what to type."""


def postgresql_programs(major: str | None = None) -> Path | None:
    """The folder that holds `initdb` and `postgres`: of that major version, or the newest there is."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    versions = {path: re.search(r"/(\d+)/bin$", str(path)) for path in found if (path / "initdb").exists()}
    if major is not None:
        versions = {path: match for path, match in versions.items() if match and match[1] == major}
    return max(versions, key=lambda path: int(match[1]) if (match := versions[path]) else 0, default=None)


def rabbitmq_server() -> Path | None:
    """The server's own start script; Debian's wrapper in /usr/sbin insists on a user."""
    direct = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if direct.exists():
        return direct
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path) if on_path else None


PRESENT: dict[str, Callable[[], bool]] = {
    "postgresql": lambda: postgresql_programs() is not None,
    "rabbitmq-server": lambda: rabbitmq_server() is not None and shutil.which("epmd") is not None,
    "wrk": lambda: shutil.which("wrk") is not None,
    "python3-venv": lambda: importlib.util.find_spec("ensurepip") is not None,
}
"""Package name → whether what we need of it is on this machine, however it came there."""

INSTALL = """
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || echo "apt-get update failed; trying with the lists that are here" >&2
apt-get install -y -qq --no-install-recommends "$@"
if [ -d /run/systemd/system ]; then
    for unit in rabbitmq-server postgresql; do
        case " $* " in *" $unit "*) systemctl disable -q "$unit" ;; esac
    done
fi
"""
"""Run by root's shell. policy-rc.d keeps the daemons from starting now, `disable` at the next boot."""


def missing(packages: Sequence[str]) -> list[str]:
    return [name for name in packages if not PRESENT[name]()]


def ensure(packages: Sequence[str], say: Callable[[str], None] = print) -> None:
    """Installs those of `packages` (keys of `PRESENT`) that are missing, or raises MissingPackages."""
    wanted = missing(packages)
    if not wanted:
        return
    by_hand = f"install by hand: apt-get install {' '.join(wanted)}"
    if shutil.which("apt-get") is None:
        raise MissingPackages(f"not installed: {', '.join(wanted)}, and this machine has no apt-get")
    if os.geteuid() == 0:
        become_root = []
    elif shutil.which("sudo"):
        become_root = ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    else:
        raise MissingPackages(f"needs root; {by_hand}")
    say(f"Installing Debian packages: {', '.join(wanted)}")
    done = subprocess.run([*become_root, "sh", "-eu", "-c", INSTALL, "sh", *wanted], check=False)
    if done.returncode or missing(wanted):
        raise MissingPackages(f"could not install {', '.join(missing(wanted) or wanted)}; {by_hand}")


def main() -> int:
    unknown = set(sys.argv[1:]) - set(PRESENT)
    if unknown or len(sys.argv) < 2:
        print(f"usage: python -m deploy.local.packages {{{','.join(PRESENT)}}}…", file=sys.stderr)
        return 2
    try:
        ensure(sys.argv[1:])
    except MissingPackages as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
