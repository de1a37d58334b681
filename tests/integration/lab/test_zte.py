"""The OLT of the lab as a ZTE."""

from __future__ import annotations

from pathlib import Path

from deploy.lab.network.starter import RunningLab
from tests.integration.lab.conftest import plan
from tests.integration.lab.managers import Manager, until

GPON = "1.3.6.1.4.1.3902.1012.3"
SN, PHASE, RECEIVED = f"{GPON}.28.1.1.5", f"{GPON}.28.2.1.4", f"{GPON}.50.12.1.1.10"
FIRST = "268501248.1"
"""gpon_1/1/1, ONU 1."""


def test_a_zte_shows_the_same_network_its_own_way(tmp_path: Path) -> None:
    made = plan()
    made.olts[0].vendor = "zte"
    with RunningLab(tmp_path, made) as lab, Manager(lab.device("oltLab1")) as olt:
        assert "ssh_port" not in lab.device("oltLab1")
        assert olt.get("1.3.6.1.2.1.1.1.0").startswith(b"C300")
        assert len(olt.walk(SN)) == 12
        assert olt.get(f"{SN}.{FIRST}").hex() == "4857544300000000"
        assert -30 < olt.get(f"{RECEIVED}.{FIRST}.1") * 0.002 - 30 < -5
        assert olt.get(f"1.3.6.1.2.1.31.1.1.1.1.{FIRST.split('.')[0]}") == b"gpon_1/1/1"
        lab.faults({"fault": "dying_gasp", "device": "oltLab1", "onu": "cpe0000"})
        until(lambda: olt.get(f"{PHASE}.{FIRST}") == 4)
        assert f"{FIRST}.1" not in olt.walk(RECEIVED)
