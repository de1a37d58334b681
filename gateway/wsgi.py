"""`gunicorn gateway.wsgi:app`: the gateway as a process of its own, its services over RabbitMQ."""

from __future__ import annotations

from gateway.accounts.service import Accounts
from gateway.app import create_app
from gateway.assembly import assemble
from services.common import log, memory
from services.common.rpc.amqp import AmqpClient
from services.common.settings import for_service

settings = for_service("gateway")
log.configure(settings, "gateway")
memory.bound()
if settings.amqp is None:
    raise SystemExit("the gateway needs KRILL_AMQP_URI; `krill run` runs everything in one process")
platform = assemble(settings, AmqpClient(settings.amqp), Accounts(settings))
app = create_app(platform)
