"""The physical limit: bare WSGI, psycopg and orjson on the same query, for lists without joins and details.

No token, no permission, no framework, no service boundary; the realms come from the environment
(`BENCH_REALMS`). What the platform does beyond this is its price, printed as a fraction of this.
Bodies are the same as everybody's, the count included, which is read where the platform keeps it.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
import psycopg

from tests.bench import wire

REALMS = os.environ["BENCH_REALMS"].split(",")

JOINED = {
    "cpename": "c.internal_id",
    "customer": "c.customer_id",
    "model": "c.model_id",
    "profile": "c.profile_id",
    "latitude": "c.latitude::text",
    "longitude": "c.longitude::text",
    "has_tr069": "m.tr069",
    "tr069": "m.tr069",
    "avatar": "m.avatar",
    "is_router": "m.is_router AND NOT c.bridge",
    "_links": "m.diagnostics",
    "_services": "c.voice_ports",
}
MODELS = "JOIN models m ON m.id = c.model_id"
COUNT = "SELECT coalesce(sum(rows), 0)::bigint FROM tally WHERE resource = 'cpes' AND realm = ANY(%s)"
ZONE = "-c timezone=Europe/Madrid"
DETAIL = re.compile(r"/api/v2/isp/cpes/(\d+)/")

Row = tuple[Any, ...]
Names = tuple[str, ...]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

_thread = threading.local()


def _connection() -> psycopg.Connection[Row]:
    if not hasattr(_thread, "connection"):
        _thread.connection = psycopg.connect(os.environ["BENCH_DATABASE"], autocommit=True, options=ZONE)
        _thread.connection.prepare_threshold = 0
    return _thread.connection


@cache
def _select(names: Names) -> str:
    told = {name: JOINED.get(name, f"c.{name}") for name in names}
    shown = ", ".join(f'{column} AS "{name}"' for name, column in told.items())
    models = MODELS if any(column.startswith("m.") for column in told.values()) else ""
    return f"SELECT {shown}, c.is_bitstream FROM cpes c {models} WHERE c.realm = ANY(%s)"


def _cpe(names: Names, row: Row) -> dict[str, Any]:
    cpe = dict(zip(names, row, strict=False))  # the row has one column more
    if names == wire.CPE_MEMBERS:
        cpe["_services"] = wire.services(cpe["tech"], cpe["tr069"], row[-1], cpe["_services"])
        cpe["_links"] = wire.links(
            cpe["id"],
            bitstream=row[-1],
            tr069=cpe["tr069"],
            diagnostics=cpe["_links"],
            bridge=cpe["bridge"],
            no_provision=cpe["disable_provision"],
            no_reconfig=cpe["disable_reconfig"],
        )
    return cpe


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() else default


def _page(environ: dict[str, Any]) -> dict[str, Any]:
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    limit, offset = _number(query.get("limit", ""), 10), _number(query.get("offset", ""), 0)
    asked = query["attrs"].split(",") if "attrs" in query else wire.CPE_MEMBERS
    names = tuple(name for name in wire.CPE_MEMBERS if name in asked)
    connection = _connection()
    (count,) = connection.execute(COUNT, [REALMS]).fetchone() or (0,)
    page = f"{_select(names)} ORDER BY c.id LIMIT %s OFFSET %s"
    rows = connection.execute(page, [REALMS, limit, offset]).fetchall()

    def link(start: int) -> str:
        parameters: dict[str, Any] = {"attrs": query["attrs"]} if "attrs" in query else {}
        parameters |= {"limit": limit} | ({"offset": start} if start > 0 else {})
        return f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}?{urlencode(parameters)}"

    return {
        "count": count,
        "next": link(offset + limit) if offset + limit < count else None,
        "previous": link(offset - limit) if offset > 0 else None,
        "results": [_cpe(names, row) for row in rows],
    }


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """`GET /api/v2/isp/cpes/?limit=…&offset=…&attrs=…` and `…/cpes/{id}/`; anything else is 404."""
    answer: dict[str, Any] | None = None
    if environ["PATH_INFO"] == "/api/v2/isp/cpes/":
        answer = _page(environ)
    elif match := DETAIL.fullmatch(environ["PATH_INFO"]):
        one = f"{_select(wire.CPE_MEMBERS)} AND c.id = %s"
        row = _connection().execute(one, [REALMS, int(match[1])]).fetchone()
        answer = _cpe(wire.CPE_MEMBERS, row) if row else None
    body = orjson.dumps(answer)
    status = "404 Not Found" if answer is None else "200 OK"
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
