"""Whatever a client sends, it is told clearly what is wrong, and nothing is written, lost or shown by it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPMessage
from pathlib import Path
from typing import Any

import pytest

from services.common.fields import Field
from services.isp.contract import CPES, CUSTOMERS, POTSES
from tests.contract.raw import Wire, refused, told
from tests.servers import Server, eventually

CUSTOMERS_URL, CPES_URL, CPE = "/api/v2/isp/customers/", "/api/v2/isp/cpes/", "/api/v2/isp/cpes/350/"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MIB = 1024 * 1024


def writes(server: Server) -> int:
    """How many writes there have been, by anybody but a timer: each leaves an audit row."""
    where = {"user__ne": "expiration", "limit": "1"}
    admin = server.session("admin")

    def whole() -> Any:
        """A service that answers late is left out, and named."""
        page = admin.get("/api/v2/logger/admin-logs/", params=where).json()
        return "_errors" not in page and page

    count: int = eventually(whole)["count"]
    return count


@pytest.fixture(scope="module")
def written() -> dict[str, int]:
    """Mode of the server → its writes so far."""
    return {}


@pytest.fixture(scope="module")
def begun() -> dict[str, dict[Path, int]]:
    """Mode of the server → how much was in its logs before these tests."""
    return {}


@pytest.fixture(autouse=True)
def _nothing_is_written(
    server: Server, written: dict[str, int], begun: dict[str, dict[Path, int]]
) -> Iterator[None]:
    begun.setdefault(server.mode, server.logged())
    before = written.setdefault(server.mode, writes(server))
    yield
    written[server.mode] = writes(server)
    assert written[server.mode] == before


# ---- bodies -----------------------------------------------------------------------------------

BROKEN = {
    "cut": b'{"name": ',
    "cut in a list": b'[{"name": "x"},',
    "two values": b'{"name": "x"} {"name": "y"}',
    "single quotes": b"{'name': 'x'}",
    "lone high surrogate": b'{"name": "\\ud83d"}',
    "lone low surrogate": b'{"name": "\\ude00 x"}',
    "surrogates in the wrong order": b'{"name": "\\ude00\\ud83d"}',
    "invalid UTF-8": b'{"name": "\xff\xfe"}',
    "overlong UTF-8": b'{"name": "\xc0\xaf"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "raw control character": b'{"name": "a\x01b"}',
    "NaN": b'{"name": "x", "latitude": NaN}',
    "Infinity": b'{"name": "x", "latitude": Infinity}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"name":' * 100_000 + b"1" + b"}" * 100_000,
    "deep and whole": b"[" * 5_000 + b"]" * 5_000,
    "too deep for its log": b'{"name": "x", "more": ' + b"[" * 200 + b"]" * 200 + b"}",
    "too deep in objects": b'{"name": "x", "more": ' + b'{"a":' * 300 + b"1" + b"}" * 301,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_json_that_cannot_be_read_is_a_parse_error(server: Server, body: bytes) -> None:
    for verb, path in (("POST", CUSTOMERS_URL), ("PUT", CPE), ("PATCH", CPE)):
        found = refused(server.session().request(verb, path, data=body, headers=JSON), 400)
        assert found["code"] == "parse_error"


HUGE = b"1" + b"0" * 400

WRONG: dict[str, tuple[str, bytes, str]] = {
    "text for an object": (CUSTOMERS_URL, b'"text"', "non_field_errors"),
    "number for an object": (CUSTOMERS_URL, b"1", "non_field_errors"),
    "true for an object": (CUSTOMERS_URL, b"true", "non_field_errors"),
    "null for an object": (CUSTOMERS_URL, b"null", "non_field_errors"),
    "object for a text": (CUSTOMERS_URL, b'{"name": {"a": 1}}', "name"),
    "list for a text": (CUSTOMERS_URL, b'{"name": ["a"]}', "name"),
    "true for a text": (CUSTOMERS_URL, b'{"name": true}', "name"),
    "null for a text": (CUSTOMERS_URL, b'{"name": null}', "name"),
    "blank for a text": (CUSTOMERS_URL, b'{"name": "  \\t "}', "name"),
    "NUL in a text": (CUSTOMERS_URL, b'{"name": "a\\u0000b"}', "name"),
    "too long a text": (CUSTOMERS_URL, b'{"name": "' + b"x" * 256 + b'"}', "name"),
    "text for a decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": "north"}', "latitude"),
    "true for a decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": true}', "latitude"),
    "list for a decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": [1]}', "latitude"),
    "NaN for a decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": "NaN"}', "latitude"),
    "infinity for a decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": "-Infinity"}', "latitude"),
    "exponent for a decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": "1e999999999"}', "latitude"),
    "decimal out of bounds": (CUSTOMERS_URL, b'{"name": "x", "latitude": 90.5}', "latitude"),
    "huge decimal": (CUSTOMERS_URL, b'{"name": "x", "latitude": "' + HUGE + b'"}', "latitude"),
    "text for a boolean": (CPES_URL, b'{"customer": 27, "model": "HG8245H", "access": "maybe"}', "access"),
    "number for a boolean": (CPES_URL, b'{"customer": 27, "model": "HG8245H", "access": 2}', "access"),
    "list for a boolean": (CPES_URL, b'{"customer": 27, "model": "HG8245H", "access": []}', "access"),
    "fraction for an integer": (CPES_URL, b'{"customer": 27, "model": "HG8245H", "me_vlan": 1.5}', "me_vlan"),
    "two signs for an integer": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "me_vlan": "--5"}',
        "me_vlan",
    ),
    "huge integer as text": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "me_vlan": "' + HUGE + b'"}',
        "me_vlan",
    ),
    "64 bits and more": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "me_vlan": 9223372036854775808}',
        "me_vlan",
    ),
    "impossible date": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "expiration_date": "2023-02-30"}',
        "expiration_date",
    ),
    "number for a date": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "expiration_date": 20230101}',
        "expiration_date",
    ),
    "unknown choice": (CPES_URL, b'{"customer": 27, "model": "HG8245H", "tech": "smoke"}', "tech"),
    "unknown reference": (CPES_URL, b'{"customer": 999999999, "model": "HG8245H"}', "customer"),
    "reference beyond 64 bits": (
        CPES_URL,
        b'{"customer": 99999999999999999999, "model": "HG8245H"}',
        "customer",
    ),
    "huge reference": (CPES_URL, b'{"customer": "' + HUGE * 12 + b'", "model": "HG8245H"}', "customer"),
    "underscore in a reference": (
        CPES_URL,
        b'{"customer": "2_7", "model": "HG8245H", "sn": "48575443aaaabbbb"}',
        "customer",
    ),
    "object for a reference": (CPES_URL, b'{"customer": {"id": 27}, "model": "HG8245H"}', "customer"),
    "unknown textual reference": (CPES_URL, b'{"customer": 27, "model": "no such"}', "model"),
    "SQL for a reference": (CPES_URL, b'{"customer": "27; DROP TABLE cpes", "model": "HG8245H"}', "customer"),
    "wrong serial number": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "sn": "zzzzzzzzzzzzzzzz"}',
        "sn",
    ),
    "wrong MAC": (CPES_URL, b'{"customer": 27, "model": "HG8245H", "mac": "00:11:22:33:44"}', "mac"),
    "wrong IPv4": (
        CPES_URL,
        b'{"customer": 27, "model": "HG8245H", "fixed_address": "1.2.3.256"}',
        "fixed_address",
    ),
}


@pytest.mark.parametrize(("path", "body", "field"), WRONG.values(), ids=WRONG)
def test_a_value_of_the_wrong_kind_is_told_by_its_field(
    server: Server, path: str, body: bytes, field: str
) -> None:
    found = refused(server.session().post(path, data=body, headers=JSON), 400)
    assert field in found, found


@pytest.mark.parametrize("literal", [HUGE, b"-" + HUGE, b"1e400", b"1" + b"0" * 5_000])
@pytest.mark.parametrize("field", ["customer", "me_vlan", "latitude", "notes", "access", "expiration_date"])
def test_numbers_beyond_any_range_are_refused(server: Server, field: str, literal: bytes) -> None:
    body = b'{"customer": 27, "model": "HG8245H", "' + field.encode() + b'": ' + literal + b"}"
    refused(server.session().post(CPES_URL, data=body, headers=JSON), 400)


@pytest.mark.parametrize("verb", ["POST", "PUT"])
@pytest.mark.parametrize("headers", [JSON, FORM, {}, {"Content-Type": "multipart/form-data; boundary=x"}])
def test_an_empty_body_lacks_what_is_required(server: Server, verb: str, headers: dict[str, str]) -> None:
    path = CUSTOMERS_URL if verb == "POST" else f"{CUSTOMERS_URL}27/"
    found = refused(server.session().request(verb, path, data=b"", headers=headers), 400)
    assert found == {"name": ["This field is required."]}


def test_an_empty_patch_changes_nothing(server: Server) -> None:
    session = server.session()
    before = session.get(CPE)
    answer = session.patch(CPE, data=b"", headers=JSON)
    assert answer.status_code == 200
    assert (answer.content, answer.headers["ETag"]) == (before.content, before.headers["ETag"])


def test_members_that_are_unknown_or_read_only_are_ignored(server: Server) -> None:
    session = server.session()
    before = session.get(CPE)
    body = {"id": 1, "cpename": "x", "created": "1999", "_links": {}, "__proto__": {}, "no such": 1, "": 2}
    answer = session.patch(CPE, json=body)
    assert (answer.status_code, answer.content) == (200, before.content)


def test_of_duplicate_members_the_last_counts(server: Server) -> None:
    session = server.session()
    before = session.get(CPE).json()
    body = b'{"notes": {"not": "a text"}, "notes": ' + json.dumps(before["notes"]).encode() + b"}"
    assert session.patch(CPE, data=body, headers=JSON).status_code == 200
    reverse = b'{"notes": "x", "notes": {"not": "a text"}}'
    assert "notes" in refused(session.patch(CPE, data=reverse, headers=JSON))


TYPES = [
    "text/plain",
    "application/xml",
    "application/jso",
    "image/png",
    "text/html; charset=utf-8",
    "nonsense",
    "application/json; charset=utf-16",
    "application/json; charset=no-such",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data; boundary=x; charset=iso-8859-1",
]


@pytest.mark.parametrize("kind", TYPES)
def test_an_unknown_content_type_or_charset_is_415(server: Server, kind: str) -> None:
    for verb, path in (("POST", CUSTOMERS_URL), ("PATCH", CPE), ("PATCH", f"{CPES_URL}bulk/")):
        answer = server.session().request(
            verb, path, data=b'{"name": "x", "notes": "x"}', headers={"Content-Type": kind}
        )
        assert refused(answer, 415)["code"] == "unsupported_media_type"


FORMS = {
    "NUL": (b"name=a%00b", "name"),
    "raw NUL": (b"name=a\x00b", "name"),
    "two values": (b"name=a&name=b", "name"),
    "too long": (b"name=" + b"x" * 256, "name"),
    "wrong type": (b"name=x&latitude=north", "latitude"),
    "nothing of ours": (b"&&==&%=%&", "name"),
}


@pytest.mark.parametrize(("body", "field"), FORMS.values(), ids=FORMS)
def test_a_wrong_form_is_told_by_its_field(server: Server, body: bytes, field: str) -> None:
    assert field in refused(server.session().post(CUSTOMERS_URL, data=body, headers=FORM))


@pytest.mark.parametrize("path", [CUSTOMERS_URL, "/api/v2/auth/login"])
def test_a_form_of_too_many_members_is_not_taken_apart(server: Server, path: str) -> None:
    refused(server.session().post(path, data=b"a&" * 20_000, headers=FORM), 413)


def test_a_set_of_too_many_is_refused(server: Server) -> None:
    """Also of more than a database takes values in one statement."""
    session = server.session("operator")
    me = session.get("/api/v2/me/").json()["id"]
    answer = session.patch(f"/api/v2/auth/users/{me}/", json={"groups": list(range(1, 80_001))})
    assert refused(answer) == {"groups": ["Ensure this field has no more than 5000 elements."]}


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b'{"username": [' + b"[]," * 40_000 + b"[]]}", JSON), (b"username=" + b"x" * 100_000, FORM)],
)
@pytest.mark.parametrize("operation", ["login", "refresh", "logout"])
def test_nobody_sends_a_big_body_without_being_logged_in(
    server: Server, operation: str, body: bytes, headers: dict[str, str]
) -> None:
    refused(server.session(None).post(f"/api/v2/auth/{operation}", data=body, headers=headers), 413)


@pytest.mark.parametrize("body", [b"name=%ff%fe", b"name=caf%e9", b"name=\xff", b"na%ffme=x&name=x"])
def test_a_form_that_is_not_utf_8_is_refused(server: Server, body: bytes) -> None:
    refused(server.session().post(CUSTOMERS_URL, data=body, headers=FORM), 400)


def test_a_multipart_form_that_is_not_utf_8_is_refused(server: Server) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\ncaf\xe9\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(server.session().post(CUSTOMERS_URL, data=part, headers=headers), 400)


MULTIPART = {
    "no boundary": ("multipart/form-data", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'),
    "no parts": ("multipart/form-data; boundary=x", b"nothing"),
    "no end": ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name'),
    "no name": (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
    ),
    "a file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="a"\r\n\r\n1\r\n--x--\r\n',
    ),
}


@pytest.mark.parametrize(("kind", "body"), MULTIPART.values(), ids=MULTIPART)
def test_a_broken_multipart_form_is_refused(server: Server, kind: str, body: bytes) -> None:
    refused(server.session().post(CUSTOMERS_URL, data=body, headers={"Content-Type": kind}), 400)


NOTES = b'--x\r\nContent-Disposition: form-data; name="notes"\r\n\r\nlost'
UNREADABLE = {
    "no boundary": ("multipart/form-data", NOTES + b"\r\n--x--\r\n"),
    "another boundary": ("multipart/form-data; boundary=y", NOTES + b"\r\n--x--\r\n"),
    "cut in a value": ("multipart/form-data; boundary=x", NOTES),
    "cut in a header": ("multipart/form-data; boundary=x", NOTES[:40]),
}


@pytest.mark.parametrize(("kind", "body"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_multipart_form_that_cannot_be_read_is_not_an_empty_one(
    server: Server, kind: str, body: bytes
) -> None:
    answer = server.session().patch(CPE, data=body, headers={"Content-Type": kind})
    assert refused(answer, 400)["code"] == "parse_error"


@pytest.mark.parametrize("kind", ["application/json", FORM["Content-Type"]])
def test_a_body_of_10_mb_is_413(server: Server, kind: str) -> None:
    """The answer comes, and the connection either serves the next request or is closed."""
    body = b'{"name": "' + b"x" * (10 * MIB) + b'"}' if "json" in kind else b"name=" + b"x" * (10 * MIB)
    bearer = f"Bearer {server.token()}"
    with Wire(server) as wire:
        wire.head(
            "POST", CUSTOMERS_URL, Authorization=bearer, Content_Type=kind, Content_Length=str(len(body))
        )
        wire.send_until_refused(body)
        status, headers, text = wire.answer("POST")
        told(status, headers, text.decode(), 413)
        if wire.serves(CPE, Authorization=bearer):
            assert headers.get("Connection", "").lower() != "close"
    assert server.session().get(CPE).status_code == 200


def test_a_client_that_sends_10_mb_gets_to_read_the_413(server: Server) -> None:
    for _ in range(3):
        answer = server.session().post(CUSTOMERS_URL, data=b"[" + b" " * (10 * MIB) + b"]", headers=JSON)
        refused(answer, 413)


@pytest.mark.parametrize("kind", ["application/json", FORM["Content-Type"]])
def test_a_body_without_an_announced_length_is_bounded_too(server: Server, kind: str) -> None:
    """A prefix of the body that could be read must not be taken for all of it."""
    parts = [b"{}", *[b" " * MIB] * 10] if "json" in kind else [b"name=x&notes=", *[b"x" * MIB] * 10]
    status, headers, text = chunked(server, "POST", CUSTOMERS_URL, kind, parts)
    told(status, headers, text, 413)


@pytest.mark.parametrize("kind", ["application/json", FORM["Content-Type"]])
def test_a_body_without_an_announced_length_is_read(server: Server, kind: str) -> None:
    """In chunks: taking it for an empty one would answer 200 to a PATCH that was not done."""
    parts = [b'{"notes": ', b"[1]}"] if "json" in kind else [b"latitude=", b"north"]
    status, headers, text = chunked(server, "PATCH", CPE, kind, parts)
    told(status, headers, text, 400)
    assert list(json.loads(text)) == ["notes" if "json" in kind else "latitude"]


def chunked(
    server: Server, verb: str, path: str, kind: str, parts: list[bytes]
) -> tuple[int, HTTPMessage, str]:
    with Wire(server) as wire:
        bearer = f"Bearer {server.token()}"
        wire.head(verb, path, Authorization=bearer, Content_Type=kind, Transfer_Encoding="chunked")
        for part in parts:
            wire.send_until_refused(b"%x\r\n%s\r\n" % (len(part), part))
        wire.send_until_refused(b"0\r\n\r\n")
        status, headers, text = wire.answer(verb)
    return status, headers, text.decode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b'{"name": "cut"}'), (FORM["Content-Type"], b"name=cut")],
    ids=["json", "form"],
)
def test_a_body_that_ends_before_its_announced_length_is_not_taken(
    server: Server, kind: str, body: bytes
) -> None:
    with Wire(server) as wire:
        wire.head(
            "POST",
            CUSTOMERS_URL,
            Authorization=f"Bearer {server.token()}",
            Content_Type=kind,
            Content_Length=str(len(body) + 10),
        )
        wire.socket.sendall(body)
        wire.socket.shutdown(1)
        try:
            status, headers, text = wire.answer("POST")
        except (ConnectionError, BadStatusLine):
            return  # a connection that is simply closed says it, too
        told(status, headers, text.decode(), 400)


@pytest.mark.parametrize("number", ["1e20", "18446744073709551616", "-1e300"])
def test_a_number_that_was_refused_does_not_break_the_request_log(server: Server, number: str) -> None:
    """The log keeps the body; what it cannot show must not take the other rows with it."""
    session = server.session()
    mark = secrets.token_hex(8)
    mine = {"method": "PATCH", "path": CPE, "limit": "100"}
    refused(session.patch(f"{CPE}?attrs={mark}", data=f'{{"me_vlan": {number}}}'.encode(), headers=JSON))

    def logged() -> bool:
        answer = session.get("/api/v2/logger/api-request-logs/", params=mine)
        assert answer.status_code == 200, answer.text
        rows = [row for row in answer.json()["results"] if row["query_params"] == {"attrs": mark}]
        return any(row["data"] and "me_vlan" in row["data"] for row in rows)

    eventually(logged)


# ---- bulk -------------------------------------------------------------------------------------

BULK: dict[str, tuple[str, Any]] = {
    "no list": ("POST", {"items": "x"}),
    "nothing": ("POST", {}),
    "a list in an object that is unknown": ("POST", {"rows": []}),
    "too many": ("POST", {"items": [{}] * 1001}),
    "no ids": ("PATCH", {"changes": {"notes": "x"}}),
    "ids that are no list": ("PATCH", {"ids": 350, "changes": {"notes": "x"}}),
    "no changes": ("PATCH", {"ids": [350]}),
    "changes that are no object": ("PATCH", {"ids": [350], "changes": [1]}),
    "an unknown member": ("PATCH", {"ids": [350], "changes": {"notes": "x"}, "filter": {"realm": "pim"}}),
    "atomic that is no boolean": ("PATCH", {"ids": [350], "changes": {"notes": "x"}, "atomic": "perhaps"}),
    "a body that is no object": ("PATCH", "text"),
    "ids to delete that are no list": ("DELETE", {"ids": {"350": True}}),
    "nothing to delete": ("DELETE", {}),
    "null": ("DELETE", None),
}


@pytest.mark.parametrize(("verb", "body"), BULK.values(), ids=BULK)
def test_a_wrong_bulk_body_is_refused_as_a_whole(server: Server, verb: str, body: Any) -> None:
    refused(server.session().request(verb, f"{CPES_URL}bulk/", data=json.dumps(body), headers=JSON), 400)


def test_an_unknown_parameter_of_a_bulk_write_is_refused(server: Server) -> None:
    body = {"ids": [350], "changes": {"notes": "x"}}
    found = refused(server.session().patch(f"{CPES_URL}bulk/?realm=pim", json=body))
    assert found == {"realm": ["Unknown parameter."]}


@pytest.mark.parametrize("key", [None, True, 1.5, {"id": 350}, [350], "", "x" * 5_000, "\0", 10**25, -350])
def test_a_wrong_id_in_a_bulk_write_is_told_by_its_item(server: Server, key: Any) -> None:
    for verb, body in (("PATCH", {"ids": [key], "changes": {"notes": "x"}}), ("DELETE", {"ids": [key]})):
        answer = server.session().request(verb, f"{CPES_URL}bulk/", json=body)
        if answer.status_code == 400:
            refused(answer)
            continue
        assert answer.status_code == 200
        found = answer.json()
        assert [one["status"] for one in found["results"]] in ([404], [400])
        assert found.get("updated", found.get("deleted")) == 0


# ---- paths ------------------------------------------------------------------------------------

KEYS = [
    "%00",
    "350%00",
    "%00350",
    "%ff%fe",
    "350'--",
    "350%20OR%201=1",
    "-350",
    "+350",
    "3.5e2",
    "0x15e",
    "%D9%A3",
    "9223372036854775808",
    "9" * 400,
    "9" * 5_000,
    "..%2f350",
    "%252f",
    "null",
    "*",
    "350;drop",
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:20])
def test_a_key_that_names_nothing_is_404(server: Server, key: str) -> None:
    for verb in ("GET", "PUT", "PATCH", "DELETE"):
        body = b"{}" if verb in ("PUT", "PATCH") else b""
        length = str(len(body))
        with Wire(server) as wire:
            bearer = f"Bearer {server.token()}"
            wire.head(
                verb,
                f"{CPES_URL}{key}/",
                Authorization=bearer,
                Content_Type="application/json",
                Content_Length=length,
            )
            wire.socket.sendall(body)
            status, headers, text = wire.answer(verb)
        told(status, headers, text.decode(), 404)


@pytest.mark.parametrize(
    "path", ["/api/v2/no/such/", "/api/v3/", "/api/v2/isp/cpes/350/no/", "/%00", "/api/v2/isp/nothing", "//"]
)
def test_a_path_that_is_not_there_is_404(server: Server, path: str) -> None:
    with Wire(server) as wire:
        wire.head("GET", path, Authorization=f"Bearer {server.token()}")
        status, headers, text = wire.answer()
    told(status, headers, text.decode(), 404)


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "FOO", "CONNECT"])
def test_a_method_that_is_not_there_is_405(server: Server, method: str) -> None:
    with Wire(server) as wire:
        wire.head(method, CPE, Authorization=f"Bearer {server.token()}", Content_Length="0")
        status, headers, text = wire.answer(method)
    told(status, headers, text.decode(), 405)


# ---- queries ----------------------------------------------------------------------------------


def test_100_000_attrs_are_too_long_a_url(server: Server) -> None:
    """The server's own refusal, before any code of ours."""
    attrs = ",".join(f"a{number}" for number in range(100_000))
    with Wire(server) as wire:
        try:
            wire.head("GET", f"{CPES_URL}?attrs={attrs}", Authorization=f"Bearer {server.token()}")
            status, _, text = wire.answer()
        except ConnectionError:
            return
        assert status in (400, 414)
        assert b"Traceback" not in text
    assert server.session().get(CPE).status_code == 200


