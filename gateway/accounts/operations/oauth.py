"""`/auth/google/` and `/auth/microsoft/`: to the provider and back, or with a code that the client fetched
itself."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.http import dump_cookie

from gateway.accounts.operations.body import accounts_of, optional, texts
from gateway.accounts.operations.login import welcome
from gateway.auth.oauth import COOKIE, COOKIE_SECONDS
from gateway.call import Answer, Call
from gateway.routes import ROOT
from services.common.errors import AuthenticationFailed

PROVIDERS = ("google", "microsoft")

Handler = Callable[[Call], Answer]


def redirect(provider: str) -> Handler:
    def handler(call: Call) -> Answer:
        start = accounts_of(call).oauth.start(provider, _back(call, provider))
        return Answer(
            status=302,
            headers={"Location": start.url, "Set-Cookie": _cookie(call, start.cookie, COOKIE_SECONDS)},
        )

    return handler


def callback(provider: str) -> Handler:
    def handler(call: Call) -> Answer:
        given = call.request.args
        if "code" not in given:
            raise AuthenticationFailed(f"{provider} did not log you in.", provider=provider)
        cookie = call.request.cookies.get(COOKIE)
        back = _back(call, provider)
        user_id = accounts_of(call).oauth.finish(
            provider, back, given["code"], given.get("state", ""), cookie
        )
        answer = _welcome(call, user_id)
        answer.headers["Set-Cookie"] = _cookie(call, "", 0)
        return answer

    return handler


def code(provider: str) -> Handler:
    """`code_verifier` and `nonce`: those the client began with, when it did."""

    def handler(call: Call) -> Answer:
        given, back = texts(call, "code", "redirect_uri")
        verifier, nonce = optional(call, "code_verifier"), optional(call, "nonce")
        return _welcome(call, accounts_of(call).oauth.exchange(provider, back, given, verifier, nonce))

    return handler


def _welcome(call: Call, user_id: int) -> Answer:
    accounts = accounts_of(call)
    person = accounts.authenticator.person(user_id)
    accounts.authenticator.seen(user_id)
    return welcome(person.principal, accounts.sessions.begin(user_id))


def _back(call: Call, provider: str) -> str:
    """Our address that the provider sends the browser to; it has to be registered there."""
    return f"{call.request.host_url}{ROOT.lstrip('/')}/auth/{provider}/callback/"


def _cookie(call: Call, value: str, seconds: int) -> str:
    secure = call.request.is_secure
    return dump_cookie(
        COOKIE, value, max_age=seconds, path=f"{ROOT}/auth/", httponly=True, samesite="Lax", secure=secure
    )
