"""What `…/cpes/{id}/info` shows of an ONU (contract 2.4): the shape of every technology, filled from one
reading or, when the OLT does not answer, from the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.common.types import Row
from services.gpon.domain import listing, naming, optics

UNKNOWN_DISTANCE = -1
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - what the real product shows of an ONU without one


def service_port(port: Row) -> Row:
    """A service port as `tech` and the detail of an ONU show it; `native_vlan` 0 or 1."""
    return {
        "id": port["id"],
        "user_vlan": port["user_vlan"],
        "service_vlan": port["service_vlan"],
        "inbound_traffic_table_name": port["inbound"],
        "outbound_traffic_table_name": port["outbound"],
        "native_vlan": int(bool(port["native_vlan"])),
        "tag_transform": port["tag_transform"],
    }


def txrx(levels: Mapping[str, float | None], *, online: bool) -> Row:
    """The service `txrx`. Of an ONU that is down no value is known."""
    known = levels if online else {}
    return {
        "output": optics.output(known),
        "perfdatas": list(optics.perfdata(known)),
        "state_id": optics.state(known),
    }


def info(
    olt: str,
    onu: Row,
    *,
    alarms: Sequence[Row] = (),
    service_ports: Sequence[Row] = (),
    traffic: Mapping[str, float | None] | None = None,
    ethernet_ports: Sequence[Row] = (),
    reachable: bool = True,
) -> Row:
    """`onu`: a row of `onus`. `reachable`: whether it was read now; what is not known to be up is down."""
    online = reachable and onu["status"] == "online"
    pon = naming.Pon(onu["frame"], onu["slot"], onu["port"])
    word = "online" if online else "offline"
    ips = list(onu["ips"]) or [NO_ADDRESS]
    states = list(onu["states"]) if reachable else [word]
    bandwidth = listing.rates(traffic or {})
    tech: dict[str, Any] = {
        "line_profile": onu["line_profile"],
        "service_ports": [service_port(one) for one in service_ports],
        "service_profile": onu["service_profile"],
        "type_name": onu["type"] or "",
    }
    if ethernet_ports:
        tech["ethernet_ports"] = list(ethernet_ports)
    return {
        "alarms": list(alarms),
        "distance": UNKNOWN_DISTANCE if onu["distance"] is None or not online else onu["distance"],
        "dnbw": bandwidth["dnbw"],
        "ips": ips,
        "output": naming.line(word, olt, pon, onu["onu_id"], ips),
        "registration": {
            "host": olt,
            "id": naming.position(pon, onu["onu_id"]),
            "last_down_time": onu["last_down_time"],
            "related_services": [pon.service],
            "states": states,
            "tags": naming.tags(olt, pon),
        },
        "services": {"txrx": txrx(onu, online=online)},
        "state": "up" if online else "down",
        "state_id": 0 if online else 1,
        "tech": tech,
        "upbw": bandwidth["upbw"],
        "uptime": int(onu.get("uptime") or 0) if online else 0,
    }


def never_registered() -> Row:
    """Of a CPE whose ONU no OLT has, or ever had, as far as is known."""
    return {
        "alarms": [],
        "distance": UNKNOWN_DISTANCE,
        "dnbw": 0.0,
        "ips": [],
        "output": "never registered",
        "registration": {
            "host": "",
            "id": "",
            "last_down_time": None,
            "related_services": [],
            "states": ["offline"],
            "tags": [],
        },
        "services": {"txrx": txrx({}, online=False)},
        "state": "down",
        "state_id": 1,
        "tech": {"line_profile": None, "service_ports": [], "service_profile": None, "type_name": ""},
        "upbw": 0.0,
        "uptime": 0,
    }
