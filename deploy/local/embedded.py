"""The whole platform in ONE green process: gateway, services and their calls, on SQLite. Nothing to install.

Honest for one node. It is not several processes, not highly available, and one slow C call stalls all.
Import this module only after `services.common.rpc.green.patch()`.
"""

from __future__ import annotations

import socket
from typing import Any

import eventlet

from deploy import registry
from deploy.lab.network.starter import RunningLab
from deploy.local import lab, protocol
from gateway.accounts.service import Accounts
from gateway.app import create_app
from gateway.assembly import assemble
from services.common.rpc.runner import embed, on_signal
from services.common.settings import Settings


def serve(settings: Settings, ready: Any) -> int:
    """Serve until SIGINT or SIGTERM. `ready()` is called once requests are answered."""
    equipment = RunningLab(settings.data_dir).launch() if settings.demo and settings.lab else None
    services = [registry.service_class(one.name) for one in registry.services()]
    client = embed([*services, *((registry.lab_executor(),) if settings.demo else ())], settings)
    platform = assemble(settings, client, Accounts(settings))
    app = create_app(platform)
    host, _, port = settings.bind.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = eventlet.listen((host.strip("[]"), int(port)), family=family, backlog=256)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else every larger answer waits 40 ms
    # What a handler raises would end whichever green thread is running.
    serving = eventlet.getcurrent()
    on_signal(lambda: eventlet.kill(serving, SystemExit(0)))
    try:
        if equipment is not None:
            equipment.wait()
            lab.introduce(settings.data_dir)
        ready()
        protocol.serve(listener, app)
    finally:
        platform.close()
        if equipment is not None:
            equipment.stop()
    return 0
