"""Lists out as files and files in as rows: complete or visibly not, resumable, with a reason for every bad
line.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.raw import Wire, refused, told
from tests.servers import PASSWORD, Real, Server, Session, eventually

CPES, CUSTOMERS = "/api/v2/isp/cpes/", "/api/v2/isp/customers/"
CSV, NDJSON = "text/csv", "application/x-ndjson"
COMPUTED = {"_links", "_services"}


def table(answer: requests.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def lines(answer: requests.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == NDJSON
    assert answer.content.endswith(b"\n") or not answer.content
    return [json.loads(line) for line in answer.content.splitlines()]


def listed(session: Session, path: str) -> list[Any]:
    """The rows of a list, page by page."""
    rows: list[Any] = []
    url: str | None = path
    while url:
        page = session.get(url).json()
        rows += page["results"]
        url = page["next"]
    assert len(rows) == page["count"]
    return rows


def cell(value: Any) -> str:
    """How a value stands in CSV."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        case _:
            return str(value)


def armed(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if text.startswith(("'=", "'+", "'-", "'@")) else text


# ---- export -----------------------------------------------------------------------------------

QUERIES = [
    "",
    "sort=-id",
    "sort=city,-id",
    "access=false",
    "tech=gpon&sort=customer",
    "search=madrid",
    "id__in=74,119,350&sort=-id",
    "attrs=id,cpename,customer,notes",
    "attrs=cpename,latitude&latitude__isnull=false",
    "sn=00000000feedbeef",
    "limit=3&offset=5",
]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        *(("cpes", one) for one in QUERIES),
        *((one, "sort=-id") for one in ("customers", "potses", "cpe-profiles")),
    ],
)
def test_an_export_is_the_list_without_pages(server: Server, name: str, query: str) -> None:
    session = server.session()
    kept = "" if query.startswith("limit") else query
    path = f"/api/v2/isp/{name}/"
    rows = listed(session, f"{path}?{kept}&limit=1000")
    assert lines(session.get(f"{path}?{query}&format=ndjson")) == rows
    found = session.get(f"{path}?{query}&format=csv")
    names = next(csv.reader(io.StringIO(found.text)))
    expected = [{one: cell(row[one]) for one in names} for row in rows]
    assert [{one: armed(text) for one, text in row.items()} for row in table(found)] == expected
    if rows:
        assert set(names) == set(rows[0]) - COMPUTED


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", CSV),
        ("text/csv;q=0.9, application/json;q=0.1", CSV),
        ("application/x-ndjson", NDJSON),
        ("application/jsonl", NDJSON),
        ("application/json", "application/json"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
    ],
)
def test_the_accept_header_chooses_the_form(server: Server, accept: str, kind: str) -> None:
    session = server.session()
    answer = session.get(f"{CPES}?attrs=id", headers={"Accept": accept})
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    chosen = session.get(f"{CPES}?attrs=id&format=json", headers={"Accept": accept})
    assert chosen.headers["Content-Type"] == "application/json"
    if kind != "application/json":
        name = "csv" if kind == CSV else "ndjson"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="cpes.{name}"'
        assert answer.content == session.get(f"{CPES}?attrs=id&format={name}").content


def test_a_list_below_a_row_is_exported_too(server: Server) -> None:
    session = server.session()
    rows = session.get(f"{CUSTOMERS}65/cpes/").json()["results"]
    assert lines(session.get(f"{CUSTOMERS}65/cpes/?format=ndjson")) == rows
    assert [row["id"] for row in table(session.get(f"{CUSTOMERS}65/cpes/?format=csv"))] == [
        str(row["id"]) for row in rows
    ]


def test_an_empty_csv_has_its_header(server: Server) -> None:
    answer = server.session().get(f"{CPES}?sn=00000000feedbeef&attrs=id,sn&format=csv")
    assert answer.content == b"id,sn\r\n"


def test_a_filter_that_is_refused_is_refused_before_anything_is_sent(server: Server) -> None:
    for kind in ("csv", "ndjson"):
        assert list(refused(server.session().get(f"{CPES}?id=x&format={kind}"))) == ["id"]


def test_head_of_an_export_sends_nothing(server: Server) -> None:
    answer = server.session().head(f"{CPES}?format=csv")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith(CSV)


