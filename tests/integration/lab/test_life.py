"""The process of the lab: what is kept over a restart, what a technician changes, how it ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

from deploy.lab.network.plan import OnuPlan
from deploy.lab.network.starter import COMMAND, RunningLab
from deploy.local.process import Process
from tests.integration.lab.conftest import plan
from tests.integration.lab.managers import Manager, until

AUTOFIND_SN = "1.3.6.1.4.1.2011.6.128.1.1.2.48.1.2"
SN = "1.3.6.1.4.1.2011.6.128.1.1.2.43.1.3"


def test_a_restart_keeps_ports_passwords_and_configuration(tmp_path: Path) -> None:
    with RunningLab(tmp_path, plan()) as lab:
        before = lab.device("oltLab1")
        assert stat.S_IMODE((tmp_path / "lab.json").stat().st_mode) == 0o600
        with Manager(before) as olt:
            serials = olt.walk(SN)
    assert lab.book["pid"] is None
    with RunningLab(tmp_path) as lab:
        assert lab.device("oltLab1") == before
        with Manager(before) as olt:
            assert olt.walk(SN) == serials


def test_an_onu_that_is_plugged_in_is_found_where_it_hangs(tmp_path: Path) -> None:
    changed = plan()
    with RunningLab(tmp_path, plan()) as lab, Manager(lab.device("oltLab1")) as olt:
        changed.olts[0].onus.append(OnuPlan(sn="41434d45000000ff", fsp="0/2/1"))
        lab.plug(changed)
        found = until(
            lambda: [index for index, sn in olt.walk(AUTOFIND_SN).items() if sn.hex().endswith("ff")]
        )
        assert [index.split(".")[0] for index in found] == ["4194320640"]


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    plan().save(tmp_path / "lab" / "plan.json")
    script = (
        f"import subprocess, time; child = subprocess.Popen({COMMAND!r}); "
        "print(child.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "KRILL_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        child = Process.of(int(parent.stdout.readline()))
        assert child is not None
        until(lambda: (tmp_path / "lab.json").exists())
        parent.send_signal(signal.SIGKILL)
        assert child.wait(60)


def test_a_data_folder_has_one_lab(tmp_path: Path) -> None:
    with RunningLab(tmp_path, plan()) as lab:
        second = subprocess.run(
            COMMAND, env={**os.environ, "KRILL_DATA_DIR": str(tmp_path)}, capture_output=True, timeout=60
        )
        assert second.returncode == 1
        assert b"running already" in second.stderr
        assert lab.book["pid"] == lab.pid


def test_a_device_that_left_the_plan_is_told_of_no_more(tmp_path: Path) -> None:
    without = plan()
    without.cmtss = []
    with RunningLab(tmp_path, plan()) as lab:
        assert {one["name"] for one in lab.book["devices"]} == {"oltLab1", "cmtsLab1"}
    with RunningLab(tmp_path, without) as lab:
        assert {one["name"] for one in lab.book["devices"]} == {"oltLab1"}