def test_more_than_200_attrs_are_refused(server: Server) -> None:
    attrs = ",".join(f"a{number}" for number in range(201))
    assert list(refused(server.session().get(f"{CPES_URL}?attrs={attrs}"))) == ["attrs"]
    many = "&".join(f"attrs=a{number}" for number in range(201))
    assert list(refused(server.session().get(f"{CPES_URL}?{many}"))) == ["attrs"]


JOINS = [
    "no_such",
    "cpe",
    "customer.cpes",
    "customer__cpes",
    "customer,no_such",
    "_links",
    "id",
    "cpes",
    "%00",
]


@pytest.mark.parametrize("joins", JOINS)
@pytest.mark.parametrize("path", [CPES_URL, CPE, "/api/cpes/"])
def test_unknown_and_cyclic_joins_are_refused(server: Server, path: str, joins: str) -> None:
    assert list(refused(server.session().get(f"{path}?joins={joins}"))) == ["joins"]


def test_too_many_joins_are_refused(server: Server) -> None:
    joins = ",".join(f"j{number}" for number in range(11))
    found = refused(server.session().get(f"{CPES_URL}?joins={joins}"))
    assert found == {"joins": ["No more than 10 joins are allowed."]}


def test_a_join_named_twice_is_one(server: Server) -> None:
    session = server.session()
    once = session.get(f"{CPE}?attrs=id&joins=customer")
    twice = session.get(f"{CPE}?attrs=id&joins=customer,customer&joins=customer")
    assert once.status_code == twice.status_code == 200
    assert once.content == twice.content


