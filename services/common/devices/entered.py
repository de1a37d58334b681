"""How a device is entered: what its resource asks for, its columns, and the way to its agent made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Integer, String

from services.common import fields, types
from services.common.database.sealed import Sealed
from services.common.devices.access import SnmpAccess
from services.common.fields import Field, Text

HIGHEST_PORT = 65535


def named() -> tuple[Field, ...]:
    """Its name, and the address that it is reached at."""
    return (
        Text(
            name="name",
            required=True,
            blank="refuse",
            max_length=64,
            searched=True,
            folded=False,
            normalize=types.device_name,
            pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*$",
            doc="host name in monitoring",
        ),
        Text(
            name="address",
            required=True,
            blank="refuse",
            max_length=255,
            searched=True,
            normalize=types.network_address,
            pattern=r"^\s*[A-Za-z0-9.:_-]+\s*$",
        ),
    )


def secret(name: str, doc: str) -> Text:
    """A credential: written, never shown."""
    return Text(name=name, null=True, blank="null", max_length=128, secret=True, write_only=True, doc=doc)


def port(name: str, default: int, doc: str = "") -> fields.Integer:
    return fields.Integer(name=name, default=default, minimum=1, maximum=HIGHEST_PORT, doc=doc)


def snmp() -> tuple[Field, ...]:
    """SNMP v2c, or v3 with its User-based Security Model (RFC 3414)."""
    hashes, ciphers = ("md5", "sha", "sha256", "sha512"), ("des", "aes128", "aes256")
    return (
        port("snmp_port", 161),
        Text(name="snmp_version", choices=("2c", "3"), blank="refuse", default="2c"),
        secret("snmp_community", "SNMP v2c"),
        Text(name="snmp_user", null=True, blank="null", max_length=64, doc="SNMP v3"),
        Text(name="snmp_auth_protocol", null=True, blank="null", choices=hashes),
        secret("snmp_auth_password", "SNMP v3"),
        Text(name="snmp_privacy_protocol", null=True, blank="null", choices=ciphers),
        secret("snmp_privacy_password", "SNMP v3"),
    )


def snmp_columns() -> tuple[Column[Any], ...]:
    """Of `snmp`."""
    return (
        Column("snmp_port", Integer, nullable=False, server_default="161"),
        Column("snmp_version", String(4), nullable=False, server_default="2c"),
        Column("snmp_community", Sealed),
        Column("snmp_user", String(64)),
        Column("snmp_auth_protocol", String(16)),
        Column("snmp_auth_password", Sealed),
        Column("snmp_privacy_protocol", String(16)),
        Column("snmp_privacy_password", Sealed),
    )


def snmp_access(row: Mapping[str, Any], **more: Any) -> SnmpAccess:
    """From a row with these columns and its `address`. `more`: other members of the access."""
    return SnmpAccess(
        address=row["address"],
        port=row["snmp_port"],
        version=row["snmp_version"],
        community=row["snmp_community"],
        user=row["snmp_user"],
        auth_protocol=row["snmp_auth_protocol"],
        auth_password=row["snmp_auth_password"],
        privacy_protocol=row["snmp_privacy_protocol"],
        privacy_password=row["snmp_privacy_password"],
        **more,
    )
