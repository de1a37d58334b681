"""Rules of an action on a device: which there are, what each needs, who offers it, and its states.

An action is a promise with a deadline: it always ends, and its last state says no more than is known.
`unknown` is said where the device may have done something that nobody reported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.common.types import Row

REBOOT, FACTORY, RECONFIG = "reboot", "factory", "reconfig"
REPROVISION, UNPROVISION, DIAGNOSTIC = "reprovision", "unprovision", "cwmp_diagnostic"

TIMEOUTS = {
    REBOOT: 120,
    FACTORY: 300,
    RECONFIG: 120,
    REPROVISION: 120,
    UNPROVISION: 120,
    DIAGNOSTIC: 180,
}
"""Seconds that an action of each kind may take, from the request to its end."""

KINDS = tuple(TIMEOUTS)
SHORTEST, LONGEST = 1, 3600
MOST_ATTEMPTS = 3

# ---- states -----------------------------------------------------------------------------------

REQUESTED, DISPATCHED, RUNNING = "requested", "dispatched", "running"
SUCCEEDED, FAILED, TIMED_OUT, CANCELLED, UNKNOWN = "succeeded", "failed", "timed_out", "cancelled", "unknown"

TRANSITIONS: dict[str, tuple[str, ...]] = {
    REQUESTED: (DISPATCHED, CANCELLED, TIMED_OUT),
    DISPATCHED: (RUNNING, SUCCEEDED, FAILED, CANCELLED, TIMED_OUT, UNKNOWN),
    RUNNING: (DISPATCHED, SUCCEEDED, FAILED, CANCELLED, UNKNOWN),
    SUCCEEDED: (),
    FAILED: (),
    TIMED_OUT: (),
    CANCELLED: (),
    UNKNOWN: (),
}
STATES = tuple(TRANSITIONS)
ENDED = tuple(state for state, after in TRANSITIONS.items() if not after)

ERRORS = {
    TIMED_OUT: "Nobody reported about it before its deadline.",
    UNKNOWN: "What runs it went silent; the device may or may not have done it.",
}
"""Why an action ended that nobody reported the end of."""


def overdue(row: Row, now: dt.datetime) -> str | None:
    """The state that an action goes to when its time has come, None when it has not.

    A lease that ran out is tried again only if the driver said that it may be repeated. One that nobody
    began, as far as is known, is `timed_out`; all else is `unknown`.
    """
    state, late = row["state"], now >= row["deadline"]
    if state == REQUESTED:
        return TIMED_OUT if late else DISPATCHED
    if state == DISPATCHED and late:
        return TIMED_OUT if row["attempts"] == 1 else UNKNOWN
    if state == RUNNING and late:
        return UNKNOWN
    if state == RUNNING and row["lease"] is not None and now >= row["lease"]:
        again = row["repeatable"] and row["attempts"] < MOST_ATTEMPTS and not row["cancel_requested"]
        return DISPATCHED if again else UNKNOWN
    return None


def takes(row: Row, attempt: int, told: str) -> bool:
    """Whether what an executor reports of an attempt still counts."""
    renewed = row["state"] == told == RUNNING
    return attempt == row["attempts"] and (renewed or told in TRANSITIONS[row["state"]])


def open_key(cpe: int | str, kind: str, parameters: Mapping[str, Any]) -> str:
    """What equal actions have in common: of those that have not ended there is one. Begins with the CPE."""
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
    return f"{cpe} {kind} {hashlib.sha256(text.encode()).hexdigest()[:32]}"


# ---- what a device offers -----------------------------------------------------------------------


class Device(NamedTuple):
    """What decides which actions a CPE offers; the first three are its line's and its model's."""

    is_bitstream: bool
    tr069: bool | None
    diagnostics: bool | None
    bridge: bool
    disable_provision: bool
    disable_reconfig: bool


@dataclass(frozen=True)
class Refusal:
    """`reason`: for programs, never changes its meaning. `text`: for people."""

    reason: str
    kinds: tuple[str, ...]
    holds: Callable[[Device], bool | None]
    text: str


REFUSALS = (
    Refusal(
        "bitstream",
        (REPROVISION, UNPROVISION),
        lambda device: device.is_bitstream,
        "It is served over another operator's network, who provisions it.",
    ),
    Refusal(
        "disable_provision",
        (REPROVISION, UNPROVISION),
        lambda device: device.disable_provision,
        "Its provisioning is disabled (disable_provision).",
    ),
    Refusal(
        "no_tr069",
        (RECONFIG, DIAGNOSTIC),
        lambda device: not device.tr069,
        "Its model has no TR-069.",
    ),
    Refusal(
        "no_diagnostics",
        (DIAGNOSTIC,),
        lambda device: not device.diagnostics,
        "Its model has no TR-069 diagnostics.",
    ),
    Refusal(
        "bridge",
        (RECONFIG, DIAGNOSTIC),
        lambda device: device.bridge,
        "It is bridged: the router behind it is not ours to manage.",
    ),
    Refusal(
        "disable_reconfig",
        (RECONFIG,),
        lambda device: device.disable_reconfig,
        "Its configuration over TR-069 is disabled (disable_reconfig).",
    ),
)
"""Why a device does not offer an action, in the order in which it is told (contract 3.4)."""

REASONS = tuple(one.reason for one in REFUSALS)


def refusal(kind: str, device: Device) -> Refusal | None:
    """Why the device does not offer the action; None: it does."""
    return next((one for one in REFUSALS if kind in one.kinds and one.holds(device)), None)


def offered(device: Device) -> list[str]:
    """The kinds of action that the device offers."""
    return [kind for kind in KINDS if refusal(kind, device) is None]


# ---- parameters ---------------------------------------------------------------------------------

PARAMETERS: dict[str, tuple[str, ...]] = dict.fromkeys(KINDS, ()) | {
    DIAGNOSTIC: ("diagnostic", "host", "wan"),
}

NEEDED, OPTIONAL, NONE = "needed", "optional", "none"
DIAGNOSTICS = {
    "ping": NEEDED,
    "dns": NEEDED,
    "traceroute": NEEDED,
    "download": OPTIONAL,
    "upload": OPTIONAL,
    "wifi_neighboring": NONE,
}
"""Diagnostics and whether each wants a host; without one a speed test runs against the operator's server."""

