"""gpon on a database of its own, beside isp's engine and an OLT of the lab that speaks SNMP and SSH."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from deploy.lab.network.plan import OltPlan, OnuPlan, Plan
from deploy.lab.network.starter import RunningLab
from services.common.context import Context, Scope
from services.common.database.engine import Database
from services.common.database.migrate import upgrade
from services.common.events.envelope import Envelope
from services.common.events.inbox import Inbox, Subscription
from services.common.resource.engine import Engine
from services.common.rpc.reply import Reply
from services.gpon import desire, devices, models
from services.gpon.contract import CONTRACT
from services.gpon.converging import Sessions, converge
from services.gpon.demo import introduce
from services.gpon.domain.provisioning import INTERNET, MANAGEMENT, TELEPHONY
from services.gpon.models import metadata
from services.gpon.questions import Questions
from services.isp.models import metadata as isp_metadata
from tests.integration.databases import empty_database
from tests.integration.engine.world import SETTINGS, World

NORTH, SOUTH = "oltNorte", "oltSur"
PATIENCE = 60.0

VLAN_MAP = (
    {"service": MANAGEMENT, "gem": 1, "service_vlan": 933, "user_vlan": 20, "inbound": "management"},
    {"service": INTERNET, "gem": 2, "service_vlan": 1100, "user_vlan": 1021, "native_port": 1},
    {"service": TELEPHONY, "gem": 3, "service_vlan": 934, "user_vlan": 1024, "inbound": "voip"},
)


@dataclass
class Books:
    """isp, as another service calls it."""

    world: World

    def call(self, service: str, method: str, arguments: dict[str, Any], context: Context, **_: Any) -> Reply:
        assert service == "isp"
        return getattr(self.world.engine, method)(context, **arguments)  # type: ignore[no-any-return]


class Network:
    """gpon and what it works with. `isp`: the books; `lab`: the equipment."""

    def __init__(self, database: Database, isp: World, lab: RunningLab) -> None:
        self.engine = Engine(CONTRACT, metadata, database, SETTINGS)
        self.engine.client = Books(isp)  # type: ignore[assignment]
        self.isp = isp
        self.lab = lab
        self.questions = Questions()
        self._heard = self._heard_ours = 0

    # ---- the books --------------------------------------------------------------------------------

    def subscriber(self, sn: str, realm: str = "pim", **values: Any) -> dict[str, Any]:
        body = {"line_profile": "ftth", "profile": self.speed(), **values}
        return self.isp.subscriber(realm, sn=sn, **body)

    def speed(self, name: str = "100M", up: str = "50M") -> int:
        found = self.isp.page("cpe-profiles", name=name)
        if found:
            return int(found[0]["id"])
        made = self.isp.create("cpe-profiles", {"name": name, "downstream": name, "upstream": up})
        return int(made["id"])

    def hear(self) -> None:
        """Hand over what isp has published since."""
        with self.isp.database.read() as connection:
            t = isp_metadata.tables["outbox"]
            rows = connection.execute(select(t).where(t.c.position > self._heard).order_by(t.c.position))
            events = [dict(row) for row in rows.mappings()]
        for row in events:
            self._heard = row["position"]
            with self.engine.writing(Context(scope=Scope(everything=True))) as write:
                desire.heard(write, Envelope.of_row("isp", row))

    def hear_ours(self) -> None:
        """The same of what gpon has published, and hears itself."""
        books = Subscription(name="books", sources=desire.SOURCES, handle=desire.heard)
        for row in self.rows("outbox"):
            if row["position"] > self._heard_ours and Inbox(self.engine, books).wants("gpon", row["type"]):
                self._heard_ours = row["position"]
                with self.engine.writing(Context(scope=Scope(everything=True))) as write:
                    desire.heard(write, Envelope.of_row("gpon", row))

    # ---- the network ------------------------------------------------------------------------------

    def olt(self, name: str = NORTH) -> dict[str, Any]:
        ids = {devices.olt(self.engine, id_)["name"]: id_ for id_ in devices.olt_ids(self.engine)}  # type: ignore[index]
        found = devices.olt(self.engine, ids[name])
        assert found is not None
        return found

    def read(self, *names: str) -> None:
        for name in names or (NORTH,):
            self.questions.fresh(self.engine, self.olt(name), None, 0.0)

    def settle(self) -> None:
        """Hear, and converge whatever is due."""
        self.hear()
        with Sessions(self.engine) as sessions:
            for row in self.rows("provisionings"):
                if row["due"] is not None:
                    converge(self.engine, row["id"], sessions)

    def look(self, cpe: int) -> None:
        """As the daily round does."""
        with self.engine.database.write() as connection:
            t = models.provisionings
            connection.execute(t.update().where(t.c.cpe == cpe).values(due=0))
        self.settle()

    def patch_olt(self, id_: int, body: dict[str, Any]) -> None:
        """As staff does; gpon hears its own events."""
        root = Context(scope=Scope(everything=True), user="root")
        self.engine.update(root, "olts", str(id_), body, partial=True)
        self.hear_ours()

    def provisioning(self, cpe: int) -> dict[str, Any]:
        return next(row for row in self.rows("provisionings") if row["cpe"] == cpe)

    def rows(self, table: str, **equals: Any) -> list[dict[str, Any]]:
        t = metadata.tables[table]
        chosen = select(t).where(*(t.c[name] == value for name, value in equals.items()))
        with self.engine.database.read() as connection:
            found = connection.execute(chosen.order_by(*t.primary_key.columns)).mappings()
            return [dict(row) for row in found]

    def events(self, sn: str) -> list[str]:
        return [row["type"] for row in self.rows("outbox", subject=f"onus/{sn}")]

    def on_olt(self, sn: str, name: str = NORTH) -> Any:
        """What the OLT has in its configuration for a serial, asked over its command line."""
        with devices.writer(self.olt(name)) as writer:
            place = writer.find(sn)
            return writer.configuration(*place) if place else None

    def until(self, holds: Callable[[], Any], *names: str) -> Any:
        """Read the OLTs until it holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(*names)
            if found := holds():
                return found
            time.sleep(0.1)
        raise AssertionError("it did not come to that")

    def answer(self, reply: Reply) -> Any:
        return json.loads(reply.body)

    @contextmanager
    def fault(self, *faults: dict[str, Any]) -> Iterator[None]:
        """While it lasts, the lab has these."""
        self.lab.faults(*faults)
        try:
            yield
        finally:
            self.lab.faults()


