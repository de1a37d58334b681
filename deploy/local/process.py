"""One running process, known by pid and start time, so that a recycled pid is never signalled.

Linux only: it reads /proc. A process that was found again from a state file and one that this
process started are handled alike.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from deploy.local.account import Account


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> tuple[str, int, int] | None:
    """State letter, parent's pid, start time in clock ticks since boot; None: no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    columns = text.rpartition(")")[2].split()
    return columns[0], int(columns[1]), int(columns[19])


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    started: int
    boot: str = field(default_factory=_boot)
    child: subprocess.Popen[bytes] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def launch(
        cls,
        argv: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str],
        account: Account | None = None,
    ) -> Process:
        """Starts `argv` in a session of its own, its output appended to `log` (mode 0600)."""
        with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as out:
            child = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
                umask=0o077,
                **(account.popen_options() if account else {}),
            )
        stat = _stat(child.pid)  # a child stays in /proc, dead or alive, until it is waited for
        if stat is None:
            raise ProcessLookupError(f"{argv[0]} is gone already")
        return cls(child.pid, stat[2], child=child)

    @classmethod
    def of(cls, pid: int) -> Process | None:
        stat = _stat(pid)
        return cls(pid, stat[2]) if stat else None

    def to_json(self) -> dict[str, Any]:
        return {"pid": self.pid, "started": self.started, "boot": self.boot}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Process:
        return cls(data["pid"], data["started"], data["boot"])

    @property
    def alive(self) -> bool:
        if self.child is not None and self.child.poll() is not None:
            return False
        stat = _stat(self.pid)
        return stat is not None and stat[0] not in "ZX" and stat[2] == self.started and self.boot == _boot()

    def send(self, number: signal.Signals) -> None:
        """Sends the signal to this very process, or to none: the pidfd cannot come to mean another one."""
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                if self.alive:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def tree(self) -> list[Process]:
        """Itself and its living descendants."""
        children: dict[int, list[Process]] = {}
        for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
            if stat := _stat(pid):
                children.setdefault(stat[1], []).append(Process(pid, stat[2]))

        def below(process: Process) -> Iterator[Process]:
            yield process
            for child in children.get(process.pid, ()):
                yield from below(child)

        return list(below(self)) if self.alive else []

    def stop(self, first: signal.Signals = signal.SIGTERM, seconds: float = 15.0) -> None:
        """Asks it to end and waits; what is left of it and its descendants after `seconds` is killed."""
        family = self.tree()
        self.send(first)
        if not self.wait(seconds):
            self.kill()
        _end(family, seconds=2.0)

    def kill(self) -> None:
        """SIGKILL for it and every descendant, as in a crash; returns when all are gone."""
        self.send(signal.SIGSTOP)  # so that it starts no more of them meanwhile
        family = self.tree()
        _end(family, seconds=0.0)


def _end(family: Sequence[Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for process in family:
        if not process.wait(max(0.0, deadline - time.monotonic())):
            process.send(signal.SIGKILL)
    for process in family:
        if not process.wait(10.0):
            raise TimeoutError(f"process {process.pid} outlives SIGKILL")