HOST, WAN = r"[A-Za-z0-9._:-]{1,253}", r"[A-Za-z0-9._ -]{1,64}"
_WRITTEN = {"host": (HOST, "Enter a host name or an IP address."), "wan": (WAN, "Enter the name of a WAN.")}

Errors = dict[str, list[str]]


def parameters(kind: str, given: Mapping[str, Any]) -> tuple[dict[str, str], Errors]:
    """(the parameters of an action of this kind as they are kept, what is wrong with them)."""
    errors: Errors = {name: ["Unknown member."] for name in given if name not in PARAMETERS[kind]}
    kept: dict[str, str] = {}
    if kind != DIAGNOSTIC:
        return kept, errors
    for name, (pattern, text) in _WRITTEN.items():
        value = given.get(name)
        if value is None:
            continue
        if isinstance(value, str) and re.fullmatch(pattern, value):
            kept[name] = value
        else:
            errors[name] = [text]
    wanted = given.get("diagnostic")
    if wanted is None:
        return kept, errors | {"diagnostic": ["This field is required."]}
    if not isinstance(wanted, str) or wanted not in DIAGNOSTICS:
        return kept, errors | {"diagnostic": [f'"{wanted}" is not a valid choice.']}
    kept["diagnostic"] = wanted
    if DIAGNOSTICS[wanted] == NEEDED and "host" not in given:
        errors["host"] = [f"A {wanted} needs a host."]
    if DIAGNOSTICS[wanted] == NONE:
        errors |= {name: [f"A {wanted} has none."] for name in _WRITTEN if given.get(name) is not None}
    return kept, errors