def test_too_many_filters_sort_keys_and_values_are_refused(server: Server) -> None:
    session = server.session()
    filters = "&".join(f"notes__icontains=x{number}" for number in range(51))
    assert list(refused(session.get(f"{CPES_URL}?{filters}"))) == ["non_field_errors"]
    names = [one.name for one in CPES.fields if one.filtered][:9]
    assert list(refused(session.get(f"{CPES_URL}?sort={','.join(names)}"))) == ["sort"]
    ids = ",".join(str(number) for number in range(1001))
    assert list(refused(session.get(f"{CPES_URL}?id__in={ids}"))) == ["id__in"]


SQL = [
    "' OR '1'='1",
    "1 OR 1=1",
    "1; DROP TABLE cpes; --",
    "x' UNION SELECT username, password FROM users --",
    "') DELETE FROM cpes --",
    "pg_sleep(9)",
    "%' OR 1=1 --",
    "\\' OR 1=1 --",
    '" OR ""="',
    "$$; DROP TABLE cpes; $$",
    ":f0_0",
    "%(limit)s",
    "?1",
]


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_query_is_only_text(server: Server, text: str) -> None:
    """A text field finds no row with it, another kind of field and sort refuse it."""
    session = server.session()
    for name in (
        "notes",
        "cpename",
        "search",
        "notes__icontains",
        "city__startswith",
        "sn__ne",
        "external_id",
    ):
        answer = session.get(CPES_URL, params={name: text, "attrs": "id", "limit": "1"})
        assert answer.status_code == 200, answer.text
        if name != "sn__ne":
            assert answer.json() == {"count": 0, "next": None, "previous": None, "results": []}
    for name in ("id", "customer__gt", "access", "created__gte", "latitude", "expiration_date", "sort"):
        refused(session.get(CPES_URL, params={name: text}))
    for name in ("attrs", text):
        answer = session.get(CPES_URL, params={name: text, "limit": "1"})
        assert answer.status_code == 200
        assert answer.headers["X-Ignored-Parameters"]
    for name in ("limit", "offset"):
        assert session.get(CPES_URL, params={name: text, "attrs": "id"}).status_code == 200
    assert session.get(CPES_URL, params={"attrs": "id"}).json()["count"] >= 158


