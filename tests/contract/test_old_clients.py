"""Requests as older CRMs in PHP, Java and Python send them, answered as REST framework answers them."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.contract.raw import refused
from tests.servers import PASSWORD, Server, Session, eventually

CUSTOMERS = "/api/v2/isp/customers/"
LOGIN = "/api/v2/auth/login"
URLENCODED = "application/x-www-form-urlencoded"

CHARSETS = {
    "ISO-8859-1": ("latin-1", "Begoña Núñez"),
    "iso-8859-15": ("iso-8859-15", "Begoña 5 €"),
    "windows-1252": ("cp1252", "Begoña “Bego” 5 €"),
    "utf-8": ("utf-8", "Begoña 日本"),
}


@pytest.mark.parametrize(("charset", "said"), CHARSETS.items(), ids=CHARSETS)
def test_a_body_is_read_in_the_charset_that_it_names(
    server: Server, charset: str, said: tuple[str, str]
) -> None:
    codec, name = said
    session, admin = server.session("own"), server.session("admin")
    quoted = "".join(f"%{byte:02x}" for byte in name.encode(codec))
    bodies = {
        "application/json": json.dumps({"name": name}, ensure_ascii=False).encode(codec),
        URLENCODED: f"name={quoted}".encode(),
    }
    for kind, body in bodies.items():
        made = session.post(CUSTOMERS, data=body, headers={"Content-Type": f"{kind}; charset={charset}"})
        assert made.status_code == 201, made.text
        assert made.json()["name"] == name
        assert session.delete(f"{CUSTOMERS}{made.json()['id']}/").status_code == 204
    rows = f"/api/v2/logger/api-request-logs/?{urlencode({'user': 'own', 'method': 'POST', 'limit': 2})}"
    eventually(lambda: [row["data"] for row in admin.get(rows).json()["results"]] == [{"name": name}] * 2)


def test_a_login_may_say_that_it_is_latin(server: Server) -> None:
    """Java's HttpClient says so of every form."""
    body = f"username=own&password={PASSWORD}"
    headers = {"Content-Type": f"{URLENCODED}; charset=ISO-8859-1"}
    assert "access" in Session(server.url).post(LOGIN, data=body, headers=headers).json()


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_a_body_that_is_not_what_it_says_is_refused(server: Server, charset: str) -> None:
    for kind, body in (("application/json", b'{"name": "a\x81"}'), (URLENCODED, b"name=a%81")):
        headers = {"Content-Type": f"{kind}; charset={charset}"}
        refused(server.session("own").post(CUSTOMERS, data=body, headers=headers), 400)