def onu(number: int, fsp: str = "0/1/0", **values: Any) -> OnuPlan:
    return OnuPlan(sn=f"48575443aabb{number:04x}", fsp=fsp, **values)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """Two OLTs with nothing on their fibres."""
    plan = Plan(registration=0.2, olts=[OltPlan(name=NORTH), OltPlan(name=SOUTH)])
    with RunningLab(tmp_path_factory.mktemp("lab"), plan) as running:
        yield running


def _made(url: str, package: str, tables: Any) -> Database:
    database = Database(url, SETTINGS)
    upgrade(package, tables, database.engine)
    return database


BOTH = pytest.mark.parametrize("network", ["sqlite", "postgres"], indirect=True)
"""For tests of what the two databases could do differently."""


@pytest.fixture
def network(
    request: pytest.FixtureRequest, tmp_path: Path, lab: RunningLab, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Network]:
    """Both OLTs known and empty, nobody in the books; on SQLite unless the test says otherwise."""
    # An OLT of the test before has the same id: that it was read within this second says nothing of ours.
    monkeypatch.setattr("services.gpon.service.QUESTIONS", Questions())
    kind = getattr(request, "param", "sqlite")
    ours, theirs = (empty_database(request, kind, one, tmp_path) for one in ("gpon", "isp"))
    database = _made(ours, "services.gpon.migrations", metadata)
    books = _made(theirs, "services.isp.migrations", isp_metadata)
    isp = World(books)
    isp.model(pots=2)
    found = Network(database, isp, lab)
    introduce(database.engine, [one for one in lab.book["devices"] if one["kind"] == "olt"])
    with database.engine.begin() as connection:
        realms = models.olt_realms
        connection.execute(realms.delete())
        connection.execute(models.services.delete())
        for row in VLAN_MAP:
            values = {"line_profile": "", "outbound": row.get("inbound", ""), **row}
            connection.execute(insert(models.services).values(**values))
    yield found
    empty(found)
    database.close()
    books.close()


def empty(network: Network) -> None:
    """Take everything off the OLTs and the fibres again."""
    for name in (NORTH, SOUTH):
        with devices.reader(network.olt(name)) as reader:
            left = reader.onus()
        if left:
            with devices.writer(network.olt(name)) as writer:
                for one in left:
                    found = writer.configuration(one.position, one.onu_id)
                    for port in found.service_ports if found else ():
                        writer.delete_service_port(port.id)
                    writer.delete(one.position, one.onu_id)
    network.lab.plug(Plan(registration=0.2, olts=[OltPlan(name=NORTH), OltPlan(name=SOUTH)]))


def plugged(network: Network, *onus: OnuPlan, south: tuple[OnuPlan, ...] = ()) -> None:
    """Put ONUs onto the fibres, and wait until the OLTs hear those that are configured nowhere."""
    plan = Plan(
        registration=0.2,
        olts=[OltPlan(name=NORTH, onus=list(onus)), OltPlan(name=SOUTH, onus=list(south))],
    )
    network.lab.plug(plan)
    known = {row["sn"] for row in network.rows("onus")}
    wanted = {one.sn for one in (*onus, *south)} - known
    network.until(lambda: wanted <= {row["sn"] for row in network.rows("unconfigured")}, NORTH, SOUTH)


def shared(network: Network, first: int) -> tuple[OnuPlan, OnuPlan, OnuPlan]:
    """On one OLT an ONU of the realm dem, one of pim, and one of nobody."""
    theirs, ours, nobody = (onu(number) for number in range(first, first + 3))
    plugged(network, theirs, ours, nobody)
    network.isp.model("HG8245Q2", pots=2)
    network.subscriber(theirs.sn, "dem")
    network.subscriber(ours.sn, "pim")
    return theirs, ours, nobody
