"""The lab of the demo: what isp has is on the network, as gpon wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from deploy import registry
from deploy.lab.network import demo, invent
from deploy.lab.network.olt import Olt
from deploy.lab.network.starter import RunningLab
from deploy.local.process import Process
from services.isp.models import cpes
from tests.integration.lab.managers import until
from tests.servers import Embedded


@pytest.fixture
def isp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> registry.Owner:
    monkeypatch.setenv("KRILL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("KRILL_DATABASE_URL", raising=False)
    return next(one for one in registry.services() if one.name == "isp")


def test_without_isp_there_are_only_those_that_wait(isp: registry.Owner) -> None:
    made = demo.plan()
    assert [one.sn for one in made.olts[0].onus] == list(invent.WAITING)
    assert len(made.cmtss) == 1


def test_every_cpe_of_our_own_network_has_its_device(isp: registry.Owner) -> None:
    isp.migrate()
    database = isp.database()
    try:
        assert isp.demo is not None
        isp.demo.seed(database.engine)
        with database.engine.connect() as connection:
            rows = list(
                connection.execute(select(cpes).where(cpes.c.active, ~cpes.c.is_bitstream)).mappings()
            )
    finally:
        database.close()
    made = demo.plan()

    onus = {one.desc: one for one in made.olts[0].onus if one.desc}
    expected = {row["internal_id"]: row for row in rows if row["tech"] == "gpon" and row["sn"][8:] != "0" * 8}
    assert set(onus) == set(expected)
    assert all(onus[name].sn == row["sn"] for name, row in expected.items())
    for name, row in expected.items():
        vlans = [flow.vlan for flow in onus[name].flows]
        assert 933 in vlans
        assert (1100 in vlans) is (row["access"] and row["profile_id"] is not None)

    assert {one.mac for one in made.cmtss[0].modems} == {
        row["mac"] for row in rows if row["tech"] == "docsis"
    }

    olt = Olt(made.olts[0], made.registration)
    olt.provision()
    olt.come_up()
    assert len(olt.onus) == len(expected)
    assert all(onu.online for onu in olt.onus.values())
    assert len(list(olt.unconfigured())) == len(invent.WAITING)


@pytest.mark.timeout(300)
def test_krill_run_shows_a_network_at_work(tmp_path: Path) -> None:
    server = Embedded(tmp_path)
    server.env["KRILL_LAB"] = "true"
    try:
        server.start()
        admin = server.session("admin")

        def listed(resource: str) -> list[dict[str, Any]]:
            """By a process that is reading its whole network."""
            found: list[dict[str, Any]] = admin.get(f"/api/v2/gpon/{resource}/", timeout=60).json()["results"]
            return found

        (olt,) = until(lambda: _up(listed("olts")))
        assert olt["name"] == "oltLab1"
        assert olt["onus"]["online"] > 200
        waiting = until(lambda: listed("unconfigured"))
        assert {one["sn"] for one in waiting} == set(invent.WAITING)
        running = RunningLab(tmp_path)
        lab = Process.of(running.book["pid"])
        assert lab is not None
        running.faults({"fault": "dying_gasp", "device": "oltLab1", "onu": "pim0003"})  # the OLT notifies

        def gasped() -> bool:
            (olt,) = listed("olts")
            return olt["onus"].get("dyinggasp") == 1

        until(gasped)
    finally:
        server.stop()
    assert lab.wait(60)


def _up(olts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in olts if one["state"] == "up"]
