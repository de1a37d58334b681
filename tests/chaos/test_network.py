"""The network between isp and its servers is slow, goes silent, breaks and refuses, under load: every request
ends in time, every event arrives once and in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.chaos import evidence
from tests.chaos.platform import Platform
from tests.chaos.proxy import Proxy
from tests.chaos.writers import Writers

LONG, SHORT = 3.0, 0.3
"""Seconds that a fault lasts, and between faults that come again and again."""
ENOUGH = 100
"""Writes that show that all is well again."""


def slow(proxy: Proxy) -> None:
    with proxy.slow(0.03):
        time.sleep(LONG)


def silent(proxy: Proxy) -> None:
    with proxy.silent():
        time.sleep(LONG)


def broken_again_and_again(proxy: Proxy) -> None:
    broken = 0
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        broken += proxy.reset()
        time.sleep(SHORT)
    assert broken >= 5


def broken_and_refused(proxy: Proxy) -> None:
    with proxy.refusing():
        assert proxy.reset()
        time.sleep(LONG)


FAULTS: tuple[Callable[[Proxy], None], ...] = (slow, silent, broken_again_and_again, broken_and_refused)


@pytest.mark.parametrize("server", ["broker", "database"])
def test_the_way_to_a_server_fails_in_every_manner(shaken: Platform, server: str) -> None:
    proxy = {"broker": shaken.broker_proxy, "database": shaken.database_proxy}[server]
    before = proxy.accepted
    with Writers(shaken, "crm", run=f"without-{server}") as writers:
        _await(writers, ENOUGH)
        for fault in FAULTS:
            fault(proxy)
            _await(writers, writers.acknowledged + ENOUGH)
    evidence.gather(shaken, writers).check()
    assert proxy.accepted > before


def _await(writers: Writers, writes: int, within: float = 60.0) -> None:
    end = time.monotonic() + within
    while writers.acknowledged < writes:
        assert time.monotonic() < end, f"no write for {within} s"
        time.sleep(0.02)