def test_a_text_that_a_spreadsheet_would_run_is_disarmed(server: Server) -> None:
    session = server.session()
    key = f"formula-{secrets.token_hex(4)}"
    texts = ["=1+1", "+34 916", "-2+3", "@SUM(A1)", "'quoted", 'a "b", c', "two\nlines", "ñ€😀", " spaced "]
    items = [{"name": "formula", "comment": text, "external_id": f"{key}{n}"} for n, text in enumerate(texts)]
    session.post(f"{CUSTOMERS}bulk/", json={"items": items})
    where = f"?external_id__startswith={key}&attrs=external_id,name,comment"
    cells = [row["comment"] for row in table(session.get(f"{CUSTOMERS}{where}&format=csv"))]
    assert not [one for one in cells if one.startswith(("=", "@", "-", "+"))]
    assert cells[0] == "'=1+1"
    read_back = session.get(f"{CUSTOMERS}{where}&format=csv").content.replace(
        key.encode(), f"b{key}".encode()
    )
    assert sent(session, CSV, read_back)["created"] == len(texts)
    where = f"?external_id__startswith=b{key}&attrs=comment"
    assert [row["comment"] for row in session.get(f"{CUSTOMERS}{where}").json()["results"]] == [
        text.strip() for text in texts
    ]


# ---- import -----------------------------------------------------------------------------------


