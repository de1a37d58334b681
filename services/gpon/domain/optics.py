"""Rules of optical levels (contract 3.5): attenuation, deviation within a PON, and what is still good.

Levels are dBm, attenuation and deviation dB. None: no value, which is what every rule makes of none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FEWEST = 3
"""So many ONUs must be up before one can deviate from the others."""

OK, WARNING, CRITICAL = 0, 1, 2
NO_ATTENUATION = -1.0
"""What the real product shows for an upstream attenuation that is not known."""


@dataclass(frozen=True)
class Metric:
    """`thresholds`: [critical low, warning low, warning high, critical high], or [warning, critical]."""

    name: str
    uom: str
    low: float
    high: float
    thresholds: tuple[float, ...] = ()


METRICS = (
    Metric("dnrx", "dBm", -49, 5, (-29, -27, -11, -8)),
    Metric("uptx", "dBm", -10, 15),
    Metric("uprx", "dBm", -49, 5, (-32, -30, -12, -9)),
    Metric("upatt", "dB", 1, 60, (26, 46)),
)
"""Those of the service `txrx`, in their order (contract 2.4)."""

TOLD = ("dnrx", "uptx", "uprx", "dnatt", "upatt", "pondesv")
"""What the output line of `txrx` tells, in this order."""


def attenuation(sent: float | None, received: float | None) -> float | None:
    """dB lost on the way: `dnatt` of the OLT's level and the ONU's, `upatt` the other way round."""
    return None if sent is None or received is None else round(sent - received, 2)


def deviations(received: Mapping[object, float | None]) -> dict[object, float]:
    """`pondesv` of each ONU of a PON that is up: its level less the mean of them all; 0 with too few of
    them."""
    known = {key: level for key, level in received.items() if level is not None}
    if len(known) < FEWEST:
        return dict.fromkeys(known, 0.0)
    mean = sum(known.values()) / len(known)
    return {key: round(level - mean, 2) for key, level in known.items()}


def output(values: Mapping[str, float | None]) -> str:
    """`dnrx=-22.14 uptx=2.27 … pondesv=0.00`; empty when nothing is known."""
    known = [(name, values.get(name)) for name in TOLD]
    return " ".join(f"{name}={value:.2f}" for name, value in known if value is not None)


def state(values: Mapping[str, float | None]) -> int:
    """The worst of the metrics: `OK`, `WARNING` or `CRITICAL`."""
    return max((_state(metric, values.get(metric.name)) for metric in METRICS), default=OK)


def _state(metric: Metric, value: float | None) -> int:
    if value is None or not metric.thresholds or (metric.name == "upatt" and value == NO_ATTENUATION):
        return OK
    if len(metric.thresholds) == 2:
        warning, critical = metric.thresholds
        return CRITICAL if value >= critical else WARNING if value >= warning else OK
    critical_low, warning_low, warning_high, critical_high = metric.thresholds
    if value <= critical_low or value >= critical_high:
        return CRITICAL
    return WARNING if value <= warning_low or value >= warning_high else OK


def perfdata(values: Mapping[str, float | None]) -> Iterable[dict[str, object]]:
    """The metrics as `services.txrx.perfdatas` shows them."""
    for metric in METRICS:
        value = values.get(metric.name)
        if metric.name == "upatt" and value is None:
            value = NO_ATTENUATION
        yield {
            "items": [],
            "max": metric.high,
            "metric": metric.name,
            "min": metric.low,
            "thresholds": list(metric.thresholds),
            "uom": metric.uom,
            "value": value,
        }
