"""Passwords of customers are shown to who has `isp.view_secret`, and to nobody else by any way round."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.contract.raw import refused
from tests.servers import PASSWORD, Embedded, Server, Session, eventually

CPES, POTSES, CUSTOMERS = "/api/v2/isp/cpes/", "/api/v2/isp/potses/", "/api/v2/isp/customers/"


@dataclass
class Safe:
    """A customer with one CPE and a port whose passwords are all set. `blind` may do everything in isp but
    see them; `seeing` may that, too."""

    server: Server
    seeing: Session
    blind: Session
    customer: int = 0
    cpe: int = 0
    pots: int = 0
    words: dict[str, str] = field(default_factory=dict)

    def shown_in(self, text: str) -> list[str]:
        return [name for name, word in self.words.items() if word in text]


@pytest.fixture(scope="module", params=["embedded", "real"])
def safe(request: pytest.FixtureRequest) -> Safe:
    server: Server = request.getfixturevalue(request.param)
    name = f"blind{secrets.token_hex(3)}"
    _make_blind(server, name)
    safe = Safe(server, server.session("own"), server.session(name))
    words = {
        "pppoe_password": f"ppp-{secrets.token_hex(8)}",
        "wifi_password": f"wifi-{secrets.token_hex(8)}",
        "password": f"sip-{secrets.token_hex(8)}",
        "voicemail_password": secrets.token_hex(4),
    }
    safe.words = words
    safe.customer = _made(safe.seeing, CUSTOMERS, {"name": "safe"})
    device = {"customer": safe.customer, "model": "HG8245H", "sn": f"48575443{secrets.token_hex(4)}"}
    passwords = {name: words[name] for name in ("pppoe_password", "wifi_password")}
    safe.cpe = _made(safe.seeing, CPES, {**device, **passwords})
    safe.pots = safe.seeing.get(f"{CPES}{safe.cpe}/potses/").json()[0]["id"]
    port = {name: words[name] for name in ("password", "voicemail_password")}
    assert safe.seeing.patch(f"{POTSES}{safe.pots}/", json=port).status_code == 200
    return safe


def _make_blind(server: Server, name: str) -> None:
    """In a group that lets into isp like `APP: isp`, with one permission less."""
    admin = server.session("admin")
    group = admin.get("/api/v2/auth/groups/", params={"name": "APP: isp"}).json()["results"][0]
    rights = [one["id"] for one in group["permissions"] if one["codename"] != "view_secret"]
    assert len(rights) == len(group["permissions"]) - 1
    found = admin.get("/api/v2/auth/groups/", params={"name": "APP:isp"}).json()["results"]
    blind = (
        found[0]["id"]
        if found
        else _made(admin, "/api/v2/auth/groups/", {"name": "APP:isp", "permissions": rights})
    )
    logger = admin.get("/api/v2/auth/groups/", params={"name": "APP: logger"}).json()["results"][0]["id"]
    _made(
        admin,
        "/api/v2/auth/users/",
        {"username": name, "password": PASSWORD, "realms": ["pim"], "groups": [blind, logger]},
    )


def _made(session: Session, path: str, body: dict[str, Any]) -> int:
    answer = session.post(path, json=body)
    assert answer.status_code == 201, answer.text
    id_: int = answer.json()["id"]
    return id_


# ---- reads ------------------------------------------------------------------------------------

READS = {
    "detail": CPES + "{cpe}/",
    "detail by name": CPES + "{cpe}/?attrs=pppoe_password,wifi_password",
    "list": CPES + "?id={cpe}",
    "list, attrs": CPES + "?id={cpe}&attrs=id,pppoe_password,wifi_password",
    "alias": "/api/v2/cpes/{cpe}/",
    "joined ports": CPES + "{cpe}/?joins=potses",
    "joined ports of a list": CPES + "?id={cpe}&attrs=id&joins=potses",
    "joined CPEs": CUSTOMERS + "{customer}/?joins=cpes",
    "CPEs of the customer": CUSTOMERS + "{customer}/cpes/",
    "ports of the customer": CUSTOMERS + "{customer}/potses/",
    "ports of the CPE": CPES + "{cpe}/potses/",
    "port": POTSES + "{pots}/",
    "port, list": POTSES + "?id={pots}",
    "CSV": CPES + "?id={cpe}&format=csv",
    "CSV, attrs": CPES + "?id={cpe}&format=csv&attrs=id,pppoe_password,wifi_password",
    "NDJSON": CPES + "?id={cpe}&format=ndjson",
    "CSV of ports": POTSES + "?id={pots}&format=csv",
    "NDJSON below a customer": CUSTOMERS + "{customer}/cpes/?format=ndjson",
    "v1 list": "/api/cpes/?id={cpe}",
    "v1 slice": "/api/cpes/?id={cpe}&limit=1",
    "v1 detail": "/api/cpes/{cpe}/",
    "v1 joins": "/api/cpes/{cpe}/?joins=potses",
    "v1 ports": "/api/potses/?id={pots}",
    "v1 port": "/api/potses/{pots}/",
    "v1 nested": "/api/customers/{customer}/cpes/",
    "cursor": CPES + "?id={cpe}&cursor=",
}


@pytest.mark.parametrize("path", READS.values(), ids=READS)
def test_no_read_shows_them_to_who_may_not_see_them(safe: Safe, path: str) -> None:
    path = path.format(cpe=safe.cpe, customer=safe.customer, pots=safe.pots)
    seen, blind = safe.seeing.get(path), safe.blind.get(path)
    assert seen.status_code == blind.status_code == 200
    assert safe.shown_in(seen.text)
    assert not safe.shown_in(blind.text)
    if seen.headers["Content-Type"] == "application/json":
        assert blind.json() == _blanked(seen.json())


def _blanked(value: Any) -> Any:
    """The value as one who may not see passwords gets it: an empty text for each that is set."""
    match value:
        case dict():
            return {
                name: "" if name.endswith("password") and member else _blanked(member)
                for name, member in value.items()
            }
        case list():
            return [_blanked(one) for one in value]
        case _:
            return value


def test_they_cannot_be_guessed_by_search_filter_sort_or_cursor(safe: Safe) -> None:
    for path, name in (
        (CPES, "pppoe_password"),
        (CPES, "wifi_password"),
        (POTSES, "password"),
        (POTSES, "voicemail_password"),
    ):
        word = safe.words[name]
        for suffix in ("", "__startswith", "__contains", "__icontains", "__gt", "__in", "__ne", "__isnull"):
            value = "false" if suffix == "__isnull" else word[:6] if suffix == "__startswith" else word
            query = {f"{name}{suffix}": value, "attrs": "id", "limit": "1000"}
            blind = safe.blind.get(path, params=query)
            assert f"{name}{suffix}" in blind.headers["X-Ignored-Parameters"]
            unfiltered = safe.blind.get(path, params={"attrs": "id", "limit": "1000"})
            assert blind.json()["count"] == unfiltered.json()["count"]
        assert safe.seeing.get(path, params={name: word, "attrs": "id"}).json()["count"] == 1
        assert safe.blind.get(path, params={"search": word}).json()["count"] == 0
        for sort in (name, f"-{name}", f"realm,{name}"):
            assert list(refused(safe.blind.get(path, params={"sort": sort}))) == ["sort"]


# ---- writes -----------------------------------------------------------------------------------


def test_answers_of_writes_do_not_show_them(safe: Safe) -> None:
    path, port = f"{CPES}{safe.cpe}/", f"{POTSES}{safe.pots}/"
    tick = secrets.token_hex(4)
    answers = [
        safe.blind.patch(path, json={"notes": tick}),
        safe.blind.patch(f"{path}?attrs=pppoe_password,notes", json={"notes": tick}),
        safe.blind.put(path, json=safe.blind.get(path).json()),
        safe.blind.patch(f"/api/cpes/{safe.cpe}/", json={"notes": f"{tick} v1"}),
        safe.blind.patch(port, json={"label": tick}),
        safe.blind.put(port, json=safe.blind.get(port).json()),
        safe.blind.patch(f"{CPES}bulk/", json={"ids": [safe.cpe], "changes": {"notes": f"{tick} bulk"}}),
        safe.blind.patch(f"{CPES}bulk/", json=[{"id": safe.cpe, "wifi_password": "x" * 999}]),
        safe.blind.patch(f"{path}fake_modification/?notes=x"),
    ]
    assert [one.status_code for one in answers] == [200] * len(answers)
    assert not [safe.shown_in(one.text) for one in answers if safe.shown_in(one.text)]


def test_a_blank_that_comes_back_keeps_them(safe: Safe) -> None:
    path, port = f"{CPES}{safe.cpe}/", f"{POTSES}{safe.pots}/"
    for one in (path, port, f"/api/cpes/{safe.cpe}/", f"/api/potses/{safe.pots}/"):
        body = safe.blind.get(one).json()
        assert "" in {body.get("pppoe_password"), body.get("password")}
        assert safe.blind.put(one, json=body).status_code == 200
        assert safe.blind.patch(one, json=body).status_code == 200
    blanks = {"pppoe_password": "", "wifi_password": ""}
    bulk = safe.blind.patch(f"{CPES}bulk/", json={"ids": [safe.cpe], "changes": blanks})
    assert bulk.json()["updated"] == 1
    after = {**safe.seeing.get(path).json(), **safe.seeing.get(port).json()}
    assert {name: after[name] for name in safe.words} == safe.words


def test_who_sees_them_clears_them_with_a_blank(safe: Safe) -> None:
    customer = _made(safe.seeing, CUSTOMERS, {"name": "cleared"})
    body = {"customer": customer, "model": "HG8245H", "sn": f"48575443{secrets.token_hex(4)}"}
    cpe = _made(safe.seeing, CPES, {**body, "wifi_password": "to be cleared"})
    cleared = safe.seeing.patch(f"{CPES}{cpe}/", json={"wifi_password": ""})
    assert cleared.json()["wifi_password"] == ""
    given = safe.blind.patch(f"{CPES}{cpe}/", json={"wifi_password": "given by the blind"})
    assert given.json()["wifi_password"] == ""
    assert safe.seeing.get(f"{CPES}{cpe}/").json()["wifi_password"] == "given by the blind"


def test_refusals_do_not_repeat_them(safe: Safe) -> None:
    word = "wordinarefusal" * 20
    for session in (safe.seeing, safe.blind):
        answers = [
            session.patch(f"{CPES}{safe.cpe}/", json={"wifi_password": word}),
            session.patch(f"{CPES}{safe.cpe}/", json={"wifi_password": [word]}),
            session.post(CPES, json={"customer": 27, "pppoe_password": word}),
            session.patch(f"{POTSES}{safe.pots}/", json={"voicemail_password": word}),
            session.patch(f"{CPES}{safe.cpe}/", data=f'{{"wifi_password": "{word}', headers=JSON),
        ]
        for one in answers:
            refused(one)
            assert word not in one.text


JSON = {"Content-Type": "application/json"}


# ---- logs -------------------------------------------------------------------------------------


def _logged(reader: Session, asked: dict[str, str]) -> list[dict[str, Any]]:
    """The newest rows of the request log that are such."""
    answer = reader.get("/api/v2/logger/api-request-logs/", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def _holds(reader: Session, asked: dict[str, str], body: Any) -> bool:
    return body in [row["data"] for row in _logged(reader, asked)]


def test_no_log_of_the_api_holds_them(safe: Safe) -> None:
    """Neither the request log nor the admin log, whoever reads it; both know of the writes."""
    admin = safe.server.session("admin")
    new, newer = f"changed-{secrets.token_hex(8)}", f"again-{secrets.token_hex(8)}"
    customer = _made(safe.seeing, CUSTOMERS, {"name": "logged"})
    device = {"customer": customer, "model": "HG8245H", "sn": f"48575443{secrets.token_hex(4)}"}
    path = f"{CPES}{_made(safe.seeing, CPES, {**device, 'wifi_password': new})}/"
    id_ = int(path.rstrip("/").rpartition("/")[2])
    assert safe.seeing.patch(path, json={"wifi_password": newer, "notes": "logged"}).status_code == 200
    assert safe.seeing.patch(path, data={"wifi_password": new}).status_code == 200
    safe.seeing.get(CPES, params={"wifi_password": new, "pppoe_password__startswith": new})
    safe.seeing.patch(f"{CPES}bulk/", json={"items": [{"id": id_, "pppoe_password": newer}]})
    safe.seeing.patch(f"{CPES}bulk/", json=[{"id": id_, "pppoe_password": new}])
    safe.seeing.patch(f"{path}fake_modification/", params={"wifi_password": newer})
    safe.seeing.delete(f"{CPES}bulk/", json={"ids": [], "password": new})
    words = [new, newer, PASSWORD, *safe.server._tokens.values()]
    masked = "*" * 10
    # The request log is written in batches, by each worker of the gateway for itself.
    for method, where, body in (
        ("DELETE", f"{CPES}bulk/", {"ids": [], "password": masked}),
        ("PATCH", path, {"wifi_password": masked, "notes": "logged"}),
        ("PATCH", path, {"wifi_password": masked}),
    ):
        eventually(partial(_holds, admin, {"method": method, "path": where}, body))
    for session in (admin, safe.seeing, safe.blind):
        logs = [
            session.get("/api/v2/logger/api-request-logs/", params={"limit": "1000"}),
            session.get("/api/v2/logger/api-request-logs/", params={"limit": "1000", "format": "ndjson"}),
            session.get("/api/v2/logger/admin-logs/", params={"limit": "1000"}),
            session.get(f"{path}logs/", params={"limit": "1000"}),
        ]
        for one in logs:
            assert one.status_code == 200, one.text
            assert not [word for word in words if word in one.text], one.url
    assert _holds(
        safe.seeing, {"method": "PATCH", "path": path}, {"wifi_password": masked, "notes": "logged"}
    )
    changes = safe.seeing.get(f"{path}logs/", params={"limit": "100"}).text
    assert "wifi_password" in changes


def test_the_request_log_masks_credentials(safe: Safe) -> None:
    session = safe.server.session(None)
    session.post("/api/v2/auth/login", data={"username": "nobody-here", "password": "guess-in-a-form"})
    admin = safe.server.session("admin")
    login = {"path": "/api/v2/auth/login", "limit": "50"}
    eventually(lambda: "nobody-here" in str(_logged(admin, login)))
    rows = _logged(admin, login)
    assert {"username": "nobody-here", "password": "*" * 10} in [row["data"] for row in rows]
    assert "guess-in-a-form" not in str(rows)


def test_the_servers_own_logs_hold_no_secret(safe: Safe) -> None:
    """Last in this file: after everything that was done with secrets above."""
    text = safe.server.logs()
    words = [*safe.words.values(), PASSWORD, "guess-in-a-form", "wordinarefusal"]
    assert not [word for word in [*words, *safe.server._tokens.values()] if word in text]


def test_accounts_never_show_passwords_or_keys(safe: Safe) -> None:
    session, admin = safe.seeing, safe.server.session("admin")
    made = session.post("/api/v2/me/tokens/", json={"name": "once"}).json()
    for one in (session, admin):
        for path in ("/api/v2/me/tokens/", f"/api/v2/me/tokens/{made['id']}/", "/api/v2/me/"):
            assert made["token"] not in one.get(path).text
    users = admin.get("/api/v2/auth/users/", params={"limit": "1000"})
    assert "argon2" not in users.text
    assert not [row for row in users.json()["results"] if "password" in row]
    refused(admin.get("/api/v2/auth/users/", params={"sort": "password"}))
    assert session.delete(f"/api/v2/me/tokens/{made['id']}/").status_code == 204


def test_nobody_else_on_the_machine_reads_the_databases(embedded: Embedded) -> None:
    files = list(embedded.data.glob("*.db*"))
    assert {"isp.db", "isp.db-wal", "gateway.db"} <= {one.name for one in files}
    assert not [one.name for one in files if one.stat().st_mode & 0o077]
