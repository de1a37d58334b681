"""SNMP v2c and v3 with one device: reads through gufo-snmp, which releases the interpreter while it waits;
what that does not tell, and SET, through `pdu`. Blocking: called inside `native`.

Agents are taken as they are: they repeat rows, go backwards, lose requests, refuse large answers. What they
answer ends as rows or as a `DeviceError`, never as another exception.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    DesKey,
    Md5Key,
    NoSuchInstance,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    SnmpAuthError,
    SnmpError,
    User,
)
from gufo.snmp._fast import GetIter
from gufo.snmp.sync import SnmpSession

from services.common.devices import pdu
from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceError, DeviceRefused, DeviceSilent, DeviceUnreachable
from services.common.devices.values import Value

Index = tuple[int, ...]
T = TypeVar("T")

ROWS = 2_000_000
"""More than any table has: an agent that answers more has no end."""
IN_ONE = 20
"""Objects in one GET; agents refuse answers that fill more than a datagram."""
CAREFUL = 5
"""Repetitions of a GETBULK that goes on where a larger one failed."""
NAMED = 5
"""Subtrees that could not be read, as many as are named in a sentence."""
_UP_TIME = "1.3.6.1.2.1.1.3.0"
"""sysUpTime, which every agent has."""

_AUTHENTICATION: dict[str, Any] = {
    "md5": Md5Key,
    "sha": Sha1Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
_PRIVACY: dict[str, Any] = {
    "des": DesKey,
    "aes": Aes128Key,
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
}
_NO_RIGHT = frozenset({"noAccess", "authorizationError", "notWritable", "readOnly"})

log = structlog.get_logger(__name__)


class Snmp:
    """`Snmp("oltNorte", access)`: a context manager that holds one socket. `failed`: subtrees that could not
    be read, and why, where the rest was read without them."""

    def __init__(self, device: str, access: SnmpAccess) -> None:
        self.device, self._access = device, access
        self.failed: dict[str, str] = {}
        self._session: SnmpSession | None = None
        self._exchange: pdu.Exchange | None = None

    def __enter__(self) -> Self:
        access = self._access
        try:
            session = SnmpSession(
                access.address,
                access.port,
                community=access.community or "",
                user=_user(access) if access.version == "3" else None,
                timeout=access.timeout,
            )
        except (OSError, ValueError, SnmpError) as failure:
            raise DeviceUnreachable(f"Not an address: {access.address}", device=self.device) from failure
        self._tried(session.refresh)
        self._session = session
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None

    def get(self, *oids: str) -> dict[str, Value]:
        """What is missing is left out."""
        found: dict[str, Value] = {}
        for first in range(0, len(oids), IN_ONE):
            found |= self._get([oid.strip(".") for oid in oids[first : first + IN_ONE]])
        return found

    def _get(self, oids: list[str]) -> dict[str, Value]:
        """An answer without a single value may be a refusal of the whole because of one: then in halves."""
        found = self._tried(lambda: self._open().get_many(oids))
        if found or len(oids) < 2:
            return dict(found)
        middle = len(oids) // 2
        return self._get(oids[:middle]) | self._get(oids[middle:])

    def walk(self, oid: str) -> Iterator[tuple[Index, Value]]:
        """The subtree below `oid`: (what follows it, value), each once, in the agent's order."""
        oid = oid.strip(".")
        base = tuple(map(int, oid.split(".")))
        cut, seen, last = len(oid) + 1, set[Index](), base
        for batch in self._batches(oid):
            new = False
            for row in batch:
                if row is None or len(row[0]) < cut:  # the end, or the table itself, which is no row
                    return
                index = tuple(map(int, row[0][cut:].split(".")))
                if index not in seen:
                    new = True
                    seen.add(index)
                    yield index, row[1]
                last = base + index
            if batch and not new:
                return  # it answers in circles
            if not batch:
                yield from self._go_on(base, last, seen)
                return
            if len(seen) > ROWS:
                raise DeviceError(f"The table {oid} has no end.", device=self.device)

    def _batches(self, oid: str) -> Iterator[list[tuple[str, Value] | None]]:
        """Answers to GETBULK. An empty one is the last: the end of the MIB, an error, or a request that is
        lost again and again, perhaps because the answer is too large for the way."""
        access = self._access
        rows = GetIter(oid, access.repetitions)
        way = self._open()._sock
        while True:
            try:
                batch: list[tuple[str, Value] | None] = self._tried(
                    lambda: way.get_bulk(rows), tries=max(1, access.retries)
                )
            except DeviceSilent:
                if not access.retries:
                    raise
                batch = []
            except StopAsyncIteration:
                batch = []
            yield batch
            if not batch:
                return

    def _go_on(self, base: Index, last: Index, seen: set[Index]) -> Iterator[tuple[Index, Value]]:
        """What follows `last`, in small requests, until it is plain that the subtree has ended."""
        repetitions, tries = CAREFUL, 1
        while True:
            answer = self._told(partial(self._few, last, repetitions, tries))
            if answer.status and repetitions > 1 and answer.status not in _NO_RIGHT:
                repetitions = 1
                continue
            if answer.status == "noSuchName":  # as an SNMPv1 agent tells the end
                return
            if answer.status:
                raise self._status(answer.status)
            tries, new = self._access.retries + 1, False
            for oid, value in answer.variables:
                if oid[: len(base)] != base or oid == base:
                    return
                index, last = oid[len(base) :], oid
                if index not in seen:
                    new = True
                    seen.add(index)
                    if value is not None:
                        yield index, value
            if answer.ended or not new:
                return

    def _few(self, after: Index, repetitions: int, tries: int) -> pdu.Answer:
        if self._exchange is None:
            self._exchange = pdu.open_exchange(self._access)
        return pdu.bulk(self._exchange, after, repetitions, tries)

    def optional(self, oid: str) -> list[tuple[Index, Value]]:
        """What `walk` tells, as far as the agent goes: a subtree that it fails on is read no further. Raises
        only when the device itself is gone."""
        found: list[tuple[Index, Value]] = []
        try:
            found.extend(self.walk(oid))
        except DeviceError as failure:
            self._without(oid, failure)
            log.warning("subtree_failed", device=self.device, oid=oid, error=str(failure))
        return found

    def table(
        self,
        entry: str,
        columns: Iterable[int],
        below: Index = (),
        needed: Collection[int] = (),
        optional: bool = False,
    ) -> dict[Index, dict[int, Value]]:
        """Rows by index, each with those of the columns that it has, whatever their order; only those whose
        index begins with `below`. What a column lacks because the agent failed on it is left out, as if it
        were not there, and so are the other columns of a table that it is silent about; raises only if that
        was so with all of them, or with one that is `needed` and that other rows lack. `optional`: not even
        then. When the device itself is gone, always."""
        rows: dict[Index, dict[int, Value]] = {}
        failed: DeviceError | None = None
        broken: list[int] = []
        good = 0
        for column in columns:
            oid = ".".join(map(str, (entry, column, *below)))
            if isinstance(failed, DeviceSilent) and column not in needed:
                self.failed[oid] = str(failed)
                continue
            try:
                for index, value in self.walk(oid):
                    rows.setdefault(below + index, {})[column] = value
                good += 1
            except DeviceError as failure:
                self._without(oid, failure)
                failed = failure
                broken += [column] if column in needed else []
        if failed is None:
            return rows
        log.warning("table_failed", device=self.device, oid=entry, error=str(failed))
        if not good:
            self.failed = {oid: why for oid, why in self.failed.items() if not within(oid, entry)}
            self.failed[entry] = str(failed)
        lacking = any(column not in row for row in rows.values() for column in broken)
        if not optional and (lacking or not good):
            raise failed
        return rows

    def _without(self, oid: str, failure: DeviceError) -> None:
        """Goes on without a subtree; raises where the device is gone, and not only its answer."""
        if isinstance(failure, DeviceUnreachable):
            raise failure
        if isinstance(failure, DeviceSilent):
            try:
                self._tried(lambda: self._open().get_many([_UP_TIME]))
            except (DeviceSilent, DeviceUnreachable):
                raise failure from None
            except DeviceError:
                pass  # that was an answer
        self.failed[oid] = str(failure)

    def set(self, oid: str, value: int | bytes | str, syntax: str | None = None) -> None:
        """Sent once. `syntax`: a name of `pdu.SYNTAXES`; default: integer, or octets."""
        kind = syntax or ("integer" if isinstance(value, int) else "octets")
        to = tuple(map(int, oid.strip(".").split(".")))
        exchange = self._told(lambda: pdu.open_exchange(self._access, writing=True))
        try:
            answer = self._told(lambda: pdu.write(exchange, to, value, kind))
        finally:
            exchange.close()
        if answer.status:
            raise self._status(answer.status)

    def _open(self) -> Any:
        assert self._session is not None, "Snmp is a context manager"
        return self._session

    def _status(self, status: str) -> DeviceError:
        kind = DeviceRefused if status in _NO_RIGHT else DeviceError
        return kind(f"The agent answers {status}.", device=self.device)

    def _tried(self, request: Callable[[], T], tries: int | None = None) -> T:
        """gufo-snmp's answer; asks again when none comes, or one that cannot be read."""
        failure: Exception | None = None
        for _ in range(tries or self._access.retries + 1):
            try:
                return request()
            except (TimeoutError, BlockingIOError) as late:
                if "refused" in str(late):
                    raise DeviceUnreachable("No SNMP agent listens there.", device=self.device) from late
                failure = late
            except NoSuchInstance as missing:
                raise DeviceError("The agent has no such object.", device=self.device) from missing
            except SnmpAuthError as refused:
                raise DeviceRefused(device=self.device) from refused
            except OSError as broken:
                raise DeviceUnreachable(str(broken), device=self.device) from broken
            except (SnmpError, ValueError, OverflowError, RuntimeError) as senseless:
                failure = senseless
        if isinstance(failure, OSError):
            raise DeviceSilent(device=self.device) from failure
        raise DeviceError("The agent's answer makes no sense.", device=self.device) from failure

    def _told(self, request: Callable[[], T]) -> T:
        """`pdu`'s answer."""
        try:
            return request()
        except pdu.Unanswered:
            raise DeviceSilent(device=self.device) from None
        except pdu.Unwelcome as refused:
            raise DeviceRefused(f"The agent refuses: {refused}", device=self.device) from refused
        except pdu.Senseless as senseless:
            raise DeviceError("The agent's answer makes no sense.", device=self.device) from senseless
        except ConnectionRefusedError as refused:
            raise DeviceUnreachable("No SNMP agent listens there.", device=self.device) from refused
        except OSError as broken:
            raise DeviceUnreachable(str(broken), device=self.device) from broken


def within(oid: str, subtree: str) -> bool:
    return f"{oid}.".startswith(f"{subtree}.")


def unread(failed: Mapping[str, str]) -> str | None:
    """`Snmp.failed` as a sentence; None where nothing failed."""
    if not failed:
        return None
    shown = [f"{oid} ({why})" for oid, why in list(failed.items())[:NAMED]]
    more = [f"{len(failed) - NAMED} more"] if len(failed) > NAMED else []
    return f"Could not be read: {', '.join([*shown, *more])}"


def _user(access: SnmpAccess) -> User:
    authentication = _AUTHENTICATION.get(access.auth_protocol or "")
    privacy = _PRIVACY.get(access.privacy_protocol or "")
    return User(
        access.user or "",
        auth_key=authentication((access.auth_password or "").encode()) if authentication else None,
        priv_key=privacy((access.privacy_password or "").encode()) if privacy else None,
    )
