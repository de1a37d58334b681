"""The lab's equipment beside the platform, in demo mode: a child of `krill run`, a unit of `krill up`; and
what services are told of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.local import state
from deploy.local.instance import LOOPBACK, free_port
from deploy.local.process import Process
from deploy.local.supervisor import Command

FILE = "lab.json"


def answering(data: Path) -> bool:
    """Whether the process that `lab.json` names is alive: it writes its pid when all listens."""
    pid = (state.load(data / FILE) or {}).get("pid")
    return pid is not None and Process.of(pid) is not None


def unit(krill: Sequence[str], data: Path, logs: Path, env: Mapping[str, str]) -> Command:
    return Command(
        "network",
        (*krill, "lab", "network"),
        logs / "network.log",
        env,
        is_ready=lambda: answering(data),
    )


def notifying(env: Mapping[str, str]) -> dict[str, str]:
    """Settings with which the lab's OLTs notify gpon; those that are given hold."""
    place = env.get("KRILL_GPON_TRAP_BIND") or f"{LOOPBACK}:{free_port()}"
    return {"KRILL_GPON_TRAP_BIND": place, "KRILL_LAB_TRAPS": env.get("KRILL_LAB_TRAPS", place)}


def devices(data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (state.load(data / FILE) or {}).get("devices", [])
    return found


def introduce(data: Path) -> list[str]:
    """Make the lab's devices known to the services whose demo data has a place for them; returns those."""
    from deploy import registry

    told = []
    for owner in registry.services():
        demo = owner.demo
        if demo is not None and hasattr(demo, "introduce"):
            database = owner.database()
            try:
                demo.introduce(database.engine, devices(data))
            finally:
                database.close()
            told.append(owner.name)
    return told
