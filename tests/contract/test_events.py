"""The feed of events and the parked ones as clients see them, both ways of running the platform."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.servers import Server, Session

FEED = "/api/v2/isp/events/"
PARKED = "/api/v2/isp/parked-events/"


def latest(session: Session) -> str:
    return str(session.get(FEED, params={"after": "latest"}).json()["next"])


def read_until(session: Session, after: str, number: int, **narrowed: str) -> list[dict[str, Any]]:
    """So many events from the cursor on. They are numbered within moments of their commit: so those of what
    was done before may come first, unless they are narrowed to what is new."""
    end, found = time.monotonic() + 60, []
    while len(found) < number and time.monotonic() < end:
        page = session.get(FEED, params={"after": after, "limit": "3", **narrowed}).json()
        found += page["results"]
        after = page["next"]
        if not page["more"]:
            time.sleep(0.02)
    return found


def test_a_change_is_in_the_feed_once_with_what_it_was(server: Server) -> None:
    own = server.session("own")
    start = latest(own)
    made = own.post("/api/v2/isp/customers/", json={"name": "Feed", "external_id": "feed-1"})
    key = made.json()["id"]
    changed = own.patch(f"/api/v2/isp/customers/{key}/", json={"comment": "ñ ☎"})
    gone = own.delete(f"/api/v2/isp/customers/{key}/")
    events = read_until(own, start, 3, subject=f"customers/{key}")
    assert [one["type"] for one in events] == ["customer.created", "customer.updated", "customer.deleted"]
    assert [one["requestid"] for one in events] == [
        one.headers["X-Request-Id"] for one in (made, changed, gone)
    ]
    assert events[1]["data"]["changed"] == ["comment"]
    assert events[1]["data"]["comment"] == "ñ ☎"
    assert {one["realm"] for one in events} == {"pim"}
    sequence = [one["sequence"] for one in events]
    assert sequence == sorted(set(sequence))


def test_the_cursor_goes_on_where_it_was_and_the_latest_is_empty(server: Server) -> None:
    own = server.session("own")
    start = latest(own)
    keys = [own.post("/api/v2/isp/customers/", json={"name": f"Cursor {n}"}).json()["id"] for n in range(5)]
    last = {"subject": f"customers/{keys[-1]}"}
    assert len(read_until(own, start, 1, **last)) == 1  # and with it all before it
    mine, after, more = [], start, True
    while more:
        page = own.get(FEED, params={"after": after, "limit": "3", "type": "customer.created"}).json()
        mine += [one["subject"] for one in page["results"] if one["data"]["name"].startswith("Cursor ")]
        after, more = page["next"], page["more"]
    assert mine == [f"customers/{key}" for key in keys]
    later = {"after": latest(own), "type": "customer.*"}  # what else goes on may be told at any moment
    assert own.get(FEED, params=later).json()["results"] == []


def test_nothing_of_another_realm_is_in_it(server: Server) -> None:
    own, other, admin = (server.session(name) for name in ("own", "other", "admin"))
    start, theirs = latest(own), latest(other)
    key = own.post("/api/v2/isp/customers/", json={"name": "feedcanary"}).json()["id"]
    assert len(read_until(own, start, 1, subject=f"customers/{key}")) == 1
    assert len(read_until(admin, start, 1, subject=f"customers/{key}", realm="pim")) == 1
    page = other.get(FEED, params={"after": theirs})
    assert page.status_code == 200
    assert "feedcanary" not in page.text
    assert other.get(FEED, params={"after": theirs, "realm": "pim"}).json()["results"] == []
    elsewhere = {"after": start, "realm": "swt", "subject": f"customers/{key}"}
    assert admin.get(FEED, params=elsewhere).json()["results"] == []
    assert server.session("outsider").get(FEED).status_code == 403
    assert server.session(None).get(FEED).status_code == 401


def test_no_secret_is_in_it(server: Server) -> None:
    own, admin = server.session("own"), server.session("admin")
    start = latest(own)
    customer = own.post("/api/v2/isp/customers/", json={"name": "Secret"}).json()["id"]
    secrets = {"wifi_password": "sesame-wifi", "pppoe_password": "sesame-pppoe"}
    body = {"customer": customer, "model": "HG8245H", "sn": "484754430feed001", **secrets}
    cpe = own.post("/api/v2/isp/cpes/", json=body).json()["id"]
    port = own.get(f"/api/v2/isp/cpes/{cpe}/potses/").json()[0]["id"]
    own.patch(f"/api/v2/isp/potses/{port}/", json={"password": "sesame-sip", "voicemail_password": "5354"})
    assert read_until(own, start, 1, subject=f"potses/{port}", type="pots.updated")
    text = admin.get(FEED, params={"after": start, "limit": "1000"}).text
    assert f"potses/{port}" in text
    assert "sesame" not in text
    assert '"5354"' not in text


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ({"after": "nonsense"}, 400, "after"),
        ({"after": "aXNw"}, 400, "after"),
        ({"after": "aXNwOi0x"}, 400, "after"),
        ({"after": "Z3Bvbjox"}, 400, "after"),  # of another service
        ({"after": "a\0b"}, 400, "after"),
        ({"after": "é"}, 400, "after"),
        ({"type": "cpe.exploded"}, 400, "type"),
        ({"type": "*"}, 400, "type"),
        ({"subject": "a\0b"}, 400, "subject"),
        ({"after": "aXNwOjk5OTk5OTk5OTk5OQ"}, 410, "code"),
    ],
)
def test_what_is_no_cursor_or_type_is_refused(
    server: Server, query: dict[str, str], status: int, named: str
) -> None:
    answer = server.session("own").get(FEED, params=query)
    assert answer.status_code == status, answer.text
    assert named in answer.json()
    if status == 410:
        assert answer.json()["code"] == "cursor_expired"


def test_an_unknown_parameter_is_named_and_a_senseless_limit_is_the_default(server: Server) -> None:
    answer = server.session("own").get(FEED, params={"limit": "-5", "colour": "red"})
    assert answer.status_code == 200
    assert answer.headers["X-Ignored-Parameters"] == "colour"


def test_parked_events_are_for_staff(server: Server) -> None:
    for user, status in ((None, 401), ("outsider", 403), ("own", 403), ("operator", 200), ("admin", 200)):
        assert server.session(user).get(PARKED).status_code == status
    operator = server.session("operator")
    assert operator.post(f"{PARKED}999999/replay").status_code == 404
    assert operator.delete(f"{PARKED}999999").status_code == 404
