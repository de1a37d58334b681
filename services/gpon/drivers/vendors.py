"""Which driver reads and writes a device."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from services.common.devices.access import SnmpAccess
from services.common.devices.ssh import SshAccess
from services.gpon.drivers.base import Reader, Writer
from services.gpon.drivers.generic import GenericReader
from services.gpon.drivers.huawei import mib as huawei
from services.gpon.drivers.huawei.reading import HuaweiReader
from services.gpon.drivers.huawei.writing import HuaweiWriter
from services.gpon.drivers.zte import mib as zte
from services.gpon.drivers.zte.reading import ZteReader


class Reads(Protocol):
    def __call__(self, device: str, access: SnmpAccess, zone: dt.tzinfo = ...) -> Reader: ...


class Writes(Protocol):
    def __call__(self, device: str, access: SshAccess, zone: dt.tzinfo = ...) -> Writer: ...


@dataclass(frozen=True)
class Vendor:
    """`writer` None: devices of it can only be read. `notes`: what an operator should know."""

    name: str
    reader: Reads
    writer: Writes | None
    notes: str


VENDORS = {
    "huawei": Vendor(
        "Huawei SmartAX MA5600T, MA5800",
        HuaweiReader,
        HuaweiWriter,
        "Read by SNMP; configured, and asked for alarms and registrations, by SSH.",
    ),
    "zte": Vendor(
        "ZTE C300, C320",
        ZteReader,
        None,
        "Read by SNMP: ONUs, their state and optical levels, those not configured; without traffic and"
        " service ports.",
    ),
    "generic": Vendor(
        "Other",
        GenericReader,
        None,
        "Only what IF-MIB and ENTITY-MIB tell: boards and ports, no ONUs.",
    ),
}
_OBJECT_IDS = {huawei.OBJECT_ID: "huawei", zte.OBJECT_ID: "zte"}
_DESCRIPTIONS = {"huawei": "huawei", "smartax": "huawei", "zte": "zte", "zxan": "zte"}


def recognise(sysobjectid: str, sysdescr: str) -> str:
    """A key of `VENDORS`: by sysObjectID, else by the first word of sysDescr that names a vendor."""
    oid = sysobjectid.strip().lstrip(".") + "."
    for prefix, vendor in _OBJECT_IDS.items():
        if oid.startswith(prefix):
            return vendor
    for word in sysdescr.lower().replace("-", " ").replace(",", " ").split():
        if word in _DESCRIPTIONS:
            return _DESCRIPTIONS[word]
    return "generic"
