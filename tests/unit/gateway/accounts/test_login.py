"""Logging in, going on, logging out."""

from __future__ import annotations

import time
from typing import Any

import pytest
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import select, update

from gateway.accounts.models import sessions, users
from gateway.accounts.service import Accounts
from gateway.auth import passwords
from services.common.errors import AuthenticationFailed, InvalidInput, TokenNotValid
from services.common.keyfile import signing_key
from services.common.settings import Settings
from tests.unit.gateway.accounts.conftest import PASSWORD, Gateway, member, request

GOOD = {"username": "ana", "password": PASSWORD}


def claims_of(token: str, settings: Settings) -> Any:
    return jwt.decode(token, OctKey.import_key(signing_key(settings)), algorithms=["HS256"])


@pytest.mark.parametrize("form", ["json", "data"])
def test_login_takes_json_and_forms_and_answers_as_the_sample(gateway: Gateway, form: str) -> None:
    ana = member(gateway.accounts, "ana", email="ana@example.net", first_name="Ana")
    body = gateway.json("POST", "/auth/login/", **{form: GOOD})
    assert list(body) == ["access", "refresh", "user"]
    assert body["user"] == {
        "pk": ana.id,
        "username": "ana",
        "email": "ana@example.net",
        "first_name": "Ana",
        "last_name": "",
    }


