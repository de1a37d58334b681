"""A write: rows, audit rows, outbox rows and counters in ONE transaction, or none of them.

`emit` is the only way to publish an event: what carries the outbox out reads what was committed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, Table, insert
from uuid_utils import uuid7

from services.common.context import Context
from services.common.database.columns import now
from services.common.database.tally import Tally

ADDED, CHANGED, DELETED = 1, 2, 3


class UnitOfWork:
    """`connection` is inside a transaction that the caller commits after `flush`. `resources`: those that it
    wrote to."""

    def __init__(
        self, connection: Connection, metadata: MetaData, tally: Tally, context: Context, source: str
    ) -> None:
        self.connection = connection
        self.context = context
        self.source = source
        self.time = now()
        self.dialect = connection.dialect.name
        self.resources: set[str] = set()
        self._tables = metadata.tables
        self._tally = tally
        self._deltas: dict[tuple[str, str], int] = {}
        self._audit: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self.emitted = False

    def table(self, name: str) -> Table:
        return self._tables[name]

    def wrote(self, resource: str, realm: str, rows: int = 0) -> None:
        """A row of `resource` was added (+1), deleted (-1) or changed (0)."""
        self.resources.add(resource)
        self._deltas[resource, realm] = self._deltas.get((resource, realm), 0) + rows

    def audit(
        self,
        action: int,
        resource: str,
        model: str,
        object_id: Any,
        label: str,
        realm: str,
        changes: dict[str, Any],
    ) -> None:
        """`changes`: field → [before, after]; the caller masks secrets with `log.MASK`."""
        self._audit.append(
            {
                "time": self.time,
                "user": self.context.user,
                "user_id": self.context.user_id,
                "action": action,
                "resource": resource,
                "model": model,
                "object_id": str(object_id),
                "object_repr": label[:512],
                "realm": realm,
                "changes": changes,
                "request_id": self.context.request_id,
            }
        )

    def emit(
        self, type_: str, version: int, subject: str, sequence: int, realm: str, data: dict[str, Any]
    ) -> None:
        """An event of aggregate `subject` ("cpes/350"); `sequence` grows with each of its events."""
        self._outbox.append(
            {
                "id": str(uuid7()),
                "type": type_,
                "dataschema": f"urn:krill:{self.source}:{type_}:{version}",
                "subject": subject,
                "sequence": sequence,
                "realm": realm,
                "time": self.time,
                "data": data,
                "request_id": self.context.request_id,
                "traceparent": self.context.traceparent,
            }
        )

    def mark(self) -> tuple[int, int, dict[tuple[str, str], int]]:
        """Where the books stand, for `back_to`."""
        return len(self._audit), len(self._outbox), dict(self._deltas)

    def back_to(self, mark: tuple[int, int, dict[tuple[str, str], int]]) -> None:
        """Forget what was booked since `mark`: its savepoint was rolled back."""
        del self._audit[mark[0] :], self._outbox[mark[1] :]
        self._deltas = mark[2]

    def flush(self) -> None:
        """Write the books. The transaction is then ready to commit."""
        if self._audit:
            self.connection.execute(insert(self.table("audit")), self._audit)
        if self._outbox:
            self.connection.execute(insert(self.table("outbox")), self._outbox)
            self.emitted = True
        if self._deltas:
            self._tally.add(self.connection, self._deltas)
        self._audit, self._outbox, self._deltas = [], [], {}
