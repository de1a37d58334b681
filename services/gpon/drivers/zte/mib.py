"""MIB objects of ZTE C300 and C320 OLTs.

Numbers as in ZTE-AN-GPON-SERVICE-MIB (zxGpon…), ZTE-AN-OPTICAL-MODULE-MIB and ZTE-AN-CHASSIS-MIB; units and
names that are empty: as devices of the field answer them. An ONU is indexed by the ifIndex of its PON and
its id there."""

from __future__ import annotations

from services.gpon.drivers.objects import Column, Scalar, Table

_ZTE = "1.3.6.1.4.1.3902"
_GPON = f"{_ZTE}.1012.3"
_ACCESS = f"{_ZTE}.1015"

OBJECT_ID = f"{_ZTE}."
"""What sysObjectID begins with."""

_ONU = ("ifIndex", "zxGponOntIndex")

ONU_CONFIG = Table(
    "ZTE-AN-GPON-SERVICE-MIB",
    "zxGponOntDevMgmtTable",
    f"{_GPON}.28.1.1",
    _ONU,
    {
        "type": Column(1, "zxGponOntDevMgmtTypeName"),
        "name": Column(2, "zxGponOntDevMgmtName"),
        "desc": Column(3, "zxGponOntDevMgmtDescription"),
        "sn": Column(5, "zxGponOntDevMgmtProvisionSn", "8 octets"),
    },
)
ONU_STATE = Table(
    "ZTE-AN-GPON-SERVICE-MIB",
    "zxGponOntPhaseStateTable",
    f"{_GPON}.28.2.1",
    _ONU,
    {
        "admin": Column(1, "zxGponOntAdminState", "1 enabled, 2 disabled"),
        "phase": Column(4, "zxGponOntPhaseState"),
        "last_up": Column(5, "zxGponOntLastOnlineTime", "DateAndTime or text"),
        "last_down": Column(6, "zxGponOntLastOfflineTime", "DateAndTime or text"),
        "cause": Column(7, "zxGponOntLastOfflineReason"),
    },
)
ONU_DISTANCE = Table(
    "ZTE-AN-GPON-SERVICE-MIB",
    "zxAnPonRtdTable",
    f"{_GPON}.11.4.1",
    _ONU,
    {"distance": Column(2, "zxAnPonRtdOnuDistance", "m")},
)
ONU_VERSION = Table(
    "ZTE-AN-GPON-REMOTE-ONU-MIB",
    "",
    f"{_GPON}.50.11.2.1",
    _ONU,
    {"hardware": Column(2, "", "text"), "equipment": Column(9, "", "text")},
)
ONU_OPTICS = Table(
    "ZTE-AN-GPON-REMOTE-ONU-MIB",
    "",
    f"{_GPON}.50.12.1.1",
    (*_ONU, "port"),
    {
        "rx": Column(10, "", "0.002 dBm, plus 15000; 65536 less where above 30000"),
        "tx": Column(14, "", "as rx"),
    },
)
ONU_RECEIVED = Table(
    "ZTE-AN-OPTICAL-MODULE-MIB",
    "zxAnPonRxOpticalPowerTable",
    f"{_ACCESS}.1010.11.2.1",
    _ONU,
    {"power": Column(2, "zxAnPonRxOpticalPower", "0.001 dBm; -80000 none")},
)
UNCONFIGURED = Table(
    "ZTE-AN-GPON-SERVICE-MIB",
    "zxGponUnConfOntTable",
    f"{_GPON}.13.3.1",
    ("ifIndex", "zxGponUnConfOntIndex"),
    {
        "sn": Column(2, "zxGponUnConfOntSn", "8 octets"),
        "password": Column(3, "zxGponUnConfOntPassword"),
        "type": Column(10, "", "text"),
        "software": Column(11, "", "text"),
    },
)
PON_OPTICS = Table(
    "ZTE-AN-OPTICAL-MODULE-MIB",
    "zxAnOpticalPowerTable",
    f"{_ACCESS}.1010.11.1.1",
    ("ifIndex",),
    {
        "temperature": Column(2, "zxAnOpticalTemperature", "0.001 °C"),
        "voltage": Column(3, "zxAnOpticalSupplyVoltage", "0.001 V"),
        "bias": Column(4, "zxAnOpticalBiasCurrent", "0.001 mA"),
        "tx": Column(5, "zxAnOpticalTxPower", "0.001 dBm"),
    },
)
CARDS = Table(
    "ZTE-AN-CHASSIS-MIB",
    "zxAnCardTable",
    f"{_ACCESS}.2.1.1.3.1",
    ("zxAnCardRack", "zxAnCardShelf", "zxAnCardSlot"),
    {
        "type": Column(4, "zxAnCardActualType", "text"),
        "oper": Column(5, "zxAnCardOperStatus"),
        "cpu": Column(9, "zxAnCardCpuLoad", "%"),
        "software": Column(16, "", "text"),
    },
)
TEMPERATURE = Scalar("ZTE-AN-CHASSIS-MIB", "", f"{_ACCESS}.2.1.3.2.0", "°C")

NONE = (-80_000, -40_000)
"""Levels that no receiver reaches: it sees nothing."""
PHASES = {
    0: "logging",
    1: "los",
    2: "syncMib",
    3: "working",
    4: "dyingGasp",
    5: "authFailed",
    6: "offline",
}
WORKING = 3
STATES = {1: "losi", 4: "dyinggasp"}
"""Phases that say why an ONU is away."""
CAUSES = {
    2: "losi",
    3: "losi",
    4: "lofi",
    5: "sfi",
    6: "loai",
    7: "loami",
    8: "authentication failed",
    9: "dyinggasp",
    10: "deactivated",
    11: "deactivation failed",
    12: "reset",
    13: "shut down",
}
"""zxGponOntLastOfflineReason."""
CARD_STATES = {1: "in service", 4: "offline"}


def place(ifindex: int) -> tuple[int, int, int] | None:
    """(shelf, slot, port) of a PON: 0x1, shelf less one (4 bits), slot, port and a zero octet, or 0x11,
    shelf, slot and port. None for another interface."""
    shelf, slot, port, last = ifindex >> 24 & 0xF, ifindex >> 16 & 0xFF, ifindex >> 8 & 0xFF, ifindex & 0xFF
    if ifindex >> 28 != 1 or not slot or not port:
        return None
    if last == 0:
        return shelf + 1, slot, port
    return (slot, port, last) if shelf == 1 else None


def ifindexes(shelf: int, slot: int, port: int) -> tuple[int, int]:
    """Under which the tables of one release or another have a PON."""
    return (
        0x10000000 | shelf - 1 << 24 | slot << 16 | port << 8,
        0x11000000 | shelf << 16 | slot << 8 | port,
    )
