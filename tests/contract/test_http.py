"""HTTP itself, as odd but living clients speak it, answered the same by both servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.contract.raw import Wire, refused, told
from tests.servers import Server, Session

CUSTOMERS, CPES = "/api/v2/isp/customers/", "/api/v2/isp/cpes/"
CPE, LOGIN = f"{CPES}350/?attrs=id", "/api/v2/auth/login"
WHOLE = b'{"id":350}'


def asked(server: Server, request: str, user: str | None = "own", body: bytes = b"") -> list[str]:
    """Lines that a request begins with, those of our own after them."""
    lines = [*request.split("\n"), f"Host: 127.0.0.1:{server.port}"]
    if user is not None:
        lines.append(f"Authorization: Bearer {server.token(user)}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return lines


def send(wire: Wire, lines: list[str], body: bytes = b"") -> None:
    wire.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)


@pytest.mark.parametrize(
    "target",
    [
        f"http://crm.example.net{CPE}",
        f"HTTPS://crm.example.net:8443{CPE}",
        f"{CPE}#top",
        f"/{CPE}",
        CPE.replace("cpes", "%63pes"),
    ],
)
def test_a_target_may_be_written_in_other_ways(server: Server, target: str) -> None:
    with Wire(server) as wire:
        send(wire, asked(server, f"GET {target} HTTP/1.1"))
        status, _, body = wire.answer()
    assert (status, body) == (200, WHOLE)


def test_an_empty_line_before_a_request_is_none(server: Server) -> None:
    """Old clients end a body with one more line than its length tells."""
    body = b"{}"
    with Wire(server) as wire:
        wire.socket.sendall(b"\r\n")
        lines = asked(server, f"PATCH {CPE} HTTP/1.1\nContent-Type: application/json", body=body)
        for _ in range(2):
            send(wire, lines, body + b"\r\n")
            status, _, found = wire.answer()
            assert (status, found) == (200, WHOLE)


@pytest.mark.parametrize("codec", ["utf-8", "latin-1"])
@pytest.mark.parametrize("letters", ["Núñez", "Alà", "Å"])
def test_letters_of_a_query_need_not_be_encoded(server: Server, codec: str, letters: str) -> None:
    """curl and PHP send them as they are; Django takes what is not UTF-8 for Latin-1."""
    session = server.session()
    made = session.post(CUSTOMERS, json={"name": f"{letters} raw {codec}"}).json()["id"]
    try:
        path = f"{CUSTOMERS}?attrs=id&limit=1&sort=-id&name__contains="
        plain = session.get(path + quote(letters)).json()
        with Wire(server) as wire:
            head, _, rest = "\r\n".join([*asked(server, f"GET {path}@ HTTP/1.1"), "", ""]).partition("@")
            wire.socket.sendall(head.encode() + letters.encode(codec) + rest.encode())
            status, _, body = wire.answer()
        assert status == 200
        assert json.loads(body) == plain
        assert plain["count"]
    finally:
        session.delete(f"{CUSTOMERS}{made}/")


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n", b"-1\r\n{}\r\n", b"\r\n{}\r\n"])
def test_a_malformed_chunk_is_a_parse_error(server: Server, chunk: bytes) -> None:
    lines = asked(server, f"PATCH {CPE} HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked")
    with Wire(server) as wire:
        send(wire, lines, chunk + b"0\r\n\r\n")
        status, headers, text = wire.answer()
    told(status, headers, text.decode(), 400)
    assert json.loads(text)["code"] == "parse_error"


def test_a_transfer_coding_that_is_unknown_is_not_an_empty_body(server: Server) -> None:
    request = f"PATCH {CPE} HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: gzip, chunked"
    with Wire(server) as wire:
        send(wire, [*asked(server, request), "Connection: close"], b"2\r\n{}\r\n0\r\n\r\n")
        status, headers, text = wire.answer()
    told(status, headers, text.decode(), 400)


def test_a_body_without_a_type_is_json(server: Server) -> None:
    body = b'{"notes": [1]}'
    with Wire(server) as wire:
        send(wire, asked(server, f"PATCH {CPE} HTTP/1.1", body=body), body)
        status, headers, text = wire.answer()
    told(status, headers, text.decode(), 400)
    assert list(json.loads(text)) == ["notes"]


@pytest.mark.parametrize("user", ["own", None])
def test_a_client_that_waits_for_100_goes_on_with_the_same_connection(
    server: Server, user: str | None
) -> None:
    request = f"PATCH {CPE} HTTP/1.1\nContent-Type: application/json\nExpect: 100-continue"
    with Wire(server) as wire:
        send(wire, asked(server, request, user, b"{}"))
        going = b""
        while not going.endswith(b"\r\n\r\n"):
            going += wire.socket.recv(1)
        assert going.startswith(b"HTTP/1.1 100 ")
        wire.socket.sendall(b"{}")
        status, _, _ = wire.answer()
        assert status == (200 if user else 401)
        assert wire.serves(CPE, Authorization=f"Bearer {server.token()}")


def test_a_client_of_http_1_0_gets_no_100(server: Server) -> None:
    request = f"PATCH {CPE} HTTP/1.0\nContent-Type: application/json\nExpect: 100-continue"
    with Wire(server) as wire:
        send(wire, asked(server, request, body=b"{}"), b"{}")
        found = wire.socket.recv(65536)
    assert found.split(b" ")[1] == b"200"


def test_names_of_headers_are_written_as_ever(server: Server) -> None:
    """Clients that take an answer apart by hand look for them."""
    for user, name in (("own", b"\r\nETag: "), (None, b"\r\nWWW-Authenticate: ")):
        with Wire(server) as wire:
            send(wire, [*asked(server, f"GET {CPE} HTTP/1.1", user), "Connection: close"])
            found = b""
            while more := wire.socket.recv(65536):
                found += more
        assert name in found


@pytest.mark.parametrize("host", ["", "a_b.example", "a/b", "a b", "crm@example.net", "crm:x"])
def test_a_host_that_cannot_be_one_is_refused(server: Server, host: str) -> None:
    """As Django does; links of a page would lead nowhere."""
    lines = [f"GET {CPES}?limit=1 HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {server.token()}"]
    with Wire(server) as wire:
        send(wire, lines)
        status, _, text = wire.answer()
    assert status == 400
    assert json.loads(text)["code"] == "bad_request"


@pytest.mark.parametrize("path", ["/api/v2/openapi.json", "/healthz", "/redoc/"])
def test_a_refused_verb_comes_with_those_that_there_are(server: Server, path: str) -> None:
    answer = server.session().delete(path)
    refused(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("verb", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_verb_where_nobody_need_be_logged_in_is_405(server: Server, verb: str) -> None:
    answer = Session(server.url).request(verb, LOGIN)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


def test_options_where_nobody_need_be_logged_in_tell_everybody(server: Server) -> None:
    answer = Session(server.url).options(LOGIN)
    assert answer.status_code == 200
    assert "application/json" in answer.json()["parses"]
    refused(Session(server.url).options(CPES), 401)


def test_a_preflight_allows_the_authorization_header(server: Server) -> None:
    """`*` does not stand for it."""
    headers = {"Origin": "https://crm.example.net", "Access-Control-Request-Method": "PATCH"}
    answer = Session(server.url).options(CPE, headers=headers)
    allowed = answer.headers["Access-Control-Allow-Headers"]
    assert sorted(allowed.split(", ")) == ["*", "Authorization"]
    assert server.session().get(CPE).headers["Access-Control-Allow-Headers"] == "*"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*;q=0.1, text/csv;q=0", "application/json"),
        ("text/csv;q=0.5, */*", "application/json"),
        ("TEXT/CSV", "text/csv"),
        ("text/csv, */*", "text/csv"),
        ("application/x-ndjson, */*", "application/x-ndjson"),
    ],
)
def test_whatever_means_json(server: Server, accept: str, kind: str) -> None:
    answer = server.session().get(f"{CPES}?attrs=id&limit=1", headers={"Accept": accept})
    assert answer.headers["Content-Type"].partition(";")[0] == kind


@pytest.mark.parametrize("offset", ["+01:00", "%2B01:00", "+0100", "%2B0100"])
def test_a_time_may_have_its_offset_without_a_colon(server: Server, offset: str) -> None:
    """As PHP's DATE_ISO8601 and Java write it; an unencoded plus sign is a blank in a query."""
    session = server.session()
    when = session.get(f"{CPES}350/?attrs=created").json()["created"].removesuffix("+01:00")
    assert session.get(f"{CPES}?attrs=id&id=350&created={when}{offset}").json()["count"] == 1


