"""Rules of a bookmark: everybody reads a global one, so superusers alone write it."""

from __future__ import annotations

from gateway.accounts.rules import rights
from services.common.resource.writes import Write
from services.common.types import Row


def allow(tx: Write, old: Row | None, new: Row) -> None:
    if new["global"] or (old is not None and old["global"]):
        rights.superusers_only(tx)


def removing(tx: Write, old: Row) -> None:
    if old["global"]:
        rights.superusers_only(tx)
