"""When calls to a silent service are held back, and what lets them through again."""

from __future__ import annotations

import pytest

from services.common.rpc import breaker as module
from services.common.rpc.breaker import PATIENCE, PAUSE, THRESHOLD, Breaker


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def silent(clock):
    breaker = Breaker()
    began = clock.now
    clock.now += PATIENCE
    for _ in range(THRESHOLD):
        breaker.silent(began)
    return breaker


def test_a_service_that_says_nothing_is_held_back(silent):
    assert silent.open
    assert not silent.admits()


def test_a_few_late_calls_do_not_open_it(clock):
    breaker = Breaker()
    clock.now += PATIENCE
    for _ in range(THRESHOLD - 1):
        breaker.silent(clock.now - PATIENCE)
    assert breaker.admits()


def test_impatient_callers_do_not_open_it(clock):
    breaker = Breaker()
    for _ in range(10 * THRESHOLD):
        breaker.silent(clock.now - 0.01)
    assert not breaker.open


def test_late_calls_of_a_service_that_answers_others_do_not_open_it(clock):
    breaker = Breaker()
    for _ in range(10 * THRESHOLD):
        began = clock.now
        clock.now += 1
        breaker.heard()
        clock.now += 1
        breaker.silent(began)
    assert breaker.admits()


def test_one_probe_is_let_through_after_a_pause_and_the_next_a_pause_after_it_failed(silent, clock):
    clock.now += PAUSE
    began = clock.now
    assert silent.admits()
    clock.now += 10 * PAUSE
    assert not silent.admits()
    silent.silent(began)
    assert not silent.admits()
    clock.now += PAUSE
    assert silent.admits()


@pytest.mark.parametrize("event", ["heard", "reset"])
def test_an_answer_or_other_news_closes_it(silent, event):
    getattr(silent, event)()
    assert not silent.open
    assert silent.admits()
