"""Bulk requests that take long."""

from __future__ import annotations

import pytest

from tests.contract.toy.platform import Extended
from tests.servers import Session

UNKNOWN = [10**9 + n for n in range(101)]


@pytest.mark.parametrize(("ids", "status"), [(UNKNOWN, 200), (UNKNOWN[:100], 504)])
def test_many_items_may_take_longer_than_a_request_usually_does(
    extended: Extended, joiner: Session, ids: list[int], status: int
) -> None:
    extended.delay(5.5)
    answer = joiner.delete("/api/v2/toy/meters/bulk/", json={"ids": ids})
    assert answer.status_code == status
