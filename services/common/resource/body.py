"""From a request body to stored values: types, nulls, defaults, who may write what.

Unknown and read-only members are ignored, since clients send back what they were given.
"""

from __future__ import annotations

from typing import Any

from services.common.contract import Resource
from services.common.errors import InvalidInput
from services.common.fields import NOT_NULL, REQUIRED, Field, Members, Text
from services.common.types import Row

_ABSENT = object()


def cleaned(resource: Resource, body: Any, old: Row | None, *, partial: bool, secrets: bool) -> Row:
    """The values that the body sets, by field name. On creation (`old` None) defaults are filled in.

    Raises `InvalidInput` with every field that is wrong.
    """
    if not isinstance(body, dict):
        kind = type(body).__name__
        raise InvalidInput({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    values: Row = {}
    errors: dict[str, list[str]] = {}
    for field in resource.writable:
        given = _given(field, body)
        if given is _ABSENT:
            if field.required and not partial:
                errors[field.name] = [REQUIRED]
            elif old is None:
                values[field.name] = list(field.default) if isinstance(field, Members) else field.default
            continue
        try:
            value = _clean(field, given)
        except ValueError as error:
            errors[field.name] = [str(error)]
            continue
        if old is not None:
            if field.secret and not secrets and value == "" and old[field.name]:
                continue  # what the caller was shown in place of a secret he may not see
            if field.create_only:
                if value != old[field.name]:
                    errors[field.name] = ["This field cannot be changed."]
                continue
        values[field.name] = value
    if errors:
        raise InvalidInput(errors)
    return values


def _given(field: Field, body: dict[str, Any]) -> Any:
    for name in (field.name, *field.aliases):
        if name in body:
            return body[name]
    return _ABSENT


def _clean(field: Field, value: Any) -> Any:
    if value == "" and field.null and not isinstance(field, Text):
        value = None
    if value is not None:
        return field.clean(value)
    if field.null:
        return None
    if isinstance(field, Text) and field.default == "":
        return ""
    if isinstance(field, Members):
        return []
    raise ValueError(NOT_NULL)
