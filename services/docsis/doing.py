"""What a modem can be asked to do, by an action of isp or a task of ours: sent to it over SNMP, or decided
in its provisioning row, which is then brought to it as every change is.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import select, update

from services.common.database.kernel import milliseconds
from services.common.devices.errors import DeviceError, DeviceSilent
from services.common.devices.native import native
from services.common.errors import ApiError
from services.common.executing.executor import Manner, Refused, Uncertain
from services.common.executing.runs import Run
from services.common.resource.engine import Engine
from services.common.types import Row
from services.docsis import devices, models
from services.docsis.domain import desire
from services.docsis.domain.enumerations import BLOCKED, ONLINE
from services.docsis.domain.mac import colons
from services.docsis.drivers.modem import CableModem

REBOOT, FACTORY, UNPROVISION, REPROVISION = "reboot", "factory", "unprovision", "reprovision"
MANNERS = {
    REBOOT: Manner(repeatable=False),
    FACTORY: Manner(repeatable=False),
    UNPROVISION: Manner(repeatable=True),
    REPROVISION: Manner(repeatable=True),
}
PATIENCE = 100.0
TICK = 0.2
SECONDS = 40.0
COMING_BACK = 15.0
"""Seconds in which a modem that did not answer to a restart shows whether it restarted."""

_t = models.provisionings


def wants(asked: Row) -> bool:
    """Whether an action of isp is ours."""
    return asked["tech"] == desire.TECH and asked["kind"] in MANNERS


def perform(run: Run) -> Row:
    """An action of isp."""
    if run.kind == REBOOT:
        return reset(run.engine, colons(run.mac) if run.mac else None)
    if run.kind == FACTORY:
        raise Refused("DOCSIS has no object that puts a cable modem back to its factory defaults.")
    return _decided(run.engine, run.kind, run.cpe)


def reset(engine: Engine, mac: str | None) -> Row:
    """`{"cmts", "mac", "uptime"}`: how long it had been up. Raises `Refused`, `Uncertain`."""
    modem, cmts = _found(engine, mac)
    device = modem["mac"]
    try:
        before = native(_uptime, cmts, modem, seconds=SECONDS, device=device)
    except ApiError as error:
        raise Refused(f"{device} on {cmts['name']}: {error}") from error
    try:
        native(_send_reset, cmts, modem, seconds=SECONDS, device=device)
    except DeviceSilent as error:
        _see_whether(cmts, modem, before, error)
    except ApiError as error:
        raise Refused(f"{device} on {cmts['name']}: {error}") from error
    return {"cmts": cmts["name"], "mac": device, "uptime": int(before)}


def _see_whether(cmts: Row, modem: Row, before: float, silent: DeviceSilent) -> None:
    """It restarts without an answer, or does not restart: how long it is up tells, once it answers again."""
    sent = time.monotonic()
    while time.monotonic() - sent < COMING_BACK:
        try:
            now = native(_uptime, cmts, modem, seconds=SECONDS, device=modem["mac"])
        except DeviceError:
            time.sleep(TICK)
            continue
        if now < before:
            return
        raise Refused(f"{modem['mac']} on {cmts['name']} did not restart.") from silent
    raise Uncertain(f"{modem['mac']} on {cmts['name']} has not answered since.") from silent


def _uptime(cmts: Row, modem: Row) -> float:
    with devices.of_modem(cmts, modem["mac"], modem["ip"]) as snmp:
        return CableModem(snmp).uptime()


def _send_reset(cmts: Row, modem: Row) -> None:
    with devices.of_modem(cmts, modem["mac"], modem["ip"], writing=True) as snmp:
        CableModem(snmp).reset()


def _found(engine: Engine, mac: str | None) -> tuple[Row, Row]:
    m = models.cable_modems
    modem = engine.database.reading(
        lambda one: one.execute(select(m).where(m.c.mac == mac)).mappings().first()
    )
    if modem is None:
        raise Refused("No CMTS has a modem with its MAC.")
    cmts = devices.cmts(engine, modem["cmts_id"])
    assert cmts is not None
    if modem["state"] not in (ONLINE, BLOCKED) or not modem["ip"]:
        raise Refused(f"{mac} is {modem['state']} on {cmts['name']}.")
    return dict(modem), cmts


# ---- by its provisioning --------------------------------------------------------------------------


def _decided(engine: Engine, kind: str, cpe: int) -> Row:
    """`unprovision`: a file that forbids traffic, until its CPE changes or is provisioned again.
    `reprovision`: its file anew, and a restart with it."""
    now = milliseconds()
    change: Row = {"held": kind == UNPROVISION, "due": now, "attempts": 0, "applied_at": None}
    if kind == REPROVISION:
        change |= {"stale": True, "changed": now, "adopted": False}
    with engine.database.write() as connection:
        told = {**change, "state": desire.PENDING, "reason": None, "error": None}
        mine = update(_t).where(_t.c.cpe == cpe).values(**told)
        id_ = connection.execute(mine.returning(_t.c.id)).scalar()
    if id_ is None:
        raise Refused("Its CPE is not known here.")
    return _settled(engine, id_)


def _settled(engine: Engine, id_: int) -> Row:
    """Wait until all is done for a CPE that we can do: it may take a modem minutes to come back. Raises
    `Refused` when it could not be done."""
    end = time.monotonic() + PATIENCE
    columns = (_t, models.cmtss.c.name.label("cmts"))
    joined = select(*columns).outerjoin(models.cmtss, models.cmtss.c.id == _t.c.cmts_id)
    chosen = joined.where(_t.c.id == id_)

    def look(connection: Any) -> Any:
        return connection.execute(chosen).mappings().first()

    while time.monotonic() < end:
        try:
            row = engine.database.reading(look)
        except ApiError:  # our database is away; what is to be done is done once it is back
            time.sleep(TICK)
            continue
        if row is None:
            return {"cmts": None, "file": None}
        told = {"cmts": row["cmts"], "file": row["file"], "state": row["state"]}
        if row["reason"] == desire.RESTARTING:
            return told
        if row["due"] is None and row["state"] in (desire.APPLIED, desire.WRITTEN):
            if row["error"]:
                raise Refused(row["error"])
            return told
        if row["due"] is None:
            raise Refused(row["error"] or f"It is left alone: {row['reason']}.")
        if row["attempts"] > 1 and row["error"]:
            raise Refused(row["error"])
        time.sleep(TICK)
    raise Refused("It is still being worked on.")
