"""What every device tells: SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), ENTITY-MIB (RFC 6933)."""

from __future__ import annotations

from services.common.devices import values
from services.common.devices.snmp import Snmp
from services.gpon.drivers.base import OltFacts
from services.gpon.drivers.objects import Column, Row, Scalar, Table, rows, scalars

SYS_DESCR = Scalar("SNMPv2-MIB", "sysDescr", "1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = Scalar("SNMPv2-MIB", "sysObjectID", "1.3.6.1.2.1.1.2.0")
SYS_UPTIME = Scalar("SNMPv2-MIB", "sysUpTime", "1.3.6.1.2.1.1.3.0", "0.01 s")
SYS_NAME = Scalar("SNMPv2-MIB", "sysName", "1.3.6.1.2.1.1.5.0")

INTERFACES = Table(
    "IF-MIB",
    "ifTable",
    "1.3.6.1.2.1.2.2.1",
    ("ifIndex",),
    {
        "descr": Column(2, "ifDescr"),
        "type": Column(3, "ifType"),
        "admin": Column(7, "ifAdminStatus"),
        "oper": Column(8, "ifOperStatus"),
    },
)
INTERFACES_X = Table(
    "IF-MIB",
    "ifXTable",
    "1.3.6.1.2.1.31.1.1.1",
    ("ifIndex",),
    {
        "name": Column(1, "ifName"),
        "in": Column(6, "ifHCInOctets", "octets"),
        "out": Column(10, "ifHCOutOctets", "octets"),
        "alias": Column(18, "ifAlias"),
    },
)
ENTITIES = Table(
    "ENTITY-MIB",
    "entPhysicalTable",
    "1.3.6.1.2.1.47.1.1.1.1",
    ("entPhysicalIndex",),
    {
        "descr": Column(2, "entPhysicalDescr"),
        "within": Column(4, "entPhysicalContainedIn"),
        "class": Column(5, "entPhysicalClass"),
        "position": Column(6, "entPhysicalParentRelPos"),
        "name": Column(7, "entPhysicalName"),
        "software": Column(10, "entPhysicalSoftwareRev"),
        "maker": Column(12, "entPhysicalMfgName"),
        "model": Column(13, "entPhysicalModelName"),
    },
)
CHASSIS, CONTAINER, MODULE = 3, 5, 9
"""entPhysicalClass."""
GPON_INTERFACE = 250
"""ifType gpon (IANAifType-MIB)."""
IF_STATES = {1: "up", 2: "down"}
"""ifAdminStatus and ifOperStatus; the others are neither."""


def system(snmp: Snmp) -> Row:
    return scalars(snmp, descr=SYS_DESCR, object_id=SYS_OBJECT_ID, uptime=SYS_UPTIME, name=SYS_NAME)


def facts(vendor: str, told: Row, **more: object) -> OltFacts:
    known: dict[str, object] = {
        "vendor": vendor,
        "sysdescr": values.text(told.get("descr")),
        "sysname": values.text(told.get("name")),
        "uptime": values.timeticks(told.get("uptime")),
    }
    return OltFacts(**(known | more))  # type: ignore[arg-type]


def chassis(snmp: Snmp) -> Row:
    """The row of the device as a whole, or {}: without ENTITY-MIB, or without a chassis in it."""
    parts = rows(snmp, ENTITIES, "class", "model", "software", "descr", "maker", optional=True)
    return next((part for part in parts.values() if part.get("class") == CHASSIS), {})


def state(value: values.Value) -> str | None:
    return IF_STATES.get(values.number(value) or 0)
