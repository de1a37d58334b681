"""Rules of an OLT's row."""

from __future__ import annotations

from services.common.types import Installation, Row


def check(
    installation: Installation, old: Row | None, new: Row, refs: dict[str, Row]
) -> dict[str, list[str]]:
    """It has to be said how its SNMP agent is entered; privacy needs authentication (RFC 3414, 1.4.3)."""
    errors: dict[str, list[str]] = {}
    if new["snmp_version"] == "2c" and not new.get("snmp_community"):
        errors["snmp_community"] = ["SNMP v2c needs a community."]
    if new["snmp_version"] == "3" and not new.get("snmp_user"):
        errors["snmp_user"] = ["SNMP v3 needs a user."]
    for kind in ("auth", "privacy"):
        if bool(new.get(f"snmp_{kind}_protocol")) != bool(new.get(f"snmp_{kind}_password")):
            errors[f"snmp_{kind}_password"] = ["Give both the protocol and the password, or neither."]
    if new.get("snmp_privacy_protocol") and not new.get("snmp_auth_protocol"):
        errors["snmp_auth_protocol"] = ["Privacy needs authentication."]
    return errors
