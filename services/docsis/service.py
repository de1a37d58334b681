"""docsis: CMTSs, the cable modems behind them, and the configuration files of subscribers' modems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.common.events.inbox import Subscription
from services.common.events.provider import EventsProvider
from services.common.executing.executor import Executor
from services.common.executing.tasks import Tasks
from services.common.resource.background import Background
from services.common.resource.representation import dumps
from services.common.resource.service import EngineProvider, Pairs, ResourceService, periodic
from services.common.rpc.entrypoint import rpc, timer
from services.common.rpc.reply import Reply
from services.common.types import Row
from services.docsis import desire, doing, history, info, models, tasks
from services.docsis.contract import CABLE_MODEMS, CONTRACT
from services.docsis.converging import Converger
from services.docsis.domain import cable_modem
from services.docsis.questions import Places, Questions, one_of

EVERY = 0.5

QUESTIONS = Questions()
EXECUTOR = Executor(
    doing.perform, doing.wants, doing.MANNERS, device=lambda write, data: data["mac"], lease=15
)


class DocsisService(ResourceService):
    name = CONTRACT.name
    engine = EngineProvider(CONTRACT, models.metadata)
    executing = EXECUTOR
    events = EventsProvider(
        (
            Subscription(name="books", sources=desire.SOURCES, handle=desire.heard),
            EXECUTOR.subscription,
        )
    )
    polling = Background(QUESTIONS.poller, every=EVERY)
    counting = Background(desire.census())
    converging = Background(Converger(), every=EVERY)
    tasks = Background(Tasks(tasks.work, tasks.MANNERS), every=EVERY)

    @rpc
    def list(self, resource: str, **query: Any) -> Reply:
        return self.engine.list(self.context, resource, **_by_channel(resource, query))  # type: ignore[no-any-return]

    @rpc
    def related(self, resource: str, key: str, relation: str, **query: Any) -> Reply:
        asked = _by_channel(relation, query)
        return self.engine.related(self.context, resource, key, relation, **asked)  # type: ignore[no-any-return]

    @rpc
    def mac_domains(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._rows("mac_domains", places, parameters)

    @rpc
    def mac_domain(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._row("mac_domains", "ifindex", places, parameters)

    @rpc
    def fiber_nodes(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._rows("fiber_nodes", places, parameters)

    @rpc
    def fiber_node(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._row("fiber_nodes", "name", places, parameters)

    @rpc
    def downstreams(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._rows("downstreams", places, parameters)

    @rpc
    def downstream(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._row("downstreams", "ifindex", places, parameters)

    @rpc
    def upstreams(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._rows("upstreams", places, parameters)

    @rpc
    def upstream(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return self._row("upstreams", "ifindex", places, parameters)

    def _documents(self, member: str, places: Places, parameters: Pairs) -> Sequence[Row]:
        return QUESTIONS.documents(self.engine, self.context, member, places, parameters)

    def _rows(self, member: str, places: Places, parameters: Pairs) -> Reply:
        return Reply(dumps(self._documents(member, places, parameters)))

    def _row(self, member: str, key: str, places: Places, parameters: Pairs) -> Reply:
        return Reply(dumps(one_of(self._documents(member, places, parameters), key, places[key])))

    @rpc
    def upstream_frequency(self, places: Places, body: Any, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.set_frequency(self.engine, self.context, places, body)

    @rpc
    def cable_modem(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.modem(self.engine, self.context, places)

    @rpc
    def cmts_cable_modem(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.modem(self.engine, self.context, places)

    @rpc
    def cable_modem_reset(self, places: Places, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return QUESTIONS.reset(self.engine, self.context, places)

    @rpc
    def cpe_info(self, cpe: Row, parameters: Pairs = ()) -> Reply:  # type: ignore[assignment]
        return Reply(dumps(info.of_cpe(self.engine, QUESTIONS, cpe)))

    @timer(interval=600)
    def forget_history(self) -> None:
        periodic("forget_history", lambda: history.prune(self.engine))


def _by_channel(resource: str, query: Row) -> Row:
    if resource != CABLE_MODEMS.name:
        return query
    return {**query, "parameters": cable_modem.by_channel(query.get("parameters") or ())}
