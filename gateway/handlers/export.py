"""Lists without pages: CSV, NDJSON and v1 arrays of any length, in constant memory.

The rows are fetched by keyset cursor, one page ahead of what is sent. The first page is fetched
before the status line goes out; when a later one fails the connection is cut, so that a client
can tell a broken export from a short one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.call import Answer, Call
from services.common.contract import Resource
from services.common.rpc.reply import Reply

PAGE = 500
TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


def stream(call: Call, method: str, arguments: dict[str, Any], resource: Resource, shape: str) -> Answer:
    """The whole list as a download; same filters, search and sort, no pages."""
    pages = _pages(call, method, {**arguments, "shape": shape})
    first = next(pages)

    def chunks() -> Iterator[bytes]:
        yield first.body
        for one in pages:
            yield one.body

    name = f"{resource.name}.{shape}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(content_type=TYPES[shape], headers=headers, stream=chunks())


def array(call: Call, method: str, arguments: dict[str, Any]) -> Answer:
    """The whole list as one JSON array; a short one in one piece."""
    pages = _pages(call, method, arguments)
    first = next(pages)
    if first.meta["next"] is None:
        return Answer(first.body)

    def chunks() -> Iterator[bytes]:
        yield first.body[:-1]
        for one in pages:
            if len(one.body) > 2:
                yield b"," + one.body[1:-1]
        yield b"]"

    return Answer(stream=chunks())


def _pages(call: Call, method: str, arguments: dict[str, Any]) -> Iterator[Reply]:
    app = call.action.contract.name
    kept = [
        (name, value) for name, value in arguments["parameters"] if name not in ("limit", "offset", "cursor")
    ]
    cursor, header = "", True
    while True:
        page = {**arguments, "parameters": [*kept, ("cursor", cursor)], "limit": PAGE}
        if arguments.get("shape") == "csv":
            page["header"] = header
        context = call.context_for(app).within(call.platform.settings.deadline)
        call.still()
        reply = call.platform.call(app, method, page, context, read=True)
        yield reply
        if reply.meta["next"] is None:
            return
        cursor, header = reply.meta["next"], False
