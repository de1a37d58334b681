"""What a change of the books asks of the network (contract 3.3): literal tables, and nothing more than the
change needs.

What is asked travels in the event of the change, as `asks`, in the order in which it is to be done; the
services that own a technology answer to what is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.common.types import Row, Writing

CPE_ASKS = (
    "rf_off",  # the RF overlay of the ONT first
    "tv_off",  # television, before the device loses its line
    "session_disconnect",  # PPPoE session cut (CoA)
    "internet_off",  # the Internet service port; one that telephony shares stays, for telephony only
    "deprovision",  # the ONU and its service ports go from the OLT
    "address_release",  # a fixed address is free again; of an unpaid customer it stays reserved
    "provision",  # ONU, service ports and speed on the OLT
    "address_assign",  # DHCP reservation or RADIUS pool by its address profile
    "internet_on",
    "rf_on",
    "tv_on",
    "sip",  # SIP users of its lines
    "reconfigure",  # configuration over TR-069
    "restart",  # so that it takes its new address
    "monitoring",  # host inserted or its data refreshed
    "monitoring_off",  # host removed
)
POTS_ASKS = ("provision", "sip", "monitoring")

ON_OLT = frozenset(
    ("rf_off", "tv_off", "internet_off", "deprovision", "provision", "internet_on", "rf_on", "tv_on")
)
"""What is not asked for a CPE whose provisioning is disabled, or done by another operator."""


def _any_of(names: str) -> frozenset[str]:
    return frozenset(names.split())


Needs = tuple[tuple[frozenset[str], tuple[str, ...]], ...]

CPE_NEEDS: Needs = (
    (_any_of("bridge disable_provision is_bitstream line_profile mac me_vlan model mtamac"), ("provision",)),
    (_any_of("profile sn tech voip_profile"), ("provision",)),
    (_any_of("address_profile fixed_address"), ("address_assign", "restart")),
    (_any_of("mac remote_id wanmac"), ("address_assign",)),
    (_any_of("pppoe_password pppoe_username"), ("session_disconnect", "address_assign", "reconfigure")),
    (_any_of("external_voip voip_profile"), ("sip", "reconfigure")),
    (_any_of("bridge disable_reconfig dsn lan_cidr model"), ("reconfigure",)),
    (_any_of("wifi_password wifi_profile wifi_ssid"), ("reconfigure",)),
    (_any_of("access active bridge fixed_address mac model probe sn tech topology"), ("monitoring",)),
    (_any_of("address city customer enable_notifications external_id"), ("monitoring",)),
    (_any_of("latitude locality longitude postalcode"), ("monitoring",)),
)
"""Members of a CPE → what a change of any of them asks, whether its service is on or not."""

POTS_NEEDS: Needs = (
    (_any_of("cli custom_digitmap dtmf password username"), ("provision", "sip")),
    (_any_of("context language pbx_extension voicemail voicemail_password"), ("sip",)),
    (_any_of("cli label"), ("monitoring",)),
)

OFF, ON = ("session_disconnect", "internet_off"), ("internet_on",)
"""What it takes to cut a service and to give it back, television apart. Telephony is kept."""

Changed = Mapping[str, list[Any]]
"""Member → [before, after]."""


def cpe_asks(tx: Writing, verb: str, row: Row, changed: Changed) -> list[str]:
    """What a CPE's `created`, `updated` or `deleted` asks. `row`: as it is now, or was last."""
    asked: set[str] = set()
    if verb == "created":
        asked = {"provision", "address_assign", "monitoring"}
        if _on(row):
            asked |= _television(row, "on")
    elif verb == "deleted":
        asked = {"session_disconnect", "deprovision", "address_release", "monitoring_off"}
        asked |= _television(row, "off")
    else:
        before = {**row, **{name: values[0] for name, values in changed.items()}}
        for members, needed in CPE_NEEDS:
            if members & changed.keys():
                asked |= set(needed)
        asked |= _switched(before, row)
    if row["disable_provision"] or row["is_bitstream"]:
        asked -= ON_OLT
    if row["disable_reconfig"]:
        asked.discard("reconfigure")
    return [one for one in CPE_ASKS if one in asked]


def pots_asks(tx: Writing, verb: str, row: Row, changed: Changed) -> list[str]:
    """What a telephone port's `created`, `updated` or `deleted` asks. One without a number asks nothing."""
    asked: set[str] = set()
    if verb == "updated":
        for members, needed in POTS_NEEDS:
            if members & changed.keys():
                asked |= set(needed)
    elif verb == "deleted" and row["cli"]:
        asked = {"sip", "monitoring"}
    if "provision" in asked:
        cpe = tx.rows("cpes", id=row["cpe_id"])[0]
        if cpe["disable_provision"] or cpe["is_bitstream"]:
            asked -= ON_OLT
    return [one for one in POTS_ASKS if one in asked]


def _switched(before: Row, after: Row) -> set[str]:
    """What it takes that the service, or its television, goes on or off."""
    was, is_ = _on(before), _on(after)
    asked: set[str] = set()
    if was != is_:
        asked |= set(ON if is_ else OFF)
    had = _television(before, "off") if was else set()
    has = _television(after, "on") if is_ else set()
    if was == is_ and before["tv_profile"] == after["tv_profile"]:
        return asked
    return asked | had | has


def _on(row: Row) -> bool:
    return bool(row["access"] and row["active"])


def _television(row: Row, how: str) -> set[str]:
    """Asks for the row's television: cable TV comes as RF through the ONT, IPTV does not."""
    profile = row["tv_profile"] or ""
    if not profile:
        return set()
    return {f"tv_{how}", f"rf_{how}"} if "catv" in profile else {f"tv_{how}"}
