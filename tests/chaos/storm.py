"""Kills at random instants under load: which parts there are to kill, and when one dies.

The instants are drawn over the writes, not over the time, so that each kill meets a platform that works.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.platform import CRM, LAB, REPLICAS, Platform
from tests.chaos.writers import Writers

LONGEST_PAUSE = 1.0
"""Seconds that a part stays dead, at most."""
STANDSTILL = 60.0
"""No write acknowledged for so many seconds: the platform does not come back."""


@dataclass(frozen=True)
class Part:
    """`weight`: how often it is drawn, against the others."""

    name: str
    kill: Callable[[], None]
    bring_back: Callable[[], object]
    weight: int = 3


def parts_of(platform: Platform) -> tuple[Part, ...]:
    """A replica dies with its relay and its subscriptions."""

    def process(name: str, weight: int = 3) -> Part:
        return Part(name, lambda: platform.kill(name), lambda: platform.bring_back(name), weight)

    return (
        *(process(name) for name in REPLICAS),
        process(CRM),
        process(LAB, 2),
        process("gateway"),
        Part("broker", platform.rabbitmq.kill, platform.rabbitmq.start, 1),
        Part("database", platform.postgres.kill, platform.postgres.start, 2),
    )


@dataclass
class Storm:
    """What was killed, and when the gateway was away: [from, until] of `time.monotonic()`."""

    platform: Platform
    parts: Sequence[Part]
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    ended_by_themselves: Counter[str] = field(default_factory=Counter)
    without_gateway: list[tuple[float, float]] = field(default_factory=list)

    def blow(self, writers: Writers, kills: int, writes: int) -> None:
        """Kill so often while so many writes are acknowledged; then everything is there again."""
        draw = random.Random(self.seed)
        for number, part in enumerate(self._order(draw, kills)):
            self._await(writers, int((number + draw.random()) * writes / kills))
            time.sleep(draw.uniform(0, 0.05))
            self._strike(part, draw.choice((0.0, draw.uniform(0, LONGEST_PAUSE))))
        self._await(writers, writes)

    def was_without_gateway(self, began: float, ended: float) -> bool:
        return any(began <= until and ended >= since for since, until in self.without_gateway)

    def _order(self, draw: random.Random, kills: int) -> list[Part]:
        """Each part at least once, as far as the kills go."""
        once = draw.sample(self.parts, len(self.parts))
        weights = [one.weight for one in self.parts]
        more = draw.choices(self.parts, weights, k=max(0, kills - len(once)))
        order = (once + more)[:kills]
        draw.shuffle(order)
        return order

    def _strike(self, part: Part, pause: float) -> None:
        began = time.monotonic()
        part.kill()
        self.kills[part.name] += 1
        time.sleep(pause)
        part.bring_back()
        if part.name == "gateway":
            self.platform.wait()
            self.without_gateway.append((began, time.monotonic()))
        self.ended_by_themselves.update(self.platform.revive())

    def _await(self, writers: Writers, writes: int) -> None:
        """Until so many writes are acknowledged."""
        seen, since = writers.acknowledged, time.monotonic()
        while writers.acknowledged < writes:
            time.sleep(0.01)
            if writers.acknowledged > seen:
                seen, since = writers.acknowledged, time.monotonic()
            if time.monotonic() > since + 2:
                self.ended_by_themselves.update(self.platform.revive())
            assert time.monotonic() < since + STANDSTILL, self.platform.logs()[-5000:]
