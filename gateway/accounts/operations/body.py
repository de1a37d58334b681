"""What operations read from a body: objects with texts that must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from gateway.call import Call
from services.common.errors import InvalidInput
from services.common.fields import NOT_BLANK, NOT_NULL, REQUIRED, text_of

if TYPE_CHECKING:
    from gateway.accounts.service import Accounts


def accounts_of(call: Call) -> Accounts:
    return cast("Accounts", call.platform.accounts)


def members(call: Call) -> dict[str, Any]:
    """The body, which must be an object. Raises `InvalidInput`."""
    if not isinstance(call.body, dict):
        kind = type(call.body).__name__
        raise InvalidInput({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    return call.body


def texts(call: Call, *names: str) -> tuple[str, ...]:
    """The texts of these members, as they came. Raises `InvalidInput` with all that is missing."""
    given = members(call)
    found: list[str] = []
    errors: dict[str, list[str]] = {}
    for name in names:
        try:
            found.append(_text(given, name))
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise InvalidInput(errors)
    return tuple(found)


def optional(call: Call, name: str) -> str | None:
    """A text that may be left out or empty."""
    return texts(call, name)[0] if members(call).get(name) else None


def _text(given: dict[str, Any], name: str) -> str:
    if name not in given:
        raise ValueError(REQUIRED)
    if given[name] is None:
        raise ValueError(NOT_NULL)
    text = text_of(given[name])
    if not text.strip():
        raise ValueError(NOT_BLANK)
    return text
