"""Who sends a request: the three schemes, revocation at once in every process, and limits on guessing."""

from __future__ import annotations

import base64
import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from gateway.accounts.models import tokens, users
from gateway.accounts.service import Accounts
from gateway.auth import throttle
from gateway.auth.throttle import Limit
from gateway.auth.version import LEASE
from gateway.principal import Principal
from services.common.errors import ApiError, AuthenticationFailed, Throttled, TokenNotValid
from services.common.settings import Settings
from tests.statements import counted
from tests.unit.gateway.accounts.conftest import PASSWORD, Gateway, as_, basic, member, request
from tests.unit.gateway.accounts.test_passwords import DJANGO


@pytest.fixture
def elsewhere(settings: Settings, accounts: Accounts) -> Iterator[Accounts]:
    """Another gateway process on the same database."""
    made = Accounts(settings)
    yield made
    made.close()


def who(accounts: Accounts, authorization: str | None, address: str = "192.0.2.1") -> Principal | None:
    return accounts.authenticator.authenticate(request(authorization, address))


def bearer(accounts: Accounts, user_id: int) -> str:
    return f"Bearer {accounts.sessions.begin(user_id).access}"


def api_token(gateway: Gateway, owner: Principal, **more: Any) -> str:
    return "Token " + str(gateway.json("POST", "/me/tokens/", owner, json={"name": "crm", **more})["token"])


def change(accounts: Accounts, user_id: int, **changes: Any) -> None:
    accounts.engines["auth"].update(accounts.trusted, "users", str(user_id), changes, True)


# ---- schemes ----------------------------------------------------------------------------------


def test_no_credentials_and_foreign_schemes_are_nobody(accounts: Accounts) -> None:
    assert who(accounts, None) is None
    assert who(accounts, "Digest username=x") is None


