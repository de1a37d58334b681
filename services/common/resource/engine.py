"""The engine of one service: what its RPC methods (and the gateway, for its own resources) call.

Reads come from `Reads`; here are the writes as requests ask for them, one transaction each (`write`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select

from services.common.context import Context, Scope
from services.common.contract import InRealm, Resource
from services.common.errors import ApiError, InvalidInput, NotFound, ServiceUnavailable
from services.common.resource import idempotency
from services.common.resource.progress import Progress, marked
from services.common.resource.query import Parameters
from services.common.resource.reads import Reads
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.client import Client
from services.common.rpc.reply import Reply
from services.common.types import Row

MOST_ITEMS = 1000


class Undo(Exception):
    """Ends a write that must leave nothing behind (dry run, atomic bulk with an error) with its answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("nothing is left behind")
        self.reply = reply


class Engine(Reads):
    client: Client | None = None
    """The way to other services, where this engine belongs to one."""

    def neighbour(self, service: str, method: str, arguments: Row, *, seconds: float | None = None) -> Reply:
        """What another service answers to a read of everything that it has, for work that no user asked for.
        Raises `ApiError`. Never within a transaction: what changes another service travels as an event."""
        if self.client is None:
            raise ServiceUnavailable()
        context = Context(scope=Scope(everything=True), user=self.contract.name)
        within = context.within(seconds or self.settings.deadline)
        return self.client.call(service, method, arguments, within, read=True)

    def wake(self) -> None:
        """Called after each commit that wrote events; the relay puts its own alarm in this place."""

    def hearing(self) -> float:
        """Seconds for which the events of other services have come without a break; what carries them puts
        its own knowledge in this place."""
        return math.inf

    @contextmanager
    def writing(self, context: Context) -> Iterator[Write]:
        """A unit of work: committed with its audit, events and counters, or not at all. For what no request
        asks for (timers, events); a request's work goes through `write`."""
        with self.database.write() as connection:
            write = Write(self, connection, context)
            yield write
            write.finish()
        if write.unit.emitted:
            self.wake()

    def write(self, context: Context, work: Callable[[Write], Reply]) -> Reply:
        """What a request changes: `work` in one transaction, committed together with its answer when the
        request has an idempotency key. The same request again gets that answer, marked `replayed` in its
        meta, and `work` is not done. An error or `Undo` from `work` leaves nothing behind: the key is free.

        Every operation that writes is a call of this, and does nothing outside of `work`.
        """
        answers = self.metadata.tables["idempotency"]
        try:
            with self.writing(context) as write:
                if context.keyed:
                    kept = idempotency.claim(write.connection, answers, context)
                    if kept is not None:
                        return kept
                reply = work(write)
                if context.keyed:
                    idempotency.keep(write.connection, answers, context, reply)
        except Undo as undo:
            return undo.reply
        return reply

    def answered(self, context: Context) -> Reply | None:
        """What `write` would answer without doing anything, for checks that come before it."""
        if not context.keyed:
            return None
        answers = self.metadata.tables["idempotency"]
        return self.database.reading(lambda connection: idempotency.kept(connection, answers, context))

    # ---- one row ------------------------------------------------------------------------------

    def create(
        self,
        context: Context,
        resource: str,
        body: Any,
        parameters: Parameters = (),
        upsert: bool = False,
    ) -> Reply:
        """201: the new row as `get` shows it, and what is shown `once`. `upsert`: a row with the body's
        external id is changed instead, as PATCH does: 200."""
        declared = self.resource(resource)
        query = self.grammar.parse(declared, parameters, secrets=context.secrets)

        def work(write: Write) -> Reply:
            status, id_ = _put(write, declared, body, upsert)
            reply = self.one(write.connection, context, declared, id_, query)
            shown = reply.body
            if declared.once:
                row = write.row(declared, id_)
                shown = shown[:-1] + b"," + dumps({name: row[name] for name in declared.once})[1:]
            return Reply(shown, reply.meta | {"status": status})

        return self.write(context, work)

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

        def work(write: Write) -> Reply:
            id_ = self.resolve(write.connection, declared, key, context)
            row = write.modify(declared, id_, body, partial=partial, versions=versions)
            return self.one(write.connection, context, declared, row["id"], query)

        return self.write(context, work)

    def delete(self, context: Context, resource: str, key: str, versions: list[int] | None = None) -> Reply:
        """204, also for what the row cascades to."""
        declared = self.resource(resource)

        def work(write: Write) -> Reply:
            write.remove(declared, self.resolve(write.connection, declared, key, context), versions)
            return Reply(b"", {"status": 204})

        return self.write(context, work)

    # ---- many rows ----------------------------------------------------------------------------

    def bulk_create(
        self,
        context: Context,
        resource: str,
        items: Any,
        atomic: bool = False,
        dry_run: bool = False,
        upsert: bool = False,
    ) -> Reply:
        """`{"created": n, "results": [{"index", "status", "id" | "errors"}]}`; with `upsert` also how many
        were `updated`."""
        declared = self.resource(resource)

        def put(write: Write, item: Any) -> tuple[int, Any]:
            return _put(write, declared, item, upsert)

        done = {201: "created", 200: "updated"} if upsert else {201: "created"}
        return self._bulk(context, done, _items(items), put, atomic, dry_run)

    def bulk_update(
        self, context: Context, resource: str, items: Any, atomic: bool = False, dry_run: bool = False
    ) -> Reply:
        """`items`: objects with `id` and the members to change. Answers like `bulk_create`, with `updated`
        and `errors` by id."""
        declared = self.resource(resource)

        def modify(write: Write, item: Any) -> tuple[int, Any]:
            if not isinstance(item, dict) or "id" not in item:
                raise InvalidInput({"id": ["This field is required."]})
            id_ = self.resolve(write.connection, declared, _named(item["id"]), write.context)
            changes = {name: value for name, value in item.items() if name != "id"}
            return 200, write.modify(declared, id_, changes, partial=True)["id"]

        return self._bulk(context, {200: "updated"}, _items(items), modify, atomic, dry_run)

    def bulk_delete(
        self, context: Context, resource: str, ids: Any, atomic: bool = False, dry_run: bool = False
    ) -> Reply:
        declared = self.resource(resource)

        def remove(write: Write, key: Any) -> tuple[int, Any]:
            id_ = self.resolve(write.connection, declared, _named(key), write.context)
            write.remove(declared, id_)
            return 204, id_

        return self._bulk(context, {204: "deleted"}, _items(ids), remove, atomic, dry_run)

    def _bulk(
        self,
        context: Context,
        done: dict[int, str],
        items: list[Any],
        work: Callable[[Write, Any], tuple[int, Any]],
        atomic: bool,
        dry_run: bool,
    ) -> Reply:
        """Each item by itself, with its own result; `done`: what is counted, by the status of the items;
        `atomic`: all or none; `dry_run`: tell, and leave no trace.
        """

        def every(write: Write) -> Reply:
            results = [{"index": index, **self._item(write, item, work)} for index, item in enumerate(items)]
            failed = [one for one in results if "errors" in one]
            undone = atomic and bool(failed)
            if undone:  # what was possible was not done either (RFC 4918: failed dependency)
                results = [
                    one if "errors" in one else {"index": one["index"], "status": 424} for one in results
                ]
            statuses = Counter(one["status"] for one in results)
            answer: Row = {name: statuses[status] for status, name in done.items()}
            answer["results"] = results
            places = ((one["index"], one["errors"]) for one in failed)
            made = 201 in done
            answer["errors"] = {_key_of(items[place], place, made): errors for place, errors in places}
            if dry_run:
                answer["dry_run"] = True
            reply = Reply(dumps(answer), {"status": 400 if undone else 200})
            if dry_run or undone:
                raise Undo(reply)
            return reply

        return self.write(context, every)

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

        def work(write: Write) -> Reply:
            progress = Progress.begin(write, resource, name)
            for number, item in lines:
                if number > progress.lines:
                    outcome = self._item(write, item, lambda w, one: _put(w, declared, _read(one), False))
                    progress.note(number, outcome.get("errors"), cut=marked(item, "cut"))
            reply = Reply(dumps(progress.keep()))
            if dry_run:
                raise Undo(reply)
            return reply

        return self.write(context, work)

    # ---- for the platform ---------------------------------------------------------------------

    def usage(self, context: Context, realm: str) -> Reply:
        """How many rows of each resource a realm has: `{"customers": 12, …}`, resources without rows left
        out, and those that are only read: what was done (actions) is no reason to keep a realm.
        """

        def work(connection: Connection) -> dict[str, int]:
            found: dict[str, int] = {}
            for resource in self.contract.resources:
                written = set(resource.methods) != {"GET"}
                if resource.tallied and written and isinstance(resource.scoping, InRealm):
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

        def work(write: Write) -> Reply:
            id_ = self.resolve(write.connection, declared, key, context)
            write.modify(declared, id_, changes, partial=True)
            write.finish()
            raise Undo(Reply(b""))

        return self.write(context, work)

    def compact(self) -> None:
        """Fold the counters; to be called now and then by a timer."""
        with self.database.write() as connection:
            self.tally.compact(connection)

    def forget(self) -> None:
        """Forget the answers that no longer count; to be called now and then by a timer."""
        idempotency.forget(self.database, self.metadata.tables["idempotency"])


def _put(write: Write, resource: Resource, body: Any, upsert: bool) -> tuple[int, Any]:
    """Status and id of the row that the body makes or, with `upsert`, finds."""
    if upsert:
        row, made = write.upsert(resource, body)
        return 201 if made else 200, row["id"]
    return 201, write.add(resource, body)["id"]


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


def _named(key: Any) -> str:
    """The key of an item as a path has it. Raises `NotFound` for what is no key, lest its text be one."""
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        raise NotFound()
    return str(key)


def _key_of(item: Any, index: int, made: bool) -> str:
    """What names an item in `errors`: the id that it gives; a new row its place; `#` and its place one that
    should have given an id."""
    if made:
        return str(index)
    key = item.get("id") if isinstance(item, dict) else item
    return str(key) if isinstance(key, (int, str)) else f"#{index}"
