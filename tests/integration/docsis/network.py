"""docsis on a database of its own, beside isp's engine and agents that speak SNMP."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from services.common.context import Context
from services.common.database.engine import Database
from services.common.events.envelope import Envelope
from services.common.executing.runs import Run
from services.common.resource.engine import Engine
from services.common.resource.sql import values
from services.common.rpc.reply import Reply
from services.common.settings import Settings
from services.docsis import desire, files, models
from services.docsis.contract import CABLE_MODEMS, CONTRACT
from services.docsis.converging import converge
from services.docsis.domain import configuration
from services.docsis.models import metadata
from services.docsis.observing import working
from services.docsis.questions import Questions
from services.docsis.reading import Reading, read
from services.isp.models import metadata as isp_metadata
from tests.integration.docsis.agents import Agents
from tests.integration.engine.world import ROOT, World

Json = dict[str, Any]

CMTS = "cmtsNorte"
SECRET = "invented-secret"
PATIENCE = 60.0


@dataclass
class Books:
    """isp, as another service calls it. `away`: what it raises instead."""

    world: World
    away: Exception | None = None
    asked: int = 0

    def call(self, service: str, method: str, arguments: Json, context: Context, **_: Any) -> Reply:
        assert service == "isp"
        self.asked += 1
        if self.away is not None:
            raise self.away
        return getattr(self.world.engine, method)(context, **arguments)  # type: ignore[no-any-return]


READINGS: dict[tuple[str, bool], Reading] = {}


def read_once(cmts: Json, *, modems: bool = True) -> Reading:
    """A reading of an agent, over SNMP, and after that what it said, as if it had been asked again now: an
    agent always says the same."""
    key = (cmts["snmp_community"], modems)
    if key not in READINGS:
        READINGS[key] = read(cmts, modems=modems)
    kept, at = READINGS[key], time.time()
    return replace(kept, at=at, modems=_counted_now(kept.modems, at))


def _counted_now(modems: dict[str, Json] | None, at: float) -> dict[str, Json] | None:
    if modems is None:
        return None
    return {
        mac: {**row, "counters": row["counters"] and {**row["counters"], "at": at}}
        for mac, row in modems.items()
    }


class Network:
    """docsis and what it works with. `isp`: the books; `agents`: the equipment."""

    def __init__(self, database: Database, isp: World, agents: Agents, settings: Settings) -> None:
        self.engine = Engine(CONTRACT, metadata, database, settings)
        self.books = Books(isp)
        self.engine.client = self.books  # type: ignore[assignment]
        self.isp = isp
        self.agents = agents
        self.questions = Questions(read_once)
        self._heard = 0

    # ---- the equipment ------------------------------------------------------------------------

    def cmts(self, name: str = CMTS, agent: str = "network", **more: Any) -> int:
        """A CMTS that is played by an agent; its modems are the agent `modem`."""
        body = {
            "name": name,
            "address": "127.0.0.1",
            "snmp_port": self.agents.port,
            "snmp_community": agent,
            "snmp_write_community": agent,
            "modem_port": self.agents.port,
            "modem_community": "modem",
            "modem_write_community": "modem",
            "shared_secret": SECRET,
            **more,
        }
        return int(json.loads(self.engine.create(ROOT, "cmtss", body).body)["id"])

    def play(self, agent: str, cmts: str = CMTS, **columns: Any) -> None:
        """From now on the CMTS is played by another agent: what the same one answers at another time."""
        c = models.cmtss
        with self.engine.database.write() as connection:
            told = {"snmp_community": agent, "snmp_write_community": agent, **columns}
            connection.execute(update(c).where(c.c.name == cmts).values(**told))

    def poll(self, cmts: str = CMTS) -> None:
        self.questions.poll(self.engine, self.id_of(cmts))

    def id_of(self, cmts: str = CMTS) -> int:
        with self.engine.database.read() as connection:
            chosen = select(models.cmtss.c.id).where(models.cmtss.c.name == cmts)
            return int(connection.execute(chosen).scalar_one())

    # ---- the books ----------------------------------------------------------------------------

    def subscriber(self, mac: str, realm: str = "pim", **values: Any) -> Json:
        body = {"profile": self.speed(), "sn": None, "tech": "docsis", **values}
        return self.isp.subscriber(realm, "CM500", mac=mac, **body)

    def speed(self, down: str = "100M", up: str = "20M", **values: Any) -> int:
        found = self.isp.page("cpe-profiles", name=f"{down}/{up}")
        if found:
            return int(found[0]["id"])
        body = {"name": f"{down}/{up}", "downstream": down, "upstream": up, **values}
        return int(self.isp.create("cpe-profiles", body)["id"])

    def hear(self) -> None:
        """Hand over what isp has published since."""
        with self.isp.database.read() as connection:
            t = isp_metadata.tables["outbox"]
            rows = connection.execute(select(t).where(t.c.position > self._heard).order_by(t.c.position))
            events = [dict(row) for row in rows.mappings()]
        for row in events:
            self._heard = row["position"]
            event = Envelope.of_row("isp", row)
            if event.type in desire.SOURCES["isp"]:
                with working(self.engine) as write:
                    desire.heard(write, event)

    def hear_ours(self) -> None:
        """And what docsis itself has."""
        for row in self.rows("outbox"):
            event = Envelope.of_row("docsis", row)
            if event.type in desire.SOURCES["docsis"]:
                with working(self.engine) as write:
                    desire.heard(write, event)

    def forget_heard(self) -> None:
        """All events come once more."""
        self._heard = 0

    def converge(self) -> None:
        """All that is due now, as the converger does it."""
        t = models.provisionings
        with self.engine.database.read() as connection:
            due = select(t.c.id).where(t.c.due <= int(time.time() * 1000)).order_by(t.c.id)
            ids = list(connection.execute(due).scalars())
        for id_ in ids:
            converge(self.engine, id_)

    def settle(self) -> None:
        self.hear()
        self.converge()

    def run(self, kind: str, cpe: Json) -> Run:
        """An action of isp on this CPE, as the executor hands it over."""
        asked = {
            "kind": kind,
            "parameters": {},
            "cpe": cpe["id"],
            "cpename": cpe["cpename"],
            "mac": cpe["mac"],
        }
        return Run(self.engine, 1, 1, 1, cpe["realm"], cpe["mac"], {**asked, "tech": "docsis"})

    def file(self, name: str) -> configuration.Read | None:
        path = files.folder(self.engine.settings) / name
        return configuration.read(path.read_bytes()) if path.exists() else None

    @property
    def files(self) -> list[str]:
        folder: Path = files.folder(self.engine.settings)
        return sorted(one.name for one in folder.iterdir()) if folder.exists() else []

    # ---- asking -------------------------------------------------------------------------------

    def page(self, resource: str, who: Context = ROOT, /, **parameters: str) -> list[Json]:
        return json.loads(self.engine.list(who, resource, list(parameters.items())).body)  # type: ignore[no-any-return]

    def modem(self, mac: str, who: Context = ROOT) -> Json:
        return json.loads(self.questions.modem(self.engine, who, {"mac": mac}).body)  # type: ignore[no-any-return]

    def rows(self, table: str, **equals: Any) -> list[Json]:
        stored = metadata.tables[table]
        chosen = select(stored).where(*(stored.c[name] == value for name, value in equals.items()))
        with self.engine.database.read() as connection:
            found = connection.execute(chosen.order_by(*stored.primary_key.columns)).mappings()
            return [dict(row) for row in found]

    def events(self, *types: str) -> list[tuple[str, str | None]]:
        """(type, MAC) of what was published of modems, oldest first."""
        return [
            (row["type"], row["data"].get("mac"))
            for row in self.rows("outbox")
            if row["type"].startswith(types or ("modem.",))
        ]

    def forget_looks(self) -> None:
        """As another process, or after some seconds: the modem is asked again."""
        self.questions = Questions(read_once)

    def age(self) -> None:
        """Let all that was seen have been seen some seconds ago."""
        for table, column in ((models.cmtss, "observed_at"), (models.cable_modems, "since")):
            with self.engine.database.write() as connection:
                moment = connection.execute(select(table.c[column]).limit(1)).scalar_one()
                earlier = {column: moment - dt.timedelta(seconds=10)}
                connection.execute(update(table).values(**earlier))

    def mark(self, table: str, **values: Any) -> None:
        """Set columns of every row, as time or another process would."""
        with self.engine.database.write() as connection:
            connection.execute(update(metadata.tables[table]).values(**values))

    def visible(self, who: Context) -> int:
        source = self.engine.source(CABLE_MODEMS, who)
        chosen = select(func.count()).select_from(source.table).where(source.visible())
        with self.engine.database.read() as connection:
            return int(connection.execute(chosen, values(who, CABLE_MODEMS)).scalar_one())

    def eventually(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it does not come to that"
            time.sleep(0.05)
