"""What a device of the lab does when it is asked to: how long it takes, and what it answers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Manner:
    """`seconds`: how long the device takes. `repeatable`: doing it twice does no harm."""

    seconds: float
    repeatable: bool


MANNERS = {
    "reboot": Manner(0.4, repeatable=False),
    "factory": Manner(0.6, repeatable=False),
    "reconfig": Manner(0.3, repeatable=True),
    "reprovision": Manner(0.3, repeatable=True),
    "unprovision": Manner(0.2, repeatable=True),
    "cwmp_diagnostic": Manner(0.5, repeatable=True),
}


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