def test_every_scheme_finds_the_same_principal(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana", groups=["APP: isp"])
    for credentials in (bearer(gateway.accounts, ana.id), basic("ana", PASSWORD), api_token(gateway, ana)):
        found = who(gateway.accounts, credentials)
        assert found == ana
        assert found.realms == {"pim"}
        assert found.enters("isp")
        assert found.may("isp.view_cpe")
        assert found.may("isp.view_secret")
        assert not found.may("pbx.view_pbx")


def test_a_superuser_has_every_realm_and_permission(accounts: Accounts) -> None:
    root = member(accounts, "root", is_superuser=True, realms=[])
    assert root.realms == {"pim", "cpe", "sur"}
    assert "isp.delete_cpe" in root.permissions
    assert root.scope.everything


def test_basic_credentials_may_hold_colons_and_other_scripts(accounts: Accounts) -> None:
    accounts.create_user("josé", "clave:con:ñandú 7", realms=["pim"])
    assert who(accounts, basic("josé", "clave:con:ñandú 7")) is not None


def test_basic_credentials_may_be_latin(accounts: Accounts) -> None:
    accounts.create_user("josé", "clave:con:ñandú 7", realms=["pim"])
    sent = base64.b64encode("josé:clave:con:ñandú 7".encode("latin-1")).decode()
    assert who(accounts, f"Basic {sent}") == who(accounts, basic("josé", "clave:con:ñandú 7"))


@pytest.mark.parametrize(
    "sent", ["", "!!", base64.b64encode(b"nocolon").decode(), base64.b64encode(b"\xff:\xff").decode()]
)
def test_a_broken_basic_header_is_refused(accounts: Accounts, sent: str) -> None:
    with pytest.raises(AuthenticationFailed):
        who(accounts, f"Basic {sent}")


def test_a_name_with_a_nul_is_nobodys(accounts: Accounts) -> None:
    member(accounts, "ana")
    with pytest.raises(AuthenticationFailed):
        who(accounts, basic("an\0a", PASSWORD))


def test_the_key_of_a_token_is_not_in_the_database(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    credentials = api_token(gateway, ana)
    key = credentials.removeprefix("Token ")
    assert len(bytes.fromhex(key)) == 20
    rows = gateway.accounts.database.reading(lambda c: c.execute(select(tokens)).all())
    assert key not in str(rows)
    assert key[:8] in str(rows)
    digest = rows[0].digest
    assert who(gateway.accounts, credentials) == ana
    with pytest.raises(AuthenticationFailed):
        who(gateway.accounts, f"Token {digest}")
    with pytest.raises(TokenNotValid):
        who(gateway.accounts, f"Bearer {digest}")


def test_a_token_ends_when_it_expires(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    credentials = api_token(gateway, ana, expires=soon.isoformat())
    assert who(gateway.accounts, credentials) == ana
    with time_machine.travel(soon + dt.timedelta(seconds=2)), pytest.raises(AuthenticationFailed):
        who(gateway.accounts, credentials)


def test_a_hash_of_django_is_replaced_at_the_first_login_and_ends_no_session(accounts: Accounts) -> None:
    ana = member(accounts, "ana")
    credentials = bearer(accounts, ana.id)
    with accounts.database.write() as connection:
        connection.execute(update(users).where(users.c.id == ana.id).values(password=DJANGO))
    accounts.authenticator.login("ana", "secreto de verdad", None)
    stored = accounts.database.reading(
        lambda c: c.execute(select(users.c.password).where(users.c.id == ana.id)).scalar_one()
    )
    assert stored.startswith("$argon2id$")
    accounts.authenticator.login("ana", "secreto de verdad", None)
    assert who(accounts, credentials) == ana


# ---- what is remembered -----------------------------------------------------------------------


def statements(accounts: Accounts, credentials: str) -> int:
    """What a request costs once every lease has ended."""
    time.sleep(LEASE)
    with counted(accounts.database) as seen:
        who(accounts, credentials)
    return len(seen)


def test_a_known_credential_costs_one_statement_a_lease(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    for credentials in (bearer(gateway.accounts, ana.id), basic("ana", PASSWORD), api_token(gateway, ana)):
        who(gateway.accounts, credentials)
        assert statements(gateway.accounts, credentials) == 1


def test_a_revocation_counts_in_every_process_from_its_answer_on(accounts: Accounts) -> None:
    ana = member(accounts, "ana")
    other = Accounts(accounts.settings)
    try:
        for _ in range(10):
            pair = accounts.sessions.begin(ana.id)
            credentials = f"Bearer {pair.access}"
            assert who(other, credentials) is not None  # and so relies on what it knows for a while
            accounts.sessions.end(pair.access)
            with pytest.raises(TokenNotValid):
                who(other, credentials)
    finally:
        other.close()


def test_a_change_of_a_user_counts_in_every_process_from_its_answer_on(accounts: Accounts) -> None:
    ana = member(accounts, "ana")
    other = Accounts(accounts.settings)
    users = accounts.engines["auth"]
    try:
        for staff in (True, False) * 5:
            who(other, basic("ana", PASSWORD))
            users.update(accounts.trusted, "users", str(ana.id), {"is_staff": staff}, True)
            found = who(other, basic("ana", PASSWORD))
            assert found is not None and found.is_staff is staff
    finally:
        other.close()


def test_known_basic_credentials_pay_no_hash(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    member(accounts, "ana")
    assert who(accounts, basic("ana", PASSWORD)) is not None

    def refuse(*_: Any) -> bool:
        raise AssertionError("a hash was computed")

    monkeypatch.setattr(accounts.passwords, "verify", refuse)
    assert who(accounts, basic("ana", PASSWORD)) is not None
    with pytest.raises(AssertionError):
        who(accounts, basic("ana", PASSWORD), "192.0.2.77")
    with pytest.raises(AssertionError):
        who(accounts, basic("ana", PASSWORD + "x"))


def test_no_password_is_kept_in_memory(accounts: Accounts) -> None:
    member(accounts, "ana")
    who(accounts, basic("ana", PASSWORD))
    kept = repr(vars(accounts.authenticator)) + repr(vars(accounts.authenticator._memory))
    assert PASSWORD not in kept
    assert basic("ana", PASSWORD).removeprefix("Basic ") not in kept


# ---- revocation -------------------------------------------------------------------------------


def test_a_deactivated_user_is_out_at_once_everywhere(gateway: Gateway, elsewhere: Accounts) -> None:
    accounts = gateway.accounts
    ana = member(accounts, "ana")
    all_ = (bearer(accounts, ana.id), basic("ana", PASSWORD), api_token(gateway, ana))
    for credentials in all_:
        assert who(elsewhere, credentials) == ana
    change(accounts, ana.id, is_active=False)
    for credentials in all_:
        with pytest.raises((AuthenticationFailed, TokenNotValid)):
            who(elsewhere, credentials)
    change(accounts, ana.id, is_active=True)
    with pytest.raises(TokenNotValid):
        who(elsewhere, all_[0])
    assert who(elsewhere, all_[2]) is not None


def test_a_new_password_ends_sessions_and_basic_at_once_everywhere(
    gateway: Gateway, elsewhere: Accounts
) -> None:
    accounts = gateway.accounts
    ana = member(accounts, "ana")
    session, old = bearer(accounts, ana.id), basic("ana", PASSWORD)
    assert who(elsewhere, session) == who(elsewhere, old) == ana
    change(accounts, ana.id, password="another horse 8")
    with pytest.raises(TokenNotValid):
        who(elsewhere, session)
    with pytest.raises(AuthenticationFailed):
        who(elsewhere, old)
    assert who(elsewhere, basic("ana", "another horse 8")) == ana


def test_a_changed_group_realm_or_permission_counts_from_the_next_request(
    accounts: Accounts, elsewhere: Accounts
) -> None:
    ana = member(accounts, "ana")
    session = bearer(accounts, ana.id)
    assert who(elsewhere, session) == ana

    def seen() -> Principal:
        found = who(elsewhere, session)
        assert found is not None
        return found

    groups = accounts.engines["auth"]
    made = groups.create(accounts.trusted, "groups", {"name": "HG: CORE", "users": [ana.id]}).meta["id"]
    assert seen().hostgroups == {"CORE"}
    permission = accounts.database.reading(
        lambda c: c.exec_driver_sql("SELECT id FROM permissions WHERE codename='view_cpe'").scalar_one()
    )
    groups.update(accounts.trusted, "groups", str(made), {"permissions": [permission]}, True)
    assert seen().permissions == {"isp.view_cpe"}
    groups.delete(accounts.trusted, "groups", str(made))
    assert seen().permissions == seen().hostgroups == frozenset()
    cpe = accounts.database.reading(
        lambda c: c.exec_driver_sql("SELECT id FROM realms WHERE name='cpe'").scalar_one()
    )
    accounts.engines["core"].update(accounts.trusted, "realms", str(cpe), {"users": ["ana"]}, True)
    assert seen().realms == {"pim", "cpe"}
    accounts.engines["core"].delete(accounts.trusted, "realms", str(cpe))
    assert seen().realms == {"pim"}


def test_a_deleted_token_or_user_is_out_at_once_everywhere(gateway: Gateway, elsewhere: Accounts) -> None:
    accounts = gateway.accounts
    ana = member(accounts, "ana")
    token, session = api_token(gateway, ana), bearer(accounts, ana.id)
    assert who(elsewhere, token) == who(elsewhere, session) == ana
    row = accounts.database.reading(lambda c: c.execute(select(tokens.c.id)).scalar_one())
    accounts.engines["me"].delete(as_(ana), "tokens", str(row))
    with pytest.raises(AuthenticationFailed):
        who(elsewhere, token)
    accounts.engines["auth"].delete(accounts.trusted, "users", str(ana.id))
    with pytest.raises(TokenNotValid):
        who(elsewhere, session)


def test_logging_in_forgets_nothing_that_is_known(accounts: Accounts) -> None:
    ana = member(accounts, "ana")
    session = bearer(accounts, ana.id)
    who(accounts, session)
    accounts.authenticator.login("ana", PASSWORD, None)
    assert statements(accounts, session) == 1


# ---- limits -----------------------------------------------------------------------------------

WRONG = basic("ana", "wrong horse 7")


def guess(accounts: Accounts, credentials: str = WRONG, address: str = "192.0.2.1") -> str:
    try:
        return "in" if who(accounts, credentials, address) else "nobody"
    except Throttled:
        return "throttled"
    except AuthenticationFailed:
        return "wrong"


def test_guessing_is_stopped_by_all_processes_together(accounts: Accounts, elsewhere: Accounts) -> None:
    member(accounts, "ana")
    answers = [guess(one) for one in (accounts, elsewhere) * 4]
    assert answers == ["wrong"] * 5 + ["throttled"] * 3
    with pytest.raises(Throttled) as caught:
        who(elsewhere, basic("ana", PASSWORD))
    assert caught.value.status == 429
    assert 0 < int(caught.value.headers["Retry-After"]) <= 300
    with pytest.raises(Throttled):
        accounts.authenticator.login("ana", PASSWORD, "192.0.2.1")
    assert guess(accounts, basic("ana", PASSWORD), "198.51.100.9") == "in"


def test_the_limit_ends_with_its_window(accounts: Accounts) -> None:
    member(accounts, "ana")
    assert [guess(accounts) for _ in range(6)][-1] == "throttled"
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=301)):
        assert guess(accounts, basic("ana", PASSWORD)) == "in"


def test_a_right_password_forgets_the_wrong_ones(accounts: Accounts) -> None:
    member(accounts, "ana")
    for _ in range(3):
        assert [guess(accounts) for _ in range(4)] == ["wrong"] * 4
        accounts.authenticator.login("ana", PASSWORD, "192.0.2.1")


def test_right_logins_use_up_no_limit(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttle.LIMITS, throttle.ADDRESS, Limit(2, 300))
    member(accounts, "ana")
    for _ in range(4):
        accounts.authenticator.login("ana", PASSWORD, "192.0.2.1")


def test_many_at_once_get_no_more_guesses(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def wrong(*_: Any) -> bool:
        looked_at.append(1)
        time.sleep(0.05)
        return False

    monkeypatch.setattr(accounts.passwords, "verify", wrong)
    threads = [threading.Thread(target=guess, args=(accounts,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == 5


def test_one_address_is_stopped_over_all_names(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttle.LIMITS, throttle.ADDRESS, Limit(3, 300))
    answers = [guess(accounts, basic(f"user{number}", "wrong horse 7")) for number in range(5)]
    assert answers == ["wrong"] * 3 + ["throttled"] * 2


def test_one_name_is_stopped_over_all_addresses(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttle.LIMITS, throttle.USERNAME, Limit(3, 3600))
    member(accounts, "ana")
    answers = [guess(accounts, WRONG, f"192.0.2.{number}") for number in range(5)]
    assert answers == ["wrong"] * 3 + ["throttled"] * 2


def test_who_is_stopped_cannot_lock_the_owner_out_by_going_on(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttle.LIMITS, throttle.USERNAME, Limit(7, 3600))
    member(accounts, "ana")
    assert [guess(accounts) for _ in range(20)] == ["wrong"] * 5 + ["throttled"] * 15
    assert guess(accounts, basic("ana", PASSWORD), "198.51.100.9") == "in"


def test_an_ipv6_subscriber_is_one_address(accounts: Accounts) -> None:
    member(accounts, "ana")
    answers = [guess(accounts, WRONG, f"2001:db8:0:1::{number}") for number in range(1, 8)]
    assert answers == ["wrong"] * 5 + ["throttled"] * 2
    assert guess(accounts, WRONG, "2001:db8:0:2::1") == "wrong"


def test_a_stopped_guesser_learns_nothing_from_credentials_that_are_known(accounts: Accounts) -> None:
    member(accounts, "ana")
    assert guess(accounts, basic("ana", PASSWORD)) == "in"
    assert [guess(accounts) for _ in range(6)] == ["wrong"] * 5 + ["throttled"]
    assert guess(accounts, basic("ana", PASSWORD)) == "throttled"


def test_wrong_tokens_are_limited_and_right_ones_are_not(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttle.LIMITS, throttle.ADDRESS, Limit(3, 300))
    ana = member(gateway.accounts, "ana")
    good = api_token(gateway, ana)
    answers = [guess(gateway.accounts, f"Token {number:040x}") for number in range(5)]
    assert answers == ["wrong"] * 3 + ["throttled"] * 2
    assert guess(gateway.accounts, good) == "in"


def test_the_old_password_cannot_be_guessed_with_a_stolen_session(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    body = {
        "old_password": "wrong horse 7",
        "new_password1": "another horse 8",
        "new_password2": "another horse 8",
    }

    def attempt() -> str:
        try:
            gateway.call("POST", "/me/password/", ana, json=body)
        except ApiError as error:
            return error.code
        return "changed"

    assert [attempt() for _ in range(6)] == ["invalid"] * 5 + ["throttled"]


def test_windows_that_ended_are_forgotten(accounts: Accounts) -> None:
    guess(accounts)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)):
        accounts.tidy()
    left = accounts.database.reading(
        lambda c: c.exec_driver_sql("SELECT count(*) FROM login_failures").scalar_one()
    )
    assert left == 0
