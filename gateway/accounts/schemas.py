"""JSON Schemas (2020-12) of the bodies of operations: what login, /me/ and the logs take and give."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FILLED: Schema = {"type": "string", "pattern": r"\S"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}


def record(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with these members."""
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def listing(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def page(item: Schema) -> Schema:
    link: Schema = {"type": ["string", "null"], "format": "uri"}
    return record({"count": WHOLE, "next": link, "previous": link, "results": listing(item)})


def nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


DETAIL = record({"detail": TEXT})
EMPTY = record({})
IDENTITY = record({"pk": WHOLE, "username": TEXT, "email": TEXT, "first_name": TEXT, "last_name": TEXT})
CREDENTIALS = record({"username": FILLED, "password": FILLED})
PAIR = record({"access": TEXT, "refresh": TEXT})
LOGGED_IN = record({"access": TEXT, "refresh": TEXT, "user": IDENTITY})
CODE = record({"code": FILLED, "redirect_uri": FILLED}, code_verifier=TEXT, nonce=TEXT)
NEW_PASSWORD = record({"old_password": FILLED, "new_password1": FILLED, "new_password2": FILLED})
CHANGED_PASSWORD = record({"detail": TEXT, "access": TEXT, "refresh": TEXT})
SET_PASSWORD = record({"password": FILLED})

PROFILE = record(
    {
        "id": WHOLE,
        "username": TEXT,
        "email": TEXT,
        "first_name": TEXT,
        "last_name": TEXT,
        "is_staff": FLAG,
        "is_superuser": FLAG,
        "realms": listing(TEXT),
        "groups": listing(TEXT),
        "language": TEXT,
        "last_login": nullable(TIME),
    }
)
PROFILE_CHANGES = record({}, first_name=TEXT, last_name=TEXT, email=TEXT, language={"enum": ["en", "es"]})
NAMED = record({"id": TEXT, "name": TEXT})
RIGHTS = record(
    {"is_superuser": FLAG, "permissions": listing(TEXT), "realms": listing(TEXT), "hostgroups": listing(TEXT)}
)
MY_REALM = record({"id": WHOLE, "name": TEXT})
MENU = record({"id": TEXT, "name": TEXT, "items": listing(record({"id": TEXT, "name": TEXT, "path": TEXT}))})
SETTINGS = record({"version": WHOLE, "updated": nullable(TIME), "settings": {"type": "object"}})
SETTINGS_CHANGE = record({"settings": {"type": "object"}}, version=WHOLE)
TOKEN_REQUEST = record({"name": FILLED}, expires=nullable(TIME))
NEW_TOKEN = record(
    {"id": WHOLE, "name": TEXT, "prefix": TEXT, "created": TIME, "expires": nullable(TIME), "token": TEXT}
)

ADMIN_LOG = record(
    {
        "id": WHOLE,
        "action_time": TIME,
        "user": nullable(TEXT),
        "action_flag": {"enum": [1, 2, 3]},
        "content_type": TEXT,
        "object_id": TEXT,
        "object_repr": TEXT,
        "change_message": listing({"type": "object"}),
    }
)
