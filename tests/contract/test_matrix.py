"""Every route × verb × user, generated from the route table: who gets in, and what leaks.

`own` works in realm pim, `other` in realm swt: nothing of pim may reach him, in any body, count,
join, export or error text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.accounts.contract import CONTRACTS
from gateway.dispatch import allowed
from gateway.principal import Principal
from gateway.routes import PLACE, Action, Route, discovered, table
from tests.servers import GROUPS, Server, Session

ROUTES = table([*CONTRACTS, *discovered()])
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
USERS = (None, "outsider", "other", "own", "operator", "admin")
MARK = "pimcanary"
"""Stands in every text of the rows of realm pim that this test makes."""


@pytest.fixture(scope="session", params=["embedded", "real"])
def canary(request: pytest.FixtureRequest) -> tuple[Server, dict[str, Any]]:
    """Rows of realm pim, one of each resource that has realms: name of the resource → its key."""
    server: Server = request.getfixturevalue(request.param)
    session = server.session("own")
    keys: dict[str, Any] = {}

    def make(resource: str, body: dict[str, Any]) -> Any:
        answer = session.post(f"/api/v2/isp/{resource}/", json=body)
        assert answer.status_code == 201, (resource, answer.text)
        keys[resource] = answer.json()["id"]
        return keys[resource]

    customer = make("customers", {"name": MARK, "external_id": f"{MARK}-c"})
    profile = make("cpe-profiles", {"name": MARK, "downstream": "1M", "upstream": "1M"})
    make("contexts", {"name": MARK})
    body = {"customer": customer, "model": "HG8245H", "sn": "484754430badcafe", "profile": profile}
    make("cpes", {**body, "notes": MARK, "external_id": f"{MARK}-d"})
    port = session.get(f"/api/v2/isp/cpes/{keys['cpes']}/potses/").json()[0]["id"]
    keys["potses"] = port
    session.patch(f"/api/v2/isp/potses/{port}/", json={"label": MARK, "cli": "916000777"})
    return server, keys


def cells() -> Iterator[tuple[Route, str]]:
    for route in ROUTES:
        for verb in VERBS:
            yield route, verb


@pytest.mark.parametrize("user", USERS, ids=str)
def test_each_cell_answers_as_the_table_says(canary: tuple[Server, dict[str, Any]], user: str | None) -> None:
    server, keys = canary
    session = server.session(user)
    principal = _principal(session) if user else None
    wrong: list[str] = []
    tried = 0
    for route, verb in cells():
        status, text = _try(session, route, verb, keys, user)
        tried += 1
        expected = _expected(route, verb, principal)
        if status not in expected:
            wrong.append(
                f"{verb} {route.rule} as {user}: {status}, expected {sorted(expected)}: {text[:200]}"
            )
        if status >= 500:
            wrong.append(f"{verb} {route.rule} as {user}: {status}")
        if user in (None, "outsider", "other") and MARK in text:
            wrong.append(f"{verb} {route.rule} as {user} leaks: {text[:300]}")
    assert tried == len(ROUTES) * len(VERBS)
    assert not wrong, "\n".join(wrong[:40])


def test_rows_of_another_realm_do_not_exist(canary: tuple[Server, dict[str, Any]]) -> None:
    server, keys = canary
    other = server.session("other")
    for resource, key in keys.items():
        for path in (f"/api/v2/isp/{resource}/{key}/", f"/api/v2/isp/{resource}/{key}"):
            for verb in ("GET", "PUT", "PATCH", "DELETE"):
                answer = other.request(verb, path, json={})
                assert answer.status_code in (404, 405), (verb, path, answer.text)
                assert MARK not in answer.text
        filters: dict[str, Any] = {"id": key, "search": MARK, "external_id__startswith": MARK, "name": MARK}
        for name, value in filters.items():
            page = other.get(f"/api/v2/isp/{resource}/", params={name: str(value), "limit": "1000"})
            assert MARK not in page.text
            if name in ("id", "search"):
                assert page.json()["count"] == 0
    for kind in ("csv", "ndjson"):
        for resource in keys:
            assert MARK not in other.get(f"/api/v2/isp/{resource}/", params={"format": kind}).text
    assert other.get(f"/api/v2/isp/cpes/{MARK}-d/").status_code == 404
    refused = other.post("/api/v2/isp/cpes/", json={"customer": keys["customers"], "model": "HG8245H"})
    assert refused.status_code == 400
    assert refused.json()["customer"] == [f'Invalid pk "{keys["customers"]}" - object does not exist.']
    bulk = other.patch(
        "/api/v2/isp/cpes/bulk/", json={"ids": [keys["cpes"]], "changes": {"notes": "x", "access": False}}
    )
    assert bulk.json()["updated"] == 0
    assert server.session("own").get(f"/api/v2/isp/cpes/{keys['cpes']}/").json()["notes"] == MARK


def test_counts_and_logs_show_one_realm_only(canary: tuple[Server, dict[str, Any]]) -> None:
    server, _ = canary
    other, own, admin = (server.session(name) for name in ("other", "own", "admin"))
    for resource in ("cpes", "customers", "potses", "contexts"):
        counts = [
            one.get(f"/api/v2/isp/{resource}/", params={"limit": "1", "attrs": "id"}).json()["count"]
            for one in (other, own, admin)
        ]
        assert counts[2] >= counts[0] + counts[1]
        realms = {
            row["realm"]
            for row in other.get(f"/api/v2/isp/{resource}/", params={"limit": 1000}).json()["results"]
        }
        assert realms <= {"swt"}
    assert MARK not in other.get("/api/v2/logger/admin-logs/", params={"limit": 1000}).text
    logged = other.get("/api/v2/logger/api-request-logs/", params={"limit": 1000}).json()["results"]
    users = admin.get("/api/v2/auth/users/", params={"limit": 1000}).json()["results"]
    theirs = {one["username"] for one in users if one["realms"] == ["swt"]}  # other tests make some
    assert {row["user"] for row in logged} <= theirs


def _principal(session: Session) -> Principal:
    """The user as the server describes him."""
    me = session.get("/api/v2/me/").json()
    rights = session.get("/api/v2/me/permissions/").json()
    return Principal(
        me["id"],
        me["username"],
        is_staff=me["is_staff"],
        is_superuser=me["is_superuser"],
        realms=frozenset(rights["realms"]),
        permissions=frozenset(rights["permissions"]),
        groups=frozenset(me["groups"]),
    )


def _expected(route: Route, verb: str, principal: Principal | None) -> set[int]:
    action: Action | None = route.actions.get("GET" if verb == "HEAD" else verb)
    if action is not None and action.anonymous:
        return {200, 302, 400, 401, 404, 405, 429}
    if route.anonymous:
        return {200} if verb == "OPTIONS" else {405}
    if principal is None:
        return {401}
    if verb == "OPTIONS":
        return {200, 403}
    if action is None:
        return {405}
    if not allowed(action, principal):
        return {403}
    fine = {200, 201, 202, 204, 400, 404, 409, 415}
    return fine | {403}  # a row that others use too, a grant that one does not have


def _try(
    session: Session, route: Route, verb: str, keys: dict[str, Any], user: str | None
) -> tuple[int, str]:
    """One request that changes nothing of note: no row is named that `user` could delete or change for
    good.
    """
    action = route.actions.get("GET" if verb == "HEAD" else verb)
    resource = next(iter(route.actions.values())).resource
    key = keys.get(resource.name, 999_999) if resource is not None else 999_999
    if user in ("own", "operator", "admin") and verb in ("PUT", "PATCH", "DELETE", "POST"):
        key = 999_999
    path = PLACE.sub("999999", route.rule.replace("<key>", str(key)))
    body: Any = {} if verb in ("POST", "PUT", "PATCH") else None
    if action is not None and action.kind == "bulk_delete":
        body = {"ids": []}
    if action is not None and action.kind == "operation" and action.contract.name in ("auth", "me"):
        body = {"refresh": "x"} if verb != "GET" else None
    headers = {"Content-Type": "application/json"} if body is not None else {}
    answer = session.request(verb, path, data=json.dumps(body) if body is not None else None, headers=headers)
    return answer.status_code, answer.text


assert len(GROUPS) == 2
