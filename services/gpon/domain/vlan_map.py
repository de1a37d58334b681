"""Rules of a row of the VLAN map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.common.types import Installation, Row, Writing


def check(
    installation: Installation, old: Row | None, new: Row, refs: dict[str, Row]
) -> dict[str, list[str]]:
    if new.get("native_port") and not new.get("user_vlan"):
        return {"native_port": ["An untagged Ethernet port needs the user VLAN that it stands for."]}
    return {}


def allow(tx: Writing, old: Row | None, new: Row) -> dict[str, list[str]]:
    """Refuses a second row for the same frames of the same CPEs."""
    key = {name: new[name] for name in ("line_profile", "gem", "user_vlan")}
    for one in tx.rows("services", **key):
        if (old is None or one["id"] != old["id"]) and _meet(set(one["realms"]), set(new["realms"])):
            return {"user_vlan": ["Service with this user_vlan already exists."]}
    return {}


def _meet(realms: set[str], others: set[str]) -> bool:
    return bool(realms & others) or not (realms or others)


def rows_for(rows: Iterable[Row], line_profile: str) -> list[Row]:
    """Those of the line profile, else the common ones, in the order in which they were made; of either
    kind the realm's `own`, where it has any."""
    groups: dict[tuple[bool, bool], dict[tuple[int, int | None], Row]] = defaultdict(dict)
    for one in rows:
        if one["line_profile"] in (line_profile, ""):
            group = groups[bool(one["line_profile"]), one["own"]]
            group.setdefault((one["gem"], one["user_vlan"]), one)
    return list(groups[max(groups)].values()) if groups else []
