"""What callers ask of a CMTS or a modem now: within their scope, not more often than a device likes, and
kept as every reading is.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from services.common.context import Context
from services.common.database.unit_of_work import CHANGED
from services.common.devices.errors import DeviceError
from services.common.devices.native import native
from services.common.devices.polling import Poller
from services.common.errors import InvalidInput, NotFound, PermissionDenied
from services.common.fields import Boolean, Integer
from services.common.resource.engine import Engine
from services.common.resource.query import values_of
from services.common.resource.representation import dumps
from services.common.resource.service import Pairs
from services.common.resource.sql import values
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.docsis import desire, devices, models, observing, tasks
from services.docsis.contract import CABLE_MODEMS, CMTSS, RESET
from services.docsis.detail import Detail, Sample, look
from services.docsis.domain import mac
from services.docsis.drivers.cmts import Cmts
from services.docsis.drivers.readings import Topology
from services.docsis.reading import Network, Reading, read

Places = Mapping[str, str]
Reads = Callable[..., Reading]

FRESH = 5.0
"""Seconds within which a device is not asked again for the same."""

TOPOLOGY_FOR = 300.0
"""Seconds that a CMTS's channels are taken to be what they were."""

READING = 600.0
"""Seconds that a reading of all modems of a CMTS may take."""

ASKING = 25.0
MOST_LOOKS = 10_000
FREQ = Integer(name="freq", minimum=5_000_000, maximum=1_000_000_000)

_t = models.cable_modems
_OWNERS = ("cpe", "cpename", "external_id", "realm")


class Questions:
    """One for a process: it remembers what was asked of which device when."""

    def __init__(self, reads: Reads = read) -> None:
        self._reads = reads
        self.poller = Poller(devices.cmts_ids, self.poll, lambda engine: engine.settings.poll_interval)
        self._topologies: dict[int, tuple[float, Topology]] = {}
        self._looks: OrderedDict[str, tuple[float, Sample, Row]] = OrderedDict()
        self._lock = threading.Lock()

    # ---- readings -----------------------------------------------------------------------------

    def poll(self, engine: Engine, cmts_id: int) -> None:
        """A reading of a CMTS and all of its modems. Raises `DeviceError` when it does not answer."""
        cmts = devices.cmts(engine, cmts_id)
        if cmts is not None:
            self._read(engine, cmts, modems=True)

    def _read(self, engine: Engine, cmts: Row, *, modems: bool) -> Reading:
        try:
            found: Reading = native(
                lambda: self._reads(cmts, modems=modems),
                seconds=READING if modems else ASKING,
                device=cmts["name"],
            )
        except DeviceError as error:
            observing.unreachable(engine, cmts, error)
            raise
        self._topologies[cmts["id"]] = time.monotonic(), found.topology
        moved = observing.keep(engine, cmts, found)
        desire.mark_modems(engine, moved)
        return found

    def _topology(self, engine: Engine, cmts: Row) -> Topology:
        kept = self._topologies.get(cmts["id"])
        if kept is not None and time.monotonic() - kept[0] < TOPOLOGY_FOR:
            return kept[1]
        return self._read(engine, cmts, modems=False).topology

    # ---- a CMTS -------------------------------------------------------------------------------

    def documents(
        self, engine: Engine, context: Context, member: str, places: Places, asked: Pairs
    ) -> list[Row]:
        """One of a CMTS's documents: as it was read last, or now."""
        cmts = self._cmts(engine, context, places)
        if _refresh(asked):
            kept = self._topologies.get(cmts["id"])
            if kept is None or time.monotonic() - kept[0] >= FRESH:
                self._read(engine, cmts, modems=False)
        elif cmts[member] is None:
            self._read(engine, cmts, modems=False)
        row = devices.cmts(engine, cmts["id"])
        if row is None:
            raise NotFound()
        return _counted(engine, context, row["id"], member, row[member] or [])

    def set_frequency(self, engine: Engine, context: Context, places: Places, body: Any) -> Reply:
        """The upstream after the change."""
        cmts = self._cmts(engine, context, places)
        if (
            cmts["realms"]
            and not set(cmts["realms"]) <= context.scope.realms
            and not context.scope.everything
        ):
            raise PermissionDenied("Other realms use this CMTS, too.")
        if not cmts["realms"] and not context.scope.everything:
            raise PermissionDenied("Every realm uses this CMTS.")
        freq = _frequency(body)
        old = one_of(cmts["upstreams"] or [], "ifindex", places["ifindex"])
        device = cmts["name"]
        native(lambda: _set_frequency(cmts, old["ifindex"], freq), seconds=ASKING, device=device)
        with engine.writing(context) as write:
            change = {f"upstreams/{old['ifindex']}/freq": [old["freq"], freq]}
            write.unit.audit(CHANGED, CMTSS.name, CMTSS.model, cmts["id"], device, "", change)
        self._read(engine, cmts, modems=False)
        self.poller.soon(cmts["id"])
        fresh = devices.cmts(engine, cmts["id"])
        return Reply(dumps(one_of((fresh or cmts)["upstreams"] or [], "ifindex", places["ifindex"])))

    def _cmts(self, engine: Engine, context: Context, places: Places) -> Row:
        """The visible CMTS that the path names."""
        id_ = engine.database.reading(lambda one: engine.resolve(one, CMTSS, places["cmts"], context))
        found = devices.cmts(engine, id_)
        if found is None:
            raise NotFound()
        return found

    # ---- a modem ------------------------------------------------------------------------------

    def modem(self, engine: Engine, context: Context, places: Places) -> Reply:
        """The detail of a visible modem. Raises `DeviceError` when its CMTS does not answer."""
        row = visible(engine, context, places["mac"])
        if "cmts" in places and self._cmts(engine, context, places)["id"] != row["cmts_id"]:
            raise NotFound()
        return Reply(dumps(self.detail(engine, row)))

    def detail(self, engine: Engine, row: Row) -> Row:
        """A modem now; not asked again within seconds."""
        with self._lock:
            kept = self._looks.get(row["mac"])
        if kept is not None and time.monotonic() - kept[0] < FRESH:
            return {**kept[2], **{name: row[name] for name in _OWNERS}}
        cmts = devices.cmts(engine, row["cmts_id"])
        if cmts is None:
            raise NotFound()
        topology = self._topology(engine, cmts)
        before = kept[1] if kept is not None else None
        found = native(
            lambda: look(cmts, row["mac"], row["registration_id"], before),
            seconds=ASKING,
            device=cmts["name"],
        )
        if found is None:
            raise NotFound(f"{cmts['name']} does not list this modem any more.")
        detail = Detail(cmts, found, Network(topology, found.failed))
        desire.mark_modems(engine, observing.keep_one(engine, cmts, row["mac"], detail.observed, detail.kept))
        seen = dt.datetime.fromtimestamp(int(found.sample.at), dt.UTC)
        told = {
            **detail.told(),
            "observed_at": engine.local(seen),
            "last_reg_time": engine.local(detail.row["last_reg_time"]),
        }
        with self._lock:
            self._looks[row["mac"]] = time.monotonic(), found.sample, told
            self._looks.move_to_end(row["mac"])
            while len(self._looks) > MOST_LOOKS:
                self._looks.popitem(last=False)
        return {**told, **{name: row[name] for name in _OWNERS}}

    def reset(self, engine: Engine, context: Context, places: Places) -> Reply:
        """A task that restarts a visible modem."""
        address = visible(engine, context, places["mac"])["mac"]

        def work(write: Write) -> Reply:
            chosen = select(_t).where(_t.c.mac == address)
            return tasks.ask(write, RESET, dict(write.connection.execute(chosen).mappings().one()))

        return engine.write(context, work)


