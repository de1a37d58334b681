"""The client side of a call, whatever carries it. `amqp` and `local` implement these protocols.

Errors are always of the `ApiError` family: `ServiceUnavailable` (unknown or dead service, broker away,
breaker open, too many calls pending), `DeadlineExceeded`, or the error that the service raised, rebuilt.
"""

from __future__ import annotations

from typing import Any, Protocol

from services.common.context import Context
from services.common.rpc.reply import Reply


class Pending(Protocol):
    """A call under way."""

    def result(self) -> Reply:
        """Waits for the answer, no longer than the context's deadline."""


class Client(Protocol):
    """Safe to share between threads (`amqp`) or green threads (both)."""

    def start(
        self, service: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> Pending:
        """Sends the call and returns at once; failures come out of `result()`. `arguments` are JSON-able,
        else `TypeError`. `read`: the call changes nothing, so that it may be sent again while a service
        restarts."""

    def call(
        self, service: str, method: str, arguments: dict[str, Any], context: Context, *, read: bool = False
    ) -> Reply:
        """`start(…).result()`."""

    def close(self) -> None:
        """Calls under way fail; the client cannot be used again."""
