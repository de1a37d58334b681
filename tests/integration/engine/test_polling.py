"""When devices are asked: at their pace, bounded, and none held up by another."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from services.common.database.engine import Database
from services.common.devices import polling
from services.common.devices.errors import DeviceSilent
from services.common.devices.polling import Poller
from tests.integration.engine.world import SETTINGS, World

INTERVAL = 0.4
PATIENCE = 60.0


def run(poller: Poller, world: World, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        poller(world.engine)
        time.sleep(0.02)


def until(poller: Poller, world: World, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it does not come to that"
        poller(world.engine)
        time.sleep(0.02)


class Devices:
    """A hundred of them; the first answers once `hangs` is set, those in `silent` do not answer."""

    def __init__(self, number: int = 100, hangs: threading.Event | None = None) -> None:
        self.keys = list(range(number))
        self.hangs = hangs
        self.asked: Counter[int] = Counter()
        self.silent: set[int] = set()
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def read(self, engine: object, key: int) -> None:
        with self._lock:
            self.asked[key] += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            if key == 0 and self.hangs is not None:
                self.hangs.wait(2 * PATIENCE)
            time.sleep(0.001)
            if key in self.silent:
                raise DeviceSilent(device=str(key))
        finally:
            with self._lock:
                self.at_once -= 1

    def poller(self, at_once: int = 8) -> Poller:
        return Poller(lambda engine: self.keys, self.read, lambda engine: INTERVAL, at_once=at_once)


@pytest.fixture
def world(on_sqlite: World) -> Iterator[World]:
    """A process of its own, whose locks end with it."""
    database = Database(str(on_sqlite.database.engine.url), SETTINGS)
    yield World(database)
    database.close()


def test_a_slow_one_delays_nobody(world: World):
    released = threading.Event()
    devices = Devices(hangs=released)
    try:
        until(devices.poller(), world, lambda: min(devices.asked[key] for key in devices.keys[1:]) >= 3)
        assert devices.asked[0] == 1
        assert devices.most <= 8
    finally:
        released.set()


def test_one_that_does_not_answer_is_asked_less_and_less(world: World):
    devices = Devices(2)
    devices.silent = {0}

    def fell_behind() -> bool:
        """By now, however late a busy machine comes to look."""
        return devices.asked[1] >= 12 and devices.asked[1] > 1.9 * devices.asked[0]

    until(devices.poller(), world, fell_behind)
    assert devices.asked[0] >= 1


def test_at_most_so_many_are_asked_at_once(world: World):
    devices = Devices(30)
    until(devices.poller(at_once=2), world, lambda: len(devices.asked) == 30)
    assert devices.most <= 2


def test_one_that_is_gone_is_asked_no_more(world: World):
    devices = Devices(2)
    poller = devices.poller()
    until(poller, world, lambda: min(devices.asked[key] for key in (0, 1)) >= 2)
    devices.keys = [1]
    asked = devices.asked[0]
    run(poller, world, 1.5)
    assert devices.asked[0] <= asked + 1


def test_a_reason_to_look_is_followed_soon_and_not_more_often(world: World, monkeypatch: pytest.MonkeyPatch):
    devices = Devices(1)
    poller = Poller(lambda engine: devices.keys, devices.read, lambda engine: 600.0)
    until(poller, world, lambda: devices.asked[0] == 1 and not poller._turns[0].busy)
    poller.soon(0)  # once: asked for while it is being read it would be due again after the usual pause
    until(poller, world, lambda: devices.asked[0] == 2)
    monkeypatch.setattr(polling, "QUIET", 600.0)  # however long what follows takes
    for _ in range(5):
        poller.soon(0)
        run(poller, world, 0.1)
    assert devices.asked[0] == 2


def test_of_two_processes_one_asks(world: World):
    first, second = Devices(3), Devices(3)
    one, other = first.poller(), second.poller()
    until(one, world, lambda: bool(first.asked))
    run(other, world, 1.0)
    assert not second.asked