@pytest.fixture
def customer(server: Server) -> Iterator[int]:
    session = server.session()
    made: int = session.post(CUSTOMERS, json={"name": "Eva"}).json()["id"]
    yield made
    session.delete(f"{CUSTOMERS}{made}/")


@pytest.mark.parametrize("written", ["{}.0", '"{}.0"', "{}", '" {} "'])
def test_a_reference_may_have_decimals_that_are_zero(server: Server, customer: int, written: str) -> None:
    session = server.session()
    body = f'{{"customer": {written.format(customer)}, "model": "HG8245H", "tech": "voip"}}'
    made = session.post(CPES, data=body, headers={"Content-Type": "application/json"})
    assert made.status_code == 201, made.text
    assert made.json()["customer"] == customer
    assert session.delete(f"{CPES}{made.json()['id']}/").status_code == 204
    fraction = json.loads(body.replace(written.format(customer), f"{customer}.5"))
    assert list(refused(session.post(CPES, json=fraction))) == ["customer"]


def test_a_file_is_no_text(server: Server, customer: int) -> None:
    """As to REST framework; it was left out, and a PATCH answered 200."""
    session, path = server.session(), f"{CUSTOMERS}{customer}/"
    assert list(refused(session.patch(path, files={"comment": ("a.txt", b"lost")}))) == ["comment"]
    none = [("photo", ("", b"")), ("comment", (None, b"kept"))]
    assert session.patch(path, files=none).json()["comment"] == "kept"
