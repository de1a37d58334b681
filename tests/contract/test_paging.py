"""Pages: links as REST framework writes them, cursors that walk the same rows, HEAD like GET."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from tests.contract.raw import Wire
from tests.servers import Server, Session

CPES = "/api/v2/isp/cpes/"
MARK = f"pagingrow{secrets.token_hex(3)}"
ROWS = 23


@pytest.fixture(scope="module", params=["embedded", "real"])
def paged(request: pytest.FixtureRequest) -> tuple[Server, Session]:
    """`ROWS` customers named `MARK`; some have equal comments, some no country."""
    server: Server = request.getfixturevalue(request.param)
    session = server.session()
    items = [
        {"name": MARK, "comment": f"c{number % 3}", "country": None if number % 4 else f"land {number % 5}"}
        for number in range(ROWS)
    ]
    made = session.post("/api/v2/isp/customers/bulk/", json={"items": items, "atomic": True})
    assert made.json()["created"] == ROWS, made.text
    return server, session


def rest_framework(query: str, count: int) -> tuple[str | None, str | None]:
    """`next` and `previous` as LimitOffsetPagination (3.15) computes them, as query strings; the library's
    own steps, done with the standard library."""

    def number(name: str, otherwise: int, *, strict: bool, most: int | None = None) -> int:
        try:
            value = int(parse_qs(query, keep_blank_values=True)[name][-1])
            if value < 0 or (strict and value == 0):
                raise ValueError
        except (KeyError, ValueError):
            return otherwise
        return min(value, most) if most else value

    def replaced(**changes: int | None) -> str:
        found: dict[str, Any] = parse_qs(query, keep_blank_values=True)
        for name, value in changes.items():
            if value is None:
                found.pop(name, None)
            else:
                found[name] = [value]
        return urlencode(sorted(found.items()), doseq=True)

    limit = number("limit", 10, strict=True, most=1000)
    offset = number("offset", 0, strict=False)
    following = None if offset + limit >= count else replaced(limit=limit, offset=offset + limit)
    if offset <= 0:
        preceding = None
    elif offset - limit <= 0:
        preceding = replaced(limit=limit, offset=None)
    else:
        preceding = replaced(limit=limit, offset=offset - limit)
    return following, preceding


QUERIES = [
    "",
    "limit=10",
    "limit=10&offset=0",
    "offset=10",
    "offset=13&limit=10",
    "offset=14&limit=10",
    "limit=7&offset=3",
    "limit=7&offset=7",
    "limit=7&offset=8",
    "limit=5&offset=18",
    "limit=5&offset=17",
    "limit=23",
    "limit=22",
    "limit=24",
    "limit=1&offset=22",
    "offset=23",
    "offset=24&limit=5",
    "offset=500&limit=5",
    "limit=0",
    "limit=0&offset=5",
    "limit=-3&offset=5",
    "limit=x&offset=5",
    "limit=5&offset=-5",
    "limit=5&offset=x",
    "limit=&offset=",
    "limit=5000",
    "limit=5&limit=7",
    "offset=2&offset=9&limit=5",
    "sort=-id&attrs=id,name&limit=5",
    "zeta=1&alpha=2&limit=5&attrs=id",
    "attrs=id&zeta=b&zeta=a&limit=5",
    "blank=&limit=5&attrs=id",
    "attrs=id,name,comment&limit=5&offset=5",
    "comment__in=c0,c1,c2&limit=5",
    "x=a%20b%2Bc&y=%C3%B1%E2%82%AC&limit=5",
    "x=a+b&y=100%25&limit=5",
    "attrs==id,name&limit=5",
    "search=pagingrow&limit=5&offset=5",
    "%C3%B1=1&limit=5",
    "x=a;b&y=(c)*~'!&limit=5",
]


@pytest.mark.parametrize("query", QUERIES)
def test_links_are_those_of_rest_framework(paged: tuple[Server, Session], query: str) -> None:
    server, session = paged
    asked = f"name={MARK}&{query}" if query else f"name={MARK}"
    page = session.get(f"/api/v2/isp/customers/?{asked}").json()
    assert page["count"] == ROWS
    base = f"{server.url}/api/v2/isp/customers/?"
    expected = [one and base + one for one in rest_framework(asked, ROWS)]
    assert [page["next"], page["previous"]] == expected


@pytest.mark.parametrize(
    "query", ["limit=5", "limit=7&sort=-comment", "limit=10&sort=country,-id", "limit=1000"]
)
def test_links_lead_through_all_rows_both_ways(paged: tuple[Server, Session], query: str) -> None:
    _, session = paged
    forward = list(walk(session, f"/api/v2/isp/customers/?name={MARK}&attrs=id&{query}", "next"))
    assert len(forward) == len(set(forward)) == ROWS
    last = f"/api/v2/isp/customers/?name={MARK}&attrs=id&{query}&offset={ROWS - 1}"
    assert set(walk(session, last, "previous")) <= set(forward)


def walk(session: Session, url: str | None, direction: str) -> Iterator[int]:
    for _ in range(ROWS + 2):
        if url is None:
            return
        page = session.get(url).json()
        yield from [row["id"] for row in page["results"]]
        url = page[direction]
    raise AssertionError("the links do not end")


SORTS = [
    "id",
    "-id",
    "comment",
    "-comment,id",
    "country",
    "-country",
    "country,-comment",
    "created,-id",
    "latitude",
]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 4, 23])
def test_a_cursor_walk_gives_the_rows_of_the_offset_walk(
    paged: tuple[Server, Session], sort: str, limit: int
) -> None:
    """Equal sort values and nulls included; backwards, too."""
    _, session = paged
    query = f"/api/v2/isp/customers/?name={MARK}&attrs=id&sort={sort}"
    whole = [row["id"] for row in session.get(f"{query}&limit=1000").json()["results"]]
    assert len(whole) == ROWS
    pages, url = [], f"{query}&limit={limit}&cursor="
    while url:
        page = session.get(url).json()
        assert page["count"] == ROWS
        pages.append((url, page))
        url = page["next"]
    assert [row["id"] for _, page in pages for row in page["results"]] == whole
    assert pages[0][1]["previous"] is None
    for (_, before), (_, after) in pairwise(pages):
        assert session.get(after["previous"]).json()["results"] == before["results"]


def test_a_cursor_is_stable_when_rows_come_and_go(paged: tuple[Server, Session]) -> None:
    _, session = paged
    name = f"cursor-{secrets.token_hex(4)}"
    ids = [session.post("/api/v2/isp/customers/", json={"name": name}).json()["id"] for _ in range(6)]
    first = session.get(f"/api/v2/isp/customers/?name={name}&attrs=id&limit=3&cursor=").json()
    session.delete(f"/api/v2/isp/customers/{ids[0]}/")
    session.delete(f"/api/v2/isp/customers/{ids[2]}/")
    newest = session.post("/api/v2/isp/customers/", json={"name": name}).json()["id"]
    rest = list(walk(session, first["next"], "next"))
    assert [row["id"] for row in first["results"]] == ids[:3]
    assert rest == [*ids[3:], newest]


HEADED = [
    CPES,
    f"{CPES}?attrs=id&limit=3",
    f"{CPES}350/",
    f"{CPES}350/?joins=customer,potses",
    f"{CPES}74/potses/",
    "/api/cpes/?sn=0000deadbeef0000",
    "/api/cpes/350",
    "/api/v2/",
    "/api/v2/isp/",
    "/api/v2/me/",
    "/api/v2/auth/user",
    f"{CPES}999999/",
    f"{CPES}?joins=no_such",
    "/api/v2/no/such/",
]


@pytest.mark.parametrize("path", HEADED)
def test_head_has_the_headers_of_get_and_no_body(server: Server, path: str) -> None:
    bearer = f"Bearer {server.token()}"
    answers = {}
    for verb in ("GET", "HEAD"):
        with Wire(server) as wire:
            wire.head(verb, path, Authorization=bearer)
            answers[verb] = wire.answer(verb)
            rest = b""
            if verb == "HEAD":
                wire.head("GET", CPES, Authorization=bearer, Connection="close")
                rest = wire.socket.recv(12)
                assert rest.startswith(b"HTTP/1.1 200")  # nothing of a body in between
    (status, headers, body), (headed, same, empty) = answers["GET"], answers["HEAD"]
    assert headed == status
    assert empty == b""
    changing = {"Date", "X-Request-Id"}
    assert {name: value for name, value in same.items() if name not in changing} == {
        name: value for name, value in headers.items() if name not in changing
    }
    assert headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", CPES, 200),
        ("OPTIONS", CPES, 200),
        ("POST", CPES, 400),
        ("GET", f"{CPES}0/", 404),
        ("PUT", CPES, 405),
    ],
)
def test_every_answer_tells_its_length(server: Server, verb: str, path: str, status: int) -> None:
    answer = server.session().request(verb, path)
    assert answer.status_code == status
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Transfer-Encoding" not in answer.headers


def test_an_answer_without_content_has_none(server: Server) -> None:
    session = server.session()
    made = session.post("/api/v2/isp/customers/", json={"name": "to be deleted"}).json()["id"]
    answer = session.delete(f"/api/v2/isp/customers/{made}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers.get("Content-Length", "0") == "0"
    assert "Content-Type" not in answer.headers
