"""Brings modems to what the books want: writes their configuration files, and restarts those that were
started with another one.

Nothing is remembered of a restart that was sent: whether a modem needs one is seen from how long it is up and
when its file changed. So a worker that is killed anywhere goes on with what is left, and restarts nobody
twice.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import delete, select, update

from services.common.database.kernel import milliseconds
from services.common.database.lead import Lead
from services.common.devices.errors import DeviceRefused, DeviceSilent
from services.common.devices.native import native
from services.common.errors import ApiError
from services.common.resource.engine import Engine
from services.common.types import Row
from services.docsis import desire, devices, files, models
from services.docsis.contract import ModemProvisioned
from services.docsis.domain import configuration
from services.docsis.domain import desire as rules
from services.docsis.domain.desire import Head, Wanted
from services.docsis.domain.enumerations import BLOCKED, ONLINE
from services.docsis.drivers.modem import CableModem
from services.docsis.observing import working

AT_ONCE = 8
ISP_AWAY = 2_000
RESTARTING = 15_000
FIRST_PAUSE, LAST_PAUSE = 5_000, 300_000
"""Milliseconds until it is tried again: while isp is away; after a restart was sent; after a failure,
growing."""

SECONDS = 20.0

_t = models.provisionings
log = structlog.get_logger(__name__)


class Converger:
    """`Background(Converger())` in a service class: one process does it, some CPEs at a time."""

    def __init__(self) -> None:
        self._lead = Lead("converge")
        self._under_way: set[int] = set()

    def __call__(self, engine: Engine) -> bool:
        """Begin what is due; false: look again after a while."""
        with self._lead.working(engine.database) as leads:
            if leads:
                self._begin(engine)
        return False

    def _begin(self, engine: Engine) -> None:
        free = AT_ONCE - len(self._under_way)
        due = select(_t.c.id).where(_t.c.due <= milliseconds(), _t.c.id.not_in(self._under_way))
        chosen = due.order_by(_t.c.due, _t.c.id).limit(free)
        ids = engine.database.reading(lambda one: list(one.execute(chosen).scalars())) if free > 0 else []
        for id_ in ids:
            self._under_way.add(id_)
            threading.Thread(target=self._go, args=(engine, id_), daemon=True).start()

    def _go(self, engine: Engine, id_: int) -> None:
        try:
            converge(engine, id_)
        except ApiError as error:
            _put_off(engine, id_, str(error))
        except Exception:
            log.exception("converging broke", provisioning=id_)
            _put_off(engine, id_, "Internal error.")
        finally:
            self._under_way.discard(id_)


def converge(engine: Engine, id_: int) -> None:
    """One CPE. Raises `ApiError` when something that it needs is away."""
    row = engine.database.reading(
        lambda one: one.execute(select(_t).where(_t.c.id == id_)).mappings().one_or_none()
    )
    if row is None:
        return
    seen, fresh = row["due"], dict(row)
    if row["stale"] or row["wanted"] is None:
        fresh = desire.refresh(engine, id_, row["cpe"])
    if fresh["gone"]:
        _withdraw(engine, fresh)
        return
    want = Wanted(**fresh["wanted"])
    if fresh["held"]:
        want = replace(want, access=False)
    if want.error is not None:
        _settle(engine, fresh, seen, rules.FAILED, error=want.error)
    elif want.left is not None:
        _settle(engine, fresh, seen, rules.LEFT, reason=want.left)
    elif want.mac is None:
        _forget_file(engine, fresh)
        _settle(engine, fresh, seen, rules.WAITING, reason=rules.NO_MAC, file=None, digest=None)
    else:
        _bring(engine, fresh, seen, want, want.mac)


def _bring(engine: Engine, row: Row, seen: int, want: Wanted, mac: str) -> None:
    modem = _modem(engine, mac)
    head = rules.head(modem["cmts_id"] if modem else None, heads(engine, row["realm"], modem))
    if head is None:
        _settle(engine, row, seen, rules.WAITING, reason=rules.NO_CMTS)
        return
    if head.disabled:
        _settle(engine, row, seen, rules.LEFT, reason=rules.CMTS_DISABLED, cmts_id=head.id)
        return
    try:
        content = configuration.modem_file(rules.service(want, head), (head.secret or "").encode())
    except (ValueError, OverflowError) as error:
        _settle(engine, row, seen, rules.FAILED, error=str(error))
        return
    row = _write_file(engine, row, head, rules.file_name(mac), content)
    if modem is None or modem["state"] not in (ONLINE, BLOCKED) or not modem["ip"]:
        _settle(engine, row, seen, rules.WRITTEN)  # it takes the file when it comes up
        return
    cmts = devices.cmts(engine, modem["cmts_id"])
    if cmts is None:
        _settle(engine, row, seen, rules.WRITTEN)
        return
    try:
        was_old = native(_is_old, cmts, mac, modem["ip"], row["changed"], seconds=SECONDS, device=mac)
        if was_old and not row["adopted"]:
            native(restart, cmts, mac, modem["ip"], seconds=SECONDS, device=mac)
    except DeviceRefused as error:
        _settle(engine, row, seen, rules.WRITTEN, error=str(error))
        return
    if was_old and row["adopted"]:
        _settle(engine, row, seen, rules.WRITTEN, reason=rules.ADOPTED)
    elif was_old:
        _again(engine, row, rules.WRITTEN, RESTARTING, reason=rules.RESTARTING)
    else:
        _applied(engine, row, seen, want)


def _is_old(cmts: Row, mac: str, ip: str, changed: int) -> bool:
    """Whether the modem was started before its file changed."""
    since = (milliseconds() - changed) / 1000  # before it is asked: what that takes must not make it look new
    with devices.of_modem(cmts, mac, ip) as snmp:
        return rules.has_old_file(CableModem(snmp).uptime(), since)


def restart(cmts: Row, mac: str, ip: str) -> None:
    """Blocking. A modem that does not answer to it may well be restarting: no error."""
    with devices.of_modem(cmts, mac, ip, writing=True) as snmp:
        try:
            CableModem(snmp).reset()
        except DeviceSilent:
            return


def _withdraw(engine: Engine, row: Row) -> None:
    """The CPE is gone: so is its file, and its modem starts anew without one."""
    _forget_file(engine, row)
    modem = _modem(engine, row["mac"]) if row["mac"] else None
    taken = modem is not None and modem["cpe"] not in (None, row["cpe"])
    if (
        modem is not None
        and not taken
        and row["file"]
        and modem["ip"]
        and modem["state"] in (ONLINE, BLOCKED)
    ):
        cmts = devices.cmts(engine, modem["cmts_id"])
        changed = row["changed"] if row["digest"] is None else milliseconds()
        if row["digest"] is not None:  # from here on it is up with a file that it should not have
            with working(engine) as write:
                told = {"digest": None, "changed": changed}
                write.connection.execute(update(_t).where(_t.c.id == row["id"]).values(**told))
        if cmts is not None and row["attempts"] < 3:
            try:
                where = (cmts, row["mac"], modem["ip"])
                if native(_is_old, *where, changed, seconds=SECONDS, device=row["mac"]):
                    native(restart, *where, seconds=SECONDS, device=row["mac"])
            except DeviceRefused as error:
                log.warning("modem not restarted", mac=row["mac"], reason=str(error))
    with working(engine) as write:
        write.connection.execute(delete(_t).where(_t.c.id == row["id"], _t.c.gone.is_(True)))
        if row["mac"] and not taken:
            desire.own(write, row["mac"], None)


# ---- files --------------------------------------------------------------------------------------


def _write_file(engine: Engine, row: Row, head: Head, name: str, content: bytes) -> Row:
    """The file first, then the row: what the row says is on the disk."""
    files.write(engine.settings, name, content)
    if row["file"] and row["file"] != name:
        _forget_file(engine, row)
    told: Row = {"cmts_id": head.id, "file": name}
    if row["digest"] != (digest := files.digest(content)):
        told |= {"digest": digest, "changed": milliseconds(), "applied_at": None}
        told["adopted"] = row["adopted"] and row["digest"] is None
    with working(engine) as write:
        write.connection.execute(update(_t).where(_t.c.id == row["id"]).values(**told))
    return {**row, **told}


def _forget_file(engine: Engine, row: Row) -> None:
    """Unless another CPE has it now."""
    if not row["file"]:
        return
    others = select(_t.c.id).where(_t.c.file == row["file"], _t.c.id != row["id"], _t.c.gone.is_(False))
    if engine.database.reading(lambda one: one.execute(others).first()) is None:
        files.remove(engine.settings, row["file"])


# ---- rows ---------------------------------------------------------------------------------------


def heads(engine: Engine, realm: str, modem: Row | None) -> list[Head]:
    """The CMTSs that serve this realm, and the one that has the modem."""
    seen = modem["cmts_id"] if modem is not None else None
    c, r = models.cmtss.c, models.cmts_realms.c

    def work(connection: Any) -> list[Head]:
        theirs: dict[int, set[str]] = {}
        for cmts_id, one in connection.execute(select(r.cmts_id, r.realm)):
            theirs.setdefault(cmts_id, set()).add(one)
        columns = (c.id, c.shared_secret, c.quality, c.max_cpe, c.disable_provision)
        rows = connection.execute(select(*columns).order_by(c.id))
        return [Head(*row) for row in rows if row.id == seen or realm in theirs.get(row.id, {realm})]

    return engine.database.reading(work)


def _modem(engine: Engine, mac: str) -> Row | None:
    m = models.cable_modems
    found = engine.database.reading(
        lambda one: one.execute(select(m).where(m.c.mac == mac)).mappings().first()
    )
    return dict(found) if found is not None else None


def _settle(engine: Engine, row: Row, seen: int, state: str, **more: Any) -> None:
    """Nothing is left to do until something changes; what was marked meanwhile stays due."""
    told = {"state": state, "reason": None, "error": None, "attempts": 0, **more}
    with working(engine) as write:
        mine = update(_t).where(_t.c.id == row["id"])
        write.connection.execute(mine.values(**told, version=_t.c.version + 1))
        write.connection.execute(mine.where(_t.c.due == seen).values(due=None))


def _again(engine: Engine, row: Row, state: str, pause: int, **more: Any) -> None:
    told = {"state": state, "reason": None, "error": None, **more, "due": milliseconds() + pause}
    with working(engine) as write:
        mine = update(_t).where(_t.c.id == row["id"])
        write.connection.execute(mine.values(**told, version=_t.c.version + 1))


def _put_off(engine: Engine, id_: int, error: str) -> None:
    with working(engine) as write:
        attempts = write.connection.execute(select(_t.c.attempts).where(_t.c.id == id_)).scalar()
        if attempts is None:
            return
        pause = min(FIRST_PAUSE * 2 ** min(attempts, 10), LAST_PAUSE)
        told = {"error": error, "attempts": attempts + 1, "due": milliseconds() + pause}
        write.connection.execute(update(_t).where(_t.c.id == id_).values(**told))


def _applied(engine: Engine, row: Row, seen: int, want: Wanted) -> None:
    """Told once for each file."""
    if row["applied_at"] is not None:
        _settle(engine, row, seen, rules.APPLIED)
        return
    with working(engine) as write:
        told: Row = {"state": rules.APPLIED, "reason": None, "error": None, "attempts": 0}
        told |= {"applied_at": write.now, "adopted": False}
        mine = update(_t).where(_t.c.id == row["id"])
        raised = mine.values(**told, version=_t.c.version + 1).returning(_t.c.version)
        sequence = write.connection.execute(raised).scalar_one()
        write.connection.execute(mine.where(_t.c.due == seen).values(due=None))
        data = {name: row[name] for name in ("cpe", "cpename", "external_id", "mac", "file")}
        data |= {"access": want.access, "downstream": want.downstream, "upstream": want.upstream}
        write.emit(ModemProvisioned.type, row["id"], sequence, row["realm"], data)
