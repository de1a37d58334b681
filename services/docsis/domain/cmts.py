"""Rules of a CMTS as it is entered."""

from __future__ import annotations

from typing import Any

from services.common.types import Row


def check(_: Any, old: Row | None, new: Row, refs: Row) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if new["snmp_version"] == "3" and not new["snmp_user"]:
        errors["snmp_user"] = ["SNMP v3 needs a user."]
    if new["snmp_version"] == "2c" and not new["snmp_community"]:
        errors["snmp_community"] = ["SNMP v2c needs a community."]
    if new["snmp_privacy_protocol"] and not new["snmp_auth_protocol"]:
        errors["snmp_auth_protocol"] = ["Privacy needs authentication."]
    return errors
