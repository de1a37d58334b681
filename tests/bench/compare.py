"""Bodies must be equal before anything is timed: same members, same order, same values.

Only the host in `next` and `previous` may differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.bench.contestant import Client, Contestant


class BodiesDiffer(AssertionError):
    """Two contestants answered the same request differently."""


def checked(contestants: Sequence[Contestant], paths: Iterable[str]) -> dict[str, dict[str, int]]:
    """Asks everybody for every path and compares; returns contestant → path → bytes of the answer."""
    lengths: dict[str, dict[str, int]] = {one.name: {} for one in contestants}
    clients = [Client(one) for one in contestants]
    for path in paths:
        bodies = [client.get(path) for client in clients]
        for one, body in zip(contestants, bodies, strict=True):
            lengths[one.name][path] = len(body)
        first = _without_host(json.loads(bodies[0]))
        for one, body in zip(contestants[1:], bodies[1:], strict=True):
            if difference := differ(first, _without_host(json.loads(body))):
                raise BodiesDiffer(f"{path}: {contestants[0].name} and {one.name} differ at {difference}")
    for client in clients:
        client.close()
    return lengths


def differ(a: Any, b: Any, place: str = "$") -> str | None:
    """The first place where two JSON values differ, and how; None when they are the same, order included."""
    if isinstance(a, dict) and isinstance(b, dict):
        if list(a) != list(b):
            odd = sorted(set(a) ^ set(b))
            return f"{place}: members {odd}" if odd else f"{place}: order {list(a)} and {list(b)}"
        pairs = [(a[name], b[name], f"{place}.{name}") for name in a]
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{place}: {len(a)} and {len(b)} items"
        pairs = [(x, y, f"{place}[{index}]") for index, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        return None if type(a) is type(b) and a == b else f"{place}: {a!r} and {b!r}"
    return next((found for x, y, where in pairs if (found := differ(x, y, where))), None)


def _without_host(body: Any) -> Any:
    if isinstance(body, dict) and "results" in body:
        for name in ("next", "previous"):
            if body[name] is not None:
                body[name] = urlsplit(body[name])._replace(scheme="", netloc="").geturl()
    return body