def _kinds() -> Iterator[tuple[str, Field]]:
    """One field of each kind, and its resource."""
    seen: set[Any] = set()
    for resource in (CPES, CUSTOMERS, POTSES):
        for one in resource.fields:
            shape = (type(one), "." in one.source, getattr(one, "normalize", None) is not None)
            if one.filtered and not one.secret and shape not in seen:
                seen.add(shape)
                yield resource.name, one


NASTY = [
    "",
    "null",
    "-",
    "--5",
    "1e400",
    "9" * 400,
    "-" + "9" * 30,
    "NaN",
    "-Infinity",
    "\0",
    "a\0b",
    "\u0663",
    "\ufdd0\U0010ffff",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "99999-01-01T00:00:00Z",
    "2022-02-30",
    "%",
    "\\",
    ",,,",
    "1,,2",
    " 350 ",
    "1_000",
]


@pytest.mark.parametrize(
    ("resource", "field"), list(_kinds()), ids=lambda one: one if isinstance(one, str) else one.name
)
def test_no_filter_value_is_our_defect(server: Server, resource: str, field: Field) -> None:
    """200 or a refusal that names the parameter."""
    session = server.session()
    for suffix in ("", "__gte", "__icontains", "__isnull"):
        for value in NASTY:
            name = f"{field.name}{suffix}"
            answer = session.get(
                f"/api/v2/isp/{resource}/", params={name: value, "attrs": "id", "limit": "1"}
            )
            if answer.status_code != 200:
                assert list(refused(answer)) == [name], (name, value)


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ("offset=" + "1" + "0" * 30, 10, None),
        ("offset=9223372036854775808", 10, None),
        ("offset=9223372036854775807&limit=1000", 1000, None),
        ("offset=" + "9" * 5_000, 10, None),
        ("offset=-1", 10, 0),
        ("offset=-" + "9" * 400, 10, 0),
        ("offset=1.5", 10, 0),
        ("offset=x", 10, 0),
        ("offset=", 10, 0),
        ("limit=-1", 10, 0),
        ("limit=0", 10, 0),
        ("limit=x", 10, 0),
        ("limit=2.5", 10, 0),
        ("limit=", 10, 0),
        ("limit=" + "9" * 400, 1000, 0),
        ("limit=1001", 1000, 0),
    ],
)
def test_page_numbers_out_of_range_are_brought_into_it(
    server: Server, query: str, limit: int, offset: int | None
) -> None:
    """As REST framework does. An offset beyond the end (None) gives an empty page."""
    session = server.session()
    found = session.get(f"{CPES_URL}?attrs=id&{query}")
    assert found.status_code == 200, found.text
    page = found.json()
    if offset is None:
        assert page["results"] == []
        assert page["next"] is None
        return
    expected = session.get(f"{CPES_URL}?attrs=id&limit={limit}&offset={offset}").json()
    assert page["results"] == expected["results"]
    assert len(page["results"]) == min(limit, page["count"])


