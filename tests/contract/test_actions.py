"""Actions over HTTP, both ways of running: what acts, what does not, what is answered, and when."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.isp.domain import action
from tests.contract.raw import refused
from tests.servers import Server, Session

KINDS = tuple(kind for kind in action.KINDS if kind != action.DIAGNOSTIC)
LAB = "voip"
"""A technology whose actions the lab runs."""
PING = {"diagnostic": "ping", "host": "192.0.2.1"}


@pytest.fixture
def session(server: Server) -> Session:
    return server.session("own")


Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make(session: Session) -> Iterator[Make]:
    """Makes CPEs that nothing was done to yet; they are gone afterwards, since other tests count rows."""
    customers: list[int] = []

    def made(**values: Any) -> dict[str, Any]:
        customers.append(session.post("/api/v2/isp/customers/", json={"name": "Eva"}).json()["id"])
        sn = f"HWTC{time.time_ns() % 2**32:08x}"
        body = {"customer": customers[-1], "model": "HG8245H", "tech": LAB, "sn": sn, **values}
        answer = session.post("/api/v2/isp/cpes/", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    yield made
    for one in customers:
        assert session.delete(f"/api/v2/isp/customers/{one}/").status_code == 204


@pytest.fixture
def cpe(make: Make) -> dict[str, Any]:
    return make()


def actions_of(session: Session, cpe: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.get(f"/api/v2/isp/cpes/{cpe['id']}/actions/").json()["results"]
    return found


def ended(session: Session, location: str, seconds: float = 60) -> dict[str, Any]:
    """The action once it has ended."""
    end = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = session.get(location).json()
        if found["state"] in action.ENDED:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


# ---- acting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_every_linked_action_is_done(session: Session, cpe: dict[str, Any], verb: str) -> None:
    for name, path in cpe["_links"]["actions"].items():
        query = {**PING, "wait": "30"} if verb == "GET" and name == "diagnostic" else {"wait": "30"}
        body = PING if verb == "POST" and name == "diagnostic" else None
        answer = session.request(verb, path, params=query, json=body, timeout=40)
        assert answer.status_code == 200, (path, answer.text)
        found = answer.json()
        assert (found["result"], found["action"]["state"]) == ("ok", "succeeded")
        assert answer.headers["Cache-Control"] == "no-store"
    shown = actions_of(session, cpe)
    assert [one["id"] for one in shown] == sorted((one["id"] for one in shown), reverse=True)
    assert {one["kind"] for one in shown} == set(action.KINDS)


@pytest.mark.parametrize("key", ["id", "internal_id", "external_id"])
def test_without_wait_the_answer_is_where_to_look(session: Session, make: Make, key: str) -> None:
    cpe = make(external_id=f"crm-{time.time_ns()}")
    answer = session.post(f"/api/v2/cpes/{cpe[key]}/reboot/")
    assert answer.status_code == 202
    found = answer.json()
    assert found["result"] == "ok"
    assert answer.headers["Location"] == f"/api/v2/isp/actions/{found['action']['id']}"
    shown = ended(session, answer.headers["Location"])
    assert (shown["state"], shown["cpename"], shown["requested_by"]) == ("succeeded", cpe["cpename"], "own")


@pytest.mark.parametrize("kind", action.KINDS)
def test_head_and_reading_ahead_do_not_act(session: Session, cpe: dict[str, Any], kind: str) -> None:
    path = f"/api/v2/isp/cpes/{cpe['id']}/{kind}/"
    ahead = ({"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"})
    looks = [session.get(path, params=PING, headers=headers) for headers in ahead]
    for answer in (session.head(path, params=PING), *looks):
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Cache-Control"] == "no-store"
    assert session.head("/api/v2/isp/cpes/999999/reboot").status_code == 404
    assert actions_of(session, cpe) == []


def test_equal_requests_at_once_are_one_action(server: Server, session: Session, cpe: dict[str, Any]) -> None:
    """The first goes on while the others come: it takes longer than any request may."""
    path = f"/api/v2/isp/cpes/{cpe['id']}/factory"
    faults = server.data / "lab-faults.json"
    faults.write_text(json.dumps([{"fault": "slow", "cpe": cpe["id"], "seconds": 6}]))
    try:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: server.session("own").post(path), range(6)))
        assert {one.status_code for one in answers} == {202}
        assert len({one.json()["action"]["id"] for one in answers}) == len(actions_of(session, cpe)) == 1
        assert ended(session, answers[0].headers["Location"])["state"] == "succeeded"
    finally:
        faults.unlink()


def test_an_action_is_asked_for_at_the_collection_too(session: Session, cpe: dict[str, Any]) -> None:
    body = {"cpe": cpe["cpename"], "kind": "cwmp_diagnostic", "parameters": PING, "timeout": "60"}
    answer = session.post("/api/v2/isp/actions/", params={"wait": "30"}, json=body, timeout=40)
    assert answer.status_code == 200, answer.text
    assert answer.json()["action"]["result"]["SuccessCount"] == 4
    page = session.get("/api/v2/isp/actions/", params={"cpe": cpe["id"], "state": "succeeded"}).json()
    assert page["count"] == 1


def test_cancelling_what_has_ended_is_a_conflict(session: Session, cpe: dict[str, Any]) -> None:
    answer = session.post(f"/api/v2/isp/cpes/{cpe['id']}/reboot?wait=30", timeout=40)
    id_ = answer.json()["action"]["id"]
    refused(session.post(f"/api/v2/isp/actions/{id_}/cancel"), 409)
    refused(session.post("/api/v2/isp/actions/999999/cancel"), 404)
    assert session.get(f"/api/v2/isp/actions/{id_}/cancel").status_code == 405


# ---- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", ["x", "-1", "31", "nan", "inf", ""])
def test_a_malformed_wait_is_refused_before_anything_is_done(
    session: Session, cpe: dict[str, Any], wait: str
) -> None:
    answer = session.post(f"/api/v2/isp/cpes/{cpe['id']}/reboot", params={"wait": wait})
    assert set(refused(answer)) == {"wait"}
    assert actions_of(session, cpe) == []


def test_an_unknown_action_is_refused(session: Session, cpe: dict[str, Any]) -> None:
    refused(session.post(f"/api/v2/isp/cpes/{cpe['id']}/explode"), 404)
    body = {"cpe": cpe["id"], "kind": "explode"}
    assert set(refused(session.post("/api/v2/isp/actions/", json=body))) == {"kind"}


@pytest.mark.parametrize("kind", action.KINDS)
def test_a_cpe_of_another_realm_is_not_there(server: Server, cpe: dict[str, Any], kind: str) -> None:
    other, own = server.session("other"), server.session("own")
    for key in (cpe["id"], cpe["cpename"]):
        for verb in ("GET", "POST", "HEAD"):
            answer = other.request(verb, f"/api/v2/isp/cpes/{key}/{kind}", params=PING)
            assert answer.status_code == 404
    assert other.get(f"/api/v2/isp/cpes/{cpe['id']}/actions/").status_code == 404
    assert set(refused(other.post("/api/v2/isp/actions/", json={"cpe": cpe["id"], "kind": "reboot"}))) == {
        "cpe"
    }
    assert actions_of(own, cpe) == []


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ({"bridge": True}, "reconfig", "bridge"),
        ({"bridge": True}, "cwmp_diagnostic", "bridge"),
        ({"model": "HG8010H"}, "reconfig", "no_tr069"),
        ({"model": "HG8010H"}, "cwmp_diagnostic", "no_tr069"),
        ({"line_profile": "bitstream:adamo"}, "reprovision", "bitstream"),
        ({"disable_provision": True}, "unprovision", "disable_provision"),
        ({"disable_reconfig": True}, "reconfig", "disable_reconfig"),
    ],
)
def test_what_a_device_does_not_offer_is_refused_with_the_reason(
    session: Session, make: Make, values: dict[str, Any], kind: str, reason: str
) -> None:
    cpe = make(**values)
    asked = PING if kind == "cwmp_diagnostic" else {}
    path = f"/api/v2/isp/cpes/{cpe['id']}/{kind}"
    for answer in (session.get(path, params=asked), session.post(path, json=asked)):
        found = refused(answer, 409)
        assert (found["code"], found["reason"]) == ("action_not_offered", reason)
        assert cpe["cpename"] in found["detail"]
    assert not [path for path in cpe["_links"]["actions"].values() if path.endswith(f"/{kind}")]
    assert actions_of(session, cpe) == []


@pytest.mark.parametrize(
    "body", [{}, {"diagnostic": "dance"}, {"diagnostic": "ping"}, {**PING, "host": "a b"}, {**PING, "x": 1}]
)
def test_a_malformed_diagnostic_is_refused(session: Session, cpe: dict[str, Any], body: Any) -> None:
    refused(session.post(f"/api/v2/isp/cpes/{cpe['id']}/cwmp_diagnostic", json=body))
    if "x" not in body:
        refused(session.get(f"/api/v2/isp/cpes/{cpe['id']}/cwmp_diagnostic", params=body))
    assert actions_of(session, cpe) == []


# ---- bulk -------------------------------------------------------------------------------------


def test_a_bulk_action_is_followed_to_its_end(session: Session, make: Make) -> None:
    topology = f"NAP-{time.time_ns()}"
    there = [make(topology=topology)["id"] for _ in range(3)]
    body = {"kind": "reconfig", "filter": {"topology": topology}}
    dry = session.post("/api/v2/isp/action-batches/", json={**body, "dry_run": True})
    assert (dry.status_code, dry.json()["offered"], dry.json()["ids"]) == (200, 3, there)
    answer = session.post("/api/v2/isp/action-batches/", json=body)
    assert answer.status_code == 202, answer.text
    location = answer.headers["Location"]
    end = time.monotonic() + 60
    while session.get(location).json()["states"] != {"succeeded": 3}:
        assert time.monotonic() < end, session.get(location).text
        time.sleep(0.1)
    assert {one["cpe"] for one in session.get(f"{location}/actions/").json()["results"]} == set(there)
    cancelled = session.post(f"{location}/cancel")
    assert (cancelled.status_code, cancelled.json()["states"]) == (200, {"succeeded": 3})


def test_a_bulk_action_needs_a_filter_that_is_understood(session: Session) -> None:
    for body, field in (
        ({"kind": "reboot"}, "filter"),
        ({"kind": "reboot", "filter": {"topologie": "NAP-7"}}, "topologie"),
        ({"kind": "reboot", "filter": {"tech": "gpon"}, "max": 1}, "max"),
        ({"kind": "explode", "all": True}, "kind"),
    ):
        assert set(refused(session.post("/api/v2/isp/action-batches/", json=body))) == {field}