def test_the_token_path_gives_the_tokens_alone(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    assert list(gateway.json("POST", "/auth/token/", json=GOOD)) == ["access", "refresh"]


def test_the_access_token_has_the_claims_and_the_lifetime_of_the_captured_one(
    gateway: Gateway, settings: Settings
) -> None:
    ana = member(gateway.accounts, "ana")
    began = int(time.time())
    body = gateway.json("POST", "/auth/login/", json=GOOD)
    token = claims_of(body["access"], settings)
    assert token.header == {"typ": "JWT", "alg": "HS256"}
    assert list(token.claims) == ["token_type", "exp", "iat", "jti", "user_id"]
    assert token.claims["token_type"] == "access"
    assert token.claims["user_id"] == ana.id
    assert token.claims["exp"] - token.claims["iat"] == 86_400
    assert began <= token.claims["iat"] <= time.time()
    assert len(bytes.fromhex(token.claims["jti"])) == 16
    refresh = claims_of(body["refresh"], settings).claims
    assert refresh["exp"] - refresh["iat"] == 7 * 86_400


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"username": ["This field is required."], "password": ["This field is required."]}),
        ({"username": "ana"}, {"password": ["This field is required."]}),
        ({"username": "", "password": "x"}, {"username": ["This field may not be blank."]}),
        ({"username": ["ana"], "password": "x"}, {"username": ["Not a valid string."]}),
        (["ana"], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_a_login_without_its_members_is_told_which(gateway: Gateway, body: Any, errors: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        gateway.call("POST", "/auth/login/", json=body)
    assert caught.value.body == errors


@pytest.mark.parametrize(
    "body", [{"username": "ana", "password": "wrong one 7"}, {"username": "nobody", "password": "x"}]
)
def test_wrong_credentials_are_one_401(gateway: Gateway, body: Any) -> None:
    member(gateway.accounts, "ana")
    with pytest.raises(AuthenticationFailed) as caught:
        gateway.call("POST", "/auth/login/", json=body)
    assert caught.value.status == 401
    assert caught.value.body["detail"] == "Unable to log in with provided credentials."


def test_an_unknown_user_costs_a_hash_too(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, stored: Any, password: Any) -> Any:
            computed.append(stored)
            return super().verify(stored, password)

    monkeypatch.setattr(
        accounts.passwords, "_argon2", Counting(passwords.PASSES, passwords.MEMORY_KIB, passwords.LANES)
    )
    with pytest.raises(AuthenticationFailed):
        accounts.authenticator.login("nobody", PASSWORD, "192.0.2.1")
    assert len(computed) == 1
    assert computed[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_inactive_user_does_not_get_in(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    gateway.accounts.engines["auth"].update(
        gateway.accounts.trusted, "users", str(ana.id), {"is_active": False}, True
    )
    with pytest.raises(AuthenticationFailed):
        gateway.call("POST", "/auth/login/", json=GOOD)


def test_login_notes_when(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    gateway.call("POST", "/auth/login/", json=GOOD)
    found = select(users.c.last_login).where(users.c.id == ana.id)
    assert gateway.accounts.database.reading(lambda c: c.execute(found).scalar()) is not None


def test_user_tells_who_one_is(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    assert gateway.json("GET", "/auth/user/", ana)["pk"] == ana.id


# ---- sessions ---------------------------------------------------------------------------------


def authenticated(accounts: Accounts, access: str) -> bool:
    try:
        return accounts.authenticator.authenticate(request(f"Bearer {access}")) is not None
    except TokenNotValid:
        return False


def refresh(gateway: Gateway, token: str) -> dict[str, str]:
    return dict(gateway.json("POST", "/auth/refresh/", json={"refresh": token}))


def test_a_refresh_token_gives_a_new_pair_and_the_old_access_token_goes_on(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    first = gateway.json("POST", "/auth/login/", json=GOOD)
    second = refresh(gateway, first["refresh"])
    assert authenticated(gateway.accounts, first["access"])
    assert authenticated(gateway.accounts, second["access"])
    assert authenticated(gateway.accounts, refresh(gateway, second["refresh"])["access"])


def test_a_refresh_token_used_twice_ends_its_whole_family_and_no_other(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    first = gateway.json("POST", "/auth/login/", json=GOOD)
    other = gateway.json("POST", "/auth/login/", json=GOOD)
    second = refresh(gateway, first["refresh"])
    assert authenticated(gateway.accounts, second["access"])
    with pytest.raises(TokenNotValid):
        refresh(gateway, first["refresh"])
    with pytest.raises(TokenNotValid):
        refresh(gateway, second["refresh"])
    assert not authenticated(gateway.accounts, first["access"])
    assert not authenticated(gateway.accounts, second["access"])
    assert authenticated(gateway.accounts, other["access"])


def test_logout_ends_the_session_at_once(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    pair = gateway.json("POST", "/auth/login/", json=GOOD)
    assert authenticated(gateway.accounts, pair["access"])
    gateway.call("POST", "/auth/logout/", json={"refresh": pair["refresh"]})
    assert not authenticated(gateway.accounts, pair["access"])
    with pytest.raises(TokenNotValid):
        refresh(gateway, pair["refresh"])
    with pytest.raises(TokenNotValid):
        gateway.call("POST", "/auth/logout/", json={"refresh": pair["refresh"]})


def test_logout_takes_the_access_token_of_the_request(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    pair = gateway.json("POST", "/auth/login/", json=GOOD)
    gateway.call("POST", "/auth/logout/", headers={"Authorization": f"Bearer {pair['access']}"})
    assert not authenticated(gateway.accounts, pair["access"])
    with pytest.raises(InvalidInput):
        gateway.call("POST", "/auth/logout/")


def test_verify_knows_living_tokens_of_both_types(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    pair = gateway.json("POST", "/auth/login/", json=GOOD)
    for token in (pair["access"], pair["refresh"]):
        assert gateway.json("POST", "/auth/verify/", json={"token": token}) == {}
    refresh(gateway, pair["refresh"])
    with pytest.raises(TokenNotValid) as caught:
        gateway.call("POST", "/auth/verify/", json={"token": pair["refresh"]})
    assert caught.value.body == {"detail": "Token is invalid or expired", "code": "token_not_valid"}


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ."])
def test_nonsense_is_no_token(gateway: Gateway, token: str) -> None:
    with pytest.raises(TokenNotValid) as caught:
        gateway.accounts.authenticator.authenticate(request(f"Bearer {token}".encode().decode("latin-1")))
    assert caught.value.body["code"] == "token_not_valid"
    assert caught.value.body["messages"][0]["token_type"] == "access"


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    pair = gateway.json("POST", "/auth/login/", json=GOOD)
    assert not authenticated(gateway.accounts, pair["refresh"])
    with pytest.raises(TokenNotValid):
        refresh(gateway, pair["access"])


def test_an_expired_or_forged_token_is_refused(gateway: Gateway, settings: Settings) -> None:
    member(gateway.accounts, "ana")
    pair = gateway.json("POST", "/auth/login/", json=GOOD)
    claims = claims_of(pair["access"], settings).claims
    key = OctKey.import_key(signing_key(settings))
    header = {"typ": "JWT", "alg": "HS256"}
    same = jwt.encode(header, claims, key)
    old = jwt.encode(header, {**claims, "exp": int(time.time()) - 1}, key)
    endless = jwt.encode(header, {name: value for name, value in claims.items() if name != "exp"}, key)
    forged = jwt.encode(header, claims, OctKey.import_key("x" * 64))
    unknown = jwt.encode(header, {**claims, "jti": "0" * 32}, key)
    assert [authenticated(gateway.accounts, one) for one in (same, old, endless, forged, unknown)] == [
        True
    ] + [False] * 4


def test_a_remembered_token_still_expires(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    member(gateway.accounts, "ana")
    pair = gateway.json("POST", "/auth/login/", json=GOOD)
    assert authenticated(gateway.accounts, pair["access"])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_401)
    assert not authenticated(gateway.accounts, pair["access"])


def test_what_has_expired_is_forgotten(gateway: Gateway) -> None:
    member(gateway.accounts, "ana")
    gateway.call("POST", "/auth/login/", json=GOOD)
    with gateway.accounts.database.write() as connection:
        connection.execute(update(sessions).values(expires=1))
    gateway.accounts.tidy()
    assert gateway.accounts.database.reading(lambda c: c.execute(select(sessions)).all()) == []
