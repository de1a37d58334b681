"""What a device of the lab does when it is asked to: how long it takes, and what it answers."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from services.common.executing import executor
from services.common.executing.executor import Result
from services.common.executing.runs import Run


@dataclass(frozen=True)
class Manner(executor.Manner):
    """`seconds`: how long the device takes."""

    seconds: float


MANNERS = {
    "reboot": Manner(repeatable=False, seconds=0.4),
    "factory": Manner(repeatable=False, seconds=0.6),
    "reconfig": Manner(repeatable=True, seconds=0.3),
    "reprovision": Manner(repeatable=True, seconds=0.3),
    "unprovision": Manner(repeatable=True, seconds=0.2),
    "cwmp_diagnostic": Manner(repeatable=True, seconds=0.5),
}


def perform(run: Run) -> Result:
    """Takes its time, and answers."""
    time.sleep(MANNERS[run.kind].seconds)
    return result(run.kind, run.parameters, run.action)


def result(kind: str, parameters: dict[str, Any], seed: int) -> dict[str, Any] | None:
    """What the device answers; the members are named as TR-181 (Device.IP.Diagnostics) names them."""
    if kind != "cwmp_diagnostic":
        return None
    drawn = random.Random(seed)
    average = drawn.randint(4, 30)
    match parameters.get("diagnostic"):
        case "ping":
            found: dict[str, Any] = {
                "SuccessCount": 4,
                "FailureCount": 0,
                "AverageResponseTime": average,
                "MinimumResponseTime": average - 2,
                "MaximumResponseTime": average + 5,
            }
        case "dns":
            found = {"SuccessCount": 1, "Result": [{"ResponseTime": average, "IPAddresses": "192.0.2.53"}]}
        case "traceroute":
            hops = [f"192.0.2.{hop}" for hop in range(1, drawn.randint(3, 8))]
            found = {"ResponseTime": average, "RouteHops": [{"HostAddress": hop} for hop in hops]}
        case "download" | "upload":
            found = {"TestBytes": 10_000_000, "Mbps": drawn.randint(80, 600)}
        case _:
            names = ("lab-north", "lab-south", "lab-east")
            found = {"Result": [{"SSID": one, "Channel": drawn.choice((1, 6, 11))} for one in names]}
    return {"DiagnosticsState": "Complete", **found}
