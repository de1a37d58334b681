"""Load from `wrk`: connections kept alive, the status and length of every answer checked.

wrk, since a generator in Python would take a third of these processors and so flatten every ratio.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.contestant import Contestant
from tests.bench.stack import CONNECTIONS

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Burst:
    """`rate` in requests a second, percentiles in milliseconds."""

    rate: float
    p50: float
    p99: float


class WrongAnswer(RuntimeError):
    """An answer under load differed from the one that was checked."""


def require_wrk() -> str:
    """The program's path; says how to get it when it is missing."""
    path = shutil.which("wrk")
    if path is None:
        raise FileNotFoundError("the load generator is missing: apt-get install wrk")
    return path


def burst(contestant: Contestant, lengths: Mapping[str, int], seconds: float) -> Burst:
    """Asks for the paths in turn, as fast as answers come. `lengths`: path → bytes of its answer."""
    with TemporaryDirectory(prefix="krill-load-") as folder:
        plan = Path(folder, "plan")  # a file, for a token in the arguments would be readable by everybody
        with open(os.open(plan, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(contestant.headers.get("Authorization", "") + "\n")
            file.writelines(f"{length} {path}\n" for path, length in lengths.items())
        done = subprocess.run(
            [
                require_wrk(), "--threads", "1", "--connections", str(CONNECTIONS), "--timeout", "30s",
                "--duration", f"{seconds:.0f}s", "--script", str(SCRIPT),
                f"http://{contestant.address}", "--", str(plan),
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    said = json.loads(done.stdout.strip().rsplit("\n", 1)[-1])
    if said["wrong"] or said["broken"] or not said["requests"]:
        raise WrongAnswer(f"{contestant.name}: {said} while asking for {next(iter(lengths))}")
    return Burst(said["requests"] / said["microseconds"] * 1e6, said["p50"], said["p99"])
