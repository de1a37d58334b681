"""Rows of the questions about a PON or an OLT (contract 3.4, 3.5): identity, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from services.common.types import Row
from services.gpon.domain import naming

LEVELS = ("dntx", "dnrx", "dnatt", "uptx", "uprx", "upatt", "tvrx", "pondesv")
NO_CATV = -1.0


def identity(olt: str, onu: Row) -> Row:
    return {
        "olt": olt,
        "fsp": onu["fsp"],
        "id": onu["position"],
        "onu_id": onu["onu_id"],
        "desc": onu["description"],
        "type": onu["type"],
        "sn": onu["sn"],
        "status": onu["status"],
        "ips": onu["ips"],
    }


def status(olt: str, onu: Row) -> Row:
    """`monitored`: whether a CPE of the books has this serial."""
    return identity(olt, onu) | {
        "registration_state": onu["states"],
        "last_up_time": onu["last_up_time"],
        "last_down_time": onu["last_down_time"],
        "last_down_cause": onu["last_down_cause"],
        "dnrx": onu["dnrx"],
        "uptx": onu["uptx"],
        "monitored": onu["cpe"] is not None,
        "raw_status": onu["raw_status"],
    }


def txrx(olt: str, onu: Row) -> Row:
    """One that is down has its identity alone."""
    if onu["status"] != "online":
        return identity(olt, onu)
    levels = {name: onu[name] for name in LEVELS}
    if levels["tvrx"] is None:
        levels["tvrx"] = NO_CATV
    return identity(olt, onu) | levels


def report(olt: str, onu: Row) -> Row:
    return identity(olt, onu)


def bandwidth(olt: str, onu: Row, traffic: Mapping[str, float | None] | None) -> Row:
    return identity(olt, onu) | rates(traffic or {})


def rates(traffic: Mapping[str, float | None]) -> Row:
    """`dnbw` and `upbw` in bit/s, to a tenth; 0 where nothing was counted."""
    return {name: round(float(traffic.get(name) or 0), 1) for name in ("dnbw", "upbw")}


def counters(states: Mapping[str, int]) -> Row:
    """ONUs of a PON or an OLT by what they are; `states`: registration state → number."""
    total, online = sum(states.values()), states.get("online", 0)
    alarmed = sum(number for state, number in states.items() if state not in ("online", "offline"))
    return {"total": total, "online": online, "offline": total - online, "alarm": alarmed}


def pon(olt: str, row: Row, states: Mapping[str, int], max_onus: int) -> Row:
    at = naming.Pon(row["frame"], row["slot"], row["port"])
    return {
        "olt": olt,
        "frame": str(row["frame"]),
        "slot": str(row["slot"]),
        "port": str(row["port"]),
        "fsp": at.fsp,
        "name": at.name,
        "service": at.service,
        **{name: row[name] for name in ("type", "admin_state", "oper_state", "ifindex")},
        **{name: row[name] for name in ("tx_power", "bias", "temperature", "voltage", "observed_at")},
        "max_onus": max_onus,
        "onus": counters(states),
    }
