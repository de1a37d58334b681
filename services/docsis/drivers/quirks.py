"""What vendors of CMTSs do differently, as data. The standard tables are read first, whoever made the
device; a vendor is only told apart where the standard leaves something open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

IF_NAME, IF_DESCR = "ifName", "ifDescr"


@dataclass(frozen=True, slots=True)
class Vendor:
    """`enterprises`: the beginnings of its sysObjectIDs, below 1.3.6.1.4.1. `words`: what its sysDescr holds
    where the sysObjectID tells nothing. `names`: which of its two names an interface is known by to people.
    `model`, `version`: where sysDescr tells them."""

    name: str
    enterprises: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    names: tuple[str, str] = (IF_NAME, IF_DESCR)
    model: str = r"$^"
    version: str = r"$^"


CISCO = Vendor(
    name="Cisco",
    enterprises=(9,),
    words=("cisco",),
    # ifDescr is "Cable5/0-upstream0" and "Integrated-Cable5/0:0"; people and its CLI say "Ca5/0-upstream0"
    names=(IF_NAME, IF_DESCR),
    model=r"\b(?:uBR|UBR|cBR|CBR)\w*|\((\w+)-",
    version=r"Version ([^\s,]+)",
)
CASA = Vendor(
    name="Casa Systems",
    enterprises=(20858,),
    words=("casa",),
    # ifDescr tells "Downstream 0/0/0" and "Logical Upstream Channel 1/0/0", which are its names
    names=(IF_DESCR, IF_NAME),
    model=r"\bC(?:1G|10G|100G|2200|3200|3000|40G)\b|\bCMTS\b",
    version=r"(?:Ver(?:sion)?\.?|Release) ?([0-9][^\s,;]*)",
)
ARRIS = Vendor(
    name="Arris",
    enterprises=(4998, 4115, 4981),  # Cadant (C4, E6000), Arris, and Motorola's BSR
    words=("arris", "cadant", "cmts_v"),
    names=(IF_DESCR, IF_NAME),
    model=r"\b(?:C4c?|C3|E6000|BSR\w*)\b",
    version=r"CMTS_V([0-9.]+)|(?:Ver(?:sion)?\.?|Release) ?([0-9][^\s,;]*)",
)
UNKNOWN = Vendor(name="unknown")

VENDORS = (CISCO, CASA, ARRIS)

_ENTERPRISES = (1, 3, 6, 1, 4, 1)


def recognise(sysobjectid: str | None, sysdescr: str) -> Vendor:
    """Whose device it is: by its sysObjectID, else by what it says of itself."""
    number = _enterprise(sysobjectid)
    for vendor in VENDORS:
        if number in vendor.enterprises:
            return vendor
    lower = sysdescr.lower()
    return next((one for one in VENDORS if any(word in lower for word in one.words)), UNKNOWN)


def model(vendor: Vendor, sysdescr: str) -> str | None:
    return _first(vendor.model, sysdescr)


def version(vendor: Vendor, sysdescr: str) -> str | None:
    return _first(vendor.version, sysdescr)


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    if found is None:
        return None
    return next((one for one in found.groups() if one), None) or found.group(0) or None


def _enterprise(oid: str | None) -> int | None:
    parts = [int(one) for one in (oid or "").strip(".").split(".") if one.isdecimal()]
    return parts[6] if len(parts) > 6 and tuple(parts[:6]) == _ENTERPRISES else None
