"""Demo data: an invented Spanish provider with the captured rows of the public API overview in it.

`seed` fills an empty database, once, in one transaction: it is there whole or not at all. Nothing
here depends on the clock or on chance. There are no events and no audit rows of it: nobody did this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, select

from services.common.database.bulk import write_rows
from services.isp import models as tables
from services.isp.demo import catalogue, load
from services.isp.demo.catalogue import REALMS
from services.isp.demo.subscribers import DEFAULT_CPES, Subscribers

__all__ = ["DEFAULT_CPES", "REALMS", "NotEmpty", "Seeded", "seed"]

_BATCH: Final = 10_000
# What is filled on its own account. Rows of the other tables cannot be without rows of these.
_ROOTS: Final = (tables.customers, tables.models, tables.cpe_profiles, tables.contexts, tables.pick_lists)
_TALLY: Final = tables.metadata.tables["tally"]


class NotEmpty(RuntimeError):
    """The database holds rows already; it was left as it was."""


@dataclass(frozen=True)
class Seeded:
    """What was written: resource → realm → number of rows."""

    counts: Mapping[str, Mapping[str, int]]

    def total(self, resource: str) -> int:
        return sum(self.counts[resource].values())


def seed(
    engine: Engine, *, cpes: int = DEFAULT_CPES, progress: Callable[[int, int], None] | None = None
) -> Seeded:
    """Writes the demo data into the tables of isp, which must exist and be empty.

    `cpes` is from 400 to 45 million. The first 400 are the same in every installation, 158 of them
    in realm pim; of the surplus 60 % are in pim, 25 % in cpe and 15 % in swt. `progress(done,
    total)`, both in CPEs, is called after every 10,000.

    Raises `NotEmpty` when there are rows already, `ValueError` for another number of CPEs.
    """
    subscribers = Subscribers(cpes)
    counts: Counter[tuple[str, str]] = Counter()
    with load.transaction(engine) as connection:
        _refuse_unless_empty(connection)
        for table, rows in catalogue.rows():
            write_rows(connection, table, rows)
        counts.update(("contexts", realm) for realm, _ in catalogue.CONTEXTS)
        done = 0
        for batch in subscribers.batches(_BATCH):
            for table, rows in (
                (tables.customers, batch.customers),
                (tables.cpes, batch.cpes),
                (tables.potses, batch.potses),
            ):
                write_rows(connection, table, rows)
                counts.update((table.name, row["realm"]) for row in rows)
            done += len(batch.cpes)
            if progress:
                progress(done, cpes)
        write_rows(connection, _TALLY, [_counted(*key, rows) for key, rows in sorted(counts.items())])
        load.advance_sequences(connection, tables.metadata)
    load.settle(engine, tables.metadata)
    resources = sorted({resource for resource, _ in counts})
    return Seeded({resource: {realm: counts[resource, realm] for realm in REALMS} for resource in resources})


def _refuse_unless_empty(connection: Connection) -> None:
    for table in _ROOTS:
        if connection.execute(select(1).select_from(table).limit(1)).first():
            raise NotEmpty(f"Table {table.name} is not empty: demo data needs an empty installation.")


def _counted(resource: str, realm: str, rows: int) -> dict[str, str | int]:
    return {"resource": resource, "realm": realm, "rows": rows, "writes": 1}
