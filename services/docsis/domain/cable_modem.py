"""Members of a cable modem's representation that are made of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.docsis.domain import registration

CHANNELS = ("downstream", "upstream")
"""Filters that find a modem by one of its channels."""


def listed(names: Sequence[str]) -> str:
    """Names of channels as they are kept: each between commas, so that one is found and no other."""
    return f",{','.join(names)}," if names else ""


def channels(_: Any, kept: str) -> list[str]:
    return [one for one in kept.split(",") if one]


def by_channel(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The query with `downstream=dn.0-3-0` as what finds it."""
    return [
        (f"{name}__contains", f",{value},") if name in CHANNELS and value else (name, value)
        for name, value in parameters
    ]


def ids(_: Any, md: int | None, group: int | None, rcs: int | None, tcs: int | None) -> str:
    return registration.ids(md, group, rcs, tcs)


def reg_tags(
    _: Any, cmts: str, md: str | None, fibernode: str | None, downstream: str, upstream: str
) -> list[str]:
    return registration.tags(cmts, md, fibernode, channels(_, downstream), channels(_, upstream))
