"""Writes: one unit of work each — validate, apply the domain's rules, then rows, audit and events together.

A write that changes nothing writes nothing. `Write` is also the port that rules get.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.common.context import Context
from services.common.contract import Everyone, InRealm, OwnedBy, Resource, SharedWith
from services.common.database.unit_of_work import ADDED, CHANGED, DELETED, UnitOfWork
from services.common.errors import Conflict, InvalidInput, NotFound, PermissionDenied, PreconditionFailed
from services.common.events.event import told
from services.common.fields import (
    REQUIRED,
    Field,
    Members,
)
from services.common.log import MASK
from services.common.resource.body import cleaned
from services.common.resource.reads import Reads
from services.common.resource.sql import values
from services.common.types import Row

_INTERNAL = frozenset(("version",))
_FOR_ALL = "Other realms use this too; it can be changed for all realms only."


class Write:
    """One transaction's work on the resources of a service, within one caller's scope."""

    def __init__(self, reads: Reads, connection: Connection, context: Context) -> None:
        self.reads = reads
        self.connection = connection
        self.context = context
        self.settings = reads.settings
        self.unit = UnitOfWork(connection, reads.metadata, reads.tally, context, reads.contract.name)
        self.now: dt.datetime = self.unit.time

    # ---- what requests ask for ----------------------------------------------------------------

    def add(self, resource: Resource, body: Any) -> Row:
        """A new row from a request body. Raises `InvalidInput`."""
        new = cleaned(resource, body, None, partial=False, secrets=self.context.secrets)
        refs = self._references(resource, new, None)
        if "realm" in resource.by_name and resource.by_name["realm"].writable:
            self._place(new, refs)
        self._share(resource, None, new)
        self._apply(resource, None, new, refs)
        row = self._insert(resource, new)
        self._after(resource, "created", row, refs)
        return row

    def upsert(self, resource: Resource, body: Any) -> tuple[Row, bool]:
        """The row that has the body's external id in its realm, changed as PATCH does, or a new one; and
        whether it is new. Of two that make it at once the later changes what the earlier made."""
        member = resource.upsert
        if member is None:
            raise InvalidInput({"upsert": [f"{resource.name} have no key of another system."]})
        given = cleaned(resource, body, None, partial=True, secrets=self.context.secrets)
        if given[member] is None:
            raise InvalidInput({member: [REQUIRED]})
        self._place(given, self._references(resource, given, None))
        if (id_ := self._known(resource, member, given)) is None:
            try:
                with self.item():
                    return self.add(resource, body), True
            except InvalidInput:
                if (id_ := self._known(resource, member, given)) is None:
                    raise
        return self.modify(resource, id_, body, partial=True), False

    def modify(
        self, resource: Resource, id_: Any, body: Any, *, partial: bool, versions: list[int] | None = None
    ) -> Row:
        """The row after the body's changes. `versions`: those of `If-Match`; any other is refused."""
        old = self.row(resource, id_, lock=True)
        if versions is not None and old["version"] not in versions:
            raise PreconditionFailed()
        new = {**old, **cleaned(resource, body, old, partial=partial, secrets=self.context.secrets)}
        refs = self._references(resource, new, old)
        self._share(resource, old, new)
        self._apply(resource, old, new, refs)
        if not (changed := _changes(resource, old, new)):
            return old
        row = self._update(resource, old, new, changed)
        self._after(resource, "changed", old, row, refs)
        return row

    def remove(self, resource: Resource, id_: Any, versions: list[int] | None = None) -> None:
        """Delete the row and what cascades from it; refuse when something else still needs it."""
        old = self.row(resource, id_, lock=True)
        if versions is not None and old["version"] not in versions:
            raise PreconditionFailed()
        self._share(resource, old, old)
        for relation in resource.relations:
            if relation.cascade:
                child = self.reads.contract.by_name[relation.to]
                by = self._column(child, child.by_name[relation.by])
                table = self._table(child)
                ids = self.connection.execute(
                    select(table.c.id).where(by == id_).order_by(table.c.id)
                ).scalars()
                for child_id in list(ids):
                    self.remove(child, child_id)
        if (removing := getattr(self.reads.rules(resource), "removing", None)) is not None:
            removing(self, old)
        table = self._table(resource)
        with self._constraints(resource):
            self.connection.execute(delete(table).where(table.c.id == id_))
        self._book(resource, DELETED, old, {})

    def finish(self) -> None:
        self.unit.flush()

    @contextmanager
    def item(self) -> Iterator[None]:
        """A part of the write that may fail by itself: what it did is then taken back."""
        mark = self.unit.mark()
        savepoint = self.connection.begin_nested()
        try:
            yield
        except BaseException:
            savepoint.rollback()
            self.unit.back_to(mark)
            raise
        savepoint.commit()

    # ---- the port of rules (services.common.types.Writing) --------------------------------------

    def rows(self, resource: str, **equals: Any) -> list[Row]:
        """The rows with these column values, oldest first, member sets included; not narrowed to the caller's
        scope."""
        declared = self.reads.contract.by_name[resource]
        table = self._table(declared)
        conditions = [table.c[name] == value for name, value in equals.items()]
        found = self.connection.execute(select(table).where(*conditions).order_by(table.c.id)).mappings()
        return [self._whole(declared, dict(one)) for one in found.all()]

    def lock(self, resource: str, id_: Any) -> None:
        """Wait until no other write holds the row, and hold it until this one ends."""
        table = self._table(self.reads.contract.by_name[resource])
        self.connection.execute(select(table.c.id).where(table.c.id == id_).with_for_update())

    def create(self, resource: str, values: Row) -> Row:
        """A row made by a rule: every value given, nothing validated."""
        return self._insert(self.reads.contract.by_name[resource], values)

    def change(self, resource: str, id_: Any, values: Row, *, silently: bool = False) -> None:
        """Set values of a row by a rule; `silently` bumps its version without audit or event."""
        declared = self.reads.contract.by_name[resource]
        table = self._table(declared)
        if silently:
            statement = update(table).where(table.c.id == id_)
            self.connection.execute(statement.values(**values, version=table.c.version + 1))
            return
        found = (
            self.connection.execute(select(table).where(table.c.id == id_).with_for_update()).mappings().one()
        )
        old = self._whole(declared, dict(found))
        new = {**old, **values}
        if changed := _changes(declared, old, new):
            self._update(declared, old, new, changed)

    def delete(self, resource: str, id_: Any) -> None:
        self.remove(self.reads.contract.by_name[resource], id_)

    def emit(self, type_: str, id_: Any, sequence: int, realm: str, data: Row) -> None:
        """An event that the contract declares, about the row `id_` of its subject. Raises `ValidationError`
        (a defect of ours) when the data are not what the class says."""
        kind = self.reads.contract.catalogue[type_]
        told = kind(**data).model_dump(mode="json")
        self.unit.emit(type_, kind.version, f"{kind.subject}/{id_}", sequence, realm, told)

    def acting(self, context: Context) -> None:
        """From here on in the name of this context: who is in the audit, which request is in the events."""
        self.context = self.unit.context = context

    # ---- rows ---------------------------------------------------------------------------------

    def row(self, resource: Resource, id_: Any, *, lock: bool = False) -> Row:
        """The visible row with this id, by field name, member sets included."""
        source = self.reads.source(resource, self.context)
        statement = select(source.table).where(source.visible(), source.table.c.id == id_)
        statement = statement.with_for_update() if lock else statement
        found = self.connection.execute(statement, values(self.context, resource)).mappings().one_or_none()
        if found is None:
            raise NotFound()
        return self._whole(resource, dict(found))

    def _whole(self, resource: Resource, columns: dict[str, Any]) -> Row:
        """The row by field name, member sets included."""
        row = self._named(resource, columns)
        for members in resource.members():
            table = self.unit.table(members.table)
            theirs = select(table.c[members.theirs]).where(table.c[members.mine] == row["id"])
            row[members.name] = sorted(self.connection.execute(theirs).scalars())
        return row

    def _table(self, resource: Resource) -> Any:
        return self.unit.table(resource.table)

    def _column(self, resource: Resource, field: Field) -> Any:
        return self._table(resource).c[field.source]

    def _named(self, resource: Resource, columns: dict[str, Any]) -> Row:
        row = dict(columns)
        for field in resource.fields:
            if _stored(resource, field) and field.source in row and field.source != field.name:
                row[field.name] = row[field.source]
        return row

    def _columns(self, resource: Resource, row: Row) -> dict[str, Any]:
        table = self._table(resource)
        columns = {name: value for name, value in row.items() if name in table.c}
        for field in resource.fields:
            if _stored(resource, field) and field.name in row and field.writable:
                columns[field.source] = row[field.name]
        return columns

    def _known(self, resource: Resource, member: str, given: Row) -> Any:
        """The id of the row with this value in this realm, None without one."""
        table = self._table(resource)
        mine = select(table.c.id).where(
            table.c.realm == given["realm"], table.c[resource.by_name[member].source] == given[member]
        )
        return self.connection.execute(mine).scalar_one_or_none()

    def _insert(self, resource: Resource, values: Row) -> Row:
        table = self._table(resource)
        row = {**dict(resource.where), **values}
        rules = self.reads.rules(resource)
        if hasattr(rules, "identify"):
            row = self._identified(resource, row)
        if resource.textual_id:
            row["version"] = self._next_version(resource, row["id"])
        for stamp in ("created", "updated"):
            if stamp in table.c:
                row.setdefault(stamp, self.now)
        if isinstance(resource.scoping, OwnedBy):
            row[resource.scoping.column] = self.context.user_id
        with self._constraints(resource):
            statement = insert(table).values(**self._columns(resource, row)).returning(table)
            made = self._named(resource, dict(self.connection.execute(statement).mappings().one()))
        for members in resource.members():
            made[members.name] = row.get(members.name, [])
            self._set_members(resource, made["id"], members, made[members.name])
        self._book(resource, ADDED, made, {})
        return made

    def _update(self, resource: Resource, old: Row, new: Row, changed: dict[str, list[Any]]) -> Row:
        table = self._table(resource)
        fresh = {
            name: value for name, value in self._columns(resource, new).items() if value != old.get(name)
        }
        fresh.pop("id", None)
        fresh["version"] = old["version"] + 1
        if "updated" in table.c:
            fresh["updated"] = self.now
        with self._constraints(resource):
            statement = update(table).where(table.c.id == old["id"]).values(**fresh).returning(table)
            row = self._named(resource, dict(self.connection.execute(statement).mappings().one()))
        for members in resource.members():
            if members.name in new:
                row[members.name] = new[members.name]
            if members.name in changed:
                self._set_members(resource, old["id"], members, new[members.name])
        self._book(resource, CHANGED, row, changed)
        return row

    def _set_members(self, resource: Resource, id_: Any, members: Members, values: list[Any]) -> None:
        table = self.unit.table(members.table)
        self.connection.execute(delete(table).where(table.c[members.mine] == id_))
        if values:
            with self._constraints(resource, members.name):
                rows = [{members.mine: id_, members.theirs: value} for value in values]
                self.connection.execute(insert(table), rows)

    def _identified(self, resource: Resource, row: Row) -> Row:
        """The row with the id it will have, and what its rules make of that.

        A name that is taken, by a row that was brought along from elsewhere, is passed over with its id.
        """
        table = self._table(resource)
        after = 0
        while True:
            made = {**row, "id": self._next_id(resource, after)}
            name = self.reads.rules(resource).identify(self.settings, made)
            taken = select(table.c.id).where(table.c[name] == made[name])
            if self.connection.execute(taken).first() is None:
                return made
            after = made["id"]

    def _next_version(self, resource: Resource, id_: Any) -> int:
        """Of a row whose name may have been in use before: its events go on where they ended."""
        outbox = self.unit.table("outbox")
        last = select(func.max(outbox.c.sequence)).where(outbox.c.subject == f"{resource.name}/{id_}")
        return int(self.connection.execute(last).scalar() or 0) + 1

    def _next_id(self, resource: Resource, after: int) -> int:
        """The id the next row will have, beyond `after`; ids are never used twice."""
        table = self._table(resource)
        if self.unit.dialect == "postgresql":
            sequence = func.pg_get_serial_sequence(table.name, "id")
            return int(self.connection.execute(select(func.nextval(sequence))).scalar_one())
        used = self.connection.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
        ).scalar()
        return max(int(used or 0), after) + 1

    # ---- rules --------------------------------------------------------------------------------

    def _apply(self, resource: Resource, old: Row | None, new: Row, refs: dict[str, Row]) -> None:
        rules = self.reads.rules(resource)
        if hasattr(rules, "complete"):
            rules.complete(self.settings, self.now, old, new, refs)
        if hasattr(rules, "check") and (errors := rules.check(self.settings, old, new, refs)):
            raise InvalidInput(errors)
        if hasattr(rules, "allow") and (errors := rules.allow(self, old, new)):
            raise InvalidInput(errors)

    def _after(self, resource: Resource, moment: str, *facts: Any) -> None:
        hook = getattr(self.reads.rules(resource), moment, None)
        if hook is not None:
            hook(self, *facts)

    def _references(self, resource: Resource, new: Row, old: Row | None) -> dict[str, Row]:
        """The rows that the references point to. One that is not visible does not exist."""
        found: dict[str, Row] = {}
        errors: dict[str, list[str]] = {}
        for field in resource.references():
            value = new.get(field.name)
            if value is None or "." in field.source:
                continue
            target = self.reads.contract.by_name[field.to]
            try:
                found[field.name] = self.row(target, value)
            except NotFound:
                if old is None or old.get(field.name) != value:
                    errors[field.name] = [f'Invalid pk "{value}" - object does not exist.']
        for members in resource.members():
            fresh = set(new.get(members.name) or []) - set((old or {}).get(members.name, ()))
            if members.name == "realms":
                missing = {value for value in fresh if not self.context.scope.allows(value)}
            elif members.to is not None and fresh:
                source = self.reads.source(self.reads.contract.by_name[members.to], self.context)
                ids = select(source.table.c.id).where(source.visible(), source.table.c.id.in_(fresh))
                known = self.connection.execute(ids, values(self.context, source.resource)).scalars()
                missing = fresh - set(known)
            else:
                missing = set()
            if missing:
                errors[members.name] = [
                    f'Invalid pk "{one}" - object does not exist.' for one in sorted(missing)
                ]
        if errors:
            raise InvalidInput(errors)
        return found

    def _place(self, values: Row, refs: dict[str, Row]) -> None:
        """Fill in and check the realm of a new row."""
        scope = self.context.scope
        if values.get("realm") is None:
            owners = {row["realm"] for row in refs.values() if row.get("realm")}
            if len(owners) == 1:
                values["realm"] = owners.pop()
            elif len(scope.realms) == 1:
                values["realm"] = next(iter(scope.realms))
            else:
                raise InvalidInput({"realm": [REQUIRED]})
        if not scope.allows(values["realm"]):
            raise InvalidInput({"realm": [f'Invalid pk "{values["realm"]}" - object does not exist.']})

    def _share(self, resource: Resource, old: Row | None, new: Row) -> None:
        """A row that other realms use too is not for a user of some realms to write; his own go to his
        realms, where they can.
        """
        if self.context.scope.everything:
            return
        if resource.staff_writes and isinstance(resource.scoping, Everyone):
            raise PermissionDenied(_FOR_ALL)
        if not isinstance(resource.scoping, SharedWith):
            return
        name = resource.scoping.field
        if old is None and not new.get(name):
            new[name] = sorted(self.context.scope.realms)
        for row in (old, new):
            if row is not None and not (row[name] and set(row[name]) <= self.context.scope.realms):
                raise PermissionDenied(_FOR_ALL)

    # ---- books --------------------------------------------------------------------------------

    def _book(self, resource: Resource, action: int, row: Row, changed: dict[str, list[Any]]) -> None:
        """Audit, counters and event of one row's write."""
        realm = _realm(resource, row)
        label = " ".join(str(row[name]) for name in resource.label if row.get(name) not in (None, "")) or str(
            row["id"]
        )
        self.unit.audit(action, resource.name, resource.model, row["id"], label, realm, changed)
        self.unit.wrote(resource.name, realm, {ADDED: 1, CHANGED: 0, DELETED: -1}[action])
        if resource.events:
            names = {ADDED: "created", CHANGED: "updated", DELETED: "deleted"}
            data = {one.name: _plain(row.get(one.name)) for one in told(resource)}
            if resource.asks:
                data["asks"] = self.reads.rules(resource).asks(self, names[action], row, changed)
            if action == CHANGED:
                data["changed"] = sorted(changed)
            sequence = row["version"] + (1 if action == DELETED else 0)
            subject = f"{resource.name}/{row['id']}"
            self.unit.emit(f"{resource.singular}.{names[action]}", 1, subject, sequence, realm, data)

    @contextmanager
    def _constraints(self, resource: Resource, field: str | None = None) -> Iterator[None]:
        """A broken database constraint as the error that it means to a client."""
        try:
            yield
        except IntegrityError as error:
            columns = _broken(error, self._table(resource))
            if columns is None:
                raise Conflict(f"This {resource.singular} is still in use.") from error
            name = field or _field_of(resource, columns[-1])
            raise InvalidInput(
                {name: [f"{resource.title or resource.singular} with this {name} already exists."]}
            ) from error


