"""`Idempotency-Key`: read here, with a fingerprint of what is asked; the answers are kept by whoever does the
write (`services.common.resource.idempotency`).

The fingerprint is keyed with the installation's secret, since what was asked may hold a password.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from gateway.call import Call
from services.common.context import Context
from services.common.errors import InvalidInput

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
PATTERN = "^[!-~]([ -~]{0,253}[!-~])?$"
_KEY = re.compile(PATTERN)


def key_of(call: Call) -> str | None:
    """The key that the client chose; None without one. Raises `InvalidInput` naming the header."""
    key = call.request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput({HEADER: ["Expected 1 to 255 printable ASCII characters."]})
    return key


def claiming(call: Call, context: Context, method: str, arguments: dict[str, Any]) -> Context:
    """The context with the client's key and what it asks for. Neither the order of members nor the white
    space of the body matters, nor whether the same values came as JSON or as a form."""
    key = key_of(call)
    if key is None:
        return context
    asked = orjson.dumps([call.action.contract.name, method, arguments], option=orjson.OPT_SORT_KEYS)
    return replace(
        context, idempotency_key=key, fingerprint=call.platform.accounts.signer.mac("request", asked)
    )


def of_operation(call: Call, context: Context) -> Context:
    """The same for an operation of the gateway's own."""
    assert call.action.operation is not None
    asked = {"verb": call.request.method, "key": call.key, "body": call.body}
    return claiming(call, context, call.action.operation.name, asked)
