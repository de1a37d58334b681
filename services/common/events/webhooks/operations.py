"""What can be done with a webhook besides reading and writing it: a new secret, a replay, a test event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from uuid_utils import uuid7

from services.common.context import Context
from services.common.database.kernel import milliseconds
from services.common.errors import InvalidInput
from services.common.events.outbox import Outbox
from services.common.events.webhooks import signature
from services.common.events.webhooks.contract import MOST_REPLAYED, WEBHOOKS
from services.common.events.webhooks.deliveries import FAILED, Deliveries
from services.common.fields import BIGGEST
from services.common.resource.engine import Engine
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row

OVERLAP = 24 * 3600 * 1000
"""Milliseconds for which the former secret signs too."""


class Operations:
    """On the webhooks of one service that the caller sees. `clock`: milliseconds since 1970."""

    def __init__(self, engine: Engine, clock: Callable[[], int] = milliseconds) -> None:
        self.engine = engine
        self.clock = clock

    def rotate_secret(self, context: Context, key: str) -> Reply:
        """`{"secret"}`: the only place where it is shown."""

        def work(write: Write) -> Reply:
            secret = signature.new_secret()
            row = self._row(write, key)
            former: Row = {"former_secret": row["secret"], "former_until": self.clock() + OVERLAP}
            write.change(WEBHOOKS.name, row["id"], former, silently=True)  # no secret may get into the audit
            write.change(WEBHOOKS.name, row["id"], {"secret": secret})
            return Reply(dumps({"secret": secret}))

        return self.engine.write(context, work)

    def replay(self, context: Context, key: str, body: Any) -> Reply:
        """`{"replayed": n}`. Takes `{"failed": true}` or `{"deliveries": [ids]}`."""
        ids = _asked(body)
        deliveries = self._deliveries()

        def work(write: Write) -> Reply:
            row = self._row(write, key)
            d = write.unit.table("webhook_deliveries")
            which = d.c.state == FAILED if ids is None else d.c.id.in_(ids)
            if ids is not None:
                mine = select(d.c.id).where(d.c.webhook_id == row["id"], which)
                missing = set(ids) - set(write.connection.execute(mine).scalars())
                if missing:
                    raise InvalidInput({"deliveries": [_unknown(one) for one in sorted(missing)]})
            replayed = deliveries.replay(write.connection, row["id"], which)
            return Reply(dumps({"replayed": replayed}))

        return self.engine.write(context, work)

    def ping(self, context: Context, key: str) -> Reply:
        """202 `{"delivery": id}`."""
        deliveries = self._deliveries()

        def work(write: Write) -> Reply:
            row = self._row(write, key)
            id_ = deliveries.ping(write.connection, row["id"], row["realm"], str(uuid7()))
            return Reply(dumps({"delivery": id_}), {"status": 202})

        return self.engine.write(context, work)

    def _row(self, write: Write, key: str) -> Row:
        declared = self.engine.resource(WEBHOOKS.name)
        id_ = self.engine.resolve(write.connection, declared, key, write.context)
        return write.row(declared, id_, lock=True)

    def _deliveries(self) -> Deliveries:
        engine = self.engine
        return Deliveries(engine, Outbox(engine.contract.name, engine.metadata, engine.database), self.clock)


def _asked(body: Any) -> Sequence[int] | None:
    """The ids that the body names, None: all that failed."""
    if not isinstance(body, dict):
        raise InvalidInput({"non_field_errors": ["Expected an object."]})
    unknown = sorted(set(body) - {"failed", "deliveries"})
    if unknown:
        raise InvalidInput({name: ["Unknown member."] for name in unknown})
    if len(body) != 1:
        raise InvalidInput({"non_field_errors": ["Send either failed or deliveries."]})
    if "failed" in body:
        if body["failed"] is not True:
            raise InvalidInput({"failed": ["Must be true."]})
        return None
    ids = body["deliveries"]
    if not isinstance(ids, list) or not all(type(one) is int and 0 < one <= BIGGEST for one in ids):
        raise InvalidInput({"deliveries": ["Expected a list of ids."]})
    if len(ids) > MOST_REPLAYED:
        raise InvalidInput({"deliveries": [f"No more than {MOST_REPLAYED} at a time."]})
    return ids


def _unknown(id_: int) -> str:
    return f'Invalid pk "{id_}" - object does not exist.'
