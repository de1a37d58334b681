"""Members of a cable modem's representation that are made of its columns."""

from __future__ import annotations

from typing import Any

from services.docsis.domain import registration


def ids(_: Any, md: int | None, group: int | None, rcs: int | None, tcs: int | None) -> str:
    return registration.ids(md, group, rcs, tcs)


def reg_tags(
    _: Any, cmts: str, md: str | None, fibernode: str | None, downstream: str, upstream: str
) -> list[str]:
    return registration.tags(cmts, md, fibernode, downstream.split(","), upstream.split(","))
