"""Changing passwords: one's own, with the old one, and as staff somebody else's."""

from __future__ import annotations

from dataclasses import replace

from gateway import idempotency
from gateway.accounts.contract import USERS
from gateway.accounts.operations.body import accounts_of, texts
from gateway.accounts.operations.login import both
from gateway.call import Answer, Call
from services.common.context import Scope
from services.common.errors import AuthenticationFailed, InvalidInput


def change(call: Call) -> Answer:
    """All sessions of the user end; the answer holds the tokens of a new one, which nobody may keep: sent
    again, the old password is refused."""
    old, new, again = texts(call, "old_password", "new_password1", "new_password2")
    if new != again:
        raise InvalidInput({"new_password2": ["The two password fields didn’t match."]})
    accounts = accounts_of(call)
    try:
        accounts.authenticator.verify(call.user.username, old, call.request.remote_addr)
    except AuthenticationFailed:
        raise InvalidInput(
            {"old_password": ["Your old password was entered incorrectly. Please enter it again."]}
        ) from None
    try:
        own = replace(call.context, scope=Scope(everything=True))
        accounts.engines["auth"].update(own, USERS.name, str(call.user.id), {"password": new}, partial=True)
    except InvalidInput as error:
        raise InvalidInput({"new_password2": error.errors["password"]}) from None
    pair = accounts.sessions.begin(call.user.id)
    return Answer.json({"detail": "New password has been saved.", **both(pair)})


def set_password(call: Call) -> Answer:
    """By staff, for a user who has no more rights than they have; it ends all of his sessions."""
    (new,) = texts(call, "password")
    assert call.key is not None
    context = idempotency.of_operation(call, call.context)
    engine = accounts_of(call).engines["auth"]
    call.noted(engine.update(context, USERS.name, call.key, {"password": new}, partial=True))
    return Answer.json({"detail": "New password has been saved."})
