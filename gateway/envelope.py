"""Pages and their links, ETags: the parts of an answer that are put around ready-made JSON."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import orjson
from werkzeug.datastructures import Headers

from services.common.errors import PreconditionFailed


def page(body: bytes, meta: dict[str, Any], url: str, errors: dict[str, Any] | None = None) -> bytes:
    """`{"count", "next", "previous", "results"}` around the rows; `url` is the absolute one of the
    request.
    """
    following, preceding = links(meta, url)
    parts = [
        b'{"count":%d,"next":' % meta["count"],
        orjson.dumps(following),
        b',"previous":',
        orjson.dumps(preceding),
        b',"results":',
        body,
    ]
    if errors:
        parts += [b',"_errors":', orjson.dumps(errors)]
    return b"".join([*parts, b"}"])


def links(meta: dict[str, Any], url: str) -> tuple[str | None, str | None]:
    """The URLs of the neighbouring pages, as REST framework's LimitOffsetPagination writes them."""
    limit, offset, count = meta["limit"], meta["offset"], meta["count"]
    if "next" in meta:
        cursors = (meta["next"], meta["previous"])
        following, preceding = (c and with_query(url, limit=limit, cursor=c, offset=None) for c in cursors)
        return following, preceding
    after = None if offset + limit >= count else with_query(url, limit=limit, offset=offset + limit)
    before = None
    if offset > 0:
        before = with_query(url, limit=limit, offset=offset - limit if offset > limit else None)
    return after, before


def with_query(url: str, **changes: Any) -> str:
    """The URL with query parameters set (or, when None, removed), all of them in alphabetical order."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = [str(value)]
    return urlunsplit(parts._replace(query=urlencode(sorted(query.items()), doseq=True)))


def etag(body: bytes, version: Any = None) -> str:
    """A validator of this representation; for one row it begins with the row's version, which If-Match
    compares.
    """
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def none_match(header: str, tag: str) -> bool:
    """Whether If-None-Match says that the client has this representation (weak comparison, RFC 9110
    13.1.2).
    """
    return header.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in header.split(",")}


def versions(headers: Headers) -> list[int] | None:
    """The row versions that a write's If-Match accepts; None when it accepts any. With `If-None-Match: *`
    none: whatever is there is not to be changed. Raises `PreconditionFailed` on an If-Match without any.
    """
    if headers.get("If-None-Match", "").strip() == "*":
        return []
    header = headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    found: list[int] = []
    for one in header.split(","):
        number = one.strip().strip('"').partition("-")[0]
        if number.isascii() and number.isdecimal() and len(number) < 19:
            found.append(int(number))
    if not found:
        raise PreconditionFailed()
    return found
