"""What is derived from levels (contract 4.5): attenuation on the line, the figures of several channels in
one, and whether they are good. Levels in dBmV, ratios in dB, shares in percent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
STATE_NAMES = {OK: "OK", WARNING: "WARNING", CRITICAL: "CRITICAL", UNKNOWN: "UNKNOWN"}


def downstream_attenuation(power: float | None, rx: float | None) -> float | None:
    """From the CMTS's port to the modem: what the channel is sent with, less what the modem receives."""
    return None if power is None or rx is None else round(power - rx, 1)


def upstream_attenuation(tx: float | None, rx: float | None) -> float | None:
    """From the modem to the CMTS's port: what the modem sends with, less what the CMTS receives."""
    return None if tx is None or rx is None else round(tx - rx, 1)


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known, as a channel set's figure is told."""
    known = [one for one in values if one is not None]
    return round(fmean(known), 1) if known else None


@dataclass(frozen=True, slots=True)
class Metric:
    """`thresholds`: [critical low, warning low, warning high, critical high], or [warning, critical], or
    none, as `info` tells them (contract 2.4). Of two the greater one first means that little is bad."""

    uom: str
    decimals: int
    minimum: float
    maximum: float
    thresholds: tuple[float, ...] = ()

    def written(self, value: float | None) -> str:
        return "" if value is None else f"{value:.{self.decimals}f}{self.uom}"

    def state(self, value: float | None) -> int:
        if value is None or not self.thresholds:
            return OK
        if len(self.thresholds) == 2:
            warning, critical = self.thresholds
            if warning > critical:
                warning, critical, value = -warning, -critical, -value
            return CRITICAL if value >= critical else WARNING if value >= warning else OK
        worst_low, low, high, worst_high = self.thresholds
        if value <= worst_low or value >= worst_high:
            return CRITICAL
        return WARNING if value <= low or value >= high else OK


METRICS: Mapping[str, Metric] = {
    "dnatt": Metric("dB", 1, 0, 120),
    "dnrx": Metric("dBm", 1, -60, 60, (-15, -10, 10, 15)),
    "dnsnr": Metric("dB", 1, 0, 60, (30, 27)),
    "upatt": Metric("dB", 1, 0, 120),
    "uptx": Metric("dBm", 1, 0, 70, (20, 30, 51, 54)),
    "upsnr": Metric("dB", 1, 0, 60, (25, 20)),
    "dncorr": Metric("%", 2, 0, 100, (5, 20)),
    "dnko": Metric("%", 2, 0, 100, (1, 5)),
    "upcorr": Metric("%", 2, 0, 100, (5, 20)),
    "upko": Metric("%", 2, 0, 100, (1, 5)),
    "cmtsinvups": Metric("", 0, 0, 255, (1, 2)),
    "cminvups": Metric("", 0, 0, 255, (1, 2)),
}
"""The metrics of a modem. Levels are labelled dBm, as the product does, and are dBmV, as the MIBs say. A
modem should receive within ±15 dBmV (DOCSIS PHY), with 30 dB or better for 256-QAM; above 51 dBmV its
transmitter has no reserve left."""

SERVICES: Mapping[str, tuple[str, ...]] = {
    "qos": ("dncorr", "dnko", "upcorr", "upko"),
    "downstream": ("dnatt", "dnrx", "dnsnr"),
    "upstream": ("upatt", "uptx", "upsnr"),
    "docsis": ("cmtsinvups", "cminvups"),
}
"""What monitoring checks of a modem, and by which metrics."""


def state_of(service: str, values: Mapping[str, float | None]) -> int:
    """The worst state of the service's metrics; unknown when none of them is known."""
    names = SERVICES[service]
    if all(values.get(name) is None for name in names):
        return UNKNOWN
    return max(METRICS[name].state(values.get(name)) for name in names)


def output_of(service: str, values: Mapping[str, float | None]) -> str:
    """`dnatt=52.9dB dnrx=4.1dBm dnsnr=41.0dB`; what is not known is left out."""
    known = [(name, values[name]) for name in SERVICES[service] if values.get(name) is not None]
    return " ".join(f"{name}={METRICS[name].written(value)}" for name, value in known)


def services(values: Mapping[str, float | None]) -> dict[str, dict[str, str]]:
    """Of each service `state` and `output`."""
    return {
        name: {"state": STATE_NAMES[state_of(name, values)], "output": output_of(name, values)}
        for name in SERVICES
    }


def performance(
    name: str, value: float | None, channels: Sequence[tuple[str, float | None]] = ()
) -> dict[str, object]:
    """A metric as `info` shows it. `channels`: name and value of each, where it has a value per channel."""
    metric = METRICS[name]
    shown: dict[str, object] = {
        "metric": name,
        "value": value,
        "uom": metric.uom,
        "min": metric.minimum,
        "max": metric.maximum,
        "thresholds": list(metric.thresholds),
    }
    items = [{**shown, "value": one, "channel": channel} for channel, one in channels]
    return {**shown, "items": items}
