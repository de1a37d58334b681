"""A join shows what the user may see by itself, and nothing else, on every path that takes joins."""

from __future__ import annotations

import secrets

import pytest

from tests.contract.raw import refused
from tests.servers import PASSWORD, Server, Session

CPES, CUSTOMERS = "/api/v2/isp/cpes/", "/api/v2/isp/customers/"


def made(server: Server, group: str, *rights: str) -> Session:
    """A user with these rights in isp; the name of the group lets him in like `APP: isp`."""
    admin = server.session("admin")
    found = admin.get("/api/v2/auth/permissions/", params={"app": "isp", "limit": "1000"}).json()["results"]
    granted = [one["id"] for one in found if one["codename"] in rights]
    assert len(granted) == len(rights)
    answer = admin.post("/api/v2/auth/groups/", json={"name": group, "permissions": granted})
    assert answer.status_code == 201, answer.text
    name = f"narrow{secrets.token_hex(3)}"
    user = {"username": name, "password": PASSWORD, "realms": ["pim"], "groups": [answer.json()["id"]]}
    assert admin.post("/api/v2/auth/users/", json=user).status_code == 201
    return server.session(name)


@pytest.fixture(scope="module", params=["embedded", "real"])
def narrow(request: pytest.FixtureRequest) -> Session:
    """A user who sees and changes CPEs, and sees neither customers nor telephone ports."""
    server: Server = request.getfixturevalue(request.param)
    return made(server, "APP:  isp", "view_cpe", "change_cpe", "view_cpeprofile", "view_cpemodel")


READS = {
    "list": f"{CPES}?id=350",
    "cursor": f"{CPES}?id=350&cursor=",
    "detail": f"{CPES}350/?",
    "NDJSON": f"{CPES}?id=350&format=ndjson",
    "CSV": f"{CPES}?id=350&format=csv",
    "v1 list": "/api/cpes/?id=350",
    "v1 slice": "/api/cpes/?id=350&limit=1",
    "v1 NDJSON": "/api/cpes/?id=350&format=ndjson",
    "v1 detail": "/api/cpes/350/?",
}


@pytest.mark.parametrize("path", READS.values(), ids=READS)
@pytest.mark.parametrize("joins", ["customer", "potses", "model,customer"])
def test_no_read_joins_what_the_user_may_not_see(narrow: Session, path: str, joins: str) -> None:
    assert narrow.get(path).status_code == 200
    assert refused(narrow.get(f"{path}&joins={joins}"), 403)["code"] == "permission_denied"
    assert narrow.get(f"{path}&joins=profile").status_code == 200


def test_no_write_joins_what_the_user_may_not_see(narrow: Session) -> None:
    """And it is not done: v1 takes joins on writes too."""
    before = narrow.get(f"{CPES}350/").json()
    for verb, body in (("PATCH", {"notes": "joined"}), ("PUT", {**before, "notes": "joined"})):
        answer = narrow.request(verb, "/api/cpes/350/?joins=customer", json=body)
        assert refused(answer, 403)["code"] == "permission_denied"
    assert narrow.get(f"{CPES}350/").json() == before


def test_a_relation_joins_only_what_the_user_may_see(server: Server) -> None:
    session = made(server, "APP:   isp", "view_customer", "view_cpe")
    for path in (f"{CUSTOMERS}27/cpes/?", f"{CUSTOMERS}27/cpes/?format=ndjson", "/api/customers/27/cpes/?"):
        assert session.get(f"{path}&joins=customer").status_code == 200
        assert refused(session.get(f"{path}&joins=potses"), 403)["code"] == "permission_denied"