@pytest.mark.parametrize("name", ["limit", "offset", "sort", "search", "attrs", "joins", "cursor", "format"])
def test_nul_in_a_parameter_of_ours_is_refused(server: Server, name: str) -> None:
    assert name in refused(server.session().get(f"{CPES_URL}?{name}=a%00b"))


def test_nul_in_the_name_of_a_parameter_is_refused(server: Server) -> None:
    refused(server.session().get(f"{CPES_URL}?no%00tes=x"))


def test_bytes_that_are_not_utf_8_in_a_query_find_nothing(server: Server) -> None:
    for query in ("notes=%ff%fe", "search=%ff", "no%fftes=1&notes=caf%e9"):
        answer = server.session().get(f"{CPES_URL}?attrs=id&{query}")
        assert answer.status_code in (200, 400)
        if answer.status_code == 200:
            assert answer.json()["count"] == 0


def _packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CURSORS = {
    "text": ("x", ""),
    "no base64": ("!!!!", ""),
    "non-ASCII": ("ñ%F0%9F%98%80", ""),
    "long": ("A" * 4_000, ""),
    "no list": (_packed(5), ""),
    "too short": (_packed([True]), ""),
    "too many values": (_packed([False, [1, 2, 3]]), ""),
    "text for a number": (_packed([False, ["a"]]), ""),
    "list for a number": (_packed([False, [[1]]]), ""),
    "beyond 64 bits": (_packed([False, [10**25]]), ""),
    "object for values": (_packed([False, {"a": 1}]), ""),
    "number for values": (_packed([False, 5]), ""),
    "number for a text": (_packed([False, [5, 1]]), "notes"),
    "NUL in a text": (_packed([False, ["\0", 1]]), "notes"),
    "number for a time": (_packed([False, [5, 1]]), "created"),
    "text for a time": (_packed([False, ["yesterday", 1]]), "created"),
    "text for a date": (_packed([False, ["soon", 1]]), "expiration_date"),
    "text for a decimal": (_packed([False, ["north", 1]]), "latitude"),
    "infinity for a decimal": (_packed([False, ["Infinity", 1]]), "latitude"),
    "of another order": (_packed([False, ["pim0350", 350]]), "id"),
}


