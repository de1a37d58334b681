"""The supervisor, as a process of its own: it restarts what dies, and ends everything in reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deploy.local import supervisor
from deploy.local.process import Process

PATIENCE = 60.0

# Two stages of programs that write down when they begin and when they are told to end.
UNIT = """
import pathlib, signal, sys, time
name, journal = sys.argv[1:]
def note(what):
    with open(journal, "a") as file: print(what, name, file=file, flush=True)
def leave(*_):
    note("end"); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("begin")
pathlib.Path(journal + "." + name).touch()
while True: time.sleep(1)
"""

STACK = """
import os, sys
from pathlib import Path
from deploy.local.supervisor import Command, Interrupted, Supervisor
folder = Path(sys.argv[1])
def command(name, program):
    journal = str(folder / "journal")
    return Command(name, [sys.executable, "-c", program, name, journal], folder / f"{name}.log", os.environ,
                   is_ready=lambda: Path(journal + "." + name).exists(), patience=60)
unit = (folder / "unit.py").read_text()
with Supervisor(folder / "state.json") as stack:
    stack.start(command("server", unit))
    stack.start(command("one", unit), command("two", sys.argv[2] if len(sys.argv) > 2 else unit))
    stack.watch()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    (tmp_path / "unit.py").write_text(UNIT)
    started: list[subprocess.Popen[str]] = []

    def begin(*argv: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", STACK, str(tmp_path), *argv]
        process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(process)
        return process

    yield begin
    supervisor.end(tmp_path / "state.json", seconds=30)
    for process in started:
        process.communicate(timeout=PATIENCE)


def journal(folder: Path) -> list[str]:
    return (folder / "journal").read_text().splitlines()


def eventually(
    folder: Path, fits: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE
) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = supervisor.read(folder / "state.json")
        if state and fits(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {supervisor.read(folder / 'state.json')}")


def is_up(state: dict[str, Any]) -> bool:
    return (
        state["supervisor"]["alive"]
        and state["phase"] == "running"
        and all(unit["alive"] for unit in state["units"])
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_in_reverse_order_on_a_signal(
    number: signal.Signals, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start()
    state = eventually(tmp_path, is_up)
    assert [unit["name"] for unit in state["units"]] == ["server", "one", "two"]
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    lines = journal(tmp_path)
    assert lines[0] == "begin server"
    assert sorted(lines[1:3]) == ["begin one", "begin two"]
    assert sorted(lines[3:5]) == ["end one", "end two"]
    assert lines[5:] == ["end server"]
    assert supervisor.read(tmp_path / "state.json") is None


def test_restarts_what_dies(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    start()
    state = eventually(tmp_path, is_up)
    first = state["units"][1]["processes"][0]["pid"]
    os.kill(first, signal.SIGKILL)
    state = eventually(tmp_path, lambda state: state["units"][1]["restarts"] == 1 and is_up(state))
    assert state["units"][1]["processes"][0]["pid"] != first
    assert [unit["restarts"] for unit in state["units"]] == [0, 1, 0]


def test_restarts_with_growing_pauses(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """A unit that always dies is tried again, but ever more rarely: after 0.2, 0.4, 0.8, 1.6 s."""
    lives = tmp_path / "lives"
    mortal = (
        "import pathlib, sys, time; began = time.monotonic(); pathlib.Path(sys.argv[2] + '.two').touch()\n"
        f"time.sleep(0.5); print(began, time.monotonic(), file=open({str(lives)!r}, 'a')); sys.exit(3)"
    )
    start(mortal)
    eventually(tmp_path, lambda _: lives.exists() and len(lives.read_text().splitlines()) >= 4)
    told = [tuple(map(float, line.split())) for line in lives.read_text().splitlines()]
    pauses = [began - ended for (_, ended), (began, _) in pairwise(told)]
    assert all(pause >= written for pause, written in zip(pauses, (0.2, 0.4, 0.8), strict=False))


def test_what_cannot_start_takes_the_rest_down(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start("raise SystemExit('no licence for this')")
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "two ended while starting" in out
    assert "no licence for this" in out, "the end of its log is shown"
    assert "end server" in journal(tmp_path)
    assert supervisor.read(tmp_path / "state.json") is None


def test_another_shell_ends_it(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start()
    eventually(tmp_path, is_up)
    assert supervisor.end(tmp_path / "state.json")
    assert process.wait(PATIENCE) == 0
    assert not supervisor.end(tmp_path / "state.json")


def test_only_one_at_a_time(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    start()
    before = eventually(tmp_path, is_up)
    second = start()
    out, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert "already running" in out
    assert supervisor.read(tmp_path / "state.json") == before


def test_leftovers_of_a_killed_supervisor_are_ended(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """By another shell's `down`, or by the next supervisor before it starts its own."""
    for _ in range(2):
        for ready in tmp_path.glob("journal.*"):
            ready.unlink()  # else those of the second round are taken to be up before they heed signals
        process = start()
        state = eventually(tmp_path, is_up)
        process.kill()
        process.wait()
        orphans = [Process.from_json(unit["processes"][0]) for unit in state["units"]]
        assert all(orphan.alive for orphan in orphans)
    assert supervisor.end(tmp_path / "state.json")
    assert journal(tmp_path).count("end server") == 2
    assert not any(orphan.alive for orphan in orphans)


def test_state_file_is_private(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    start()
    eventually(tmp_path, is_up)
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
