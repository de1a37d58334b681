"""Schemathesis against a live server over HTTP: no 5xx, no answer outside its schema, nothing taken that the
document calls wrong, nothing for those who are not logged in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).with_name("schemathesis.toml")
ROOT = CONFIG.parents[2]
PHASES = ("examples", "coverage", "fuzzing", "stateful")
FEWEST = 1000
LONGEST_STORY = 600


@pytest.mark.timeout(1200)
def test_every_operation_keeps_what_the_document_promises(real: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
    command += [f"{real.url}/api/v2/openapi.json", "--phases", ",".join(PHASES), "--no-color"]
    command += ["--report", "json", "--report-json-path", str(report)]
    environment = {**os.environ, "FUZZ_TOKEN": real.token(username="demo"), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1150)
    assert report.exists(), run.stdout + run.stderr
    found = json.loads(report.read_text())
    cases, operations = found["test_cases"], found["operations"]
    print(f"schemathesis: {cases['generated']} cases on {operations['tested']} operations")
    if run.returncode != 0:
        lines = [line[:300] for line in run.stdout.splitlines()]
        pytest.fail("\n".join(lines[:LONGEST_STORY]), pytrace=False)
    assert found["errors"] == []
    assert {name: found["phases"][name]["status"] for name in PHASES} == dict.fromkeys(PHASES, "success")
    assert cases["generated"] - cases["without_checks"] >= FEWEST
    assert operations["tested"] == len(_meant(real.url))


def _meant(url: str) -> list[str]:
    """The operations of the served document that the configuration does not leave out."""
    sections = tomllib.loads(CONFIG.read_text())["operations"]
    left_out = [re.compile(one["include-name-regex"]) for one in sections if one.get("enabled") is False]
    with urllib.request.urlopen(f"{url}/api/v2/openapi.json", timeout=30) as answer:
        paths = json.load(answer)["paths"]
    names = [f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs]
    return [name for name in names if not any(one.search(name) for one in left_out)]
