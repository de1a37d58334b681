"""Operations below several places of a path, and those that take longer than a request usually may."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from gateway.routes import table
from services.common.contract import Contract, Operation
from tests.contract.raw import refused
from tests.contract.toy.contract import METERS
from tests.contract.toy.platform import Extended
from tests.servers import Session, eventually

TOY = "/api/v2/toy"
DIAL = f"{TOY}/sites/north hall/rows/7/dial"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_service_is_told_the_places(joiner: Session, verb: str, slash: str) -> None:
    body = {"speed": 3} if verb in ("POST", "PUT", "PATCH") else None
    answer = joiner.request(verb, f"{DIAL}{slash}?unit=bar", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["method"] == "dial"
    assert told["places"] == {"site": "north hall", "row": "7"}
    assert told["parameters"] == [["unit", "bar"]]
    assert told["body"] == (body or {})


@pytest.mark.parametrize(
    ("path", "method", "places"),
    [
        ("sites/any/rows/7/dial", "any_dial", {"row": "7"}),
        ("sites/anywhere/rows/7/dial", "dial", {"site": "anywhere", "row": "7"}),
        ("meters/1/dials/all", "meter_dials", {"meter": "1"}),
        ("meters/1/dials/2/hand", "meter_hand", {"dial": "2"}),
        ("meters/bulk/dials/all", "meter_dials", {"meter": "bulk"}),
        ("sites/any", "site", {"site": "any"}),
    ],
)
def test_what_stands_in_a_path_word_for_word_wins(
    joiner: Session, path: str, method: str, places: dict[str, str]
) -> None:
    told = joiner.get(f"{TOY}/{path}").json()
    assert (told["method"], told["places"]) == (method, places)
    assert told.get("key") == ("1" if method == "meter_hand" else None)


@pytest.mark.parametrize(
    "path", ["sites/any/rows/8/dial", "sites/some/rows/seven/dial", "sites//rows/7/dial"]
)
def test_a_place_that_cannot_be_is_not_there(joiner: Session, path: str) -> None:
    assert refused(joiner.get(f"{TOY}/{path}"), 404)["code"] == "not_found"


def test_a_row_and_what_is_below_it_are_told_apart(joiner: Session) -> None:
    assert joiner.get(f"{TOY}/meters/1/").json()["label"] == "first"
    refused(joiner.get(f"{TOY}/meters/1/dials/"), 404)


def test_a_read_takes_no_idempotency_key(joiner: Session) -> None:
    key = {"Idempotency-Key": "dial-1"}
    assert joiner.get(DIAL, headers=key).json()["keyed"] is False
    assert joiner.put(DIAL, json={}, headers=key).json()["keyed"] is True


def test_a_path_of_places_needs_its_permission(extended: Extended, joiner: Session) -> None:
    refused(extended.session("own").get(DIAL), 403)
    refused(extended.session(None).get(DIAL), 401)
    found = joiner.options(DIAL)
    assert found.headers["Allow"] == "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert found.json()["name"] == "Dial"
    wrong = joiner.post(f"{TOY}/sites/any/rows/7/dial", json={})
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_the_document_tells_the_places(joiner: Session) -> None:
    paths = joiner.get("/api/v2/openapi.json").json()["paths"]
    dial = paths["/api/v2/toy/sites/{site}/rows/{row}/dial/"]["get"]
    assert dial["operationId"] == "toy_sites_rows_dial_get"
    places = {one["name"]: one for one in dial["parameters"] if one.get("in") == "path"}
    assert list(places) == ["site", "row"]
    assert all(one["required"] for one in places.values())
    assert places["row"]["schema"] == {
        "type": "string", "minLength": 1, "pattern": "^[0-9]+$", "description": "counted from the door",
    }  # fmt: skip
    hand = paths["/api/v2/toy/meters/{key}/dials/{dial}/hand/"]["get"]
    assert [one.get("name", one.get("$ref", "").rpartition("/")[2]) for one in hand["parameters"]] == [
        "ToyMeter.key",
        "dial",
    ]
    assert paths["/api/v2/toy/sites/{site}/"]["get"]["operationId"] == "toy_sites_by_site_get"


def test_two_names_for_the_same_paths_are_refused() -> None:
    twin = Operation(name="twin", path="meters/<meter>", verbs=("POST",))
    contract = Contract(name="toy", title="Toy", resources=(METERS,), operations=(twin,))
    with pytest.raises(ValueError, match="same paths"):
        table([contract])


# ---- what takes long ----------------------------------------------------------------------------


def reading(session: Session, takes: float) -> tuple[requests.Response, float]:
    began = time.monotonic()
    answer = session.get(f"{TOY}/sites/north/reading", params={"takes": str(takes)}, timeout=30)
    return answer, time.monotonic() - began


def test_an_operation_may_take_longer_than_a_request(joiner: Session) -> None:
    answer, took = reading(joiner, 5.5)
    assert answer.status_code == 200, answer.text
    assert took > 5.5


def test_slow_readings_leave_threads_and_workers_for_all_others(extended: Extended, joiner: Session) -> None:
    """The gateway of this platform has one process of eight threads, four of which may read for long."""
    extended.token("joiner")

    def read(_: int) -> requests.Response:
        return reading(extended.session("joiner"), 0)[0]

    def ended() -> list[requests.Response]:
        return [one.result() for one in slow if one.done()]

    with ThreadPoolExecutor(7) as pool, extended.held():
        slow = [pool.submit(read, number) for number in range(7)]
        eventually(lambda: len(ended()) >= 3)
        assert joiner.get(f"{TOY}/meters/1/").status_code == 200
        assert joiner.get("/api/v2/isp/cpes/350/").status_code == 200
        busy = ended()
        assert [one.status_code for one in busy] == [503] * 3, "the others are still being read"
    assert sorted(one.status_code for one in ended()) == [200] * 4 + [503] * 3
    for one in busy:
        assert one.json()["code"] == "busy"
        assert int(one.headers["Retry-After"]) > 0
