"""Alarms of an ONT as a SmartAX words them, with the level and type that it gives them."""

from __future__ import annotations

from typing import NamedTuple

from services.gpon.drivers.base import Alarm


class Known(NamedTuple):
    level: str
    type: str
    name: str
    marks: tuple[str, ...]
    """What the wordings of several releases have in common."""


ALARMS = {
    "losi": Known(
        "warning",
        "servicequality",
        "The distribute fiber is broken or the OLT cannot receive expected optical signals from the"
        " ONT(LOSi/LOBi)",
        ("LOSi", "LOBi", "(LOS)"),
    ),
    "lofi": Known("warning", "servicequality", "The loss of frame of ONTi (LOFi) occurs", ("LOFi",)),
    "dyinggasp": Known(
        "warning", "equipment", "The dying-gasp of GPON ONTi (DGi) is generated", ("DGi", "dying-gasp")
    ),
    "recovery": Known(
        "warning", "processerror", "The GPON ONT configuration recovery fails", ("configuration recovery",)
    ),
}


def of_state(meaning: str | None) -> Alarm | None:
    """The alarm that a state means."""
    known = ALARMS.get(meaning or "")
    return known and Alarm(known.level, known.type, "init", known.name)


def named(name: str) -> Alarm:
    """An alarm of which the device tells no more than its name; one that is not known here is a warning."""
    for known in ALARMS.values():
        if any(mark in name for mark in known.marks):
            return Alarm(known.level, known.type, "init", name)
    return Alarm("warning", "communications", "init", name)
