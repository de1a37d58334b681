"""`gunicorn tests.contract.toy.gateway:app`: the gateway as it is, with one contract more.

Run as a program it makes the toy's table and the permissions of its contract.
"""

from __future__ import annotations

from flask import Flask

from gateway.accounts import bootstrap
from gateway.accounts.contract import CONTRACTS
from gateway.accounts.service import Accounts
from gateway.app import create_app
from gateway.platform import Platform
from gateway.routes import discovered
from services.common import log
from services.common.database.engine import Database
from services.common.rpc.amqp import AmqpClient
from services.common.settings import for_service
from tests.contract.toy.contract import CONTRACT
from tests.contract.toy.models import metadata

ALL = [*CONTRACTS, *discovered(), CONTRACT]


def serve() -> Flask:
    settings = for_service("gateway")
    log.configure(settings, "gateway")
    assert settings.amqp is not None
    accounts = Accounts(settings)
    platform = Platform(settings, AmqpClient(settings.amqp), ALL, accounts.engines, accounts)
    accounts.attach(platform)
    return create_app(platform)


def prepare() -> None:
    toy = for_service("toy")
    database = Database(toy.database("toy"), toy)
    metadata.create_all(database.engine)
    database.close()
    accounts = Accounts(for_service("gateway"))
    with accounts.database.write() as connection:
        fresh = bootstrap.ensure_permissions(connection, ALL)
        bootstrap.ensure_groups(connection, ALL, fresh)
        accounts.version.bump(connection)
    accounts.close()


if __name__ == "__main__":
    prepare()
else:
    app = serve()
