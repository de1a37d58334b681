"""SNMP managers for tests: gufo to read, pysnmp to set."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Self

from gufo.snmp import Aes128Key, Sha1Key, SnmpVersion, User
from gufo.snmp.sync import SnmpSession
from gufo.snmp.user import KeyType
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    Integer32,
    ObjectIdentity,
    ObjectType,
    OctetString,
    SnmpEngine,
    UdpTransportTarget,
    set_cmd,
)


def v3_user(entry: dict[str, Any], password: str | None = None) -> User:
    v3 = entry["v3"]
    auth = Sha1Key((password or v3["auth_password"]).encode(), KeyType.Password)
    return User(
        v3["user"], auth_key=auth, priv_key=Aes128Key(v3["privacy_password"].encode(), KeyType.Password)
    )


def modem(entry: dict[str, Any], address: str, timeout: float = 20.0) -> Manager:
    """A session with a modem of the CMTS."""
    community = entry["modem_community"]
    ways = {"community": community, "write_community": community, "snmp_port": entry["modem_port"]}
    return Manager({**entry, **ways, "address": address}, timeout=timeout)


class Manager:
    """A session with one device. `v3`: with the user of `lab.json` instead of the community."""

    def __init__(self, entry: dict[str, Any], *, v3: bool = False, timeout: float = 20.0) -> None:
        self.entry = entry
        who = {"user": v3_user(entry)} if v3 else {"community": entry["community"]}
        self._session = SnmpSession(
            addr=entry["address"],
            port=entry["snmp_port"],
            version=SnmpVersion.v3 if v3 else SnmpVersion.v2c,
            timeout=timeout,
            **who,
        )

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._session.__exit__(*error)

    def get(self, oid: str) -> Any:
        return self._session.get(oid)

    def walk(self, oid: str) -> dict[str, Any]:
        """Index below `oid` → value, in the order of the answers."""
        return {
            name.removeprefix(f"{oid}."): value
            for name, value in self._session.getbulk(oid, max_repetitions=25)
        }

    def step(self, oid: str) -> dict[str, Any]:
        """The same by GETNEXT."""
        return {name.removeprefix(f"{oid}."): value for name, value in self._session.getnext(oid)}

    def set(self, oid: str, value: int | bytes, community: str = "write_community") -> str:
        """The error-status that comes back, as a name."""

        async def send() -> str:
            target = await UdpTransportTarget.create(
                (self.entry["address"], self.entry["snmp_port"]), timeout=20
            )
            syntax = Integer32(value) if isinstance(value, int) else OctetString(value)
            told, status, _, _ = await set_cmd(
                _engine(),
                CommunityData(self.entry[community]),
                target,
                ContextData(),
                ObjectType(ObjectIdentity(oid), syntax),
            )
            return str(told) if told else status.prettyPrint() if status else "noError"

        return _loop().run_until_complete(send())


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _engine() -> SnmpEngine:
    return SnmpEngine()


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `condition` says once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not come true."
        time.sleep(0.02)
    return found
