"""Rules of a search: a user's last ten are kept, and the same search is kept once."""

from __future__ import annotations

from sqlalchemy import delete, select

from gateway.accounts.models import searches
from services.common.resource.writes import Write
from services.common.types import Row

KEPT = 10


def created(tx: Write, row: Row, refs: dict[str, Row]) -> None:
    mine = searches.c.user_id == tx.context.user_id
    last = select(searches.c.id).where(mine).order_by(searches.c.id.desc()).limit(KEPT)
    same = (
        (searches.c.query == row["query"]) & (searches.c.view == row["view"]) & (searches.c.id != row["id"])
    )
    tx.connection.execute(delete(searches).where(mine, same))
    tx.connection.execute(delete(searches).where(mine, searches.c.id.not_in(last)))
