"""What carries events from a relay to subscriptions: RabbitMQ (`amqp`), or a call in the same process.

Both give the same promise: `publish` returns when each event is where it cannot be lost, and raises
`Undelivered` otherwise; whatever was published may arrive twice, never out of the order of its subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.common.events.envelope import Envelope


class Undelivered(Exception):
    """Some of the events may not have arrived; all of them have to be published again."""


class Publisher(Protocol):
    def publish(self, events: Sequence[Envelope]) -> None:
        """Raises `Undelivered`. No two of the events have the same subject."""

    def close(self) -> None: ...


class Taker(Protocol):
    """A subscription, as the bus of one process sees it."""

    def wants(self, source: str, type_: str) -> bool: ...

    def take(self, events: Sequence[Envelope]) -> None:
        """Returns when they are handled, or kept in the database to be handled later."""


class LocalBus:
    """All subscriptions of one process, for the installation without a broker.

    It holds no event itself: an event is published when every subscription has handled it or keeps it in its
    own database, so a kill at any moment loses nothing. It does not reach other processes. Until it is
    `complete`, which is when all who subscribe are here, nothing is published.
    """

    def __init__(self, *, complete: bool = True) -> None:
        self.complete = complete
        self._takers: list[Taker] = []

    def register(self, taker: Taker) -> None:
        self._takers.append(taker)

    def publish(self, events: Sequence[Envelope]) -> None:
        if not self.complete:
            raise Undelivered("not all subscriptions are here yet")
        for taker in self._takers:
            wanted = [one for one in events if taker.wants(one.source, one.type)]
            if wanted:
                taker.take(wanted)

    def close(self) -> None:
        """Nothing to close: the subscriptions belong to their services."""
