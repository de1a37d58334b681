"""How many SQL statements an operation takes, kept in `statements.json`: what becomes more shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.integration.engine.world import PIM, World

KEPT = Path(__file__).with_name("statements.json")


@contextmanager
def counting(world: World) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)


def test_an_operation_takes_as_many_statements_as_it_did_on_either_database(stocked: World) -> None:
    profile = stocked.create("cpe-profiles", {"name": "100M", "downstream": "1", "upstream": "1"})["id"]
    for n in range(12):
        cpe = stocked.subscriber(external_id=f"E{n}", profile=profile)
    key, customer = str(cpe["id"]), cpe["customer"]
    engine = stocked.engine
    body = {"customer": customer, "model": "HG8245H", "sn": "HWTC0000ffff", "profile": profile}
    port = str(stocked.related("cpes", key, "potses")[0]["id"])
    operations: dict[str, Callable[[], Any]] = {
        "list": lambda: engine.list(PIM, "cpes"),
        "list, filtered": lambda: engine.list(PIM, "cpes", [("city", "x")]),
        "list, filtered as before": lambda: engine.list(PIM, "cpes", [("city", "x")]),
        "list with two joins": lambda: engine.list(PIM, "cpes", [("joins", "customer,potses")]),
        "list by cursor": lambda: engine.list(PIM, "cpes", [("cursor", "")]),
        "list of profiles": lambda: engine.list(PIM, "cpe-profiles"),
        "export": lambda: engine.list(PIM, "cpes", shape="ndjson"),
        "detail by id": lambda: engine.get(PIM, "cpes", key),
        "detail by external id": lambda: engine.get(PIM, "cpes", "E11"),
        "detail with two joins": lambda: engine.get(PIM, "cpes", key, [("joins", "customer,potses")]),
        "sub-resource": lambda: engine.related(PIM, "cpes", key, "potses"),
        "create a cpe of two ports": lambda: engine.create(PIM, "cpes", body),
        "patch": lambda: engine.update(PIM, "cpes", key, {"notes": "x"}, partial=True),
        "patch that changes nothing": lambda: engine.update(PIM, "cpes", key, {"notes": "x"}, partial=True),
        "patch of a line": lambda: engine.update(PIM, "potses", port, {"cli": "968000001"}, partial=True),
        "bulk of ten patches": lambda: engine.bulk_update(
            PIM, "cpes", [{"id": key, "notes": str(n)} for n in range(10)]
        ),
        "delete a cpe of two ports": lambda: engine.delete(PIM, "cpes", key),
    }
    took = {}
    for name, operation in operations.items():
        with counting(stocked) as statements:
            operation()
        took[name] = len(statements)
    assert took == json.loads(KEPT.read_text()), f"if this is meant, write it to {KEPT.name}"
