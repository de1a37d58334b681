"""What the unit tests of the same name say, on PostgreSQL; and the leases, which SQLite has no need of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.accounts.service import Accounts
from gateway.auth import version
from gateway.auth.version import Version
from tests.statements import counted
from tests.unit.gateway.accounts.test_authenticate import *  # noqa: F403


def test_requests_that_come_together_pay_for_one_query(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "LEASE", 30.0)
    state, together = Version(accounts.database), threading.Barrier(8)

    def read(_: int) -> int:
        together.wait()
        return state.read()

    with counted(accounts.database) as seen, ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(read, range(8)))
    assert len(numbers) == len(seen) == 1


def test_a_request_does_not_wait_long_for_another_ones_query(accounts: Accounts) -> None:
    state = Version(accounts.database)
    with ThreadPoolExecutor(1) as pool, state._reading:  # another's query hangs
        assert pool.submit(state.read).result(timeout=20) >= 0
