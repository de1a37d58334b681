"""The enumerations of the MIBs, by their numbers, and what a registration state means to the platform.

Names are those of DOCS-IF-MIB (RFC 4546) and DOCS-IF3-MIB. A number that no table knows is no error: devices
have states of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

ONLINE, BLOCKED, RANGING, OFFLINE = "online", "blocked", "ranging", "offline"
STATES = (ONLINE, RANGING, BLOCKED, OFFLINE)

REGISTRATION: Mapping[int, tuple[str, str]] = {
    1: ("other", OFFLINE),
    2: ("initialRanging", RANGING),
    4: ("rangingAutoAdjComplete", RANGING),
    5: ("dhcpv4Complete", RANGING),
    6: ("registrationComplete", ONLINE),
    8: ("operational", ONLINE),
    9: ("bpiInit", RANGING),
    10: ("startEae", RANGING),
    11: ("startDhcpv4", RANGING),
    12: ("startDhcpv6", RANGING),
    13: ("dhcpv6Complete", RANGING),
    14: ("startConfigFileDownload", RANGING),
    15: ("configFileDownloadComplete", RANGING),
    16: ("startRegistration", RANGING),
    17: ("forwardingDisabled", BLOCKED),
    18: ("rfMuteAll", BLOCKED),
}
"""`docsIf3CmtsCmRegStatusValue` (CmtsCmRegState) → its name, and the state of the modem."""

FORMER_REGISTRATION: Mapping[int, tuple[str, str]] = {
    1: ("other", OFFLINE),
    2: ("ranging", RANGING),
    3: ("rangingAborted", RANGING),
    4: ("rangingComplete", RANGING),
    5: ("ipComplete", RANGING),
    6: ("registrationComplete", ONLINE),
    7: ("accessDenied", BLOCKED),
    8: ("operational", ONLINE),
    9: ("registeredBPIInitializing", RANGING),
}
"""`docsIfCmtsCmStatusValue`, which CMTSs before DOCSIS 3.0 have → its name, and the state of the modem."""

DOWNSTREAM_MODULATION = {1: "unknown", 2: "other", 3: "qam64", 4: "qam256"}
"""`docsIfDownChannelModulation`."""

UPSTREAM_MODULATION = {
    1: "other",
    2: "qpsk",
    3: "qam16",
    4: "qam8",
    5: "qam32",
    6: "qam64",
    7: "qam128",
}
"""`docsIfCmtsModType`."""

DATA_BURSTS = (10, 6, 9, 5)
"""The interval usage codes whose modulation is that of data, as a channel's modulation is told: long before
short, and those of advanced PHY (DOCSIS 2.0) before those of 1.x."""

RANGING_STATUS = {
    1: "other",
    2: "aborted",
    3: "retriesExceeded",
    4: "success",
    5: "continue",
    6: "timeoutT4",
}
RANGED = (4, 5)
"""Ranging states (`RangingState`) of an upstream channel that carries data."""

UPSTREAM_TYPE = {0: "unknown", 1: "tdma", 2: "atdma", 3: "scdma", 4: "tdmaAndAtdma"}
ANNEX = {1: "unknown", 2: "other", 3: "annexA", 4: "annexB", 5: "annexC"}
INTERLEAVE = {
    1: "unknown",
    2: "other",
    3: "taps8Increment16",
    4: "taps16Increment8",
    5: "taps32Increment4",
    6: "taps64Increment2",
    7: "taps128Increment1",
    8: "taps12increment17",
}
QOS_VERSION = {1: "docsis10", 2: "docsis11"}
IP_PROVISIONING_MODE = {0: "ipv4Only", 1: "ipv6Only", 2: "alternate", 3: "dualStack"}
LINK = {1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "notPresent", 7: "lowerLayerDown"}
"""`ifOperStatus` (IF-MIB)."""

DOWN_IMPAIRED, UP_IMPAIRED = (3, 5), (4, 5)
"""`docsIf31CmtsCmRegStatusPartialSvcState`: values that tell of channels lost, of either direction."""


def registration(value: int | None, *, former: bool = False) -> tuple[str, str]:
    """The name of a registration state, and online, ranging, blocked or offline."""
    if value is None:
        return "", OFFLINE
    known = (FORMER_REGISTRATION if former else REGISTRATION).get(value)
    return known or (f"unknown({value})", OFFLINE)


def named(names: Mapping[int, str], value: int | None) -> str | None:
    """The name of a value; of one that is not known the number."""
    return None if value is None else names.get(value, f"unknown({value})")
