"""gpon: OLTs, their PONs and ONUs, and how subscribers' ONUs get onto them."""

from __future__ import annotations

import datetime as dt
import threading
import time
from contextlib import suppress
from typing import Any

import orjson
from sqlalchemy import func, select, update

from services.common.context import Context
from services.common.database.columns import now
from services.common.database.kernel import milliseconds
from services.common.devices.polling import Poller
from services.common.devices.traps import Traps
from services.common.errors import ApiError, Conflict, InvalidInput, NotFound, Unprocessable
from services.common.events.inbox import Subscription
from services.common.events.provider import EventsProvider
from services.common.executing.executor import Executor
from services.common.executing.tasks import Tasks, queue
from services.common.fields import Boolean, Field, Integer
from services.common.resource.background import Background
from services.common.resource.engine import Engine
from services.common.resource.query import values_of
from services.common.resource.representation import dumps
from services.common.resource.service import EngineProvider, Pairs, ResourceService
from services.common.resource.writes import Write
from services.common.rpc.entrypoint import rpc
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.gpon import desire, devices, doing, models
from services.gpon.contract import CONTRACT, OLTS, UNCONFIGURED
from services.gpon.converging import Converger
from services.gpon.domain.naming import Pon
from services.gpon.questions import Places, Questions
from services.gpon.tasks import Work

LEVELS_EVERY = dt.timedelta(minutes=15)
MOST_WAITING = 1000
REFRESHING = 3.0
"""Seconds that are waited for OLTs that are asked before a list is answered."""
EVERY = 0.5
NEW_PONS = 4
"""The most that are read by themselves after a reading of their OLT."""

_ENABLING: dict[str, Field] = {
    one.name: one for one in (Integer(name="cpe", minimum=1), Boolean(name="force"))
}

QUESTIONS = Questions()


def poll(engine: Engine, olt_id: int) -> None:
    """A reading of an OLT; a full one, with optical levels, when these are old. ONUs that are new, or back,
    have none yet: their PONs are read in full. One that failed on levels is spared them for as long."""
    olt = devices.olt(engine, olt_id)
    if olt is None:
        return
    o = models.onus.c
    oldest = select(func.min(o.optics_at)).where(o.olt_id == olt_id)
    seen = engine.database.reading(lambda one: one.execute(oldest).scalar())
    dark = QUESTIONS.failed_on_levels(olt_id, LEVELS_EVERY.total_seconds())
    old = not dark and (seen is None or now() - seen > LEVELS_EVERY)
    QUESTIONS.fresh(engine, olt, None, 1.0, levels=old, full=old)
    new = select(o.frame, o.slot, o.port).distinct()
    new = new.where(o.olt_id == olt_id, o.status == "online", o.optics_at.is_(None)).limit(NEW_PONS)
    for at in [] if dark else engine.database.reading(lambda one: one.execute(new).all()):
        QUESTIONS.fresh(engine, olt, Pon(*at), 1.0, full=True)


def changed(olt_id: int, seconds: float) -> None:
    """An OLT on which something was changed is read again in so many seconds."""
    QUESTIONS.forget(olt_id)
    POLLER.soon(olt_id, seconds)


POLLER = Poller(devices.olt_ids, poll, lambda engine: engine.settings.poll_interval)
EXECUTOR = Executor(
    doing.perform, doing.wants, doing.MANNERS, device=lambda write, data: data["sn"], lease=15
)


