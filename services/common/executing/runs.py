"""What a service was handed to run, and how far it is with it: one row an action, of its newest attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, text

from services.common.database.columns import BigInt, JsonB, version
from services.common.types import Row

if TYPE_CHECKING:
    from services.common.resource.engine import Engine

NOTED, BEGUN, DONE = "noted", "begun", "done"


def runs_table(metadata: MetaData) -> Table:
    """`asked`: the data of isp's `action.dispatched`. `device`: of the runs on one device one goes on at a
    time. `tries`: how often this attempt was begun. `until`: when begun, who runs it lives until then, unless
    it says more; when done, since when (milliseconds)."""
    noted, begun = text("state = 'noted'"), text("state = 'begun'")
    return Table(
        "runs",
        metadata,
        Column("action", BigInt, primary_key=True, autoincrement=False),
        Column("attempt", Integer, nullable=False),
        Column("realm", String(32), nullable=False),
        Column("device", String(255)),
        Column("asked", JsonB, nullable=False),
        Column("state", String(16), nullable=False, comment="noted, begun or done"),
        Column("tries", Integer, nullable=False),
        Column("until", BigInt, nullable=False),
        version(),
        Index("ix_runs_noted", "action", postgresql_where=noted, sqlite_where=noted),
        Index("ix_runs_begun", "device", postgresql_where=begun, sqlite_where=begun),
    )


@dataclass(frozen=True, eq=False)
class Run:
    """An attempt at an action, for who performs it. `engine`: the service's."""

    engine: Engine
    action: int
    attempt: int
    tries: int
    realm: str
    device: str | None
    asked: Row

    @classmethod
    def of(cls, engine: Engine, row: Row) -> Run:
        return cls(
            engine, *(row[name] for name in ("action", "attempt", "tries", "realm", "device", "asked"))
        )

    @property
    def kind(self) -> str:
        return str(self.asked["kind"])

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.asked["parameters"])

    @property
    def cpe(self) -> int:
        return int(self.asked["cpe"])

    @property
    def cpename(self) -> str:
        return str(self.asked["cpename"])

    @property
    def sn(self) -> str | None:
        """The serial number that the CPE had when it was asked, as isp writes it."""
        found: str | None = self.asked.get("sn")
        return found

    @property
    def mac(self) -> str | None:
        found: str | None = self.asked.get("mac")
        return found
