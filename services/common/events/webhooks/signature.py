"""Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

A secret is written `whsec_` and its bytes in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
BYTES = 32
FEWEST, MOST = 24, 64
FORM = f"A secret is {PREFIX} and {FEWEST} to {MOST} bytes in base64."


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that the secret stands for. Raises `ValueError` with the text that is shown."""
    try:
        if not secret.startswith(PREFIX):
            raise ValueError
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(FORM) from None
    if not FEWEST <= len(key) <= MOST:
        raise ValueError(FORM)
    return key


def headers(keys: Sequence[str], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; one signature for each secret, so that receivers may change theirs at leisure.
    `timestamp`: seconds since 1970."""
    signed = b".".join((id_.encode(), str(timestamp).encode(), body))
    made = (base64.b64encode(hmac.new(key_of(one), signed, hashlib.sha256).digest()) for one in keys)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one.decode()}" for one in made),
    }
