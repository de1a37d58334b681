"""Starts a lab as a child process and waits until it answers: for `krill run`, and for tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from deploy.lab.network.book import FILE
from deploy.lab.network.plan import Plan
from deploy.local import state

COMMAND = (sys.executable, "-m", "deploy.cli", "lab", "network")
PATIENCE = 60.0


class RunningLab:
    """`RunningLab(folder, plan)` in a `with`. Without a plan it is the lab of the folder, or a new small one.

    `device(name)` is the entry of `lab.json`.
    """

    def __init__(self, data: Path, plan: Plan | None = None) -> None:
        self.data = data
        self.plan_file = data / "lab" / "plan.json"
        if plan is not None:
            plan.save(self.plan_file)
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        return self.launch().wait()

    def launch(self) -> Self:
        """Begin it, without waiting."""
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "lab.log").open("ab") as log:
            self._child = subprocess.Popen(
                COMMAND, env={**os.environ, "KRILL_DATA_DIR": str(self.data)}, stdout=log, stderr=log
            )
        return self

    def wait(self, patience: float = PATIENCE) -> Self:
        """Until all listens. Raises RuntimeError with its log."""
        assert self._child is not None
        deadline = time.monotonic() + patience
        while self.book.get("pid") != self._child.pid:
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"The lab did not start:\n{(self.data / 'lab.log').read_text()}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def book(self) -> dict[str, Any]:
        return state.load(self.data / FILE) or {}

    def device(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.book["devices"] if one["name"] == name)
        return found

    def faults(self, *faults: dict[str, Any]) -> None:
        """The faults that hold from now on; those before are over."""
        file = self.data / "lab-faults.json"
        state.save(file, list(faults))
        self._await("faults", file)

    def plug(self, plan: Plan) -> None:
        """Change what hangs on the fibres and cables."""
        plan.save(self.plan_file)
        self._await("plan", self.plan_file)

    def _await(self, what: str, file: Path) -> None:
        """Until the lab has read the file as it is now."""
        deadline = time.monotonic() + PATIENCE
        while self.book.get(what) != file.stat().st_mtime_ns:
            if time.monotonic() > deadline:
                raise RuntimeError(f"The lab does not read {file}:\n{(self.data / 'lab.log').read_text()}")
            time.sleep(0.01)
