"""Parts die at random instants under load: no event is lost, none is applied twice, order is kept, every
action ends, and every request ends in time. `make chaos` runs the same for longer.
"""

from __future__ import annotations

import pytest

from tests.chaos import evidence
from tests.chaos.platform import Platform, number
from tests.chaos.storm import Storm, parts_of
from tests.chaos.writers import Writers

KILLS, WRITES, SEED = number("KILLS", 10), number("WRITES", 5000), number("SEED", 3)


@pytest.mark.timeout(480 + 12 * KILLS)
def test_nothing_is_lost_in_a_storm(shaken: Platform) -> None:
    shaken.await_settled()
    storm = Storm(shaken, parts_of(shaken), SEED)
    with Writers(shaken, "crm", run=f"storm{SEED}") as writers:
        storm.blow(writers, KILLS, WRITES)
    found = evidence.gather(shaken, writers, storm)
    found.check()
    assert found.writes >= WRITES
    assert found.kills.total() == KILLS
