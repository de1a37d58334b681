"""A part dies in the middle of load: every request ends in time with an answer or a 503 or 504, all is well
again within 10 seconds of the part's return without anybody's help, and nothing acknowledged is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from tests.chaos.load import ENOUGH, Load
from tests.chaos.platform import CRM, REPLICAS, Platform
from tests.servers import eventually

BEFORE, DOWN, AFTER = 2.0, 2.0, 3.0
"""Seconds of load before the part dies, without it, and after all is well again."""


def strike(
    platform: Platform, kill: Callable[[], None], bring_back: Callable[[], object]
) -> tuple[Load, float]:
    """Load with a death in it. Returns the load and the moment at which the part was back."""
    with Load(platform, CRM) as load:
        time.sleep(BEFORE)
        eventually(lambda: len(load.ended) >= ENOUGH)
        struck = time.monotonic()
        kill()
        time.sleep(DOWN)
        bring_back()
        back = time.monotonic()
        time.sleep(AFTER)
        while time.monotonic() < back + 12 and not load.well_for(AFTER):
            time.sleep(0.2)
    assert {one.status for one in load.ended if one.ended < struck} == {200}
    return load, back


def test_the_service_is_killed(shaken: Platform) -> None:
    def kill() -> None:
        for name in REPLICAS:
            shaken.kill(name)

    load, back = strike(shaken, kill, shaken.start_service)
    load.check_each_ended_well()
    assert set(load.statuses()) > {200}
    load.check_well_again(back)
    load.check_no_write_was_lost()


def test_the_broker_is_killed(shaken: Platform) -> None:
    uri = shaken.rabbitmq.uri
    shaken.await_settled()
    load, back = strike(shaken, shaken.rabbitmq.kill, shaken.rabbitmq.start)
    assert shaken.rabbitmq.uri == uri
    load.check_each_ended_well()
    assert set(load.statuses()) > {200}
    load.check_well_again(back)
    load.check_no_write_was_lost()


def test_the_database_is_killed(shaken: Platform) -> None:
    address = shaken.postgres.address
    load, back = strike(shaken, shaken.postgres.kill, shaken.postgres.start)
    assert shaken.postgres.address == address
    load.check_each_ended_well()
    assert set(load.statuses()) > {200}
    load.check_well_again(back)
    load.check_no_write_was_lost()


def test_a_gateway_worker_is_killed(shaken: Platform) -> None:
    """Its connections end with it; those of the other worker do not."""
    gateway = psutil.Process(shaken.children["gateway"].pid)
    victim = gateway.children()[0]

    def wait_for_another() -> None:
        end = time.monotonic() + 60
        while len([one for one in gateway.children() if one.status() != psutil.STATUS_ZOMBIE]) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)

    load, back = strike(shaken, victim.kill, wait_for_another)
    load.check_each_ended_well(0)
    assert load.statuses()[0] <= 2 * len(load.acknowledged)
    load.check_well_again(back)
    load.check_no_write_was_lost()