def _stored(resource: Resource, field: Field) -> bool:
    """Whether the field is a column of the resource's own table."""
    return not field.derived and "." not in field.source


def _changes(resource: Resource, old: Row, new: Row) -> dict[str, list[Any]]:
    """Field → [before, after] of what differs, secrets masked; columns without a field count too."""
    secret = {one.name for one in resource.fields if one.secret or one.write_only}
    sources = {one.source for one in resource.fields if one.source != one.name}
    changed: dict[str, list[Any]] = {}
    for name, value in new.items():
        if name in sources and name not in resource.by_name:
            continue
        before = old.get(name)
        if isinstance(value, dt.datetime) or isinstance(before, dt.datetime) or name in _INTERNAL:
            continue
        if _plain(before) != _plain(value):
            changed[name] = [MASK, MASK] if name in secret else [_plain(before), _plain(value)]
    return changed


def _plain(value: Any) -> Any:
    """A stored value as JSON carries it."""
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, (str, int, bool, float, list, dict)) or value is None:
        return value
    return f"{value:.7f}"


def _realm(resource: Resource, row: Row) -> str:
    if isinstance(resource.scoping, InRealm):
        return str(row.get(resource.scoping.column) or "")
    return ""


def _field_of(resource: Resource, column: str) -> str:
    return next((one.name for one in resource.fields if one.source == column and one.writable), column)


_SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)")
_SQLITE_INDEX = re.compile(r"index '([^']+)'")


def _broken(error: IntegrityError, table: Any) -> list[str] | None:
    """The columns of the unique constraint that was broken; None when it was a foreign key."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        if error.orig.sqlstate == "23503":  # type: ignore[union-attr]
            return None
        name = diagnosis.constraint_name
    else:
        text = str(error.orig)
        if "FOREIGN KEY" in text:
            return None
        if (index := _SQLITE_INDEX.search(text)) is not None:
            name = index.group(1)
        elif (columns := _SQLITE_COLUMNS.search(text)) is not None:
            return [part.split(".")[-1].strip() for part in columns.group(1).split(",")]
        else:
            raise error
    for index in table.indexes:
        if index.name == name and index.unique:
            return [column.name for column in index.columns]
    for constraint in table.constraints:
        if constraint.name == name and hasattr(constraint, "columns"):
            return [column.name for column in constraint.columns]
    if (name and name.startswith("pk_")) or name == f"{table.name}_pkey":
        return ["id"]
    raise error
