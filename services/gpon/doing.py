"""What an ONU can be asked to do, by an action of isp or a task of ours: sent over the CLI, or decided in its
provisioning row, which is then brought to the device as every change is."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import select, update

from services.common.database.kernel import milliseconds
from services.common.devices.errors import DeviceError
from services.common.errors import ApiError
from services.common.executing.executor import Manner, Refused, Uncertain
from services.common.executing.runs import Run
from services.common.resource.engine import Engine
from services.common.types import Row
from services.gpon import devices, models
from services.gpon.converging import Session
from services.gpon.domain import provisioning
from services.gpon.drivers.base import Position
from services.gpon.questions import newest

REBOOT, FACTORY, UNPROVISION, REPROVISION = "reboot", "factory", "unprovision", "reprovision"
MANNERS = {
    REBOOT: Manner(repeatable=False),
    FACTORY: Manner(repeatable=False),
    UNPROVISION: Manner(repeatable=True),
    REPROVISION: Manner(repeatable=True),
}
PATIENCE = 100.0
TICK = 0.2

_t = models.provisionings


def wants(asked: Row) -> bool:
    """Whether an action of isp is ours."""
    return asked["tech"] == "gpon" and asked["kind"] in MANNERS


def perform(run: Run) -> Row:
    """An action of isp."""
    return do(run.engine, run.kind, sn=run.sn, cpe=run.cpe)


def do(engine: Engine, kind: str, *, sn: str | None, cpe: int | None) -> Row:
    """`{"olt", "position"}`: where it was done. Raises `Refused`, `Uncertain`, `DeviceError`."""
    if kind in (REBOOT, FACTORY):
        return _command(engine, kind, sn)
    row = _provisioning(engine, cpe, sn)
    if row is None:
        return _unknown(engine, kind, sn)
    change: Row = {"held": True} if kind == UNPROVISION else {"held": False, "redo": True}
    _change(engine, row["id"], change)
    return settled(engine, row["id"])


def _command(engine: Engine, kind: str, sn: str | None) -> Row:
    """A command that is not sent twice: after a failure in the middle nobody knows."""
    onu, olt = _found(engine, sn)
    at = Position(onu["frame"], onu["slot"], onu["port"])
    session = Session(engine, olt)
    sent = False

    def work(writer: Any) -> None:
        nonlocal sent
        sent = True
        (writer.reset if kind == REBOOT else writer.factory)(at, onu["onu_id"])

    try:
        session.call(work)
    except DeviceError as error:
        if sent and error.reason is None and error.code in ("device_silent", "device_unreachable"):
            raise Uncertain(f"{olt['name']}: {error}") from error
        raise Refused(f"{olt['name']}: {error}") from error
    finally:
        session.close()
    return {"olt": olt["name"], "position": onu["position"]}


def _unknown(engine: Engine, kind: str, sn: str | None) -> Row:
    """Of an ONU that no CPE has: it can be taken off."""
    if kind != UNPROVISION:
        raise Refused("No CPE has this ONU: there is nothing that it should be.")
    onu, olt = _found(engine, sn)
    session = Session(engine, olt)
    try:
        for have in session.configured(onu["sn"]):
            for step in provisioning.steps(None, [have], None):
                session.do(step)
        session.save()
    finally:
        session.close()
    return {"olt": olt["name"], "position": onu["position"]}


def settled(engine: Engine, id_: int) -> Row:
    """Wait until nothing is left to do for a CPE. Raises `Refused` when it could not be done."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        mine = select(_t, models.olts.c.name.label("olt")).outerjoin(
            models.olts, models.olts.c.id == _t.c.olt_id
        )
        chosen = mine.where(_t.c.id == id_)
        try:
            row = engine.database.reading(lambda one: one.execute(chosen).mappings().first())  # noqa: B023
        except ApiError:  # our database is away; what is to be done is done once it is back
            time.sleep(TICK)
            continue
        if row is None:
            return {"olt": None, "position": None}
        if row["state"] == provisioning.FAILED and row["attempts"]:
            raise Refused(row["error"])
        if row["due"] is None:
            if row["state"] in (provisioning.BLOCKED, provisioning.WAITING):
                raise Refused(row["error"] or "Its ONU is not heard on any OLT.")
            return {"olt": row["olt"], "position": row["position"]}
        time.sleep(TICK)
    raise Refused("It is still being worked on.")


def _found(engine: Engine, sn: str | None) -> tuple[Row, Row]:
    onu = newest(engine, sn)
    if onu is None:
        raise Refused("No OLT has an ONU with its serial number.")
    olt = devices.olt(engine, onu["olt_id"])
    assert olt is not None
    return onu, olt


def _provisioning(engine: Engine, cpe: int | None, sn: str | None) -> Row | None:
    which = _t.c.cpe == cpe if cpe is not None else (_t.c.sn == sn) & _t.c.gone.is_(False)
    found = engine.database.reading(lambda one: one.execute(select(_t).where(which)).mappings().first())
    return None if found is None else dict(found)


def _change(engine: Engine, id_: int, values: Row) -> None:
    with engine.database.write() as connection:
        told = {**values, "due": milliseconds(), "attempts": 0, "state": provisioning.PENDING}
        connection.execute(update(_t).where(_t.c.id == id_).values(**told))
