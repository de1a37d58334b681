"""A service that notes each event it handles, and fails on those that it is told to."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Integer, String, Table, insert, select, update

from services.common.contract import Contract
from services.common.database.columns import BigInt
from services.common.database.engine import Database
from services.common.database.kernel import metadata_of_service
from services.common.events.contract import parked_resource
from services.common.events.envelope import Envelope
from services.common.events.inbox import Inbox, Subscription
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from tests.integration.engine.world import SETTINGS

CONTRACT = Contract(name="reader", title="Reader", resources=(parked_resource(),))
metadata = metadata_of_service()
effects = Table(
    "effects",
    metadata,
    Column("place", BigInt, primary_key=True, autoincrement=True),
    Column("event", String(36), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("sequence", Integer, nullable=False),
)

SOURCE = "registry"
"""As whom isp's engine publishes here: what a whole platform on the same broker says as `isp` stays apart."""
SOURCES = {SOURCE: ("customer.*", "cpe.#")}


class Poison(Exception):
    """What a handler raises for an event that it cannot take."""


@dataclass
class Reader:
    """`fails`: whether the handler fails on an event, after it has written."""

    database: Database
    fails: Callable[[Envelope], bool] = lambda event: False
    retries: str = "0.05,0.1"
    tried: list[str] = field(default_factory=list)
    inbox: Inbox = field(init=False)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        metadata.create_all(self.database.engine)
        settings = SETTINGS.model_copy(update={"event_retries": self.retries})
        self.engine = Engine(CONTRACT, metadata, self.database, settings)
        self.inbox = Inbox(self.engine, Subscription(name="notes", sources=SOURCES, handle=self._handle))

    def _handle(self, write: Write, event: Envelope) -> None:
        self.tried.append(event.id)
        note = {"event": event.id, "subject": event.subject, "sequence": event.sequence}
        write.connection.execute(insert(effects).values(**note))
        if self.fails(event):
            raise Poison(f"no {event.subject}")

    @property
    def handled(self) -> list[tuple[str, int]]:
        """(subject, sequence) of what was handled, in that order."""
        chosen = select(effects.c.subject, effects.c.sequence).order_by(effects.c.place)
        with self.database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(chosen)]

    def age(self, seconds: float) -> None:
        """Let so much time pass for what is held."""
        table = metadata.tables["held"]
        with self.database.write() as connection:
            connection.execute(update(table).values(due=table.c.due - int(seconds * 1000)))

    def held(self, state: str) -> list[dict[str, Any]]:
        table = metadata.tables["held"]
        with self.database.read() as connection:
            chosen = select(table).where(table.c.state == state).order_by(table.c.id)
            return [dict(row) for row in connection.execute(chosen).mappings()]


_numbers = itertools.count(1)


def event(subject: str = "customers/1", sequence: int = 1, type_: str = "customer.updated") -> Envelope:
    """An event that nobody published."""
    return Envelope(
        id=f"00000000-0000-7000-8000-{next(_numbers):012}",
        source=SOURCE,
        type=type_,
        subject=subject,
        sequence=sequence,
        realm="pim",
        time="2026-11-25T10:00:00+01:00",
        dataschema=f"urn:krill:{SOURCE}:{type_}:1",
        data={"id": 1},
    )
