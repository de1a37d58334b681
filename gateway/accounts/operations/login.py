"""`/auth/…`: logging in and out, tokens (contract 7, the bodies of dj-rest-auth and simplejwt)."""

from __future__ import annotations

from typing import Any

from gateway.accounts.operations.body import accounts_of, optional, texts
from gateway.auth.people import Person
from gateway.auth.tokens import Pair
from gateway.call import Answer, Call
from gateway.principal import Principal
from services.common.errors import InvalidInput
from services.common.fields import REQUIRED


def login(call: Call) -> Answer:
    person, pair = _log_in(call)
    return welcome(person.principal, pair)


def token(call: Call) -> Answer:
    """Deprecated: the tokens alone."""
    _, pair = _log_in(call)
    return Answer.json(both(pair))


def refresh(call: Call) -> Answer:
    (old,) = texts(call, "refresh")
    return Answer.json(both(accounts_of(call).sessions.refresh(old)))


def verify(call: Call) -> Answer:
    (one,) = texts(call, "token")
    accounts_of(call).sessions.check(one)
    return Answer.json({})


def logout(call: Call) -> Answer:
    """Ends the login of the refresh token in the body, or else of the access token of the request."""
    scheme, _, access = call.request.headers.get("Authorization", "").partition(" ")
    one = optional(call, "refresh") or (access.strip() if scheme.lower() == "bearer" else None)
    if one is None:
        raise InvalidInput({"refresh": [REQUIRED]})
    accounts_of(call).sessions.end(one)
    return Answer.json({"detail": "Successfully logged out."})


def user(call: Call) -> Answer:
    return Answer.json(identity(call.user))


def identity(principal: Principal) -> dict[str, Any]:
    known = {name: principal.details[name] for name in ("email", "first_name", "last_name")}
    return {"pk": principal.id, "username": principal.username, **known}


def both(pair: Pair) -> dict[str, str]:
    return {"access": pair.access, "refresh": pair.refresh}


def welcome(principal: Principal, pair: Pair) -> Answer:
    return Answer.json({**both(pair), "user": identity(principal)})


def _log_in(call: Call) -> tuple[Person, Pair]:
    username, password = texts(call, "username", "password")
    accounts = accounts_of(call)
    person = accounts.authenticator.login(username, password, call.request.remote_addr)
    return person, accounts.sessions.begin(person.id)
