"""Pages by cursor: every row once, in order, both ways, whatever is written meanwhile."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest

from services.common.errors import InvalidInput
from tests.integration.engine import library
from tests.integration.engine.world import PIM, ROOT, World

ORDERS = [
    "id",
    "-id",
    "city",
    "-city",
    "country",
    "-country",
    "country,-city",
    "-latitude",
    "latitude,longitude",
    "updated,-id",
    "-created,country",
    "expiration_date,-me_vlan",
    "access,-active",
    "profile,-customer",
    "-profile,model",
    "has_tr069,-id",
    "is_router,city",
    "-is_router",
    "-cpename",
    "tech_updated",
    "external_id,-sn",
]


@pytest.fixture
def shelf(world: World) -> World:
    return library.stock(world)


def page(world: World, cursor: str, **parameters: str) -> tuple[list[Any], dict[str, Any]]:
    pairs = [*parameters.items(), ("cursor", cursor), ("attrs", "id")]
    reply = world.engine.list(ROOT, "cpes", pairs)
    return [row["id"] for row in json.loads(reply.body)], reply.meta


def test_every_order_is_walked_forwards_and_back(shelf: World) -> None:
    for sort in ORDERS:
        wanted = shelf.ids("cpes", sort=sort)
        pages, cursor = [], ""
        while cursor is not None:
            ids, meta = page(shelf, cursor, sort=sort, limit="7")
            pages.append(ids)
            assert (meta["previous"] is None) == (len(pages) == 1)
            cursor = meta["next"]
        assert [one for ids in pages for one in ids] == wanted, sort
        back = [pages[-1]]
        while meta["previous"]:
            ids, meta = page(shelf, meta["previous"], sort=sort, limit="7")
            back.insert(0, ids)
            assert meta["next"] is not None
        assert back == pages, sort


def test_a_cursor_keeps_filters_and_scope(shelf: World) -> None:
    wanted = shelf.ids("cpes", PIM, country__isnull="false", sort="country")
    got, cursor = [], ""
    while cursor is not None:
        pairs = [
            ("country__isnull", "false"),
            ("sort", "country"),
            ("limit", "4"),
            ("cursor", cursor),
            ("attrs", "id"),
        ]
        reply = shelf.engine.list(PIM, "cpes", pairs)
        got += [row["id"] for row in json.loads(reply.body)]
        cursor = reply.meta["next"]
        assert reply.meta["count"] == len(wanted)
    assert got == wanted
    assert len(wanted) > 8


@pytest.mark.parametrize("sort", ["-id", "country,-id", "name,id"])
def test_what_is_written_between_pages_moves_no_other_row(stocked: World, sort: str) -> None:
    made = [stocked.customer(name="abc"[n % 3], country=[None, "Spain"][n % 2]) for n in range(12)]
    wanted = stocked.ids("customers", sort=sort)
    pairs = [("sort", sort), ("limit", "3"), ("attrs", "id")]
    doomed = [wanted[2], wanted[11], wanted[1]]  # where the cursor stands, one to come, one read already
    got, cursor, left = [], "", list(doomed)
    while cursor is not None:
        reply = stocked.engine.list(ROOT, "customers", [*pairs, ("cursor", cursor)])
        got += [row["id"] for row in json.loads(reply.body)]
        cursor = reply.meta["next"]
        if left:
            stocked.delete("customers", left.pop(0))
            stocked.customer(name="b", country="France")
    assert doomed[1] not in got
    assert [one for one in got if one in made and one not in doomed] == [
        one for one in wanted if one not in doomed
    ]
    assert len(got) == len(set(got))


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "%%%",
        "é",
        "0" * 301,
        packed(None),
        packed([]),
        packed({}),
        packed([False]),
        packed([False, 5]),
        packed([False, []]),
        packed([False, [1, 2]]),
        packed([False, ["x"]]),
        packed([False, [[1]]]),
        packed([False, [2.5]]),
        packed([False, [2**64 - 1]]),
        packed([False, [0]]),
        packed([False, [True]]),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_malformed_cursor_is_refused(world: World, token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        page(world, token)
    assert caught.value.errors == {"cursor": ["Invalid cursor."]}


@pytest.mark.parametrize("sort", ["created", "expiration_date", "city", "latitude", "customer"])
@pytest.mark.parametrize("value", [{"a": 1}, "\0", [], 5.5])
def test_a_cursor_of_another_kind_of_value_is_refused(world: World, sort: str, value: Any) -> None:
    if sort == "latitude" and value == 5.5:
        value = 500.5
    with pytest.raises(InvalidInput) as caught:
        page(world, packed([False, [value, 1]]), sort=sort)
    assert caught.value.errors == {"cursor": ["Invalid cursor."]}


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "12"])
def test_a_cursor_at_no_time_is_refused(world: World, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        page(world, packed([False, [value, 1]]), sort="created")
    assert caught.value.errors == {"cursor": ["Invalid cursor."]}


def test_a_cursor_may_stand_where_no_row_can_be(shelf: World) -> None:
    reply = shelf.engine.list(ROOT, "potses", [("sort", "order"), ("cursor", packed([False, [2**31, 1]]))])
    assert json.loads(reply.body) == []
