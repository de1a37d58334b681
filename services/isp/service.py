"""isp: customers, CPEs and telephone lines."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import or_, select

from services.common.context import Context, Scope
from services.common.resource.engine import Engine
from services.common.resource.service import EngineProvider, ResourceService, periodic
from services.common.rpc.entrypoint import rpc, timer
from services.common.rpc.reply import Reply
from services.isp import models
from services.isp.contract import CONTRACT
from services.isp.domain import cpe

EXPIRING_AT_ONCE = 200


class IspService(ResourceService):
    name = CONTRACT.name
    engine = EngineProvider(CONTRACT, models.metadata)

    @rpc
    def cpe_fake_modification(self, key: str, parameters: list[tuple[str, str]]) -> Reply:
        return self.engine.trial(self.context, "cpes", key, dict(parameters))  # type: ignore[no-any-return]

    @timer(interval=60)
    def expire(self) -> None:
        periodic("expire", lambda: expire(self.engine))


def expire(engine: Engine, today: dt.date | None = None) -> int:
    """Cut the access of CPEs whose expiration date has come. Returns how many; safe with several replicas."""
    day = today or dt.datetime.now(engine.settings.zone).date()
    cpes = models.cpes.c
    applied = or_(cpes.expiration_applied.is_(None), cpes.expiration_applied != cpes.expiration_date)
    due = select(cpes.id, cpes.expiration_date).where(
        cpes.expiration_date <= day, cpes.access.is_(True), applied
    )
    done = 0
    while True:
        context = Context(scope=Scope(everything=True), user="expiration")
        with engine.writing(context) as write:
            statement = due.order_by(cpes.id).limit(EXPIRING_AT_ONCE).with_for_update(skip_locked=True)
            rows: list[tuple[Any, dt.date]] = [
                (row[0], row[1]) for row in write.connection.execute(statement)
            ]
            cpe.expire(write, rows)
        done += len(rows)
        if len(rows) < EXPIRING_AT_ONCE:
            return done
