"""A nameko container that a failing call cannot kill.

nameko kills the container when anything but the method itself fails (a dependency whose database is away, a
reply that cannot be sent). Here such a failure is the answer of that one call. Also the one place where a
call gets its log context and is counted, where a call whose deadline has passed is not executed, and where
calls that may take long are kept from taking every worker.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import eventlet
import structlog
from nameko.containers import ServiceContainer, WorkerContext
from nameko.exceptions import ContainerBeingKilled

from services.common import metrics
from services.common.context import Context
from services.common.errors import ApiError, Busy, DeadlineExceeded, ServiceUnavailable
from services.common.rpc import wire

CONTEXT = "context"
"""Key of the call's `Context` in nameko's worker data; absent in the work of a timer."""

Answer = Callable[[wire.Encoded], None]
"""Takes the one reply of a call. Must not raise."""

log = structlog.get_logger(__name__)


class Container(ServiceContainer):  # type: ignore[misc]
    """Calls come in through `dispatch`, timers through nameko's own `spawn_worker`. Of calls that may
    take long (`Context.patient`) half of the workers are the most."""

    _long = 0

    def dispatch(
        self, entrypoint: Any, args: list[Any], kwargs: dict[str, Any], context: Context, answer: Answer
    ) -> None:
        """Runs a call in a worker and answers once. Never blocks: a call waits for a free worker aside."""
        began = time.monotonic()
        is_long = context.patient
        if is_long and self._long >= max(1, self.max_workers // 2):
            answer(wire.encode_error(Busy()))
            return
        self._long += is_long

        def handle_result(_: WorkerContext | None, result: object, exc_info: Any) -> tuple[object, Any]:
            outcome = "ok"
            if exc_info is None:
                try:
                    encoded = wire.encode_reply(result)
                except (TypeError, ValueError) as error:
                    log.exception("reply cannot be encoded", method=entrypoint.method_name)
                    exc_info = (type(error), error, error.__traceback__)
            if exc_info is not None:
                raised = exc_info[1] if isinstance(exc_info[1], ApiError) else ApiError()
                outcome, encoded = raised.code, wire.encode_error(raised)
            metrics.served(self.service_name, entrypoint.method_name, outcome, time.monotonic() - began)
            self._long -= is_long
            answer(encoded)
            return result, exc_info

        def work() -> None:
            try:
                self.spawn_worker(entrypoint, args, kwargs, {CONTEXT: context}, handle_result)
            except ContainerBeingKilled:
                self._long -= is_long
                answer(wire.encode_error(ServiceUnavailable()))

        if self._worker_pool.free() > 0:
            work()
        else:
            eventlet.spawn_n(work)

    def _run_worker(self, worker_ctx: WorkerContext, handle_result: Callable[..., Any] | None) -> None:
        context: Context | None = worker_ctx.data.get(CONTEXT)
        handled = False

        def handle(*result: Any) -> Any:
            nonlocal handled
            handled = True
            return handle_result(*result) if handle_result else result[1:]

        facts = {"request_id": context.request_id, "user": context.user} if context else {}
        with structlog.contextvars.bound_contextvars(
            call=f"{self.service_name}.{worker_ctx.entrypoint.method_name}", **facts
        ):
            try:
                if context is not None and not context.remaining:
                    raise DeadlineExceeded()
                super()._run_worker(worker_ctx, handle)
            except Exception as error:
                if not isinstance(error, ApiError):
                    log.exception("a dependency of the call failed")
                if not handled:
                    handle(worker_ctx, None, sys.exc_info())
