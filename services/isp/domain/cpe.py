"""Rules of a CPE: what it offers, what it needs, what follows from a change.

Plain functions that the declaration names. `row` values are by wire name.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from services.common.types import Installation, Row, Writing
from services.isp.domain import action, provisioning

asks = provisioning.cpe_asks

ACTIONS = {
    "reboot": action.REBOOT,
    "unprovision": action.UNPROVISION,
    "reprovision": action.REPROVISION,
    "factory": action.FACTORY,
    "reconfig": action.RECONFIG,
    "diagnostic": action.DIAGNOSTIC,
}
"""The name of an action among a CPE's links → its kind."""

LINKS = (
    "customer",
    "profile",
    "model",
    "potses",
    "events",
    "cdrs",
    "logs",
    "livestatus",
    "links",
    "info",
    "cwmp_info",
)

_PATHS = {"cdrs": "events?type=cdr"}

# Changes that reach the network: they move `tech_updated`.
TECHNICAL = frozenset(
    (
        "access",
        "active",
        "address_profile",
        "bridge",
        "disable_provision",
        "disable_reconfig",
        "dsn",
        "external_voip",
        "fixed_address",
        "line_profile",
        "mac",
        "model",
        "mtamac",
        "pppoe_password",
        "pppoe_username",
        "profile",
        "remote_id",
        "sn",
        "tech",
        "tv_profile",
        "voip_profile",
        "wanmac",
        "me_vlan",
        "lan_cidr",
        "wifi_password",
        "wifi_profile",
        "wifi_ssid",
        "customer",
    )
)

_NUCOM_WAN_OFFSET = 2


def links(installation: Installation, id_: str, *facts: Any) -> dict[str, dict[str, str]]:
    """The actions that the device offers, and its sub-resources. `facts`: those of `action.Device`."""
    base = f"{installation.links_prefix}/{id_}"
    kinds = action.offered(action.Device(*facts))
    return {
        "actions": {name: f"{base}/{kind}" for name, kind in ACTIONS.items() if kind in kinds},
        "links": {name: f"{base}/{_PATHS.get(name, name)}" for name in LINKS},
    }


def services(
    installation: Installation, tech: str, is_bitstream: bool, tr069: bool | None, voice_ports: str
) -> list[str]:
    """What monitoring checks on the device (contract 3.5), from its technology and its lines with a
    number.
    """
    names: list[str] = []
    if tech == "gpon" and not is_bitstream:
        names += ["provision", "txrx"]
    elif tech == "docsis":
        names += ["docsis", "provision", "downstream", "upstream"]
    elif tech == "wimax":
        names += ["info", "radio", "downstream", "upstream"]
    names.append("dhcp")
    if tr069:
        names.append("tr069")
    return names + [f"voice{port}" for port in voice_ports.split(",") if port]


def identify(installation: Installation, row: Row) -> str:
    """Name it in the network (the realm and its number, four digits at least) and, where the installation
    makes them, give it PPPoE credentials. Returns the column whose value nobody else may have."""
    row["internal_id"] = f"{row['realm']}{row['id']:04d}"
    if installation.pppoe_domain and not row.get("pppoe_username"):
        row["pppoe_username"] = f"{row['internal_id']}@{installation.pppoe_domain}"
        row["pppoe_password"] = secrets.token_urlsafe(9)
    return "internal_id"


def complete(
    installation: Installation, now: dt.datetime, old: Row | None, new: Row, refs: dict[str, Row]
) -> None:
    """Values that follow from others."""
    model = refs.get("model", {})
    if new.get("tech") is None:
        new["tech"] = model.get("tech")
    new["is_bitstream"] = (new.get("line_profile") or "").startswith("bitstream:")
    if new.get("address_profile") == "":
        new["address_profile"] = None
    if model.get("vendor", "").lower() == "nucom" and new.get("mac") and not new.get("wanmac"):
        new["wanmac"] = f"{(int(new['mac'], 16) + _NUCOM_WAN_OFFSET) % 2**48:012x}"
    before = old or {}
    if new.get("expiration_date") != before.get("expiration_date"):
        new["expiration_applied"] = None
    if old is not None and any(new.get(name) != old.get(name) for name in TECHNICAL):
        new["tech_updated"] = now


def check(
    installation: Installation, old: Row | None, new: Row, refs: dict[str, Row]
) -> dict[str, list[str]]:
    """Rules between fields (contract 13), as field → messages."""
    errors: dict[str, list[str]] = {}
    before = old or {}
    changed = {name for name, value in new.items() if old is None or value != old.get(name)}
    customer = refs.get("customer")
    if customer is not None and "customer" in changed and customer["realm"] != new["realm"]:
        errors["customer"] = ["The customer belongs to another realm."]
    for name in ("model", "profile"):
        realms = refs.get(name, {}).get("realms")
        if name in changed and realms and new["realm"] not in realms:
            errors[name] = [f"This {name} is for other realms."]
    if changed & {"sn", "tech", "model"}:
        if (
            new["tech"] == "gpon"
            and not new["sn"]
            and installation.serial_number_required
            and not _was_without(old)
        ):
            errors["sn"] = ["The Serial number is required for this technology."]
        if before.get("sn") and new["sn"] != before["sn"] and installation.serial_number_required:
            errors["sn"] = ["The Serial number cannot be changed once it is set."]
    if changed & {"mac", "tech", "model"} and new["tech"] not in ("gpon", "voip") and not new["mac"]:
        errors["mac"] = ["The MAC address is required for this technology."]
    if new["address_profile"] == "fixed" and not new["fixed_address"]:
        errors["fixed_address"] = ["A fixed address is required when the address profile is fixed."]
    return errors


def _was_without(old: Row | None) -> bool:
    return old is not None and old["tech"] == "gpon" and not old["sn"]


def created(tx: Writing, row: Row, refs: dict[str, Row]) -> None:
    """One telephone port for each port of the model."""
    _add_ports(tx, row, set(), refs["model"]["pots"])


def changed(tx: Writing, old: Row, row: Row, refs: dict[str, Row]) -> None:
    """Another model may have more ports, or fewer: a port that has a number stays."""
    if old["model"] == row["model"]:
        return
    ports = tx.rows("potses", cpe_id=row["id"])
    wanted = refs["model"]["pots"]
    _add_ports(tx, row, {port["order"] for port in ports}, wanted)
    for port in ports:
        if port["order"] > wanted and not port["cli"]:
            tx.delete("potses", port["id"])


def _add_ports(tx: Writing, row: Row, present: set[int], wanted: int) -> None:
    for order in sorted(set(range(1, wanted + 1)) - present):
        tx.create(
            "potses",
            {"cpe_id": row["id"], "realm": row["realm"], "order": order, "dtmf": "auto", "updated": tx.now},
        )


def expire(tx: Writing, due: list[tuple[Any, dt.date]]) -> None:
    """Cut the access of CPEs whose day has come; once per date, so that access may be given back."""
    for id_, date in due:
        tx.change("cpes", id_, {"access": False, "expiration_applied": date, "tech_updated": tx.now})
