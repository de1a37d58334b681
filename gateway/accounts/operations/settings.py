"""`/me/settings`: the UI's own configuration, kept as it comes, with a version so that two windows notice
each other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select, update

from gateway import idempotency
from gateway.accounts.models import user_settings, users
from gateway.accounts.operations.body import accounts_of, members
from gateway.call import Answer, Call
from services.common.database.columns import now
from services.common.errors import Conflict, InvalidInput
from services.common.fields import REQUIRED, Document, Integer
from services.common.resource.representation import dumps
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply

_KEPT = Document(name="settings")
_VERSION = Integer(name="version", minimum=0)

Row = dict[str, Any]


def get(call: Call) -> Answer:
    database = accounts_of(call).database
    return Answer.json(database.reading(lambda connection: _read(connection, call.user.id)))


def change(call: Call) -> Answer:
    """PUT replaces, PATCH merges (RFC 7396). `version`, when given, must be the present one, else 409."""
    given, version = _given(call)
    user_id = call.user.id

    def work(write: Write) -> Reply:
        connection = write.connection
        connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
        row = _read(connection, user_id)
        if version is not None and version != row["version"]:
            raise Conflict("These settings were saved from elsewhere since they were read.", **row)
        fresh = _checked(_merged(row["settings"], given)) if call.request.method == "PATCH" else given
        values = {"settings": fresh, "updated": now(), "version": row["version"] + 1}
        if row["version"]:
            statement = update(user_settings).where(user_settings.c.user_id == user_id).values(**values)
            connection.execute(statement)
        else:
            connection.execute(insert(user_settings).values(user_id=user_id, **values))
        return Reply(dumps(_read(connection, user_id)))

    context = idempotency.of_operation(call, call.context)
    return Answer(call.noted(accounts_of(call).engines["me"].write(context, work)).body)


def _read(connection: Connection, user_id: int) -> Row:
    columns = user_settings.c
    mine = select(columns.version, columns.updated, columns.settings).where(columns.user_id == user_id)
    row = connection.execute(mine).one_or_none()
    version, updated, settings = row if row is not None else (0, None, {})
    return {"version": version, "updated": updated, "settings": settings}


def _given(call: Call) -> tuple[Row, int | None]:
    body = members(call)
    if "settings" not in body:
        raise InvalidInput({"settings": [REQUIRED]})
    try:
        version = None if body.get("version") is None else _VERSION.clean(body["version"])
    except ValueError as error:
        raise InvalidInput({"version": [str(error)]}) from None
    return _checked(body["settings"]), version


def _checked(settings: Any) -> Row:
    try:
        if not isinstance(settings, dict):
            raise ValueError("Expected a JSON object.")
        return dict(_KEPT.clean(settings))
    except ValueError as error:
        raise InvalidInput({"settings": [str(error)]}) from None


def _merged(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged
