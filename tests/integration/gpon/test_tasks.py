"""Jobs of an OLT: whose they are, and what they tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.common.errors import NotFound
from services.gpon.service import GponService
from services.gpon.tasks import Work
from tests.integration.engine.world import DEM, PIM, ROOT
from tests.integration.gpon.conftest import NORTH, Network, shared

THERE = {"olt": NORTH}
PLACE = {**THERE, "frame": "0", "slot": "01", "port": "00"}


@pytest.fixture
def service(network: Network) -> Any:
    found: Any = GponService()
    found.engine = network.engine
    return found


def asked(network: Network, reply: Any) -> dict[str, Any]:
    id_ = json.loads(reply.body)["task_id"]
    return next(row for row in network.rows("tasks") if row["id"] == id_)


def test_a_job_on_a_shared_olt_is_seen_by_who_asks_for_it(network: Network, service: Any) -> None:
    _, ours, _ = shared(network, 120)
    network.settle()
    network.until(lambda: len(network.rows("onus", status="online")) == 2)
    work = Work(network.questions)

    service.context = PIM
    job = asked(network, service.snapshot(THERE))
    shown = json.loads(network.engine.get(PIM, "tasks", str(job["id"])).body)
    assert (shown["status"], shown["olt"], shown["realm"]) == ("queued", NORTH, "pim")
    with pytest.raises(NotFound):
        network.engine.get(DEM, "tasks", str(job["id"]))
    assert work(network.engine, job) == {"onus": 1}
    cycle = asked(network, service.provision(THERE))
    assert work(network.engine, cycle) == {"unconfigured": 0, "provisioned": 0, "errors": {}}
    assert asked(network, service.pon_snapshot(PLACE))["fsp"] == "0/1/0"

    service.context = ROOT
    job = asked(network, service.snapshot(THERE))
    assert job["realm"] is None
    assert work(network.engine, job) == {"onus": 2}
    cycle = asked(network, service.provision(THERE))
    assert work(network.engine, cycle) == {"unconfigured": 1, "provisioned": 0, "errors": {}}
    traffic = network.answer(network.questions.onu(network.engine, PIM, {"sn": ours.sn}, []))
    assert isinstance(traffic["dnbw"], int)
    assert isinstance(traffic["upbw"], int)


def test_a_pon_that_is_not_there_is_not_read_again(network: Network, service: Any) -> None:
    network.read()
    service.context = ROOT
    with pytest.raises(NotFound):
        service.pon_snapshot({**PLACE, "port": "77"})
    assert network.rows("tasks") == []
