"""What a service class is made of: `rpc`, `CallContext`, `timer`. A service imports no nameko itself."""

from __future__ import annotations

from typing import Any

from nameko.containers import WorkerContext
from nameko.extensions import DependencyProvider
from nameko.rpc import Rpc as NamekoRpc
from nameko.timer import Timer as NamekoTimer

from services.common.context import Context
from services.common.errors import ApiError
from services.common.rpc.consumer import RequestConsumer
from services.common.rpc.container import CONTEXT

Provider = DependencyProvider
"""What a service class gets by an attribute: `setup`, `stop`, `get_dependency(worker_ctx)`."""

__all__ = ["CallContext", "Provider", "Rpc", "rpc", "timer"]


class Rpc(NamekoRpc):  # type: ignore[misc]
    """A method that others may call: keyword arguments in, `Reply` out. An `ApiError` that it raises reaches
    the caller; any other exception is logged here and reaches the caller as `internal_error` without its
    text."""

    rpc_consumer = RequestConsumer()

    def __init__(self, **options: Any) -> None:
        super().__init__(expected_exceptions=ApiError, **options)

    def setup(self) -> None:
        self.rpc_consumer.register(self)

    def stop(self) -> None:
        self.rpc_consumer.stop_receiving()


rpc = Rpc.decorator


class Timer(NamekoTimer):  # type: ignore[misc]
    """Work every `interval` seconds. nameko's own raises when it is ended before it was started, as it is in
    a container that dies while it starts."""

    def stop(self) -> None:
        if self.gt is not None:
            super().stop()

    def kill(self) -> None:
        if self.gt is not None:
            super().kill()


timer = Timer.decorator


class CallContext(DependencyProvider):  # type: ignore[misc]
    """`context = CallContext()` in a service class: `self.context` is the `Context` of the call under way.
    In a timer's work it sees nothing: a timer states the scope that it works in."""

    def get_dependency(self, worker_ctx: WorkerContext) -> Context:
        context: Context | None = worker_ctx.data.get(CONTEXT)
        return context or Context()