@pytest.mark.parametrize(("cursor", "sort"), CURSORS.values(), ids=CURSORS)
def test_a_cursor_that_we_did_not_make_is_refused(server: Server, cursor: str, sort: str) -> None:
    query = f"?attrs=id&cursor={cursor}" + (f"&sort={sort}" if sort else "")
    assert list(refused(server.session().get(CPES_URL + query))) == ["cursor"]


@pytest.mark.parametrize(
    "time", ["2022-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
)
def test_a_cursor_of_any_time_is_read_or_refused(server: Server, time: str) -> None:
    answer = server.session().get(f"{CPES_URL}?attrs=id&sort=created&cursor={_packed([False, [time, 1]])}")
    if answer.status_code != 200:
        assert list(refused(answer)) == ["cursor"]


# ---- headers ----------------------------------------------------------------------------------

BAD_CREDENTIALS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Bearer a.b.c",
    "Bearer eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ.",
    "Bearer " + "x" * 4_000,
    "Bearer \xff\xfe",
    "Basic",
    "Basic !!!",
    "Basic " + base64.b64encode(b"nocolon").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    "Basic " + base64.b64encode(b"nobody\0:x\0").decode(),
    "Token",
    "Token \xe9\x00x".replace("\x00", "0"),
    "Digest username=demo",
    "demo:demo",
    "Bearer,Basic",
]


