"""Exact row counts without counting: each write adds a row of deltas in its own transaction.

The sum of `rows` is the number of rows of a resource in a realm. The sum of `writes` grows with
every committed write and so names the state a filtered count was made in: a count that is kept
under it is right until the next write, in every process, without a lock. Appending (rather than
updating one counter) lets writers of one realm commit side by side; `compact` folds the rows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, func, insert, or_, select

from services.common.context import Scope
from services.common.database.prepared import Prepared

FOLD_ABOVE = 64


class Tally:
    def __init__(self, table: Table, kept: int = 4096) -> None:
        self.table = table
        self._kept: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()
        self._size = kept
        self._sums: dict[tuple[int | None, int], Prepared] = {}
        self._lock = threading.Lock()

    def read(
        self, connection: Connection, resource: str, scope: Scope, others: Collection[str] = ()
    ) -> tuple[int, int]:
        """(rows of `resource` in the scope, state number that also covers the resources in `others`)."""
        realms = None if scope.everything else sorted(scope.realms)
        if realms == [] and not others:
            return 0, 0
        names = sorted(others)
        shape = (None if realms is None else len(realms), len(names))
        statement = self._sums.get(shape)
        if statement is None:
            statement = self._sums[shape] = Prepared(self._sum(realms, names), connection.dialect)
        bound = {"resource": resource}
        bound |= {f"realm{index}": realm for index, realm in enumerate(realms or ())}
        bound |= {f"other{index}": name for index, name in enumerate(names)}
        found = statement.rows(connection, bound)
        return sum(int(r[1]) for r in found if r[0] == resource), sum(int(r[2]) for r in found)

    def _sum(self, realms: list[str] | None, names: list[str]) -> Select[Any]:
        t = self.table
        mine = t.c.resource == bindparam("resource")
        if realms is not None:
            mine = and_(mine, t.c.realm.in_([bindparam(f"realm{index}") for index in range(len(realms))]))
        others = [t.c.resource == bindparam(f"other{index}") for index in range(len(names))]
        sums = select(t.c.resource, func.sum(t.c.rows), func.sum(t.c.writes))
        return sums.where(or_(mine, *others)).group_by(t.c.resource)

    def counted(self, key: Hashable, state: int, count: Callable[[], int]) -> int:
        """`count()`, or what it said before in the same state."""
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] == state:
                self._kept.move_to_end(key)
                return kept[1]
        number = count()
        with self._lock:
            self._kept[key] = (state, number)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return number

    def add(self, connection: Connection, deltas: dict[tuple[str, str], int]) -> None:
        """One row per (resource, realm) written by this transaction."""
        connection.execute(
            insert(self.table),
            [{"resource": r, "realm": m, "rows": n, "writes": 1} for (r, m), n in sorted(deltas.items())],
        )

    def compact(self, connection: Connection) -> None:
        """Fold what has piled up; the sums stay. Rows that another transaction is folding are skipped."""
        t = self.table
        piles = (
            select(t.c.resource, t.c.realm)
            .group_by(t.c.resource, t.c.realm)
            .having(func.count() > FOLD_ABOVE)
        )
        for resource, realm in connection.execute(piles).all():
            rows = select(t.c.id).where(t.c.resource == resource, t.c.realm == realm)
            gone = connection.execute(
                delete(t)
                .where(t.c.id.in_(rows.with_for_update(skip_locked=True).scalar_subquery()))
                .returning(t.c.rows, t.c.writes)
            ).all()
            if gone:
                total = {"rows": sum(g.rows for g in gone), "writes": sum(g.writes for g in gone)}
                connection.execute(insert(t), [{"resource": resource, "realm": realm, **total}])
