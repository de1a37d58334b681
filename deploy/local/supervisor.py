"""Starts units in stages, restarts those that die, ends all in reverse order.

Its state file tells other shells what runs (pids with start times, addresses, logs; no secret). A
supervisor that was killed leaves its units running; `end` finds them through that file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local import state
from deploy.local.process import Process
from deploy.local.unit import Unit, await_ready

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds before a dead unit is started again; the pause doubles with each death."""

HEALTHY_AFTER = 30.0
"""A unit that lived so many seconds begins again with the first pause."""


@dataclass
class Command:
    """A program of ours as a unit."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str]
    is_ready: Callable[[], bool]
    address: str | None = None
    patience: float = 30.0
    _process: Process | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    def launch(self) -> None:
        if not self.alive:
            self._process = Process.launch(self.argv, log=self.log, cwd=Path.cwd(), env=self.env)

    def ready(self) -> bool:
        return self.is_ready()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "address": self.address,
            "log": str(self.log),
            "stop_signal": signal.SIGTERM.name,
            "processes": [self._process.to_json()] if self._process else [],
        }


class Interrupted(Exception):
    """The supervisor was told to end while it was starting something."""


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this state file."""


@dataclass
class _Watched:
    unit: Unit
    deaths: int = 0
    restarts: int = 0
    launched: float = field(default_factory=time.monotonic)
    due: float | None = None


class Supervisor:
    """Used as a context: takes the state file's lock, and ends every unit on the way out."""

    def __init__(self, state_file: Path, say: Callable[[str], None] = print) -> None:
        self._state_file = state_file
        self._say = say
        self._stages: list[list[_Watched]] = []
        self._end = threading.Event()
        self._phase = "starting"

    def __enter__(self) -> Supervisor:
        try:
            self._lock = state.held(self._state_file.with_suffix(".lock"))
        except state.InUse:
            raise AlreadyRunning(f"already running; see {self._state_file}") from None
        end(self._state_file)  # what a killed supervisor left
        self._handlers = {
            number: signal.signal(number, lambda *_: self._end.set())
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        self._save()
        return self

    def __exit__(self, *_: object) -> None:
        self._phase = "stopping"
        self._save()
        for stage in reversed(self._stages):
            with ThreadPoolExecutor() as pool:
                stops = {watched.unit.name: pool.submit(watched.unit.stop) for watched in stage}
            for name, stopping in stops.items():
                if error := stopping.exception():
                    self._say(f"{name} could not be ended: {error}")
        self._state_file.unlink(missing_ok=True)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._lock.close()

    def start(self, *units: Unit) -> None:
        """Launches all of them, then waits until all are ready. Raises StartError or Interrupted."""
        stage: list[_Watched] = []
        self._stages.append(stage)
        for unit in units:
            self._say(f"Starting {unit.name}")
            unit.launch()
            stage.append(_Watched(unit))
            self._save()
        for unit in units:
            await_ready(unit, self._pause)

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """A step that ends by itself, on our own output. Raises CalledProcessError or Interrupted."""
        with subprocess.Popen(argv, env=dict(env)) as step:
            try:
                while step.poll() is None:
                    self._pause(0.05)
            except Interrupted:
                step.terminate()
                raise
        if step.returncode:
            raise subprocess.CalledProcessError(step.returncode, list(argv))

    def watch(self) -> None:
        """Restarts what dies; returns when told to end by SIGTERM or SIGINT."""
        self._phase = "running"
        self._save()
        while not self._end.wait(0.1):
            for stage in self._stages:
                for watched in stage:
                    self._tend(watched)

    def _tend(self, watched: _Watched) -> None:
        unit, now = watched.unit, time.monotonic()
        if unit.alive:
            return
        if watched.due is None:
            if now - watched.launched > HEALTHY_AFTER:
                watched.deaths = 0
            pause = min(FIRST_PAUSE * 2**watched.deaths, LONGEST_PAUSE)
            watched.deaths += 1
            watched.due = now + pause
            self._say(f"{unit.name} died; starting it again in {pause:.1f} s (log: {unit.log})")
        elif now >= watched.due:
            watched.due, watched.launched = None, now
            watched.restarts += 1
            try:
                unit.launch()
            except (OSError, RuntimeError) as error:
                self._say(f"{unit.name} cannot be started: {error}")
            self._save()

    def _pause(self, seconds: float) -> None:
        if self._end.wait(seconds):
            raise Interrupted

    def _save(self) -> None:
        me = Process.of(os.getpid())
        data = {
            "phase": self._phase,
            "supervisor": me.to_json() if me else None,
            "units": [
                {**watched.unit.describe(), "restarts": watched.restarts}
                for stage in self._stages
                for watched in stage
            ],
        }
        state.save(self._state_file, data)


def read(state_file: Path) -> dict[str, Any] | None:
    """The state with `alive` added to each unit and to the supervisor; None when nothing was started."""
    found: dict[str, Any] | None = state.load(state_file)
    if found is None:
        return None
    found["supervisor"]["alive"] = Process.from_json(found["supervisor"]).alive
    for unit in found["units"]:
        unit["alive"] = any(Process.from_json(data).alive for data in unit["processes"][-1:])
    return found


def end(state_file: Path, seconds: float = 90.0) -> bool:
    """Ends a supervisor and all its units, or what a killed one left. False when nothing was running."""
    found = read(state_file)
    if found is None:
        return False
    supervisor = Process.from_json(found["supervisor"])
    if supervisor.alive:
        supervisor.send(signal.SIGTERM)
        if supervisor.wait(seconds):
            return True
        supervisor.kill()
    for unit in reversed(found["units"]):
        number = signal.Signals[unit["stop_signal"]]
        for data in reversed(unit["processes"]):
            Process.from_json(data).stop(number)
            number = signal.SIGTERM  # the companions of a main process
    state_file.unlink(missing_ok=True)
    return True
