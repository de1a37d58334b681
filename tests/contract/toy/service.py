"""The toy as a process: `python -m tests.contract.toy.service`. It answers late when a file tells it to."""

# ruff: noqa: E402
from services.common.rpc import green

green.patch()

import sys
from pathlib import Path
from typing import Any

import eventlet

from services.common import log
from services.common.resource.representation import dumps
from services.common.resource.service import EngineProvider, ResourceService
from services.common.rpc.entrypoint import rpc
from services.common.rpc.reply import Reply
from services.common.rpc.runner import run_services
from services.common.settings import for_service
from tests.contract.toy.contract import CONTRACT
from tests.contract.toy.models import metadata

settings = for_service("toy")
delay = Path(settings.data_dir) / "toy-delay"
"""Holds the seconds that a list, or a deletion of many, takes."""
held = Path(settings.data_dir) / "toy-held"
"""While it is there no reading ends."""


INFO_OF_A_PHONE: dict[str, Any] = {
    "alarms": [],
    "dnbw": 0.0,
    "upbw": 0.0,
    "ips": [],
    "registration": {
        "host": "pbx",
        "id": "7",
        "last_down_time": None,
        "related_services": [],
        "states": ["online"],
        "tags": [],
    },
    "services": {},
    "state": "up",
    "state_id": 0,
    "uptime": 0,
}


def _wait() -> None:
    if delay.exists():
        eventlet.sleep(float(delay.read_text()))


class ToyService(ResourceService):
    name = CONTRACT.name
    engine = EngineProvider(CONTRACT, metadata)

    @rpc
    def list(self, resource: str, **query: Any) -> Reply:
        _wait()
        return self.engine.list(self.context, resource, **query)

    @rpc
    def bulk_delete(self, resource: str, ids: Any, **how: bool) -> Reply:
        _wait()
        return self.engine.bulk_delete(self.context, resource, ids, **how)

    @rpc
    def dial(self, **asked: Any) -> Reply:
        return self._told("dial", asked)

    @rpc
    def any_dial(self, **asked: Any) -> Reply:
        return self._told("any_dial", asked)

    @rpc
    def meter_dials(self, **asked: Any) -> Reply:
        return self._told("meter_dials", asked)

    @rpc
    def meter_hand(self, **asked: Any) -> Reply:
        return self._told("meter_hand", asked)

    @rpc
    def site(self, **asked: Any) -> Reply:
        return self._told("site", asked)

    @rpc
    def reading(self, **asked: Any) -> Reply:
        eventlet.sleep(float(dict(asked["parameters"]).get("takes", 0)))
        while held.exists():
            eventlet.sleep(0.05)
        return self._told("reading", asked)

    @rpc
    def cpe_info(self, cpe: dict[str, Any], parameters: Any) -> Reply:
        asked = dict(parameters)
        eventlet.sleep(float(asked.get("takes", 0)))
        return Reply(
            dumps(INFO_OF_A_PHONE | {"output": f"{cpe['internal_id']} {asked}", "tech": {"of": cpe}})
        )

    def _told(self, method: str, asked: dict[str, Any]) -> Reply:
        return Reply(dumps({"method": method, "keyed": self.context.keyed, **asked}))


if __name__ == "__main__":
    log.configure(settings, "toy")
    sys.exit(run_services([ToyService], settings))
