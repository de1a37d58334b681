"""Making a personal API token; its key is in the answer to this one request and nowhere else.

A key is derived from a number with the installation's secret, so that the request sent again can be answered
with the same key, and yet nothing is kept that would be one.
"""

from __future__ import annotations

import secrets

import orjson

from gateway import idempotency
from gateway.accounts.contract import TOKENS
from gateway.accounts.operations.body import accounts_of, members
from gateway.auth.authenticate import digest_of
from gateway.call import Answer, Call
from services.common.resource.body import cleaned
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply

KEY_BYTES = 20
SHOWN = ("id", "name", "prefix", "created", "expires")


def create(call: Call) -> Answer:
    """201 with `token`: 40 hex digits, as REST framework's are."""
    engine = accounts_of(call).engines["me"]
    values = cleaned(TOKENS, members(call), None, partial=False, secrets=True)
    if values["expires"] is not None and values["expires"].tzinfo is None:
        values["expires"] = values["expires"].replace(tzinfo=engine.settings.zone)

    def work(write: Write) -> Reply:
        seed = secrets.token_hex(KEY_BYTES)
        key = _key(call, seed)
        row = write.create(TOKENS.name, {**values, "prefix": key[:8], "digest": digest_of(key)})
        return Reply(dumps({name: row[name] for name in SHOWN}), {"seed": seed})

    reply = call.noted(engine.write(idempotency.of_operation(call, call.context), work))
    return Answer.json({**orjson.loads(reply.body), "token": _key(call, reply.meta["seed"])}, 201)


def _key(call: Call, seed: str) -> str:
    return accounts_of(call).signer.mac("token", seed.encode())[: 2 * KEY_BYTES]
