"""The vendors whose OLTs we speak to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from services.common.devices.access import SnmpAccess
from services.common.devices.ssh import SshAccess
from services.gpon.drivers.base import Reader, Writer
from services.gpon.drivers.huawei.reading import HuaweiReader
from services.gpon.drivers.huawei.writing import HuaweiWriter


@dataclass(frozen=True)
class Vendor:
    name: str
    reader: Callable[[str, SnmpAccess, dt.tzinfo], Reader]
    writer: Callable[[str, SshAccess], Writer] | None = None


VENDORS = {"huawei": Vendor("Huawei", HuaweiReader, HuaweiWriter)}


def recognise(sysobjectid: object, sysdescr: object) -> str:
    return "huawei"
