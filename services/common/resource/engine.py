"""The engine of one service: what its RPC methods (and the gateway, for its own resources) call.

Reads come from `Reads`; here are the writes as requests ask for them, one transaction each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select

from services.common.context import Context
from services.common.contract import InRealm
from services.common.errors import ApiError, InvalidInput
from services.common.resource.progress import Progress
from services.common.resource.query import Parameters
from services.common.resource.reads import Reads
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.common.types import Row

MOST_ITEMS = 1000


class Undo(Exception):
    """Ends a transaction that must leave nothing behind (dry run, atomic bulk with an error)."""


class Engine(Reads):
    def wake(self) -> None:
        """Called after each commit that wrote events; the relay puts its own alarm in this place."""

    @contextmanager
    def writing(self, context: Context) -> Iterator[Write]:
        """A unit of work: committed with its audit, events and counters, or not at all."""
        with self.database.write() as connection:
            write = Write(self, connection, context)
            yield write
            write.finish()
        if write.unit.emitted:
            self.wake()

    # ---- one row ------------------------------------------------------------------------------

    def create(self, context: Context, resource: str, body: Any, parameters: Parameters = ()) -> Reply:
        """201: the new row as `get` shows it, and what is shown `once`."""
        declared = self.resource(resource)
        query = self.grammar.parse(declared, parameters, secrets=context.secrets)
        with self.writing(context) as write:
            row = write.add(declared, body)
            reply = self.one(write.connection, context, declared, row["id"], query)
        body = reply.body
        if declared.once:
            body = body[:-1] + b"," + dumps({name: row[name] for name in declared.once})[1:]
        return Reply(body, reply.meta | {"status": 201})

    def update(
        self,
        context: Context,
        resource: str,
        key: str,
        body: Any,
        partial: bool,
        versions: list[int] | None = None,
        parameters: Parameters = (),
    ) -> Reply:
        """The row after PUT (`partial` false) or PATCH. `versions`: those an If-Match names."""
        declared = self.resource(resource)
        query = self.grammar.parse(declared, parameters, secrets=context.secrets)
        with self.writing(context) as write:
            id_ = self.resolve(write.connection, declared, key, context)
            row = write.modify(declared, id_, body, partial=partial, versions=versions)
            return self.one(write.connection, context, declared, row["id"], query)

    def delete(self, context: Context, resource: str, key: str, versions: list[int] | None = None) -> Reply:
        """204, also for what the row cascades to."""
        declared = self.resource(resource)
        with self.writing(context) as write:
            write.remove(declared, self.resolve(write.connection, declared, key, context), versions)
        return Reply(b"", {"status": 204})

    # ---- many rows ----------------------------------------------------------------------------

    def bulk_create(
        self, context: Context, resource: str, items: Any, atomic: bool = False, dry_run: bool = False
    ) -> Reply:
        """`{"created": n, "results": [{"index", "status", "id" | "errors"}]}`."""
        declared = self.resource(resource)

        def add(write: Write, item: Any) -> tuple[int, Any]:
            return 201, write.add(declared, item)["id"]

        return self._bulk(context, "created", _items(items), add, atomic, dry_run)

    def bulk_update(
        self, context: Context, resource: str, items: Any, atomic: bool = False, dry_run: bool = False
    ) -> Reply:
        """`items`: objects with `id` and the members to change. Answers like `bulk_create`, with `updated`
        and `errors` by id."""
        declared = self.resource(resource)

        def modify(write: Write, item: Any) -> tuple[int, Any]:
            if not isinstance(item, dict) or "id" not in item:
                raise InvalidInput({"id": ["This field is required."]})
            id_ = self.resolve(write.connection, declared, str(item["id"]), write.context)
            changes = {name: value for name, value in item.items() if name != "id"}
            return 200, write.modify(declared, id_, changes, partial=True)["id"]

        return self._bulk(context, "updated", _items(items), modify, atomic, dry_run)

    def bulk_delete(
        self, context: Context, resource: str, ids: Any, atomic: bool = False, dry_run: bool = False
    ) -> Reply:
        declared = self.resource(resource)

        def remove(write: Write, key: Any) -> tuple[int, Any]:
            id_ = self.resolve(write.connection, declared, str(key), write.context)
            write.remove(declared, id_)
            return 204, id_

        return self._bulk(context, "deleted", _items(ids), remove, atomic, dry_run)

    def _bulk(
        self,
        context: Context,
        done: str,
        items: list[Any],
        work: Callable[[Write, Any], tuple[int, Any]],
        atomic: bool,
        dry_run: bool,
    ) -> Reply:
        """Each item by itself, with its own result; `atomic`: all or none; `dry_run`: tell, and leave no
        trace.
        """
        results: list[Row] = []
        try:
            with self.writing(context) as write:
                for index, item in enumerate(items):
                    results.append({"index": index, **self._item(write, item, work)})
                if dry_run or (atomic and any("errors" in one for one in results)):
                    raise Undo
        except Undo:
            pass
        failed = [one for one in results if "errors" in one]
        undone = atomic and bool(failed)
        if undone:  # what was possible was not done either (RFC 4918: failed dependency)
            results = [one if "errors" in one else {"index": one["index"], "status": 424} for one in results]
        answer: Row = {done: 0 if undone else len(results) - len(failed), "results": results}
        places = ((one["index"], one["errors"]) for one in failed)
        answer["errors"] = {_key_of(items[place], place, done): errors for place, errors in places}
        if dry_run:
            answer["dry_run"] = True
        return Reply(dumps(answer), {"status": 400 if undone else 200})

    def _item(self, write: Write, item: Any, work: Callable[[Write, Any], tuple[int, Any]]) -> Row:
        try:
            with write.item():
                status, id_ = work(write, item)
            return {"status": status, "id": id_}
        except ApiError as error:
            if error.status >= 500:
                raise
            return {"status": error.status, "errors": error.body}

    # ---- import -------------------------------------------------------------------------------

    def import_lines(
        self, context: Context, resource: str, name: str, lines: list[tuple[int, Any]], dry_run: bool = False
    ) -> Reply:
        """Create rows from the lines of import `name` that are not in yet; progress is committed with them.

        `lines`: [number, object], or [number, [{"error": text, "cut": bool}]] for one that could not be
        read; one that was cut off is told but not taken as done. Answers the progress of the whole import:
        `{"lines", "created", "failed", "errors": [{"line", "errors"}]}`.
        """
        declared = self.resource(resource)
        answer: Row = {}
        try:
            with self.writing(context) as write:
                progress = Progress.begin(write, resource, name)
                for number, item in lines:
                    if number > progress.lines:
                        outcome = self._item(
                            write, item, lambda w, one: (201, w.add(declared, _read(one))["id"])
                        )
                        progress.note(number, outcome.get("errors"), cut=_is_cut(item))
                answer = progress.keep()
                if dry_run:
                    raise Undo
        except Undo:
            pass
        return Reply(dumps(answer))

    # ---- for the platform ---------------------------------------------------------------------

    def usage(self, context: Context, realm: str) -> Reply:
        """How many rows of each resource a realm has: `{"customers": 12, …}`, resources without rows left
        out.
        """

        def work(connection: Connection) -> dict[str, int]:
            found: dict[str, int] = {}
            for resource in self.contract.resources:
                if resource.tallied and isinstance(resource.scoping, InRealm):
                    table = self.metadata.tables[resource.table]
                    rows = (
                        select(func.count())
                        .select_from(table)
                        .where(table.c[resource.scoping.column] == realm)
                    )
                    if number := connection.execute(rows).scalar_one():
                        found[resource.name] = int(number)
            return found

        return Reply(dumps(self.database.reading(work)))

    def trial(self, context: Context, resource: str, key: str, changes: Any) -> Reply:
        """The whole write pipeline with `changes`, taken back at the end: a self-test. An empty 200."""
        declared = self.resource(resource)
        try:
            with self.writing(context) as write:
                id_ = self.resolve(write.connection, declared, key, context)
                write.modify(declared, id_, changes, partial=True)
                write.finish()
                raise Undo
        except Undo:
            return Reply(b"")

    def compact(self) -> None:
        """Fold the counters; to be called now and then by a timer."""
        with self.database.write() as connection:
            self.tally.compact(connection)


def _items(items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise InvalidInput({"non_field_errors": ["Expected a list of items."]})
    if len(items) > MOST_ITEMS:
        raise InvalidInput({"non_field_errors": [f"No more than {MOST_ITEMS} items at a time."]})
    return items


def _read(item: Any) -> Any:
    """A line's object; raises what was wrong with a line that could not be read."""
    if isinstance(item, list):
        text = (
            item[0]["error"]
            if item and isinstance(item[0], dict) and "error" in item[0]
            else "Expected an object."
        )
        raise InvalidInput({"non_field_errors": [text]})
    return item


def _is_cut(item: Any) -> bool:
    return isinstance(item, list) and bool(item) and isinstance(item[0], dict) and item[0].get("cut") is True


def _key_of(item: Any, index: int, done: str) -> str:
    """What names an item in `errors`: the id that it gives; a new row its place; `#` and its place one that
    should have given an id."""
    if done == "created":
        return str(index)
    key = item.get("id") if isinstance(item, dict) else item
    return str(key) if isinstance(key, (int, str)) else f"#{index}"
