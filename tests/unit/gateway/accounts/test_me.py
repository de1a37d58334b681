"""`/me/…`: profile, rights, menu, settings, bookmarks, searches, tokens, password."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.principal import Principal
from services.common.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from tests.unit.gateway.accounts.conftest import PASSWORD, Gateway, again, as_, everything, member


@pytest.fixture
def ana(gateway: Gateway) -> Principal:
    return member(gateway.accounts, "ana", groups=["APP: isp", "APP: logger"], email="ana@example.net")


def test_the_profile_is_as_the_sample(gateway: Gateway, ana: Principal) -> None:
    body = gateway.json("GET", "/me/", ana)
    assert body == {
        "id": ana.id,
        "username": "ana",
        "email": "ana@example.net",
        "first_name": "",
        "last_name": "",
        "is_staff": False,
        "is_superuser": False,
        "realms": ["pim"],
        "groups": ["APP: isp", "APP: logger"],
        "language": "en",
        "last_login": None,
    }
    assert list(body)[-2:] == ["language", "last_login"]


def test_one_changes_ones_name_and_language_and_nothing_else(gateway: Gateway, ana: Principal) -> None:
    changes = {
        "first_name": "Ana",
        "language": "es",
        "is_superuser": True,
        "realms": ["cpe"],
        "username": "root",
    }
    body = gateway.json("PATCH", "/me/", ana, json=changes)
    assert (body["first_name"], body["language"]) == ("Ana", "es")
    found = again(gateway.accounts, ana)
    assert found.realms == {"pim"}
    assert (found.username, found.is_superuser) == ("ana", False)
    with pytest.raises(InvalidInput) as caught:
        gateway.call("PATCH", "/me/", ana, json={"language": "tlh", "email": "x"})
    assert set(caught.value.body) == {"language", "email"}


@pytest.mark.parametrize("more", [{"realms": []}, {"is_superuser": True, "realms": []}])
def test_everybody_sees_and_changes_himself(gateway: Gateway, more: dict[str, Any]) -> None:
    one = member(gateway.accounts, "one", **more)
    assert gateway.json("GET", "/me/", one)["username"] == "one"
    assert gateway.json("PATCH", "/me/", one, data={"first_name": "Uno"})["first_name"] == "Uno"


def test_nobody_takes_the_address_of_another(gateway: Gateway, ana: Principal) -> None:
    """Two users with one address cannot log in by it."""
    bea = member(gateway.accounts, "bea")
    with pytest.raises(InvalidInput) as caught:
        gateway.call("PATCH", "/me/", bea, json={"email": "ANA@example.net"})
    assert caught.value.body == {"email": ["User with this email already exists."]}
    for one, email in ((ana, "ana@example.net"), (ana, "Ana@example.net"), (bea, ""), (bea, "b@example.net")):
        assert gateway.call("PATCH", "/me/", one, json={"email": email}).status == 200
    staff = member(gateway.accounts, "staff", is_staff=True)
    with pytest.raises(InvalidInput):
        gateway.accounts.engines["auth"].update(
            as_(staff), "users", str(bea.id), {"email": "ana@example.net"}, True
        )


def test_apps_are_those_one_may_enter(gateway: Gateway, ana: Principal) -> None:
    root = member(gateway.accounts, "root", is_superuser=True)
    named = [{"id": "logger", "name": "Logger"}, {"id": "isp", "name": "Customers"}]
    assert gateway.json("GET", "/me/apps/", ana) == named
    everything = gateway.json("GET", "/me/apps/", root)
    assert {"auth", "docsis", "gpon", "isp", "logger"} <= {one["id"] for one in everything}
    assert gateway.json("GET", "/me/apps/", member(gateway.accounts, "none")) == []


def test_the_menu_leads_to_what_one_may_see(gateway: Gateway, ana: Principal) -> None:
    menu = {one["id"]: one for one in gateway.json("GET", "/me/menu/", ana)}
    assert {"id": "cpes", "name": "CPE", "path": "/api/v2/isp/cpes/"} in menu["isp"]["items"]
    assert [one["id"] for one in menu["logger"]["items"]] == ["api-request-logs"]


def test_rights_and_realms(gateway: Gateway, ana: Principal) -> None:
    body = gateway.json("GET", "/me/permissions/", ana)
    assert body["realms"] == ["pim"]
    assert "isp.view_cpe" in body["permissions"]
    assert body["permissions"] == sorted(body["permissions"])
    assert [one["name"] for one in gateway.json("GET", "/me/realms/", ana)] == ["pim"]


# ---- settings ---------------------------------------------------------------------------------


def test_settings_are_kept_with_a_version(gateway: Gateway, ana: Principal) -> None:
    assert gateway.json("GET", "/me/settings/", ana) == {"version": 0, "updated": None, "settings": {}}
    body = gateway.json(
        "PUT", "/me/settings/", ana, json={"settings": {"triage": True, "ui": {"a": 1, "b": 2}}}
    )
    assert body["version"] == 1
    assert body["updated"] is not None
    body = gateway.json(
        "PATCH", "/me/settings/", ana, json={"settings": {"ui": {"a": None, "c": 3}}, "version": 1}
    )
    assert body["settings"] == {"triage": True, "ui": {"b": 2, "c": 3}}
    assert gateway.json("GET", "/me/settings/", ana) == body
    assert gateway.json("PUT", "/me/settings/", ana, json={"settings": {}})["settings"] == {}


def test_settings_saved_elsewhere_are_noticed(gateway: Gateway, ana: Principal) -> None:
    gateway.call("PUT", "/me/settings/", ana, json={"settings": {"a": 1}, "version": 0})
    with pytest.raises(Conflict) as caught:
        gateway.call("PUT", "/me/settings/", ana, json={"settings": {"a": 2}, "version": 0})
    assert caught.value.body["version"] == 1
    assert gateway.json("GET", "/me/settings/", ana)["settings"] == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [{}, {"settings": []}, {"settings": None}, {"settings": {"x": "y" * 70_000}}, {"settings": {"x": "\0"}}],
)
def test_bad_settings_are_refused(gateway: Gateway, ana: Principal, body: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        gateway.call("PUT", "/me/settings/", ana, json=body)
    assert list(caught.value.body) == ["settings"]


def test_settings_are_ones_own(gateway: Gateway, ana: Principal) -> None:
    gateway.call("PUT", "/me/settings/", ana, json={"settings": {"a": 1}})
    assert gateway.json("GET", "/me/settings/", member(gateway.accounts, "bea"))["settings"] == {}


# ---- bookmarks, searches, tokens --------------------------------------------------------------


def mine(gateway: Gateway, who: Principal, resource: str) -> list[dict[str, Any]]:
    return list(orjson.loads(gateway.accounts.engines["me"].list(as_(who), resource).body))


def test_bookmarks_are_ones_own_and_global_ones_are_for_all(gateway: Gateway, ana: Principal) -> None:
    engine = gateway.accounts.engines["me"]
    root = member(gateway.accounts, "root", is_superuser=True)
    own = engine.create(as_(ana), "bookmarks", {"title": "Mine", "query": "pim"}).meta["id"]
    shared = engine.create(
        everything(root, gateway.accounts), "bookmarks", {"title": "All", "global": True}
    ).meta["id"]
    assert [one["title"] for one in mine(gateway, ana, "bookmarks")] == ["Mine", "All"]
    assert [one["title"] for one in mine(gateway, root, "bookmarks")] == ["All"]
    with pytest.raises(NotFound):
        engine.get(as_(root), "bookmarks", str(own))
    for attempt in (
        lambda: engine.update(as_(ana), "bookmarks", str(shared), {"title": "Hijacked"}, True),
        lambda: engine.update(as_(ana), "bookmarks", str(shared), {"global": False}, True),
        lambda: engine.delete(as_(ana), "bookmarks", str(shared)),
        lambda: engine.create(as_(ana), "bookmarks", {"title": "x", "global": True}),
        lambda: engine.update(as_(ana), "bookmarks", str(own), {"global": True}, True),
    ):
        with pytest.raises(PermissionDenied):
            attempt()


def test_the_last_ten_searches_are_kept_newest_first_and_once(gateway: Gateway, ana: Principal) -> None:
    engine = gateway.accounts.engines["me"]
    other = member(gateway.accounts, "bea")
    engine.create(as_(other), "searches", {"query": "s0"})
    for number in (*range(12), 5):
        engine.create(as_(ana), "searches", {"query": f"s{number}", "view": "cpes"})
    assert [one["query"] for one in mine(gateway, ana, "searches")] == [
        f"s{n}" for n in (5, 11, 10, 9, 8, 7, 6, 4, 3, 2)
    ]
    assert [one["query"] for one in mine(gateway, other, "searches")] == ["s0"]


def test_the_key_of_a_token_is_shown_once(gateway: Gateway, ana: Principal) -> None:
    made = gateway.call("POST", "/me/tokens/", ana, json={"name": "crm"})
    body = orjson.loads(made.body)
    assert made.status == 201
    assert list(body) == ["id", "name", "prefix", "created", "expires", "token"]
    assert body["token"].startswith(body["prefix"])
    del body["token"]
    assert mine(gateway, ana, "tokens") == [body]
    assert mine(gateway, member(gateway.accounts, "bea"), "tokens") == []
    with pytest.raises(InvalidInput) as caught:
        gateway.call("POST", "/me/tokens/", ana, json={"expires": "never"})
    assert set(caught.value.body) == {"name", "expires"}


def test_somebody_elses_token_is_not_there(gateway: Gateway, ana: Principal) -> None:
    id_ = gateway.json("POST", "/me/tokens/", ana, json={"name": "crm"})["id"]
    with pytest.raises(NotFound):
        gateway.accounts.engines["me"].delete(as_(member(gateway.accounts, "bea")), "tokens", str(id_))


# ---- password ---------------------------------------------------------------------------------


def change(gateway: Gateway, who: Principal, path: str = "/me/password/", **body: Any) -> Any:
    sent = {
        "old_password": PASSWORD,
        "new_password1": "another horse 8",
        "new_password2": "another horse 8",
        **body,
    }
    return gateway.json("POST", path, who, json=sent)


@pytest.mark.parametrize("path", ["/me/password/", "/auth/password/change/"])
def test_a_new_password_ends_the_old_sessions_and_begins_one(
    gateway: Gateway, ana: Principal, path: str
) -> None:
    old = gateway.accounts.sessions.begin(ana.id)
    body = change(gateway, ana, path)
    assert body["detail"] == "New password has been saved."
    gateway.accounts.sessions.check(body["access"])
    with pytest.raises(Exception, match="invalid or expired"):
        gateway.accounts.sessions.check(old.access)
    gateway.accounts.authenticator.login("ana", "another horse 8", None)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"old_password": "wrong horse 7"}, "old_password"),
        ({"new_password2": "another horse 9"}, "new_password2"),
        ({"new_password1": "ana", "new_password2": "ana"}, "new_password2"),
        ({"new_password1": "12345678", "new_password2": "12345678"}, "new_password2"),
        ({"old_password": None}, "old_password"),
    ],
)
def test_a_bad_change_of_password_changes_nothing(
    gateway: Gateway, ana: Principal, body: Any, wrong: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        change(gateway, ana, **body)
    assert list(caught.value.body) == [wrong]
    gateway.accounts.authenticator.login("ana", PASSWORD, None)
