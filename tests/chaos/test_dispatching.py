"""The same harness on the idiom of others, which commits and then dispatches: it loses events, so the harness
can fail. Their outbox, once a relay carries it, has them all.
"""

from __future__ import annotations

import sys

import pytest

from tests.chaos import evidence
from tests.chaos.crew import DEADLINE, MARGIN
from tests.chaos.platform import HONEST, REPLICAS, Platform
from tests.chaos.storm import Part, Storm
from tests.chaos.writers import Writers

DISPATCHING = (sys.executable, "-m", "tests.chaos.dispatching")
KILLS, WRITES = 10, 500


def run_as(platform: Platform, command: tuple[str, ...]) -> None:
    platform.service = command
    for name in REPLICAS:
        platform.kill(name)
        platform.start_replica(name)
    platform.wait()
    platform.await_replicas()


def dying(platform: Platform, name: str) -> Part:
    """A replica that is at work whenever it is killed."""

    def bring_back() -> None:
        platform.start_replica(name)
        platform.await_replicas()

    return Part(name, lambda: platform.kill(name), bring_back)


def test_committing_and_then_dispatching_loses_events(shaken: Platform) -> None:
    replicas = [dying(shaken, name) for name in REPLICAS]
    run_as(shaken, DISPATCHING)
    try:
        storm = Storm(shaken, replicas, seed=1)
        with Writers(shaken, "crm", run="dispatching", bulk=False, threads=6) as writers:
            storm.blow(writers, KILLS, WRITES)
        found = evidence.gather(shaken, writers, storm, patience=DEADLINE + MARGIN)
    finally:
        run_as(shaken, HONEST)
    print(found)
    assert found.lost
    with pytest.raises(AssertionError, match="events lost"):
        found.check()

    healed = evidence.gather(shaken, writers)
    assert not healed.lost
    assert not healed.differing