@pytest.mark.parametrize("value", BAD_CREDENTIALS, ids=lambda value: repr(value)[:30])
def test_malformed_credentials_are_401(server: Server, value: str) -> None:
    with Wire(server) as wire:
        wire.head("GET", CPE, Authorization=value)
        status, headers, text = wire.answer()
    told(status, headers, text.decode(), 401)
    assert headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_changed_signature_is_401(server: Server) -> None:
    head, claims, signature = server.token().split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other["user_id"] = 1
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).decode().rstrip("=")
    for token in (
        f"{head}.{forged}.{signature}",
        f"{head}.{claims}.{signature[:-4]}AAAA",
        f"{head}.{claims}.",
    ):
        session = server.session(None)
        found = refused(session.get(CPE, headers={"Authorization": f"Bearer {token}"}), 401)
        assert found["code"] == "token_not_valid"


@pytest.mark.parametrize(
    "value", ["", "x", '"', '"",', "W/", '"-"', '"999999999999999999999-x"', "350", "\xff"]
)
def test_an_if_match_that_names_no_version_is_412(server: Server, value: str) -> None:
    with Wire(server) as wire:
        body = b'{"notes": "if-match"}'
        wire.head(
            "PATCH",
            CPE,
            Authorization=f"Bearer {server.token()}",
            Content_Type="application/json",
            Content_Length=str(len(body)),
            If_Match=value,
        )
        wire.socket.sendall(body)
        status, headers, text = wire.answer("PATCH")
    told(status, headers, text.decode(), 412)


