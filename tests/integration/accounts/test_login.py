"""What the unit tests of the same name say, on PostgreSQL; and what logins that come together do there."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, insert, select, text

from gateway.accounts.models import login_failures
from gateway.accounts.service import Accounts
from gateway.auth.throttle import ADDRESS, PAIR, USERNAME, subjects
from tests.unit.gateway.accounts.test_login import *  # noqa: F403

BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def test_two_logins_of_one_user_never_wait_for_each_other(accounts: Accounts) -> None:
    """One attempt has the row of the address and goes on to that of the name; the other was right."""
    who, database = subjects("ana", "203.0.113.7"), accounts.database
    kind = login_failures.c.kind
    with database.write() as connection:
        for name in (USERNAME, PAIR, ADDRESS):  # as they lie on the disk
            until = func.extract("epoch", func.now()) + 300
            row = {"kind": name, "subject": who[name], "count": 2, "until": until}
            connection.execute(insert(login_failures).values(row))
    with ThreadPoolExecutor(1) as pool, database.engine.connect() as attempt:
        held = select(kind).with_for_update(nowait=True)
        assert attempt.execute(held.where(kind == ADDRESS)).all()
        right = pool.submit(accounts.throttle.forgive, who)
        end = time.monotonic() + 60
        while not database.reading(lambda one: one.execute(BLOCKED).scalar()):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert attempt.execute(held.where(kind == USERNAME)).all()
        attempt.rollback()
        right.result(60)
