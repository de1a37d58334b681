"""`Idempotency-Key` and `?upsert=` over HTTP, in both modes: one effect, the same bytes, whoever repeats."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.contract.raw import refused
from tests.servers import PASSWORD, PATIENCE, Server, Session

CUSTOMERS = "/api/v2/isp/customers/"
SAME = ("ETag", "Location", "Content-Type", "Content-Length", "Allow")


def fresh(prefix: str = "key") -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


def send(session: Session, verb: str, path: str, key: str | None = None, **more: Any) -> requests.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return session.request(verb, path, headers=headers | more.pop("headers", {}), **more)


def thrice(session: Session, verb: str, path: str, key: str | None = None, **more: Any) -> requests.Response:
    """The first answer to a request that is sent three times with one key; the others must be the same."""
    key = key or fresh()
    first = send(session, verb, path, key, **more)
    assert first.ok, first.text
    assert "Idempotency-Replayed" not in first.headers
    for _ in range(2):
        again = send(session, verb, path, key, **more)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotency-Replayed"] == "true"
        for name in SAME:
            assert again.headers.get(name) == first.headers.get(name), name
    return first


def named(session: Session, name: str) -> list[dict[str, Any]]:
    rows = session.get(CUSTOMERS, params={"name": name}).json()["results"]
    assert isinstance(rows, list)
    return rows


# ---- every way of writing ---------------------------------------------------------------------


def test_create_change_and_delete_are_done_once_each(server: Server) -> None:
    session, name = server.session(), fresh("once")
    made = thrice(session, "POST", CUSTOMERS, json={"name": name})
    assert made.status_code == 201
    (row,) = named(session, name)
    path = made.headers["Location"]
    assert path == f"{CUSTOMERS}{row['id']}"
    patched = thrice(session, "PATCH", path, json={"surname": "B"})
    assert (patched.status_code, patched.json()["surname"]) == (200, "B")
    put = thrice(session, "PUT", path, json={"name": name, "surname": "C"})
    assert (put.status_code, put.json()["surname"]) == (200, "C")
    assert put.headers["ETag"].startswith('"3-')
    gone = thrice(session, "DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert send(session, "DELETE", path, fresh()).status_code == 404


def test_lists_are_written_once(server: Server) -> None:
    session, name = server.session(), fresh("bulk")
    items = [{"name": name}, {"surname": "no name"}, {"name": name}]
    made = thrice(session, "POST", f"{CUSTOMERS}bulk/", json={"items": items})
    assert (made.json()["created"], len(named(session, name))) == (2, 2)
    bare = thrice(session, "POST", CUSTOMERS, json=[{"name": name}])
    assert (bare.json()["created"], len(named(session, name))) == (1, 3)
    ids = [row["id"] for row in named(session, name)]
    changed = thrice(session, "PATCH", f"{CUSTOMERS}bulk/", json={"ids": ids, "changes": {"surname": "B"}})
    assert changed.json()["updated"] == 3
    gone = thrice(session, "DELETE", f"{CUSTOMERS}bulk/", json={"ids": ids})
    assert (gone.json()["deleted"], named(session, name)) == (3, [])


def test_v1_and_the_address_without_an_app_do_the_same(server: Server) -> None:
    session = server.session()
    for base in ("/api/customers/", "/api/v2/customers", "/api/customers"):
        name = fresh("v1")
        made = thrice(session, "POST", base, json={"name": name})
        assert made.status_code == 201
        path = made.headers["Location"]
        assert thrice(session, "PATCH", path, data={"surname": "B"}).json()["surname"] == "B"
        assert len(named(session, name)) == 1
        assert thrice(session, "DELETE", path).status_code == 204


def test_the_gateways_own_apps_remember_too(server: Server) -> None:
    admin, own = server.session("admin"), server.session("own")
    realm = fresh("r")[:20]
    made = thrice(admin, "POST", "/api/v2/core/realms/", json={"name": realm})
    assert made.status_code == 201
    assert thrice(admin, "DELETE", f"/api/v2/core/realms/{made.json()['id']}/").status_code == 204
    bookmark = {"title": fresh(), "query": "limit=1", "view": "cpes"}
    thrice(own, "POST", "/api/v2/me/bookmarks/", json=bookmark)
    assert len(own.get("/api/v2/me/bookmarks/", params=bookmark).json()["results"]) == 1
    assert thrice(own, "PATCH", "/api/v2/me/", json={"first_name": "Ana"}).json()["first_name"] == "Ana"
    before = own.get("/api/v2/me/settings/").json()["version"]
    saved = thrice(own, "PUT", "/api/v2/me/settings/", json={"settings": {"a": 1}})
    assert saved.json()["version"] == before + 1
    users = {"username": fresh("u")[:30], "password": PASSWORD, "realms": ["pim"]}
    user = thrice(admin, "POST", "/api/v2/auth/users/", json=users).json()
    other = {"password": f"{PASSWORD}-b"}
    assert thrice(admin, "POST", f"/api/v2/auth/users/{user['id']}/set_password/", json=other).ok


def test_a_token_is_made_once_and_works_and_its_key_is_not_kept(server: Server) -> None:
    own, name = server.session("own"), fresh("token")
    made = thrice(own, "POST", "/api/v2/me/tokens/", json={"name": name})
    token = made.json()["token"]
    assert (made.status_code, len(token)) == (201, 40)
    answer = requests.get(
        f"{server.url}/api/v2/me/", headers={"Authorization": f"Token {token}"}, timeout=PATIENCE
    )
    assert answer.json()["username"] == "own"
    assert thrice(own, "POST", "/api/v2/me/tokens/", json={"name": name}).json()["token"] != token


def test_an_import_is_named_after_its_key(server: Server) -> None:
    session, name = server.session(), fresh("import")
    for key in (fresh(), fresh("x" * 100)):
        answers = [
            send(
                session,
                "POST",
                f"{CUSTOMERS}import/",
                key,
                data=f'{{"name":"{name}"}}\n',
                headers={"Content-Type": "application/x-ndjson"},
            )
            for _ in range(3)
        ]
        assert {one.content for one in answers} == {answers[0].content}
        assert answers[0].json()["created"] == 1
    assert len(named(session, name)) == 2


# ---- what the key means -----------------------------------------------------------------------


def test_another_request_with_the_key_is_refused(server: Server) -> None:
    session, name, key = server.session(), fresh("other"), fresh()
    made = send(session, "POST", CUSTOMERS, key, json={"name": name})
    path = made.headers["Location"]
    for verb, where, body in (
        ("POST", CUSTOMERS, {"name": f"{name}x"}),
        ("POST", f"{CUSTOMERS}?attrs=id", {"name": name}),
        ("PATCH", path, {"name": name}),
        ("DELETE", path, None),
        ("POST", f"{CUSTOMERS}bulk/", {"items": [{"name": name}]}),
    ):
        assert refused(send(session, verb, where, key, json=body), 422)["code"] == "idempotency_key_reused"
    assert len(named(session, name)) == 1


def test_how_the_same_values_are_written_does_not_matter(server: Server) -> None:
    session, name, key = server.session(), fresh("form"), fresh()
    first = send(session, "POST", CUSTOMERS, key, data={"name": name, "surname": "B"})
    texts = (f'{{"surname" : "B",\n "name": "{name}"}}', f'{{"name":"{name}","surname":"B"}}')
    for text in texts:
        again = send(session, "POST", CUSTOMERS, key, data=text, headers={"Content-Type": "application/json"})
        assert (again.status_code, again.content) == (201, first.content)
    assert len(named(session, name)) == 1


def test_another_user_with_the_same_key_is_another_request(server: Server) -> None:
    key, name = fresh(), fresh("users")
    answers = [
        send(server.session(user), "POST", CUSTOMERS, key, json={"name": f"{name}-{user}"})
        for user in ("own", "other")
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert [one.json()["realm"] for one in answers] == ["pim", "swt"]


@pytest.mark.parametrize("key", ["", "x" * 256, "clé", "a\tb"])
def test_a_key_that_is_none_is_refused_by_name(server: Server, key: str) -> None:
    session, name = server.session(), fresh("bad")
    headers = {"Idempotency-Key": key.encode("latin-1")}
    for path, body in ((CUSTOMERS, {"name": name}), (f"{CUSTOMERS}bulk/", {"items": [{"name": name}]})):
        answer = session.request("POST", path, json=body, headers=headers)
        assert "Idempotency-Key" in refused(answer)
    assert named(session, name) == []
    longest = send(session, "POST", CUSTOMERS, f"{fresh()}{'y' * 255}"[:255], json={"name": name})
    assert longest.status_code == 201


def test_a_refused_request_may_be_mended_and_sent_again(server: Server) -> None:
    session, name, key = server.session(), fresh("mended"), fresh()
    refused(send(session, "POST", CUSTOMERS, key, json={"name": name, "realm": "nowhere"}))
    assert thrice(session, "POST", CUSTOMERS, key, json={"name": name}).status_code == 201


def test_a_dry_run_leaves_the_key_free(server: Server) -> None:
    session, name, key = server.session(), fresh("dry"), fresh()
    body = {"items": [{"name": name}]}
    dry = send(session, "POST", f"{CUSTOMERS}bulk/?dry_run=true", key, json=body)
    assert dry.json()["dry_run"] is True
    assert thrice(session, "POST", f"{CUSTOMERS}bulk/", key, json=body).json()["created"] == 1


def test_the_version_that_a_write_demands_is_not_asked_of_its_repetition(server: Server) -> None:
    session = server.session()
    made = session.post(CUSTOMERS, json={"name": fresh("if-match")})
    tag = {"If-Match": made.headers["ETag"]}
    thrice(session, "PATCH", made.headers["Location"], json={"surname": "B"}, headers=tag)


def test_a_right_that_was_taken_away_is_not_given_by_a_repetition(server: Server) -> None:
    """And a read takes no notice of a key."""
    key = fresh()
    body = {"name": fresh("rights")}
    assert send(server.session("own"), "POST", CUSTOMERS, key, json=body).status_code == 201
    refused(send(server.session("outsider"), "POST", CUSTOMERS, key, json=body), 403)
    answers = [send(server.session(), "GET", CUSTOMERS, key, params={"limit": n}) for n in (1, 2)]
    assert [one.status_code for one in answers] == [200, 200]


def test_of_many_at_once_one_is_done(server: Server) -> None:
    """The others are told to wait, or get its answer."""
    server.token()
    for _ in range(3):
        name, key, gate = fresh("race"), fresh(), threading.Barrier(6)

        def one(name: str = name, key: str = key, gate: threading.Barrier = gate) -> requests.Response:
            session = server.session()
            gate.wait(60)
            return send(session, "POST", CUSTOMERS, key, json={"name": name})

        with ThreadPoolExecutor(6) as pool:
            answers = [future.result(60) for future in [pool.submit(one) for _ in range(6)]]
        done = [answer for answer in answers if answer.status_code == 201]
        assert {answer.content for answer in done} == {done[0].content}
        assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1
        for answer in answers:
            if answer.status_code != 201:
                assert refused(answer, 409)["code"] == "idempotency_key_in_use"
        assert len(named(server.session(), name)) == 1


# ---- upsert -----------------------------------------------------------------------------------


def test_upsert_makes_and_then_changes(server: Server) -> None:
    session, key = server.session(), fresh("crm")
    path = f"{CUSTOMERS}?upsert=external_id"
    body = {"name": "Ana", "external_id": key}
    made = thrice(session, "POST", path, json=body)
    assert (made.status_code, made.headers["Location"]) == (201, f"{CUSTOMERS}{made.json()['id']}")
    same = session.post(path, json=body)
    assert (same.status_code, same.content, same.headers["ETag"]) == (200, made.content, made.headers["ETag"])
    assert "Location" not in same.headers
    changed = thrice(session, "POST", path, json={"external_id": key, "surname": "B"})
    assert (changed.status_code, changed.json()["id"]) == (200, made.json()["id"])
    assert session.get(f"{CUSTOMERS}{key}/").json()["surname"] == "B"


def test_upsert_of_cpes_and_of_lists(server: Server) -> None:
    session, key = server.session(), fresh("crm")
    customer = session.post(CUSTOMERS, json={"name": "Ana"}).json()["id"]
    body = {"customer": customer, "model": "HG8245H", "external_id": key, "sn": f"48575443{key[-8:]}"}
    path = "/api/v2/isp/cpes/?upsert=external_id"
    assert thrice(session, "POST", path, json=body).status_code == 201
    assert thrice(session, "POST", path, json={**body, "access": False}).json()["access"] is False
    items = [{"external_id": key, "notes": "n", "realm": "pim"}, {"external_id": key, "customer": 0}]
    several = thrice(session, "POST", "/api/v2/isp/cpes/bulk/?upsert=external_id", json={"items": items})
    found = several.json()
    assert (found["created"], found["updated"]) == (0, 1)
    assert [one["status"] for one in found["results"]] == [200, 400]
    bare = session.post(f"{CUSTOMERS}?upsert=external_id", json=[{"external_id": fresh(), "name": "Eva"}])
    assert (bare.json()["created"], bare.json()["updated"]) == (1, 0)


def test_a_row_of_another_realm_is_neither_touched_nor_told_of(server: Server) -> None:
    key, path = fresh("crm"), f"{CUSTOMERS}?upsert=external_id"
    mine = server.session("own").post(path, json={"name": "Ana", "external_id": key})
    theirs = server.session("other").post(path, json={"name": "Eva", "external_id": key})
    assert (mine.status_code, theirs.status_code) == (201, 201)
    body = {"external_id": key, "name": "X", "realm": "pim"}
    assert refused(server.session("other").post(path, json=body)) == {
        "realm": ['Invalid pk "pim" - object does not exist.']
    }
    assert server.session("own").get(mine.headers["Location"]).json()["name"] == "Ana"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{CUSTOMERS}?upsert=name", {"name": "x"}),
        (f"{CUSTOMERS}?upsert=", {"name": "x"}),
        (f"{CUSTOMERS}?upsert=external_id&upsert=id", {"name": "x"}),
        (f"{CUSTOMERS}bulk/?upsert=true", {"items": []}),
        ("/api/v2/isp/contexts/?upsert=external_id", {"name": "x"}),
        ("/api/v2/isp/cpe-profiles/bulk/?upsert=name", {"items": []}),
    ],
)
def test_any_other_upsert_is_refused(server: Server, path: str, body: Any) -> None:
    assert set(refused(server.session().post(path, json=body))) == {"upsert"}


def test_upsert_stays_unknown_to_other_bulk_writes(server: Server) -> None:
    path = f"{CUSTOMERS}bulk/?upsert=external_id"
    assert set(refused(server.session().patch(path, json={"items": []}))) == {"upsert"}


def test_upsert_needs_the_right_to_change_too(server: Server) -> None:
    admin = server.session("admin")
    listed = admin.get("/api/v2/auth/permissions/", params={"codename": "add_customer,view_customer"})
    permissions = [one["id"] for one in listed.json()["results"]]
    assert len(permissions) == 2
    # How many blanks there are does not matter, and this name is nobody else's.
    name = f"APP:{' ' * 4}isp"
    group = admin.post("/api/v2/auth/groups/", json={"name": name, "permissions": permissions}).json()
    user = {"username": fresh("adder")[:30], "password": PASSWORD, "realms": ["pim"], "groups": [group["id"]]}
    made = admin.post("/api/v2/auth/users/", json=user)
    assert made.status_code == 201, made.text
    session, body = server.session(made.json()["username"]), {"name": "Ana", "external_id": fresh("crm")}
    for path in (CUSTOMERS, f"{CUSTOMERS}bulk/", "/api/customers/"):
        given = {"items": [body]} if "bulk" in path else body
        refused(session.post(f"{path}?upsert=external_id", json=given), 403)
    assert session.post(CUSTOMERS, json=body).status_code == 201
    admin.delete(f"/api/v2/auth/users/{made.json()['id']}/")
    assert admin.delete(f"/api/v2/auth/groups/{group['id']}/").status_code == 204
