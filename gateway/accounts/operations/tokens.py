"""Making a personal API token; its key is in this one answer and nowhere else."""

from __future__ import annotations

import secrets

from gateway.accounts.contract import TOKENS
from gateway.accounts.operations.body import accounts_of, members
from gateway.auth.authenticate import digest_of
from gateway.call import Answer, Call
from services.common.resource.body import cleaned

KEY_BYTES = 20
SHOWN = ("id", "name", "prefix", "created", "expires")


def create(call: Call) -> Answer:
    """201 with `token`: 40 hex digits, as REST framework's are."""
    engine = accounts_of(call).engines["me"]
    values = cleaned(TOKENS, members(call), None, partial=False, secrets=True)
    if values["expires"] is not None and values["expires"].tzinfo is None:
        values["expires"] = values["expires"].replace(tzinfo=engine.settings.zone)
    key = secrets.token_hex(KEY_BYTES)
    with engine.writing(call.context) as write:
        row = write.create(TOKENS.name, {**values, "prefix": key[:8], "digest": digest_of(key)})
    return Answer.json({**{name: row[name] for name in SHOWN}, "token": key}, 201)
