"""The OLTs as they are entered: rows with their credentials, and the drivers made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from services.common.context import Scope
from services.common.devices import values
from services.common.devices.access import SnmpAccess
from services.common.devices.entered import snmp_access
from services.common.devices.errors import DeviceError
from services.common.devices.snmp import Snmp
from services.common.devices.ssh import SshAccess
from services.common.resource.engine import Engine
from services.common.types import Row
from services.gpon import models
from services.gpon.drivers.base import Reader, Writer
from services.gpon.drivers.vendors import VENDORS, recognise

SYS_OBJECT_ID, SYS_DESCR = "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.1.0"


class NotWritable(DeviceError):
    status, code, message = 502, "device_not_writable", "There is no way to write to this device."


def olt_ids(engine: Engine) -> list[int]:
    ids = select(models.olts.c.id).order_by(models.olts.c.id)
    return engine.database.reading(lambda connection: list(connection.execute(ids).scalars()))


def at(engine: Engine, address: str) -> list[int]:
    """The ids of the OLTs with this address."""
    mine = select(models.olts.c.id).where(models.olts.c.address == address)
    return engine.database.reading(lambda connection: list(connection.execute(mine).scalars()))


def olt(engine: Engine, id_: int) -> Row | None:
    """The row with its `realms`, and the `zone` that its clock is in; credentials included: never to be
    shown, logged or kept."""

    def work(connection: Any) -> Row | None:
        found = connection.execute(select(models.olts).where(models.olts.c.id == id_)).mappings().first()
        if found is None:
            return None
        theirs = select(models.olt_realms.c.realm).where(models.olt_realms.c.olt_id == id_)
        realms = sorted(connection.execute(theirs).scalars())
        return {**found, "realms": realms, "zone": engine.settings.zone}

    return engine.database.reading(work)


def only_realm(row: Row) -> str | None:
    """The realm that everything on this OLT belongs to, where there is one."""
    return row["realms"][0] if len(row["realms"]) == 1 else None


def realm_of(scope: Scope, row: Row) -> str | None:
    """The realm in which somebody works on an OLT that several have: his; None: he sees them all."""
    if scope.everything:
        return None
    return min(scope.realms.intersection(row["realms"]) or scope.realms, default=None)


@contextmanager
def reader(row: Row) -> Iterator[Reader]:
    """Blocking: within `native`. Where the row names no vendor, it is found out and put into it."""
    access = snmp_access(row)
    if row["vendor"] is None:
        row["vendor"] = _recognised(row["name"], access)
    with VENDORS[row["vendor"]].reader(row["name"], access, row["zone"]) as driver:
        yield driver


def _recognised(name: str, access: SnmpAccess) -> str:
    with Snmp(name, access) as snmp:
        told = snmp.get(SYS_OBJECT_ID, SYS_DESCR)
    return recognise(values.text(told.get(SYS_OBJECT_ID)), values.text(told.get(SYS_DESCR)))


@contextmanager
def writer(row: Row) -> Iterator[Writer]:
    """Blocking: within `native`. Raises `NotWritable` where there is no driver, or no password."""
    vendor = VENDORS.get(row["vendor"] or "")
    if vendor is None or vendor.writer is None:
        raise NotWritable(f"OLTs of {row['vendor']} are read, not written.", device=row["name"])
    if not row["ssh_username"] or not row["ssh_password"]:
        raise NotWritable("It has no SSH user or password.", device=row["name"])
    access = SshAccess(
        address=row["address"],
        port=row["ssh_port"],
        username=row["ssh_username"],
        password=row["ssh_password"],
        host_key=row["ssh_host_key"],
    )
    with vendor.writer(row["name"], access, row["zone"]) as driver:
        yield driver
