"""The nameko class that every service of resources is: the engine's methods as RPC. Thin on purpose.

A service adds its own operations and timers; what it knows of nameko is `services.common.rpc`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import structlog
from sqlalchemy import MetaData

from services.common.contract import Contract
from services.common.database.engine import Database
from services.common.errors import ServiceUnavailable
from services.common.events import feed, held
from services.common.events.inbox import WAITING
from services.common.events.provider import EventsProvider
from services.common.events.webhooks.operations import Operations as Webhooks
from services.common.resource.background import Attached
from services.common.resource.engine import Engine
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.entrypoint import CallContext, Provider, rpc, timer
from services.common.rpc.reply import Reply
from services.common.settings import for_service

log = structlog.get_logger(__name__)

Pairs = list[tuple[str, str]]


class EngineProvider(Provider):
    """Gives a service its engine, on its own database. `metadata`: the service's tables."""

    def __init__(self, contract: Contract, metadata: MetaData) -> None:
        self.contract = contract
        self.metadata = metadata

    def setup(self) -> None:
        settings = for_service(self.contract.name)
        database = Database(settings.database(self.contract.name), settings)
        database.prove_cooperative()
        self.engine = Engine(self.contract, self.metadata, database, settings)
        self.engine.client = self.container.config["CLIENT"]
        for provider in self.container.dependencies:
            if isinstance(provider, EventsProvider):
                provider.attach(self.engine, self.container.config)
            elif isinstance(provider, Attached):
                provider.attach(self.engine)

    def stop(self) -> None:
        self.engine.database.close()

    def get_dependency(self, worker_ctx: Any) -> Engine:
        return self.engine


class ResourceService:
    """Subclasses set `name`, `engine` (an `EngineProvider`), `events` where they handle events of others, and
    add what is theirs alone."""

    name: ClassVar[str]
    engine: Any
    context = CallContext()
    events: Any = EventsProvider()

    @rpc
    def list(self, resource: str, **query: Any) -> Reply:
        return self.engine.list(self.context, resource, **query)  # type: ignore[no-any-return]

    @rpc
    def get(self, resource: str, key: str, **query: Any) -> Reply:
        return self.engine.get(self.context, resource, key, **query)  # type: ignore[no-any-return]

    @rpc
    def related(self, resource: str, key: str, relation: str, **query: Any) -> Reply:
        return self.engine.related(self.context, resource, key, relation, **query)  # type: ignore[no-any-return]

    @rpc
    def create(self, resource: str, body: Any, **how: Any) -> Reply:
        return self.engine.create(self.context, resource, body, **how)  # type: ignore[no-any-return]

    @rpc
    def update(self, resource: str, key: str, **change: Any) -> Reply:
        return self.engine.update(self.context, resource, key, **change)  # type: ignore[no-any-return]

    @rpc
    def delete(self, resource: str, key: str, versions: Any = None) -> Reply:
        return self.engine.delete(self.context, resource, key, versions)  # type: ignore[no-any-return]

    @rpc
    def bulk_create(self, resource: str, items: Any, **how: bool) -> Reply:
        return self.engine.bulk_create(self.context, resource, items, **how)  # type: ignore[no-any-return]

    @rpc
    def bulk_update(self, resource: str, items: Any, **how: bool) -> Reply:
        return self.engine.bulk_update(self.context, resource, items, **how)  # type: ignore[no-any-return]

    @rpc
    def bulk_delete(self, resource: str, ids: Any, **how: bool) -> Reply:
        return self.engine.bulk_delete(self.context, resource, ids, **how)  # type: ignore[no-any-return]

    @rpc
    def import_lines(self, resource: str, name: str, lines: Any, dry_run: bool = False) -> Reply:
        return self.engine.import_lines(self.context, resource, name, lines, dry_run)  # type: ignore[no-any-return]

    @rpc
    def feed(self, parameters: Pairs) -> Reply:
        return feed.read(self.engine.contract, self.events.outbox, self.context, parameters)

    @rpc
    def parked_event_replay(self, key: str, parameters: Pairs) -> Reply:
        def work(write: Write) -> Reply:
            id_ = self.engine.resolve(write.connection, held.PARKED_EVENTS, key, self.context)
            held.replay(write, id_)
            return Reply(dumps({"id": id_, "state": WAITING}), {"status": 202})

        return self.engine.write(self.context, work)  # type: ignore[no-any-return]

    @rpc
    def usage(self, realm: str) -> Reply:
        return self.engine.usage(self.context, realm)  # type: ignore[no-any-return]

    @rpc
    def webhook_rotate_secret(self, key: str, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return Webhooks(self.engine).rotate_secret(self.context, key)

    @rpc
    def webhook_replay(self, key: str, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return Webhooks(self.engine).replay(self.context, key, body)

    @rpc
    def webhook_ping(self, key: str, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return Webhooks(self.engine).ping(self.context, key)

    @timer(interval=30)
    def fold_counters(self) -> None:
        periodic("fold_counters", self.engine.compact)

    @timer(interval=5)
    def measure_events(self) -> None:
        periodic("measure_events", self.events.measure)

    @timer(interval=600)
    def forget(self) -> None:
        periodic("forget", self.events.forget)
        periodic("forget", self.engine.forget)


def periodic(name: str, work: Any) -> None:
    """A timer's work: a database that is away now is a matter for the next round, said once in the log."""
    try:
        work()
    except ServiceUnavailable as error:
        log.warning("periodic work put off", work=name, reason=str(error))
