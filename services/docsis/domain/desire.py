"""What the books want of a CPE's modem, and what is to be done about it: plain values in, plain values
out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.common.types import Row
from services.docsis.domain import rate
from services.docsis.domain.configuration import Service
from services.docsis.domain.mac import colons

PENDING, WAITING, WRITTEN, APPLIED, LEFT, FAILED = (
    "pending",
    "waiting",
    "written",
    "applied",
    "left",
    "failed",
)
STATES = (PENDING, WAITING, WRITTEN, APPLIED, LEFT, FAILED)
"""`pending`: isp is to be asked. `waiting`: something is missing, see `reason`. `written`: its file is there,
and the modem does not have it yet; it is `restarting`, or for the reason `adopted` not restarted for that.
`applied`: the modem was started with it. `left`: not ours to touch."""

NO_MAC, NO_CMTS, ADOPTED, RESTARTING = "no_mac", "no_cmts", "adopted", "restarting"
DISABLED, BITSTREAM, CMTS_DISABLED = "disable_provision", "bitstream", "cmts_disabled"

TECH = "docsis"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`left`: why it is left alone. Rates in bit/s; None: unlimited. `error`: what of it makes no sense."""

    mac: str | None
    access: bool
    downstream: int | None = None
    upstream: int | None = None
    left: str | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept; `Wanted(**kept)` is it again."""
        return asdict(self)


def wanted(cpe: Row) -> Wanted:
    """From isp's CPE with its profile joined. One that is not `active`, has no `access` or a profile without
    Internet may register, so that telephony goes on, and forwards nothing."""
    profile = cpe["profile"] or {}
    access = bool(cpe["active"] and cpe["access"] and profile.get("internet_access", True))
    left = DISABLED if cpe["disable_provision"] else BITSTREAM if cpe["is_bitstream"] else None
    try:
        address = colons(cpe["mac"]) if cpe["mac"] else None
        rates = [rate.bits(profile[way]) if profile else None for way in ("downstream", "upstream")]
    except ValueError as error:
        return Wanted(mac=None, access=access, left=left, error=str(error))
    return Wanted(address, access, rates[0], rates[1], left)


@dataclass(frozen=True, slots=True)
class Head:
    """What of a CMTS decides about files."""

    id: int
    secret: str | None
    quality: str
    max_cpe: int
    disabled: bool


def head(seen: int | None, heads: Sequence[Head]) -> Head | None:
    """The CMTS whose secret signs: where the modem was seen; before that the only one of its realm, or any of
    several that have the same secret and quality. None: it cannot be told yet."""
    for one in heads:
        if one.id == seen:
            return one
    alike = {(one.secret, one.quality, one.max_cpe) for one in heads}
    return heads[0] if len(alike) == 1 else None


def service(want: Wanted, cmts: Head) -> Service:
    """What the file says."""
    return Service(
        network_access=want.access,
        downstream=want.downstream,
        upstream=want.upstream,
        max_cpe=cmts.max_cpe,
        quality=cmts.quality,
    )


def file_name(mac: str) -> str:
    """`001596cb834d.cm`: what a DHCP server can make of the client's address alone."""
    return f"{mac.replace(':', '')}.cm"


def has_old_file(uptime: float, since_change: float) -> bool:
    """Whether a modem that is up for so long (s) was started before its file changed (s ago). It may have
    fetched the new one all the same, some time after it started: then a restart is one too many, which is
    better than a speed that nobody pays for."""
    return uptime > since_change
