"""Rules of a row of the VLAN map."""

from __future__ import annotations

from collections.abc import Sequence

from services.common.types import Installation, Row


def check(
    installation: Installation, old: Row | None, new: Row, refs: dict[str, Row]
) -> dict[str, list[str]]:
    if new.get("native_port") and not new.get("user_vlan"):
        return {"native_port": ["An untagged Ethernet port needs the user VLAN that it stands for."]}
    return {}


def rows_for(rows: Sequence[Row], line_profile: str) -> list[Row]:
    """Those of the line profile, else the common ones, in the order in which they were made."""
    mine = [one for one in rows if one["line_profile"] == line_profile]
    return mine or [one for one in rows if not one["line_profile"]]
