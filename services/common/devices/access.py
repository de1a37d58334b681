"""How to reach a device's SNMP agent: address and credentials, which `repr` does not show."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SnmpAccess:
    """`version` "2c" or "3". `timeout` in seconds, for each of `retries` + 1 tries of a request;
    `repetitions`: rows asked for in one GETBULK. Protocols: `sha` (SHA-1), `md5`, `sha224` … `sha512`;
    `des`, `aes128` … `aes256`."""

    address: str
    port: int = 161
    version: str = "2c"
    community: str | None = field(default=None, repr=False)
    user: str | None = None
    auth_protocol: str | None = None
    auth_password: str | None = field(default=None, repr=False)
    privacy_protocol: str | None = None
    privacy_password: str | None = field(default=None, repr=False)
    write_community: str | None = field(default=None, repr=False)
    timeout: float = 2.0
    retries: int = 2
    repetitions: int = 25