class GponService(ResourceService):
    name = CONTRACT.name
    engine = EngineProvider(CONTRACT, models.metadata)
    executing = EXECUTOR
    events = EventsProvider(
        (
            Subscription(name="books", sources=desire.SOURCES, handle=desire.heard),
            EXECUTOR.subscription,
        )
    )
    polling = Background(POLLER, every=EVERY)
    traps = Traps(POLLER, devices.at)
    counting = Background(desire.census())
    converging = Background(Converger(changed), every=EVERY)
    tasks = Background(Tasks(Work(QUESTIONS), doing.MANNERS), every=EVERY)

    @rpc
    def list(self, resource: str, **query: Any) -> Reply:
        if resource == UNCONFIGURED.name:
            parameters = query.get("parameters") or []
            self._refresh(parameters)
            if not any(name == "limit" for name, _ in parameters):
                query["limit"] = query.get("limit") or MOST_WAITING
        return self.engine.list(self.context, resource, **query)  # type: ignore[no-any-return]

    def _refresh(self, parameters: Pairs) -> None:
        """Ask the OLTs that the caller may see, all at once, if that is what he wants. One that does not
        answer in time says so in its own row; what the others say is not kept from him."""
        asked = values_of(parameters, "refresh")
        try:
            if not asked or not Boolean(name="refresh").parse(asked[-1]):
                return
        except ValueError as error:
            raise InvalidInput({"refresh": [str(error)]}) from None
        seen = self.engine.list(
            self.context, OLTS.name, parameters=[("attrs", "id,name")], limit=MOST_WAITING
        )
        wanted = values_of(parameters, "olt")
        mine = [one["id"] for one in orjson.loads(seen.body) if not wanted or one["name"] in wanted]
        asking = [threading.Thread(target=_ask, args=(self.engine, id_), daemon=True) for id_ in mine]
        for one in asking:
            one.start()
        until = time.monotonic() + REFRESHING
        for one in asking:
            one.join(max(0.0, until - time.monotonic()))

    @rpc
    def pon_status(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "status", places, parameters)

    @rpc
    def pon_txrx(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "txrx", places, parameters)

    @rpc
    def pon_report(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "report", places, parameters)

    @rpc
    def pon_bandwidth(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.bandwidth(self.engine, self.context, places, parameters)

    @rpc
    def olt_status(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "status", places, parameters)

    @rpc
    def olt_txrx(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "txrx", places, parameters)

    @rpc
    def olt_report(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "report", places, parameters)

    @rpc
    def olt_bandwidth(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.bandwidth(self.engine, self.context, places, parameters)

    @rpc
    def pon_onus(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.rows(self.engine, self.context, "status", places, parameters)

    @rpc
    def pon_onu(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.onu_at(self.engine, self.context, places, parameters)

    @rpc
    def onu(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.onu(self.engine, self.context, places, parameters)

    @rpc
    def frames(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return _all(QUESTIONS.frames(self.engine, self.context, places, parameters))

    @rpc
    def frame(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        found = _one(QUESTIONS.frames(self.engine, self.context, places, parameters))
        slots = QUESTIONS.slots(self.engine, self.context, places, parameters)
        return Reply(dumps({**found, "slots": slots}))

    @rpc
    def slots(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return _all(QUESTIONS.slots(self.engine, self.context, places, parameters))

    @rpc
    def slot(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        found = _one(QUESTIONS.slots(self.engine, self.context, places, parameters))
        pons = QUESTIONS.pons(self.engine, self.context, places, parameters)
        return Reply(dumps({**found, "ports": pons}))

    @rpc
    def ports(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return _all(QUESTIONS.pons(self.engine, self.context, places, parameters))

    @rpc
    def pon(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return Reply(dumps(_one(QUESTIONS.pons(self.engine, self.context, places, parameters))))

    @rpc
    def provisioned(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return _all(QUESTIONS.provisioned(self.engine, self.context, places, parameters))

    @rpc
    def mismatches(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return _all(QUESTIONS.provisioned(self.engine, self.context, places, parameters, different=True))

    @rpc
    def cpe_info(self, cpe: Row, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return Reply(dumps(QUESTIONS.info(self.engine, cpe)))

    # ---- jobs -------------------------------------------------------------------------------------

    @rpc
    def provision(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._job("provision", places)

    @rpc
    def snapshot(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._job("snapshot", places)

    @rpc
    def snapshot_full(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._job("snapshot-full", places)

    @rpc
    def pon_snapshot(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._job("snapshot", places)

    def _job(self, kind: str, places: Places) -> Reply:
        olt, pon = QUESTIONS.known(self.engine, self.context, places)
        realm = devices.only_realm(olt) or devices.realm_of(self.context.scope, olt)
        return self._task(kind, olt_id=olt["id"], fsp=pon and pon.fsp, realm=realm)

    @rpc
    def onu_reboot(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._onu(doing.REBOOT, places)

    @rpc
    def onu_factory(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._onu(doing.FACTORY, places)

    @rpc
    def onu_unprovision(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._onu(doing.UNPROVISION, places)

    @rpc
    def onu_reprovision(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._onu(doing.REPROVISION, places)

    def _onu(self, kind: str, places: Places) -> Reply:
        row = QUESTIONS.find(self.engine, self.context, places["sn"])
        if row is None:
            raise NotFound()
        about = {name: row[name] for name in ("olt_id", "fsp", "sn", "cpe", "realm")}
        return self._task(kind, **about)

    @rpc
    def unconfigured_onu_enable(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        wanted = _enabling(body or {})

        def work(write: Write) -> Reply:
            id_ = self.engine.resolve(write.connection, UNCONFIGURED, key, self.context)
            waiting = write.row(UNCONFIGURED, id_, lock=True)
            return enable(write, waiting, wanted)

        return self._asked(work)

    def _task(self, kind: str, **about: Any) -> Reply:
        return self._asked(lambda write: queue(write, kind, **about))

    def _asked(self, work: Any) -> Reply:
        reply = self.engine.write(self.context, work)
        self.tasks.wake()
        self.converging.wake()
        return reply  # type: ignore[no-any-return]


def enable(write: Write, waiting: Row, body: Row) -> Reply:
    """Let an ONU that waits be provisioned, whatever is disabled for it. 409 without a CPE that has its
    serial, 422 when validations refuse it and it is not forced."""
    p, u = models.provisionings, models.unconfigured
    cpe = body.get("cpe", waiting["cpe"]["id"] if isinstance(waiting["cpe"], dict) else waiting["cpe"])
    which = p.c.sn == waiting["sn"] if cpe is None else p.c.cpe == cpe
    found = write.connection.execute(select(p).where(which, p.c.gone.is_(False))).mappings().first()
    if found is None or found["sn"] != waiting["sn"] or not _may_see(write.context, found["realm"]):
        raise Conflict("No CPE has this serial number.")
    if waiting["validation_error"] and not body.get("force", False):
        raise Unprocessable(waiting["validation_error"])
    write.connection.execute(update(u).where(u.c.id == waiting["id"]).values(enabled=True))
    due = {"due": milliseconds(), "attempts": 0, "state": "pending", "held": False}
    write.connection.execute(update(p).where(p.c.id == found["id"]).values(**due))
    about = {name: waiting[name] for name in ("olt_id", "fsp", "sn")}
    return queue(write, "enable", **about, cpe=found["cpe"], realm=found["realm"])


def _ask(engine: Engine, olt_id: int) -> None:
    """Who waits on an OLT."""
    with suppress(ApiError):
        if (olt := devices.olt(engine, olt_id)) is not None:
            QUESTIONS.fresh(engine, olt, None, 1.0, levels=False)


def _may_see(context: Context, realm: str) -> bool:
    return context.scope.everything or realm in context.scope.realms


def _enabling(body: Any) -> Row:
    """What the request says of `cpe` and `force`. Raises `InvalidInput`."""
    if not isinstance(body, dict):
        raise InvalidInput({"non_field_errors": ["Expected an object."]})
    found: Row = {}
    errors: dict[str, list[str]] = {}
    for name, value in body.items():
        if name == "cpe" and value is None:
            continue  # by serial
        try:
            found[name] = _ENABLING[name].clean(value)
        except KeyError:
            errors[name] = ["Unknown member."]
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise InvalidInput(errors)
    return found


def _all(rows: Any) -> Reply:
    return Reply(dumps(rows))


def _one(rows: list[Row]) -> Row:
    if not rows:
        raise NotFound()
    return rows[0]
