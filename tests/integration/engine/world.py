"""The engine of isp on a database of its own, and short ways to ask and to look behind it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select

from services.common.context import Context, Scope
from services.common.database.engine import Database
from services.common.errors import InvalidInput
from services.common.resource.engine import Engine
from services.common.settings import Settings
from services.isp.contract import CONTRACT
from services.isp.models import metadata

SETTINGS = Settings(api_level=2026, max_page_size=1000, deadline=60)
"""The deadline is no matter here: it ends what waits for a lock or a connection on a busy machine."""

Json = dict[str, Any]
Pairs = Iterable[tuple[str, str]]


def caller(*realms: str, secrets: bool = False, everything: bool = False) -> Context:
    """A user of these realms."""
    name = "-".join(realms) or "nobody"
    return Context(Scope(frozenset(realms), everything), user=name, user_id=len(name), secrets=secrets)


ROOT = caller("dem", "pim", secrets=True, everything=True)
PIM, DEM, BOTH, NOBODY = caller("pim"), caller("dem"), caller("dem", "pim"), caller()
KEEPER = caller("pim", secrets=True)


@dataclass
class World:
    """One database with the engine on it. Bodies are given and answered as Python values."""

    database: Database
    settings: Settings = SETTINGS
    engine: Engine = field(init=False)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.engine = Engine(CONTRACT, metadata, self.database, self.settings)

    @property
    def dialect(self) -> str:
        return self.database.dialect

    def another(self, **settings: Any) -> World:
        """Another process on the same database."""
        return replace(self, settings=self.settings.model_copy(update=settings))

    # ---- asking -------------------------------------------------------------------------------

    def create(self, resource: str, body: Json, who: Context = ROOT) -> Json:
        return json.loads(self.engine.create(who, resource, body).body)

    def get(self, resource: str, key: Any, who: Context = ROOT, /, **parameters: str) -> Json:
        return json.loads(self.engine.get(who, resource, str(key), list(parameters.items())).body)

    def version(self, resource: str, key: Any) -> int:
        return self.engine.get(ROOT, resource, str(key)).meta["version"]

    def patch(self, resource: str, key: Any, body: Json, who: Context = ROOT, **how: Any) -> Json:
        return json.loads(self.engine.update(who, resource, str(key), body, partial=True, **how).body)

    def put(self, resource: str, key: Any, body: Json, who: Context = ROOT) -> Json:
        return json.loads(self.engine.update(who, resource, str(key), body, partial=False).body)

    def delete(self, resource: str, key: Any, who: Context = ROOT) -> None:
        self.engine.delete(who, resource, str(key))

    def page(self, resource: str, who: Context = ROOT, /, **parameters: str) -> list[Json]:
        return json.loads(self.engine.list(who, resource, list(parameters.items())).body)

    def ids(self, resource: str, who: Context = ROOT, /, **parameters: str) -> list[Any]:
        pairs = [*parameters.items(), ("attrs", "id"), ("limit", "1000")]
        lines = self.engine.list(who, resource, pairs, shape="ndjson").body.splitlines()
        return [json.loads(line)["id"] for line in lines]

    def count(self, resource: str, who: Context = ROOT, /, **parameters: str) -> int:
        return self.engine.list(who, resource, [*parameters.items(), ("attrs", "id")]).meta["count"]

    def related(
        self, resource: str, key: Any, relation: str, who: Context = ROOT, /, **parameters: str
    ) -> Any:
        return json.loads(
            self.engine.related(who, resource, str(key), relation, list(parameters.items())).body
        )

    # ---- making -------------------------------------------------------------------------------

    def model(self, id_: str = "HG8245H", **values: Any) -> str:
        return self.create("models", {"id": id_, "tech": "gpon", "tr069": True, **values})["id"]

    def customer(self, realm: str = "pim", **values: Any) -> int:
        return self.create("customers", {"name": "Ana", "realm": realm, **values})["id"]

    def cpe(self, customer: int, model: str = "HG8245H", who: Context = ROOT, **values: Any) -> Json:
        """A CPE with a serial number that nobody has."""
        body = {"customer": customer, "model": model, "sn": f"HWTC{next(self.numbers):08x}", **values}
        return self.create("cpes", body, who)

    def subscriber(self, realm: str = "pim", model: str = "HG8245H", **values: Any) -> Json:
        """A CPE of a customer of its own."""
        return self.cpe(self.customer(realm), model, **values)

    # ---- looking behind -----------------------------------------------------------------------

    def rows(self, table: str, **equals: Any) -> list[Json]:
        """The stored rows, oldest first."""
        stored: Table = metadata.tables[table]
        chosen = select(stored).where(*(stored.c[name] == value for name, value in equals.items()))
        with self.database.read() as connection:
            found = connection.execute(chosen.order_by(*stored.primary_key.columns)).mappings()
            return [dict(row) for row in found]

    def everything(self) -> dict[str, list[Json]]:
        """Every row of every table."""
        return {name: self.rows(name) for name in metadata.tables}

    def tallied(self) -> dict[tuple[str, str], int]:
        """What the counters say, zeros left out."""
        tally = metadata.tables["tally"].c
        sums = select(tally.resource, tally.realm, func.sum(tally.rows)).group_by(tally.resource, tally.realm)
        with self.database.read() as connection:
            return {(row[0], row[1]): int(row[2]) for row in connection.execute(sums) if row[2]}

    def counted(self) -> dict[tuple[str, str], int]:
        """What there is, counted row by row."""
        found: dict[tuple[str, str], int] = {}
        for name in ("customers", "cpes", "potses", "contexts"):
            for row in self.rows(name):
                found[name, row["realm"]] = found.get((name, row["realm"]), 0) + 1
        for name, table in (("models", "models"), ("cpe-profiles", "cpe_profiles")):
            if number := len(self.rows(table)):
                found[name, ""] = number
        return found

    def events(self, subject: str) -> list[tuple[str, int]]:
        """(type, sequence) of what was published about a subject."""
        return [(row["type"], row["sequence"]) for row in self.rows("outbox", subject=subject)]

    def insert(self, table: str, rows: list[Json]) -> None:
        """Rows that nobody's request made."""
        with self.database.write() as connection:
            connection.execute(insert(metadata.tables[table]), rows)


def refused(call: Any, *arguments: Any, **named: Any) -> dict[str, list[str]]:
    """What the call says is wrong with its input."""
    with pytest.raises(InvalidInput) as caught:
        call(*arguments, **named)
    return caught.value.errors
