"""Conditional requests: nothing is sent twice, nothing is overwritten unseen (RFC 9110, section 13)."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from typing import Any

import pytest

from tests.contract.raw import refused
from tests.servers import Server, Session

THREADS = 8

READ = [
    "/api/v2/isp/cpes/350/",
    "/api/v2/isp/cpes/350/?attrs=id,cpename",
    "/api/v2/isp/cpes/74/?joins=customer,potses",
    "/api/v2/isp/cpes/?attrs=id&limit=3",
    "/api/v2/isp/cpes/74/potses/",
    "/api/v2/isp/cpes/74/customer/",
    "/api/cpes/?sn=0000deadbeef0000&limit=1",
    "/api/cpes/350/",
    "/api/customers/65/cpes/",
]

DETAILS = [
    "/api/v2/isp/customers/",
    "/api/v2/isp/cpes/",
    "/api/v2/isp/potses/",
    "/api/v2/isp/cpe-profiles/",
    "/api/v2/isp/models/",
    "/api/v2/isp/contexts/",
    "/api/v2/auth/users/",
    "/api/v2/auth/groups/",
    "/api/v2/core/realms/",
    "/api/v2/me/bookmarks/",
    "/api/customers/",
    "/api/cpes/",
    "/api/potses/",
]
"""Every collection whose rows PUT takes."""


def scratch(session: Session, name: str, **more: Any) -> str:
    """A new customer; its URL."""
    made = session.post("/api/v2/isp/customers/", json={"name": name, **more})
    assert made.status_code == 201, made.text
    return f"/api/v2/isp/customers/{made.json()['id']}/"


# ---- reads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READ)
def test_what_the_client_has_is_not_sent_again(server: Server, path: str) -> None:
    session = server.session()
    first = session.get(path)
    tag = first.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*", f'{tag} , "y"'):
        again = session.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b""), given
        assert again.headers["ETag"] == tag
        assert "Content-Type" not in again.headers
    assert session.head(path, headers={"If-None-Match": tag}).status_code == 304
    other = session.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_each_representation_has_a_tag_of_its_own(server: Server) -> None:
    session = server.session()
    queries = ("", "?attrs=id", "?attrs=id,sn", "?attrs=id&joins=customer")
    tags = [session.get(f"/api/v2/isp/cpes/350/{query}").headers["ETag"] for query in queries]
    assert len(set(tags)) == len(queries)


def test_a_tag_changes_with_the_row_and_comes_back_with_a_write(server: Server) -> None:
    session = server.session()
    path = scratch(session, "etag")
    before = session.get(path)
    written = session.patch(path, json={"comment": "new"})
    after = session.get(path)
    assert before.headers["ETag"] != after.headers["ETag"] == written.headers["ETag"]
    stale = session.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert (stale.status_code, stale.json()["comment"]) == (200, "new")


def test_the_tag_of_a_list_changes_with_a_row_in_it(server: Server) -> None:
    session = server.session()
    path = scratch(session, "etag-list", external_id="etag-list")
    query = "/api/v2/isp/customers/?external_id=etag-list"
    tag = session.get(query).headers["ETag"]
    session.patch(path, json={"comment": "new"})
    assert session.get(query, headers={"If-None-Match": tag}).status_code == 200


# ---- writes -----------------------------------------------------------------------------------


def test_a_write_with_the_present_version_is_done_and_with_an_old_one_not(server: Server) -> None:
    session = server.session()
    path = scratch(session, "if-match")
    old = session.get(path).headers["ETag"]
    first = session.patch(path, json={"comment": "first"}, headers={"If-Match": old})
    assert first.status_code == 200
    for verb in ("PATCH", "PUT", "DELETE"):
        body = None if verb == "DELETE" else {"name": "if-match", "comment": "second"}
        found = refused(session.request(verb, path, json=body, headers={"If-Match": old}), 412)
        assert found["code"] == "precondition_failed"
    assert session.get(path).json()["comment"] == "first"
    tag = first.headers["ETag"]
    listed = session.patch(path, json={"comment": "third"}, headers={"If-Match": f'{old}, {tag}, "x"'})
    assert listed.status_code == 200
    assert session.delete(path, headers={"If-Match": listed.headers["ETag"]}).status_code == 204
    assert session.get(path).status_code == 404


def test_the_tag_of_any_representation_guards_the_row(server: Server) -> None:
    session = server.session()
    path = scratch(session, "narrow")
    tag = session.get(f"{path}?attrs=id").headers["ETag"]
    assert session.patch(path, json={"comment": "a"}, headers={"If-Match": tag}).status_code == 200
    assert session.patch(path, json={"comment": "b"}, headers={"If-Match": tag}).status_code == 412


def test_if_match_any_takes_every_version_of_a_row_that_exists(server: Server) -> None:
    session = server.session()
    path = scratch(session, "any")
    for comment in ("a", "b"):
        assert session.patch(path, json={"comment": comment}, headers={"If-Match": "*"}).status_code == 200
    assert session.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert session.patch(path, json={"comment": "c"}, headers={"If-Match": "*"}).status_code in (404, 412)


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
def test_a_write_for_where_nothing_is_changes_nothing(server: Server, verb: str) -> None:
    session, headers = server.session(), {"If-None-Match": "*"}
    path = scratch(session, "there")
    body = None if verb == "DELETE" else {"name": "changed"}
    found = refused(session.request(verb, path, json=body, headers=headers), 412)
    assert found["code"] == "precondition_failed"
    assert session.get(path).json()["name"] == "there"
    gone = session.request(verb, "/api/v2/isp/customers/987654321/", json=body, headers=headers)
    assert gone.status_code == 404


def test_of_concurrent_writes_from_one_version_exactly_one_is_done(server: Server) -> None:
    """Eight threads raise a number, each from the version it read: no raise is lost."""
    session = server.session()
    path = scratch(session, "counter", comment="0")
    winners: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    gate = threading.Barrier(THREADS)

    def raise_it() -> None:
        mine = server.session()
        gate.wait(timeout=30)
        done = 0
        while done < 5:
            seen = mine.get(path)
            tag = seen.headers["ETag"]
            number = int(seen.json()["comment"]) + 1
            answer = mine.patch(path, json={"comment": str(number)}, headers={"If-Match": tag})
            statuses[answer.status_code] += 1
            if answer.status_code == 200:
                winners[tag] += 1
                done += 1

    threads = [threading.Thread(target=raise_it) for _ in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert set(statuses) == {200, 412}, statuses
    assert statuses[200] == THREADS * 5
    assert set(winners.values()) == {1}
    assert session.get(path).json()["comment"] == str(THREADS * 5)


def test_concurrent_writes_of_different_members_are_all_kept(server: Server) -> None:
    session = server.session()
    path = scratch(session, "members")
    members = ["surname", "comment", "address", "city", "country", "postalcode", "external_id", "latitude"]
    values = ["s", "c", "a", "y", "ES", "28001", "members-1", "40.1000000"]
    answers: list[int] = []

    def write(name: str, value: str) -> None:
        answers.append(server.session().patch(path, json={name: value}).status_code)

    threads = [threading.Thread(target=write, args=pair) for pair in zip(members, values, strict=True)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert answers == [200] * len(members)
    found = session.get(path).json()
    assert {name: found[name] for name in members} == dict(zip(members, values, strict=True))


# ---- what is sent back changes nothing --------------------------------------------------------


@pytest.mark.parametrize("user", ["admin", "own"])
@pytest.mark.parametrize("path", DETAILS)
def test_a_body_that_was_read_and_is_put_back_changes_nothing(server: Server, path: str, user: str) -> None:
    """For whoever may write the row; seen with and without secrets."""
    session = server.session(user)
    if "bookmarks" in path:
        session.post(path, json={"title": f"mine of {user}", "query": "a=1"})
    if "contexts" in path:
        session.post(path, json={"name": f"put-{user}", "realm": "pim"})
    listed = session.get(path, params={"attrs": "id", "limit": "1000"})
    if listed.status_code == 403:
        assert user == "own"
        assert path.startswith(("/api/v2/auth/", "/api/v2/core/"))
        return
    rows = listed.json()["results"] if "/v2/" in path else listed.json()
    assert rows
    step = max(1, len(rows) // 8)
    for row in [*rows[::step], rows[-1]]:
        one = f"{path}{row['id']}/"
        before = session.get(one)
        put = session.put(one, json=before.json())
        if put.status_code == 403:
            refused(put, 403)  # of other realms, too, or for staff only
            assert user == "own"
            continue
        assert put.status_code == 200, (one, put.text)
        after = session.get(one)
        assert before.content == put.content == after.content, one
        assert before.headers["ETag"] == after.headers["ETag"] == put.headers["ETag"]


def test_a_write_that_changes_nothing_leaves_no_trace(server: Server) -> None:
    session, admin = server.session(), server.session("admin")
    path = scratch(session, "traceless", comment="x", latitude="40.1")
    where = {"content_type": "isp | customer", "object_id": path.rstrip("/").rpartition("/")[2]}
    before, body = admin.get("/api/v2/logger/admin-logs/", params=where).json(), session.get(path).json()
    assert before["count"] == 1
    for verb, given in (
        ("PUT", body),
        ("PATCH", {}),
        ("PATCH", {"comment": "x"}),
        ("PATCH", {"latitude": 40.1}),
        ("PATCH", {"latitude": "40.10000000004"}),
        ("PATCH", {"name": "  traceless "}),
    ):
        answer = session.request(verb, path, json=given)
        assert (answer.status_code, answer.json()) == (200, body), given
    assert admin.get("/api/v2/logger/admin-logs/", params=where).json() == before


CHANGES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("cpes", {"notes": "touched"}, {"notes", "updated"}),
    ("cpes", {"access": False}, {"access", "updated", "tech_updated"}),
    ("cpes", {"latitude": "1.5"}, {"latitude", "updated"}),
    ("cpes", {"address_profile": "nat"}, {"address_profile", "updated", "tech_updated"}),
    ("cpes", {"bridge": True}, {"_links", "bridge", "is_router", "updated", "tech_updated"}),
    ("customers", {"comment": "touched"}, {"comment", "updated"}),
    ("customers", {"external_id": ""}, set()),
    ("cpe-profiles", {"label": "touched"}, {"label", "updated"}),
]


@pytest.mark.parametrize(("resource", "changes", "expected"), CHANGES)
def test_patch_touches_only_what_it_names(
    server: Server, resource: str, changes: dict[str, Any], expected: set[str]
) -> None:
    """And what follows from it: the stamps and the members that are made of it."""
    session = server.session()
    bodies: dict[str, dict[str, Any]] = {
        "customers": {"name": "patch"},
        "cpe-profiles": {"name": "patch", "downstream": "1M", "upstream": "1M"},
    }
    bodies["cpes"] = {
        "customer": int(scratch(session, "patch").rstrip("/").rpartition("/")[2]),
        "model": "HG8245H",
        "sn": f"48575443{secrets.token_hex(4)}",
    }
    made = session.post(f"/api/v2/isp/{resource}/", json=bodies[resource])
    assert made.status_code == 201, made.text
    path = f"/api/v2/isp/{resource}/{made.json()['id']}/"
    before = session.get(path).json()
    _next_second()
    written = session.patch(path, json=changes)
    after = session.get(path).json()
    assert written.status_code == 200
    assert written.json() == after
    assert {name for name in before if before[name] != after[name]} == expected


def _next_second() -> None:
    """Stamps have whole seconds."""
    time.sleep(1 - time.time() % 1 + 0.01)
