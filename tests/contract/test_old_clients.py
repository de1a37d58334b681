"""Requests as older CRMs in PHP, Java and Python send them, answered as REST framework answers them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contract.raw import refused
from tests.servers import PASSWORD, Server, Session, eventually

CUSTOMERS, CPES = "/api/v2/isp/customers/", "/api/v2/isp/cpes/"
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
    ids = []
    for kind, body in bodies.items():
        made = session.post(CUSTOMERS, data=body, headers={"Content-Type": f"{kind}; charset={charset}"})
        assert made.status_code == 201, made.text
        assert made.json()["name"] == name
        ids.append(str(made.json()["id"]))
        assert session.delete(f"{CUSTOMERS}{ids[-1]}/").status_code == 204
    # Each worker of the gateway writes its log for itself, so "the newest two" could be another test's.
    theirs = {"resource": "isp.customers", "object_id__in": ",".join(ids), "method": "POST"}
    rows = f"/api/v2/logger/api-request-logs/?{urlencode(theirs)}"
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


MODEL = "HG8245H"


@pytest.fixture
def customer(server: Server) -> Iterator[int]:
    session = server.session("own")
    made: int = session.post(CUSTOMERS, data={"name": "Eva"}).json()["id"]
    yield made
    session.delete(f"{CUSTOMERS}{made}/")


@pytest.fixture
def cpe(server: Server, customer: int) -> dict[str, Any]:
    body = {"customer": customer, "model": MODEL, "sn": f"HWTC{secrets.token_hex(4)}", "tech": "voip"}
    made: dict[str, Any] = server.session("own").post(CPES, data=body).json()
    return made


def test_what_a_form_leaves_empty_where_empty_is_no_value_is_left_out(server: Server, customer: int) -> None:
    session = server.session("own")
    body = {"customer": customer, "model": MODEL, "sn": f"HWTC{secrets.token_hex(4)}"}
    empty = dict.fromkeys(("access", "bridge", "realm", "tech", "me_vlan", "profile", "notes"), "")
    made = session.post(CPES, data=body | empty)
    assert made.status_code == 201, made.text
    row = made.json()
    assert [row[name] for name in empty] == [True, False, "pim", "gpon", None, None, ""]
    path = f"{CPES}{row['id']}/"
    assert session.patch(path, data={"access": "0", "notes": "x"}).json()["access"] is False
    changed = session.patch(path, data={"access": "", "notes": ""}).json()
    assert (changed["access"], changed["notes"]) == (False, "")
    assert "access" in refused(session.patch(path, json={"access": ""}))
    assert {"customer", "model"} == set(refused(session.post(CPES, data={"customer": "", "model": ""})))


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]"])
def test_an_action_is_asked_for_with_no_body_however_it_is_written(
    server: Server, cpe: dict[str, Any], body: bytes
) -> None:
    """PHP encodes an empty array as `[]`, JavaScript what is not given as `null`."""
    path = f"/api/v2/isp/cpes/{cpe['id']}/reboot"
    answer = server.session("own").post(path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("name", ["", "json", "JSON", "api"])
def test_a_list_comes_as_json_when_it_is_asked_for_like_this(server: Server, name: str) -> None:
    answer = server.session("own").get(f"{CPES}?attrs=id&limit=1&format={name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert len(answer.json()["results"]) == 1
