"""Puts a gateway together: the services that are there, its own apps, and the way to the services."""

from __future__ import annotations

from typing import Any

from gateway.accounts.contract import CONTRACTS
from gateway.platform import Platform
from gateway.routes import discovered
from services.common.rpc.client import Client
from services.common.settings import Settings


def assemble(settings: Settings, client: Client, accounts: Any) -> Platform:
    if settings.demo and not settings.loopback:
        raise SystemExit("demo mode has a well-known password and is refused off loopback: unset KRILL_DEMO")
    contracts = [*CONTRACTS, *discovered()]
    platform = Platform(settings, client, contracts, accounts.engines, accounts)
    accounts.attach(platform)
    return platform
