"""Columns whose text is encrypted: the passwords with which we enter other people's equipment.

Fernet (AES-128-CBC with HMAC-SHA256) under `KRILL_CREDENTIALS_KEY`. Several keys, comma separated: the first
encrypts, all of them decrypt, so that a key can be replaced. A copy of the database alone opens no device.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Dialect, String, TypeDecorator

from services.common.errors import ApiError
from services.common.keyfile import BYTES, kept
from services.common.settings import Settings

if TYPE_CHECKING:  # megabytes, which a process without such columns shall not carry
    from cryptography.fernet import MultiFernet


class CannotDecrypt(ApiError):
    code = "credentials_key"
    message = "Stored credentials cannot be read: KRILL_CREDENTIALS_KEY is not the one they were kept with."


class Sealed(TypeDecorator[str]):
    """`Column("password", Sealed)`: text that is encrypted on its way into the database."""

    impl = String(1024)
    cache_ok = True
    settings: Settings | None = None

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _vault().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        from cryptography.fernet import InvalidToken

        try:
            return _vault().decrypt(value.encode()).decode()
        except InvalidToken:
            raise CannotDecrypt() from None


def use_keys(settings: Settings) -> None:
    """Whose keys open the sealed columns of this process."""
    Sealed.settings = settings


def keys(settings: Settings) -> list[bytes]:
    """The keys in force, the one that encrypts first. Raises `ValueError` for one that is too short."""
    if settings.credentials_key is None:
        return [kept(settings.data_dir / "credentials_key")]
    given = [one.strip().encode() for one in settings.credentials_key.get_secret_value().split(",")]
    if any(len(one) < BYTES for one in given):
        raise ValueError(f"each key of KRILL_CREDENTIALS_KEY needs at least {BYTES} bytes")
    return given


def _vault() -> MultiFernet:
    if Sealed.settings is None:
        raise RuntimeError("no database was opened yet")
    return _made(tuple(keys(Sealed.settings)))


@cache
def _made(given: tuple[bytes, ...]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(one).digest())) for one in given])