def visible(engine: Engine, context: Context, spelled: str) -> Row:
    """The row of the modem with this MAC, in any spelling. Raises `NotFound` outside of the caller's
    scope."""
    try:
        address = mac.colons(spelled)
    except ValueError:
        raise NotFound() from None
    source = engine.source(CABLE_MODEMS, context)
    chosen = select(_t).where(source.visible(), _t.c.mac == address)
    bound = values(context, CABLE_MODEMS)
    found = engine.database.reading(lambda one: one.execute(chosen, bound).mappings().first())
    if found is None:
        raise NotFound()
    return dict(found)


def one_of(rows: Sequence[Row], member: str, value: str) -> Row:
    """Raises `NotFound`."""
    for row in rows:
        if str(row[member]) == value:
            return row
    raise NotFound()


def _set_frequency(cmts: Row, ifindex: int, freq: int) -> None:
    with devices.of_cmts(cmts, writing=True) as snmp:
        Cmts(snmp).set_frequency(ifindex, freq)


def _frequency(body: Any) -> int:
    if not isinstance(body, dict) or set(body) != {"freq"}:
        raise InvalidInput({"freq": ["Expected the frequency in Hz, and nothing else."]})
    try:
        return FREQ.clean(body["freq"])
    except ValueError as error:
        raise InvalidInput({"freq": [str(error)]}) from None


def _refresh(parameters: Pairs) -> bool:
    asked = values_of(parameters, "refresh")
    try:
        return bool(asked) and Boolean(name="refresh").parse(asked[-1])
    except ValueError as error:
        raise InvalidInput({"refresh": [str(error)]}) from None


# What a document's rows are counted by: column of the modems, member of the row.
_COUNTED = {"mac_domains": ("md_ifindex", "ifindex"), "fiber_nodes": ("fibernode", "name")}


def _counted(engine: Engine, context: Context, cmts_id: int, member: str, rows: list[Row]) -> list[Row]:
    """With the number of modems by state, of those that the caller may see."""
    if member not in _COUNTED:
        return rows
    name, key = _COUNTED[member]
    source = engine.source(CABLE_MODEMS, context)
    column = _t.c[name]
    chosen = select(column, _t.c.state, func.count()).where(source.visible(), _t.c.cmts_id == cmts_id)
    bound = values(context, CABLE_MODEMS)
    counts: dict[Any, Row] = {}

    def work(connection: Connection) -> None:
        for place, state, number in connection.execute(chosen.group_by(column, _t.c.state), bound):
            counts.setdefault(place, {"total": 0})[state] = number
            counts[place]["total"] += number

    engine.database.reading(work)
    return [{**row, "cable_modems": counts.get(row[key], {"total": 0})} for row in rows]
