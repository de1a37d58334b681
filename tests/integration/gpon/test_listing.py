"""How ONUs are found and in which order they are listed: by serials and places as people write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import insert

from services.common.database.columns import now
from services.gpon import models
from services.gpon.domain import naming
from services.gpon.domain.naming import Pon
from tests.integration.engine.world import ROOT
from tests.integration.gpon.conftest import BOTH, Network

PLACES = ((0, 2, 1), (0, 10, 0), (0, 2, 10), (1, 0, 3))
"""Of those that wait, and of those that are configured: serials `…0000` and up, in this order."""
LISTS = ("unconfigured", "onus")


@pytest.fixture
def listed(network: Network) -> Network:
    olt = network.olt()["id"]
    with network.engine.database.write() as connection:
        for number, at in enumerate(PLACES):
            pon = Pon(*at)
            row = {"olt_id": olt, "sn": f"48575443aabb{number:04x}", "fsp": pon.fsp, **pon._asdict()}
            owner = {"cpe": 70 + number, "cpename": f"pim{number}"} if number else {}
            connection.execute(insert(models.unconfigured).values(**row, **owner, pending_since=now()))
            seen = {"onu_id": 7, "position": naming.position(pon, 7), "observed_at": now()}
            up = {"status": "online", "state": "online", "states": ["online"], "ips": []}
            connection.execute(insert(models.onus).values(**row, **seen, **up))
    return network


def found(network: Network, resource: str, **asked: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(network.engine.list(ROOT, resource, list(asked.items())).body)
    return rows


def places(rows: list[dict[str, Any]]) -> list[str]:
    return [row["fsp"] for row in rows]


@BOTH
@pytest.mark.parametrize("sn", ["48575443AABB0002", "HWTCAABB0002", "hwtcaabb0002"])
def test_a_serial_is_found_however_it_is_written(listed: Network, sn: str) -> None:
    for resource in LISTS:
        for asked in ({"sn": sn}, {"sn__in": f"HWTC00000000,{sn}"}, {"search": sn}):
            assert places(found(listed, resource, **asked)) == ["0/2/10"], (resource, asked)
    assert places(found(listed, "unconfigured", serial_number=sn)) == ["0/2/10"]


@BOTH
def test_places_are_in_the_order_of_their_numbers(listed: Network) -> None:
    upwards = ["0/2/1", "0/2/10", "0/10/0", "1/0/3"]
    for resource in LISTS:
        assert places(found(listed, resource, sort="fsp")) == upwards
        assert places(found(listed, resource, sort="-fsp")) == upwards[::-1]
        assert places(found(listed, resource, sort="-port,fsp")) == ["0/2/10", "1/0/3", "0/2/1", "0/10/0"]
    assert places(found(listed, "unconfigured")) == places(found(listed, "onus", sort="position")) == upwards
    rows, cursor = [], ""
    while cursor is not None:
        asked = [("cursor", cursor), ("limit", "1")]
        reply = listed.engine.list(ROOT, "unconfigured", asked)
        rows += json.loads(reply.body)
        cursor = reply.meta["next"]
    assert places(rows) == upwards


@BOTH
def test_a_place_is_found_with_zeros_and_without(listed: Network) -> None:
    for resource in LISTS:
        for asked in (
            *({"fsp": "0/2/10"}, {"fsp": "00/02/10"}),
            *({"frame": "00", "slot": "2", "port": "10"}, {"slot": "02", "port__gt": "9"}),
        ):
            assert places(found(listed, resource, **asked)) == ["0/2/10"], (resource, asked)
    for position in ("0/2/10-7", "00/02/10-07", "0/ 2/10:07"):
        assert places(found(listed, "onus", position=position)) == ["0/2/10"]
    assert found(listed, "onus", position="0/2/10-8") == found(listed, "onus", position="nowhere") == []


@BOTH
def test_those_that_wait_are_found_by_their_cpe(listed: Network) -> None:
    (row,) = found(listed, "unconfigured", has_cpe="false")
    assert (row["fsp"], row["cpe"], row["slot"], row["port"]) == ("0/2/1", None, "02", "01")
    assert "has_cpe" not in row
    assert len(found(listed, "unconfigured", has_cpe="true")) == 3
    (row,) = found(listed, "unconfigured", cpe="72")
    assert row["cpe"] == {"id": 72, "name": "pim2"}
