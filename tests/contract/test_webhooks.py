"""Webhooks over HTTP, on the platform both ways: a CRM that subscribes, is told, rotates and replays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.raw import refused
from tests.receiver import Received, Receiver
from tests.servers import Server, Session

HOOKS = "/api/v2/isp/webhooks/"
LOG = "/api/v2/isp/webhook-deliveries/"

Json = dict[str, Any]


@pytest.fixture
def own(server: Server) -> Session:
    return server.session("own")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def webhook(own: Session, receiver: Receiver) -> Iterator[Json]:
    """For what happens to CPEs of the caller's realm."""
    answer = own.post(HOOKS, json={"url": receiver.url, "types": ["cpe.*"], "description": "CRM"})
    assert answer.status_code == 201, answer.text
    yield answer.json()
    own.delete(f"{HOOKS}{answer.json()['id']}/")


def change(session: Session) -> tuple[int, str]:
    """PATCH a CPE: (its id, the request's id)."""
    cpe = session.get("/api/v2/isp/cpes/", params={"limit": "1", "sort": "id"}).json()["results"][0]["id"]
    answer = session.patch(f"/api/v2/isp/cpes/{cpe}/", json={"notes": f"at {time.time_ns()}"})
    assert answer.status_code == 200, answer.text
    return cpe, answer.headers["X-Request-Id"]


def told(receiver: Receiver, request: str, number: int = 1) -> list[Received]:
    """What was taken of the events of one request, once there is so much. Other things happen, too: a CPE
    may expire while a test runs."""
    ends = time.monotonic() + 60
    while True:
        found = [one for one in receiver.taken if one.event.get("requestid") == request]
        if len(found) >= number:
            return found
        assert time.monotonic() < ends, f"{len(found)} of {number}"
        time.sleep(0.02)


def pinged(receiver: Receiver) -> Received:
    """The first ping."""
    ends = time.monotonic() + 60
    while True:
        for one in list(receiver.taken):
            if one.event["type"] == "webhook.ping":
                return one
        assert time.monotonic() < ends, receiver.taken
        time.sleep(0.02)


def logged(session: Session, webhook: Json, state: str, event: str | None = None) -> Json:
    """The newest of the webhook's deliveries in this state, or that of one event."""
    ends = time.monotonic() + 60
    parameters = {"state": state, **({"event": event} if event else {})}
    while True:
        answer = session.get(f"{HOOKS}{webhook['id']}/deliveries/", params=parameters)
        assert answer.status_code == 200, answer.text
        if answer.json()["results"]:
            return answer.json()["results"][0]
        assert time.monotonic() < ends, session.get(f"{HOOKS}{webhook['id']}/deliveries/").text
        time.sleep(0.05)


def test_a_change_arrives_signed_and_is_in_the_log(own: Session, webhook: Json, receiver: Receiver) -> None:
    cpe, request = change(own)
    (one,) = told(receiver, request)
    event = one.verify(webhook["secret"])
    assert (event["type"], event["subject"], event["realm"]) == ("cpe.updated", f"cpes/{cpe}", "pim")
    assert event["requestid"] == request
    assert event["data"]["changed"] == ["notes"]
    delivery = logged(own, webhook, "delivered", one.id)
    assert (delivery["status"], delivery["attempts"], delivery["type"]) == (204, 1, "cpe.updated")
    found = own.get(LOG, params={"webhook": webhook["id"], "event": one.id}).json()
    assert found["results"] == [delivery]
    assert own.get(f"{LOG}{delivery['id']}/").json() == delivery


def test_the_secret_is_shown_once(server: Server, own: Session, webhook: Json, receiver: Receiver) -> None:
    assert webhook["secret"].startswith("whsec_")
    path = f"{HOOKS}{webhook['id']}/"
    fresh = own.post(f"{path}rotate_secret/").json()["secret"]
    (one,) = told(receiver, change(own)[1])
    one.verify(fresh)
    one.verify(webhook["secret"])
    admin = server.session("admin")
    for session in (own, admin):
        shown = [session.get(path).text, session.get(HOOKS).text, session.get(f"{path}logs/").text]
        shown += [
            session.get(HOOKS, params={"format": kind, "attrs": "id,secret"}).text
            for kind in ("csv", "ndjson")
        ]
        shown += [session.patch(path, json={"description": "x"}).text]
        shown += [session.get(f"/api/v2/logger/{name}/").text for name in ("admin-logs", "api-request-logs")]
        for secret in (fresh, webhook["secret"]):
            assert not any(secret in text for text in shown)
    assert fresh not in server.logs()