@pytest.mark.parametrize("value", ["", "x", '"', ",,,", "W/W/", "\xff", '"' + "x" * 4_000 + '"'])
def test_an_if_none_match_that_names_nothing_of_ours_gets_the_whole(server: Server, value: str) -> None:
    with Wire(server) as wire:
        wire.head("GET", CPE, Authorization=f"Bearer {server.token()}", If_None_Match=value)
        status, _, body = wire.answer()
    assert status == 200
    assert json.loads(body)["id"] == 350


@pytest.mark.parametrize("value", ["", "x", "00-0-0-0", "\xff", "00-" + "g" * 32 + "-" + "0" * 16 + "-01"])
@pytest.mark.parametrize("name", ["traceparent", "X_Request_Id"])
def test_malformed_trace_headers_are_ignored(server: Server, name: str, value: str) -> None:
    with Wire(server) as wire:
        wire.head("GET", CPE, Authorization=f"Bearer {server.token()}", **{name: value})
        status, headers, _ = wire.answer()
    assert status == 200
    assert headers["X-Request-Id"]
    if name == "X_Request_Id" and value not in ("x", "00-0-0-0") and "g" not in value:
        assert headers["X-Request-Id"] != value


def test_a_request_id_of_the_client_comes_back(server: Server) -> None:
    answer = server.session().get(CPE, headers={"X-Request-Id": "client-7.a_b"})
    assert answer.headers["X-Request-Id"] == "client-7.a_b"
    answer = server.session().get(CPE, headers={"X-Request-Id": "x" * 65})
    assert answer.headers["X-Request-Id"] != "x" * 65


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Method-Override": "DELETE"},
        {"X-HTTP-Method": "DELETE"},
    ],
)
def test_no_header_turns_one_method_into_another(server: Server, headers: dict[str, str]) -> None:
    session = server.session()
    assert session.get(CPE, headers=headers).status_code == 200
    refused(session.post(CPE, headers=headers, json={}), 405)
    refused(session.post(f"{CPE}?_method=DELETE", data={"_method": "DELETE"}), 405)


@pytest.mark.parametrize(
    "accept", ["application/xml", "text/html", "x", "", "*/*;q=0", "a/b;q=x,\xff", "image/*"]
)
def test_an_unknown_accept_gets_json(server: Server, accept: str) -> None:
    with Wire(server) as wire:
        wire.head(
            "GET", f"{CPES_URL}?attrs=id&limit=1", Authorization=f"Bearer {server.token()}", Accept=accept
        )
        status, headers, body = wire.answer()
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["results"]


def test_an_unknown_format_is_refused(server: Server) -> None:
    assert list(refused(server.session().get(f"{CPES_URL}?format=xml"))) == ["format"]


@pytest.mark.parametrize("size", [10_000, 100_000, 1_000_000])
def test_overlong_headers_are_refused_by_the_server(server: Server, size: int) -> None:
    with Wire(server) as wire:
        try:
            wire.head("GET", CPE, Authorization=f"Bearer {server.token()}", X_Long="x" * size)
            status, _, text = wire.answer()
        except ConnectionError:
            status, text = 400, b""
        assert status in (200, 400, 431)
        assert b"Traceback" not in text
    assert server.session().get(CPE).status_code == 200


def test_no_defect_was_logged(server: Server, begun: dict[str, dict[Path, int]]) -> None:
    """Last in this file: what was refused above was refused on purpose."""
    assert "Traceback" not in server.logs(after=begun[server.mode])
