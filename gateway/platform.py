"""What the gateway stands on: the contracts, and for each app who answers for it.

Apps of the gateway itself (accounts) are answered by an engine in this process, all others over RPC.
A caller does not see the difference.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

from gateway.routes import Route, table
from services.common.context import Context
from services.common.contract import Contract, Extension, Resource
from services.common.errors import ApiError, Busy
from services.common.resource.engine import Engine
from services.common.rpc.client import Client, Pending
from services.common.rpc.reply import Reply
from services.common.settings import Settings


class Recorder(Protocol):
    """Keeps the log of requests."""

    def record(self, entry: dict[str, Any]) -> None: ...


class Done:
    """A call that was answered at once."""

    def __init__(self, outcome: Reply | ApiError) -> None:
        self._outcome = outcome

    def result(self) -> Reply:
        if isinstance(self._outcome, ApiError):
            raise self._outcome
        return self._outcome


class Platform:
    """`engines`: the gateway's own apps by name. `client`: the way to all others."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        contracts: Iterable[Contract],
        engines: Mapping[str, Engine],
        accounts: Any,
    ) -> None:
        self.settings = settings
        self.client = client
        self.contracts = list(contracts)
        self.engines = engines
        self.accounts = accounts
        self._waiters = threading.Semaphore(settings.waiters)

    @contextmanager
    def patient(self) -> Iterator[None]:
        """For what may hold its thread longer than a request usually does, so that threads are left for all
        others. Raises `Busy`."""
        if not self._waiters.acquire(blocking=False):
            raise Busy()
        try:
            yield
        finally:
            self._waiters.release()

    @cached_property
    def routes(self) -> list[Route]:
        return table(self.contracts)

    @cached_property
    def services(self) -> list[Contract]:
        """The contracts that other processes answer for."""
        return [one for one in self.contracts if one.name not in self.engines]

    def extensions(self, contract: Contract, resource: Resource) -> dict[str, tuple[Contract, Extension]]:
        """The joins that other services add to a resource, by name."""
        target = f"{contract.name}.{resource.name}"
        return {
            one.relation.name: (other, one)
            for other in self.contracts
            for one in other.extensions
            if one.target == target
        }

    def start(
        self, app: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> Pending:
        """Begin a call; its errors come out of `result()`."""
        engine = self.engines.get(app)
        if engine is None:
            return self.client.start(app, method, arguments, context, read=read)
        try:
            return Done(getattr(engine, method)(context, **arguments))
        except ApiError as error:
            return Done(error)

    def call(
        self, app: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> Reply:
        return self.start(app, method, arguments, context, read=read).result()

    def close(self) -> None:
        self.client.close()
        self.accounts.close()