def test_a_ping_and_a_replay(own: Session, webhook: Json, receiver: Receiver) -> None:
    path = f"{HOOKS}{webhook['id']}/"
    answer = own.post(f"{path}ping/")
    assert answer.status_code == 202
    ping = pinged(receiver)
    ping.verify(webhook["secret"])
    assert logged(own, webhook, "delivered", ping.id)["id"] == answer.json()["delivery"]
    _, request = change(own)
    (first,) = told(receiver, request)
    delivery = logged(own, webhook, "delivered", first.id)
    replayed = own.post(f"{path}replay/", json={"deliveries": [delivery["id"]]})
    assert replayed.json() == {"replayed": 1}
    first, again = told(receiver, request, 2)
    assert (again.id, again.body) == (first.id, first.body)
    logged(own, webhook, "delivered", first.id)
    assert own.post(f"{path}replay/", json={"failed": True}).json() == {"replayed": 0}
    refused(own.post(f"{path}replay/", json={"deliveries": [999_999_999]}))
    refused(own.post(f"{path}replay/", json={"everything": True}))


def test_a_name_is_looked_up(own: Session, webhook: Json, receiver: Receiver) -> None:
    path, url = f"{HOOKS}{webhook['id']}/", receiver.url.replace("127.0.0.1", "localhost")
    assert own.patch(path, json={"url": url}).status_code == 200
    own.post(f"{path}ping/")
    assert pinged(receiver).headers["host"].startswith("localhost:")


def test_a_receiver_that_is_gone_is_disabled_and_can_be_enabled(
    own: Session, webhook: Json, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (410, {})
    change(own)
    path = f"{HOOKS}{webhook['id']}/"
    failed = logged(own, webhook, "failed")
    assert failed["status"] == 410
    shown = own.get(path).json()
    assert (shown["active"], shown["disabled_reason"]) == (False, "The receiver answered 410: it is gone.")
    receiver.answer = lambda _: (200, {})
    _, request = change(own)
    answer = own.patch(path, json={"active": True}, headers={"If-Match": own.get(path).headers["ETag"]})
    assert (answer.status_code, answer.json()["disabled_reason"]) == (200, None)
    told(receiver, request)
    assert own.post(f"{path}replay/", json={"failed": True}).json()["replayed"] >= 1
    logged(own, webhook, "delivered", failed["event"])
    assert failed["event"] in {one.id for one in receiver.taken}


def test_another_realm_sees_and_gets_nothing(
    server: Server, own: Session, webhook: Json, receiver: Receiver
) -> None:
    other = server.session("other")
    path = f"{HOOKS}{webhook['id']}/"
    (one,) = told(receiver, change(own)[1])
    delivery = logged(own, webhook, "delivered", one.id)
    for below in (path, f"{path}deliveries/", f"{path}logs/", f"{LOG}{delivery['id']}/"):
        assert other.get(below).status_code == 404, below
    for name in ("rotate_secret", "ping", "replay"):
        assert other.post(f"{path}{name}/", json={"failed": True}).status_code == 404
    assert other.patch(path, json={"active": False}).status_code == 404
    assert other.delete(path).status_code == 404
    assert other.get(LOG).json()["count"] == 0
    assert webhook["url"] not in other.get(HOOKS).text
    with Receiver() as theirs:
        made = other.post(HOOKS, json={"url": theirs.url, "types": ["cpe.*"]}).json()
        assert made["realm"] == "swt"
        told(receiver, change(own)[1])
        other.post(f"{HOOKS}{made['id']}/ping/")
        pinged(theirs)
        assert {one.event["realm"] for one in theirs.asked} == {"swt"}
        other.delete(f"{HOOKS}{made['id']}/")


@pytest.mark.parametrize(
    "url",
    [
        None, "", 7, [], "not a url", "example.com", "ftp://example.com/", "https://", "http://[::1",
        "https://x y/", "https://[fd00::1]/",
        "https://user:secret@example.com/", "https://example.com/#x", "https://example.com:0/",
        "https://10.0.0.1/", "https://169.254.169.254/latest/", "https://[::ffff:10.0.0.1]/", "https://2130706433/",
        "https://example.com/" + "a" * 2048, "https://example.com/\u0000",
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_a_clear_error(own: Session, url: Any) -> None:
    errors = refused(own.post(HOOKS, json={"url": url}))
    assert list(errors) == ["url"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("types", ["cpe.exploded"]), ("types", ["*"]), ("types", "nothing.*"), ("types", [[]]), ("types", 7),
        ("secret", "whsec_x"), ("secret", "x"), ("secret", 7), ("realm", "swt"), ("active", "perhaps"),
    ],
)  # fmt: skip
def test_each_member_that_is_wrong_is_named(
    own: Session, receiver: Receiver, member: str, value: Any
) -> None:
    assert list(refused(own.post(HOOKS, json={"url": receiver.url, member: value}))) == [member]


def test_who_has_no_permission_makes_none(server: Server, receiver: Receiver) -> None:
    assert server.session("outsider").post(HOOKS, json={"url": receiver.url}).status_code == 403
    assert server.session(None).post(HOOKS, json={"url": receiver.url}).status_code == 401
