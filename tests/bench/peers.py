"""Starts the two peers on a database that the platform has filled."""

from __future__ import annotations

import secrets

from tests.bench.contestant import Account, Contestant
from tests.bench.stack import Stack

DJANGO, LIMIT = "DRF", "limit"


def start_django(stack: Stack, database: str, account: Account) -> Contestant:
    """Django REST framework: makes its own user table, logs in for real."""
    env = {
        "BENCH_DATABASE": database,
        "BENCH_SECRET": secrets.token_urlsafe(48),
        "BENCH_PASSWORD": account.password,
    }
    stack.run("-m", "tests.bench.drf_peer.prepare", account.name, *account.realms, env=env)
    address, process = stack.gunicorn("drf", "tests.bench.drf_peer.wsgi:application", env)
    return Contestant(DJANGO, address, process, account.login(address))


def start_limit(stack: Stack, database: str, account: Account) -> Contestant:
    """Bare WSGI: nobody to log in to."""
    env = {"BENCH_DATABASE": database, "BENCH_REALMS": ",".join(account.realms)}
    address, process = stack.gunicorn("limit", "tests.bench.limit:application", env)
    return Contestant(LIMIT, address, process)