def sent(session: Session, kind: str, body: bytes, query: str = "", path: str = CUSTOMERS) -> dict[str, Any]:
    answer = session.post(f"{path}import/{query}", data=body, headers={"Content-Type": kind}, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def count(session: Session, **where: Any) -> int:
    number: int = session.get(CUSTOMERS, params={**where, "limit": "1", "attrs": "id"}).json()["count"]
    return number


def ndjson(items: list[Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in items)


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_an_export_goes_back_in_in_another_realm(server: Server, kind: str) -> None:
    """Customers and their CPEs; ids, realms and what must be unique are the importer's to give."""
    here, there = server.session(), server.session("other")
    mark = secrets.token_hex(4)
    customer = here.post(
        CUSTOMERS,
        json={
            "name": f"round {mark}",
            "surname": 'ñ€😀 "q", x',
            "comment": "two\nlines",
            "latitude": "40.1234567",
            "country": None,
            "external_id": f"{mark}-c",
        },
    ).json()
    for number in range(3):
        body = {
            "customer": customer["id"],
            "model": "HG8245H",
            "sn": f"48575443{mark[:7]}{number}",
            "notes": f"device {number}",
            "access": number != 1,
            "expiration_date": "2099-12-31",
            "pppoe_password": "round-trip",
            "external_id": f"{mark}-{number}",
        }
        assert here.post(CPES, json=body).status_code == 201
    type_ = CSV if kind == "csv" else NDJSON
    attrs = "name,surname,comment,latitude,longitude,country,city,external_id"
    exported = here.get(f"{CUSTOMERS}?external_id={mark}-c&attrs={attrs}&format={kind}").content
    assert sent(there, type_, exported)["created"] == 1
    (mine,) = there.get(f"{CUSTOMERS}?external_id={mark}-c").json()["results"]
    assert mine["realm"] == "swt"
    assert {name: mine[name] for name in attrs.split(",")} == {
        name: customer[name] for name in attrs.split(",")
    }
    attrs = "customer,model,notes,access,expiration_date,pppoe_password,external_id,sn,bridge,latitude"
    exported = here.get(f"{CPES}?customer={customer['id']}&attrs={attrs}&format={kind}&sort=id").content
    moved = re.sub(rb"(?<!\w)%d," % customer["id"], b"%d," % mine["id"], exported)  # no end of a serial
    moved = moved.replace(f"48575443{mark[:7]}".encode(), f"5a544547{mark[:7]}".encode())
    report = sent(there, type_, moved, path=CPES)
    assert (report["created"], report["failed"], report["errors"]) == (3, 0, [])
    before = here.get(f"{CPES}?customer={customer['id']}&attrs={attrs}&sort=id").json()["results"]
    after = there.get(f"{CPES}?customer={mine['id']}&attrs={attrs}&sort=id").json()["results"]
    given = {"customer", "sn"}
    assert [{name: row[name] for name in row if name not in given} for row in after] == [
        {name: row[name] for name in row if name not in given} for row in before
    ]


def test_bad_lines_are_told_by_number_and_good_ones_kept(server: Server) -> None:
    session = server.session()
    name = f"lines-{secrets.token_hex(4)}"
    good = json.dumps({"name": name})
    body = "\n".join(
        [
            good,
            "{broken",
            good,
            '{"name": ""}',
            "",
            "[1, 2]",
            '{"surname": "x"}',
            '{"name": "x", "latitude": "n"}',
            good,
        ]
    )
    report = sent(session, NDJSON, body.encode() + b"\n")
    assert (report["created"], report["failed"], report["lines"], report["complete"]) == (3, 5, 9, True)
    told_ = {one["line"]: one["errors"] for one in report["errors"]}
    assert list(told_) == [2, 4, 6, 7, 8]
    assert told_[2]["non_field_errors"][0].startswith("JSON parse error")
    assert told_[4] == {"name": ["This field may not be blank."]}
    assert told_[7] == {"name": ["This field is required."]}
    assert list(told_[8]) == ["latitude"]
    assert count(session, name=name) == 3


def test_a_line_that_is_too_deep_is_a_bad_line(server: Server) -> None:
    name = f"deep-{secrets.token_hex(4)}"
    deep = f'{{"name": "{name}", "unknown": {"[" * 300}{"]" * 300}}}\n'
    body = f'{{"name": "{name}"}}\n' + deep + f'{{"name": "{name}"}}\n'
    report = sent(server.session(), NDJSON, body.encode())
    assert (report["created"], report["failed"], report["lines"]) == (2, 1, 3), report
    assert [one["line"] for one in report["errors"]] == [2]


def test_bad_lines_of_csv_are_told_by_number(server: Server) -> None:
    session = server.session()
    name = f"cells-{secrets.token_hex(4)}"
    body = (
        f'name,latitude\r\n{name},40\r\n{name},north\r\n{name}\r\n{name},1,2\r\n"{name}\nb",2\r\n{name},3\r\n'
    )
    report = sent(session, CSV, body.encode())
    assert (report["created"], report["failed"]) == (3, 3)
    assert [one["line"] for one in report["errors"]] == [3, 4, 5]
    assert count(session, name=name) == 2


def test_a_line_of_csv_that_cannot_be_read_does_not_end_the_import(server: Server) -> None:
    session = server.session()
    name = f"quotes-{secrets.token_hex(4)}"
    lines_ = ["name,surname", f'"{name}" x,1', f"{name},2", f"{name}\r,3", f'"{name}",4', f'"{name}"5"']
    report = sent(session, CSV, "\n".join([*lines_, f"{name},6", ""]).encode())
    assert (report["created"], report["failed"], report["lines"]) == (3, 3, 7), report
    assert [one["line"] for one in report["errors"]] == [2, 4, 6]
    rows = session.get(CUSTOMERS, params={"name": name, "attrs": "surname", "sort": "id"}).json()["results"]
    assert [row["surname"] for row in rows] == ["2", "4", "6"]


def test_a_file_of_which_the_rest_was_not_read_may_be_mended_and_sent_again(server: Server) -> None:
    """A cell of several lines ends in rubbish: which of the line ends after it are within cells?"""
    session = server.session()
    name = f"rest-{secrets.token_hex(4)}"
    bad = f'name,surname\n{name},1\n"{name}","2\n" x\n{name},3\n'
    report = sent(session, CSV, bad.encode(), f"?id={name}")
    assert (report["created"], report["failed"], report["lines"], report["complete"]) == (1, 1, 2, False)
    assert [one["line"] for one in report["errors"]] == [3]
    report = sent(session, CSV, bad.replace('" x', '"').encode(), f"?id={name}")
    assert (report["created"], report["failed"], report["complete"]) == (3, 0, True), report
    rows = session.get(CUSTOMERS, params={"name": name, "attrs": "surname", "sort": "id"}).json()["results"]
    assert [row["surname"].strip() for row in rows] == ["1", "2", "3"]


def test_duplicates_within_a_file_are_bad_lines(server: Server) -> None:
    session = server.session()
    key = secrets.token_hex(4)
    report = sent(session, NDJSON, ndjson([{"name": "dup", "external_id": key}] * 3))
    assert (report["created"], report["failed"]) == (1, 2)
    assert [one["line"] for one in report["errors"]] == [2, 3]


def test_unknown_columns_are_refused_before_anything_is_written(server: Server) -> None:
    session = server.session()
    name = f"columns-{secrets.token_hex(4)}"
    answer = session.post(
        f"{CUSTOMERS}import/", data=f"name,nmae,surname\n{name},x,y\n".encode(), headers={"Content-Type": CSV}
    )
    assert refused(answer) == {"nmae": ["Unknown column."]}
    assert count(session, name=name) == 0


def test_a_column_that_is_there_twice_is_refused_before_anything_is_written(server: Server) -> None:
    session = server.session()
    name = f"twice-{secrets.token_hex(4)}"
    answer = session.post(
        f"{CUSTOMERS}import/",
        data=f"name,surname,surname\n{name},x,y\n".encode(),
        headers={"Content-Type": CSV},
    )
    assert refused(answer) == {"surname": ["The column is there twice."]}
    assert count(session, name=name) == 0


WRONG = {
    "JSON": ("application/json", b"[]", "", 415),
    "a form": ("application/x-www-form-urlencoded", b"name=x", "", 415),
    "nothing": ("", b"name\nx\n", "", 415),
    "an empty CSV": (CSV, b"", "", 400),
    "an unknown parameter": (CSV, b"name\nx\n", "?dryrun=1", 400),
    "a wrong switch": (CSV, b"name\nx\n", "?dry_run=perhaps", 400),
    "a long name": (CSV, b"name\nx\n", "?id=" + "x" * 65, 400),
    "a name with NUL": (CSV, b"name\nx\n", "?id=a%00b", 400),
    "no UTF-8": (CSV, b"name\ncaf\xe9\n", "", 400),
    "another charset": ("text/csv; charset=latin-1", b"name\ncaf\xe9\n", "", 415),
    "an endless line": (NDJSON, b'{"name": "' + b"x" * 3_000_000, "", 400),
    "an endless line of cells with lines": (
        CSV,
        b'name\n"x' + (b'\n","' + b"x" * 100_000) * 30,
        "",
        400,
    ),
    "a column 200,000 times": (CSV, b"name," * 200_000 + b"name\n", "", 400),
}


@pytest.mark.parametrize(("kind", "body", "query", "status"), WRONG.values(), ids=WRONG)
def test_a_wrong_import_is_refused(server: Server, kind: str, body: bytes, query: str, status: int) -> None:
    session = server.session()
    before = count(session)
    answer = session.post(
        f"{CUSTOMERS}import/{query}", data=body, headers={"Content-Type": kind} if kind else {}
    )
    refused(answer, status)
    assert count(server.session()) == before  # not on the connection of a body that was not read to its end


def test_a_dry_run_tells_and_writes_nothing(server: Server) -> None:
    session = server.session()
    name = f"dry-{secrets.token_hex(4)}"
    items = [{"name": name}] * 130 + [{"name": ""}] + [{"name": name}] * 120
    report = sent(session, NDJSON, ndjson(items), f"?dry_run=true&id={name}")
    assert (report["lines"], report["created"], report["failed"]) == (251, 250, 1)
    assert [one["line"] for one in report["errors"]] == [131]
    assert count(session, name=name) == 0
    real = sent(session, NDJSON, ndjson(items), f"?id={name}")
    assert (real["created"], real["failed"], count(session, name=name)) == (250, 1, 250)


def test_a_file_that_was_sent_twice_is_in_once(server: Server) -> None:
    session = server.session()
    name = f"twice-{secrets.token_hex(4)}"
    body = ndjson([{"name": name}] * 150)
    first = sent(session, NDJSON, body, f"?id={name}")
    second = sent(session, NDJSON, body, f"?id={name}")
    assert first == second
    assert (second["created"], count(session, name=name)) == (150, 150)


def test_an_import_belongs_to_its_user(server: Server) -> None:
    """The name of somebody else's import tells nothing and takes nothing away."""
    name = f"owned-{secrets.token_hex(4)}"
    body = ndjson([{"name": name}] * 3)
    for user in ("own", "other"):
        assert sent(server.session(user), NDJSON, body, f"?id={name}")["created"] == 3


@pytest.mark.parametrize("kind", [CSV, NDJSON])
@pytest.mark.parametrize("place", [3_000, 10_001, 17_777])
def test_a_cut_connection_loses_nothing_and_doubles_nothing(server: Server, kind: str, place: int) -> None:
    """The connection ends within the announced length; the file is sent again under the same name."""
    session = server.session()
    name = f"cut-{secrets.token_hex(4)}"
    items = [{"name": name, "comment": f"number {number}"} for number in range(450)]
    body = ndjson(items)
    if kind == CSV:
        body = b"name,comment\r\n" + b"".join(f"{name},number {n}\r\n".encode() for n in range(450))
    place = place % len(body)
    with Wire(server) as wire:
        bearer, length = f"Bearer {server.token()}", str(len(body))
        wire.head(
            "POST",
            f"{CUSTOMERS}import/?id={name}",
            Authorization=bearer,
            Content_Type=kind,
            Content_Length=length,
        )
        wire.socket.sendall(body[:place])
        wire.socket.shutdown(1)
        try:
            status, headers, text = wire.answer("POST")
            told(status, headers, text.decode(), 400)
        except (ConnectionError, requests.exceptions.ConnectionError):
            pass  # closed without a word: that it was not done is plain, too
    report = sent(session, kind, body, f"?id={name}")
    rows = session.get(CUSTOMERS, params={"name": name, "attrs": "comment", "limit": "1000"}).json()[
        "results"
    ]
    assert [row["comment"] for row in rows] == [f"number {number}" for number in range(450)]
    assert (report["created"], report["failed"], report["errors"]) == (450, 0, [])


@pytest.mark.parametrize("cut", ["in a value", "after a value", "in a quoted cell"])
def test_a_file_that_was_cut_in_the_middle_can_be_sent_whole(server: Server, cut: str) -> None:
    """The last line has no end. Where it cannot be read it is told, and the whole file goes on from there."""
    session = server.session()
    name = f"short-{secrets.token_hex(4)}"
    if cut == "in a quoted cell":
        kind, whole = CSV, "name,comment\n" + "".join(f'{name},"number {n}"\n' for n in range(120))
        part = whole[: whole.index("number 77") + 4]
    else:
        kind, whole = NDJSON, ndjson([{"name": name, "comment": f"number {n}"} for n in range(120)]).decode()
        place = whole.index("number 77")
        part = whole[: place + 4] if cut == "in a value" else whole[: whole.index("\n", place) - 1]
    first = sent(session, kind, part.encode(), f"?id={name}")
    assert (first["created"], first["failed"], len(first["errors"])) == (77, 1, 1)
    assert first["errors"][0]["line"] == first["lines"] + 1
    report = sent(session, kind, whole.encode(), f"?id={name}")
    assert (report["created"], report["failed"], report["errors"]) == (120, 0, [])
    assert count(session, name=name) == 120


def test_a_file_without_a_line_end_at_its_end_is_whole(server: Server) -> None:
    session = server.session()
    name = f"end-{secrets.token_hex(4)}"
    assert sent(session, NDJSON, b'{"name": "%s"}' % name.encode())["created"] == 1
    assert sent(session, CSV, f"\ufeffname\r\n{name}".encode())["created"] == 1
    assert count(session, name=name) == 2


def test_a_byte_order_mark_is_no_part_of_the_first_line(server: Server) -> None:
    session = server.session()
    name = f"mark-{secrets.token_hex(4)}"
    for kind, body in ((CSV, f'\ufeff"name"\r\n"{name}"\r\n'), (NDJSON, f'\ufeff{{"name": "{name}"}}\n')):
        report = sent(session, kind, body.encode())
        assert (report["created"], report["failed"]) == (1, 0), report
    assert count(session, name=name) == 2


def test_lines_end_only_where_the_format_says(server: Server) -> None:
    """Other characters that some call line ends stand in names and notes."""
    session = server.session()
    name = f"ends-{secrets.token_hex(4)}"
    odd, separators = "a\u2028b\u0085c\x0bd\x0ce\x1cf", "a\u2028b\u0085c"
    item = json.dumps({"name": name, "comment": separators}, ensure_ascii=False)
    report = sent(session, NDJSON, f"{item}\n".encode())
    assert (report["created"], report["failed"]) == (1, 0), report
    assert sent(session, CSV, f"name,comment\n{name},{odd}\n".encode())["created"] == 1
    rows = session.get(CUSTOMERS, params={"name": name, "attrs": "comment", "sort": "id"}).json()["results"]
    assert [row["comment"] for row in rows] == [separators, odd]


def test_who_may_not_add_may_not_import(server: Server) -> None:
    session = server.session("outsider")
    answer = session.post(f"{CUSTOMERS}import/", data=b"name\nx\n", headers={"Content-Type": CSV})
    refused(answer, 403)


# ---- an export that breaks --------------------------------------------------------------------


def test_long_lines_are_committed_a_few_at_a_time(server: Server) -> None:
    """However many of them a hundred megabytes would be, they are not held together in memory."""
    name = f"long-{secrets.token_hex(4)}"
    long = json.dumps({"name": name, "nothing of ours": "x" * 600_000})
    body = "\n".join([*[long] * 3, "x" * 3_000_000])
    answer = server.session().post(f"{CUSTOMERS}import/", data=body, headers={"Content-Type": NDJSON})
    refused(answer, 400)
    assert count(server.session(), name=name) == 2


def test_an_import_ends_when_its_user_is_deactivated(server: Server) -> None:
    admin, name = server.session("admin"), f"leaver-{secrets.token_hex(4)}"
    groups = admin.get("/api/v2/auth/groups/", params={"name": "APP: isp"}).json()["results"]
    user = {"username": name, "password": PASSWORD, "realms": ["pim"], "groups": [groups[0]["id"]]}
    made = admin.post("/api/v2/auth/users/", json=user)
    assert made.status_code == 201, made.text

    lines = f"{name},{'x' * 1000}\n".encode() * 150
    watching = server.session()

    def body() -> Iterator[bytes]:
        yield b"name,comment\n" + lines
        eventually(lambda: count(watching, name=name) == 100)
        gone = admin.patch(f"/api/v2/auth/users/{made.json()['id']}/", json={"is_active": False})
        assert gone.status_code == 200, gone.text
        yield lines

    answer = server.session(name).post(f"{CUSTOMERS}import/", data=body(), headers={"Content-Type": CSV})
    assert refused(answer, 401)["code"] == "authentication_failed"
    assert count(watching, name=name) == 100


def test_an_export_that_breaks_does_not_look_whole(real: Real) -> None:
    """The service dies while its rows are going out: the connection ends without the last chunk."""
    session = real.session()
    customers = [{"name": "bulky", "comment": "x" * 20_000}] * 500
    for _ in range(5):
        made = session.post(f"{CUSTOMERS}bulk/", json={"items": customers[:250]}, timeout=60)
        assert made.json()["created"] == 250, made.text[:300]
    service = real.children["isp"]
    with Wire(real, seconds=30) as wire:
        wire.head("GET", f"{CUSTOMERS}?name=bulky&format=ndjson", Authorization=f"Bearer {real.token()}")
        began = wire.socket.recv(65_536)
        assert began.startswith(b"HTTP/1.1 200")
        assert b"chunked" in began.lower()
        service.send_signal(signal.SIGKILL)
        service.wait()
        received = began
        try:
            while block := wire.socket.recv(65_536):
                received += block
        except ConnectionError:
            pass  # reset: as plain as can be
    try:
        assert not received.endswith(b"0\r\n\r\n")
    finally:
        real.start_service()
        real.wait()
    ids = [row["id"] for row in lines(session.get(f"{CUSTOMERS}?name=bulky&attrs=id&format=ndjson"))]
    assert len(ids) == 1250
    for first in range(0, len(ids), 250):  # a page of them is too much for who comes later
        gone = session.delete(f"{CUSTOMERS}bulk/", json={"ids": ids[first : first + 250]}, timeout=60)
        assert gone.json()["deleted"] == 250, gone.text[:300]
