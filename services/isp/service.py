"""isp: customers, CPEs, telephone lines, and the actions on devices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import or_, select

from services.common.context import Context, Scope
from services.common.events.inbox import Subscription
from services.common.events.provider import EventsProvider
from services.common.resource.background import Background
from services.common.resource.engine import Engine
from services.common.resource.service import EngineProvider, Pairs, ResourceService, periodic
from services.common.resource.writes import Write
from services.common.rpc.entrypoint import rpc, timer
from services.common.rpc.reply import Reply
from services.isp import action_batches, actions, models
from services.isp.contract import CONTRACT
from services.isp.domain import action, cpe

EXPIRING_AT_ONCE = 200
EXECUTORS = ("docsis", "gpon", "lab", "oratio")
"""The services that run actions."""

REPORTS = Subscription(
    name="action-reports",
    sources=dict.fromkeys(EXECUTORS, ("action.reported",)),
    handle=actions.report,
)


class IspService(ResourceService):
    name = CONTRACT.name
    engine = EngineProvider(CONTRACT, models.metadata)
    events = EventsProvider((REPORTS,))
    tending = Background(actions.tend)

    @rpc
    def cpe_reboot(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._ask(key, action.REBOOT, body)

    @rpc
    def cpe_factory(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._ask(key, action.FACTORY, body)

    @rpc
    def cpe_reconfig(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._ask(key, action.RECONFIG, body)

    @rpc
    def cpe_reprovision(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._ask(key, action.REPROVISION, body)

    @rpc
    def cpe_unprovision(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._ask(key, action.UNPROVISION, body)

    @rpc
    def cpe_cwmp_diagnostic(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._ask(key, action.DIAGNOSTIC, body)

    def _ask(self, key: str, kind: str, body: Any) -> Reply:
        return self._write(lambda write: actions.request(write, key, kind, body))

    @rpc
    def action(self, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._write(lambda write: actions.request_by_body(write, body))

    @rpc
    def action_cancel(self, key: str, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._write(lambda write: actions.cancel(write, key))

    @rpc
    def action_batch(self, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        reply = self._write(lambda write: action_batches.request(write, body))
        self.tending.wake()
        return reply

    @rpc
    def action_batch_cancel(self, key: str, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._write(lambda write: action_batches.cancel(write, key))

    def _write(self, work: Callable[[Write], Reply]) -> Reply:
        return self.engine.write(self.context, work)  # type: ignore[no-any-return]

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
