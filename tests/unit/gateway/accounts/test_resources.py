"""Users, groups, permissions, realms as resources; what an installation starts with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from gateway.accounts import bootstrap
from gateway.accounts.contract import CONTRACTS
from gateway.accounts.models import groups, users
from gateway.accounts.service import Accounts
from gateway.principal import Principal
from gateway.routes import discovered, table
from services.common.context import Context
from services.common.errors import Conflict, InvalidInput
from services.common.keyfile import signing_key
from services.common.settings import Settings
from tests.unit.gateway.accounts.conftest import PASSWORD, Gateway, again, everything, member, settings_in


@pytest.fixture
def root(accounts: Accounts) -> Principal:
    return member(accounts, "root", is_superuser=True, realms=[])


def read(
    accounts: Accounts, app: str, resource: str, key: Any, context: Context | None = None
) -> dict[str, Any]:
    return dict(orjson.loads(accounts.engines[app].get(context or accounts.trusted, resource, str(key)).body))


def write(
    accounts: Accounts, app: str, resource: str, key: Any, body: Any, partial: bool = True
) -> dict[str, Any]:
    return dict(
        orjson.loads(accounts.engines[app].update(accounts.trusted, resource, str(key), body, partial).body)
    )


# ---- users ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"username": "a b"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": ""}, "username"),
        ({"password": "short"}, "password"),
        ({"password": ""}, "password"),
        ({"password": None}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"email": "no address"}, "email"),
        ({"groups": [999]}, "groups"),
        ({"groups": "x"}, "groups"),
        ({"user_permissions": [999_999]}, "user_permissions"),
        ({"realms": ["nowhere"]}, "realms"),
        ({"language": "tlh"}, "language"),
        ({"is_active": "perhaps"}, "is_active"),
    ],
)
def test_a_bad_user_is_told_what_is_wrong(accounts: Accounts, body: Any, wrong: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        accounts.engines["auth"].create(
            accounts.trusted, "users", {"username": "ana", "password": PASSWORD, **body}
        )
    assert list(caught.value.body) == [wrong]


def test_a_password_is_required_and_keeps_its_blanks(accounts: Accounts) -> None:
    with pytest.raises(InvalidInput) as caught:
        accounts.engines["auth"].create(accounts.trusted, "users", {"username": "ana"})
    assert caught.value.body == {"password": ["This field is required."]}
    accounts.create_user("ana", " con blancos 7 ")
    accounts.authenticator.login("ana", " con blancos 7 ", None)


def test_names_are_unique(accounts: Accounts) -> None:
    member(accounts, "ana")
    with pytest.raises(InvalidInput) as caught:
        member(accounts, "ana")
    assert caught.value.body == {"username": ["User with this username already exists."]}


def test_what_was_read_can_be_put_back_and_changes_nothing(accounts: Accounts) -> None:
    ana = member(accounts, "ana", groups=["APP: isp"], realms=["cpe", "pim"], email="ana@example.net")
    session = accounts.sessions.begin(ana.id)
    before = accounts.engines["auth"].get(accounts.trusted, "users", str(ana.id))
    after = accounts.engines["auth"].update(
        accounts.trusted, "users", str(ana.id), orjson.loads(before.body), False
    )
    assert after == before
    accounts.sessions.check(session.access)
    for app, resource in (("auth", "groups"), ("core", "realms")):
        for row in orjson.loads(accounts.engines[app].list(accounts.trusted, resource).body):
            was = accounts.engines[app].get(accounts.trusted, resource, str(row["id"]))
            assert accounts.engines[app].update(accounts.trusted, resource, str(row["id"]), row, False) == was


# ---- groups, permissions, realms --------------------------------------------------------------


def test_a_group_shows_its_permissions_as_the_sample(accounts: Accounts) -> None:
    ana = member(accounts, "ana", groups=["APP: isp"])
    isp = accounts.database.reading(
        lambda c: c.execute(select(groups.c.id).where(groups.c.name == "APP: isp")).scalar_one()
    )
    shown = read(accounts, "auth", "groups", isp)
    assert list(shown) == ["id", "name", "permissions", "users"]
    customer = next(one for one in shown["permissions"] if one["codename"] == "view_customer")
    assert {name: customer[name] for name in customer if name != "id"} == {
        "codename": "view_customer",
        "name": "Can view Customer",
        "content_type": "isp | customer",
    }
    assert shown["users"] == [ana.id]


def test_permissions_of_a_group_are_taken_as_ids_or_as_shown(accounts: Accounts) -> None:
    rows = orjson.loads(
        accounts.engines["auth"].list(accounts.trusted, "permissions", [("app", "isp"), ("limit", "3")]).body
    )
    ids = [one["id"] for one in rows]
    made = orjson.loads(
        accounts.engines["auth"].create(accounts.trusted, "groups", {"name": "g", "permissions": ids}).body
    )
    assert made["permissions"] == rows
    assert write(accounts, "auth", "groups", made["id"], {"permissions": rows[:2]})["permissions"] == rows[:2]


def test_both_sides_of_a_membership_agree(accounts: Accounts) -> None:
    ana = member(accounts, "ana", realms=["pim"])
    realms = {
        one["name"]: one
        for one in orjson.loads(accounts.engines["core"].list(accounts.trusted, "realms").body)
    }
    assert realms["pim"]["users"] == ["ana"]
    write(accounts, "core", "realms", realms["sur"]["id"], {"users": ["ana"]})
    assert read(accounts, "auth", "users", ana.id)["realms"] == ["pim", "sur"]
    write(accounts, "core", "realms", realms["pim"]["id"], {"users": []})
    assert read(accounts, "auth", "users", ana.id)["realms"] == ["sur"]
    write(accounts, "auth", "users", ana.id, {"username": "anna", "realms": ["sur", "cpe"]})
    assert read(accounts, "core", "realms", realms["sur"]["id"])["users"] == ["anna"]
    assert read(accounts, "core", "realms", realms["cpe"]["id"])["users"] == ["anna"]
    assert again(accounts, ana).realms == {"sur", "cpe"}


def test_a_change_of_one_side_is_a_new_version_of_the_other(accounts: Accounts) -> None:
    ana = member(accounts, "ana", realms=["pim"])

    def version(app: str, resource: str, key: Any) -> int:
        return int(accounts.engines[app].get(accounts.trusted, resource, str(key)).meta["version"])

    pim = next(
        one
        for one in orjson.loads(accounts.engines["core"].list(accounts.trusted, "realms").body)
        if one["name"] == "pim"
    )
    before = version("core", "realms", pim["id"])
    write(accounts, "auth", "users", ana.id, {"realms": []})
    assert version("core", "realms", pim["id"]) == before + 1
    user = version("auth", "users", ana.id)
    made = orjson.loads(
        accounts.engines["auth"].create(accounts.trusted, "groups", {"name": "g", "users": [ana.id]}).body
    )
    assert version("auth", "users", ana.id) == user + 1
    group = version("auth", "groups", made["id"])
    write(accounts, "auth", "users", ana.id, {"groups": []})
    assert version("auth", "groups", made["id"]) == group + 1


@pytest.mark.parametrize("name", ["", "Ñ", "PIM x", "1st", "x" * 33, "pim"])
def test_a_bad_realm_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        accounts.engines["core"].create(accounts.trusted, "realms", {"name": name})
    assert list(caught.value.body) == ["name"]


def test_a_realm_keeps_its_name_and_knows_its_users(accounts: Accounts) -> None:
    made = orjson.loads(accounts.engines["core"].create(accounts.trusted, "realms", {"name": "new"}).body)
    assert made == {"id": made["id"], "name": "new", "users": []}
    assert accounts.engines["core"].list(accounts.trusted, "realms").meta["count"] == 4
    with pytest.raises(InvalidInput):
        write(accounts, "core", "realms", made["id"], {"name": "other"})
    with pytest.raises(InvalidInput) as caught:
        write(accounts, "core", "realms", made["id"], {"users": ["nobody"]})
    assert caught.value.body == {"users": ['Invalid pk "nobody" - object does not exist.']}


def test_a_realm_with_data_is_not_deleted(accounts: Accounts, root: Principal) -> None:
    core = accounts.engines["core"]
    pim = next(
        one for one in orjson.loads(core.list(accounts.trusted, "realms").body) if one["name"] == "pim"
    )
    asked: list[str] = []

    def usage(realm: str, context: Context) -> dict[str, dict[str, int]]:
        asked.append(realm)
        return {"isp": {"cpes": 158}}

    core.realm_usage = usage
    with pytest.raises(Conflict) as caught:
        core.delete(everything(root, accounts), "realms", str(pim["id"]))
    assert caught.value.body == {
        "detail": 'Realm "pim" still has data.',
        "code": "conflict",
        "usage": {"isp": {"cpes": 158}},
    }
    assert asked == ["pim"]
    core.realm_usage = lambda realm, context: {}
    core.delete(everything(root, accounts), "realms", str(pim["id"]))
    assert accounts.realm_names() == ["cpe", "sur"]


# ---- the start of an installation -------------------------------------------------------------


def test_permissions_come_from_the_contracts_once(accounts: Accounts) -> None:
    def names() -> list[tuple[Any, ...]]:
        return accounts.database.reading(
            lambda c: [
                tuple(r) for r in c.exec_driver_sql("SELECT app, codename FROM permissions ORDER BY id")
            ]
        )

    first = names()
    assert len(set(first)) == len(first)
    assert {("isp", "view_cpe"), ("isp", "add_cpe"), ("isp", "change_cpe"), ("isp", "delete_cpe")} <= set(
        first
    )
    assert {
        ("isp", "view_secret"),
        ("auth", "change_user"),
        ("logger", "view_logentry"),
        ("core", "add_realm"),
    } <= set(first)
    assert not [name for app, name in first if app == "me"]
    accounts.prepare(["pim"])
    assert names() == first
    wanted = {
        action.permission for route in table([*CONTRACTS, *discovered()]) for action in route.actions.values()
    }
    assert wanted - {None} <= {f"{app}.{name}" for app, name in first}


def test_a_group_that_was_narrowed_stays_narrow(accounts: Accounts) -> None:
    isp = accounts.database.reading(
        lambda c: c.execute(select(groups.c.id).where(groups.c.name == "APP: isp")).scalar_one()
    )
    write(accounts, "auth", "groups", isp, {"permissions": []})
    accounts.prepare()
    assert read(accounts, "auth", "groups", isp)["permissions"] == []


def test_new_permissions_reach_the_group_of_their_app(accounts: Accounts) -> None:
    isp = accounts.database.reading(
        lambda c: c.execute(select(groups.c.id).where(groups.c.name == "APP: isp")).scalar_one()
    )
    write(accounts, "auth", "groups", isp, {"permissions": []})
    with accounts.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM permissions WHERE app = 'isp' AND codename = 'view_pots'")
    accounts.prepare()
    assert [one["codename"] for one in read(accounts, "auth", "groups", isp)["permissions"]] == ["view_pots"]


def test_the_demo_user_exists_in_demo_mode_on_loopback_only(accounts: Accounts, settings: Settings) -> None:
    accounts.prepare(["pim", "cpe"], demo=True)
    accounts.prepare(["pim", "cpe"], demo=True)
    demo = accounts.authenticator.login("demo", "demo", None).principal
    assert demo.realms == {"pim"}
    assert not demo.is_staff
    assert not demo.is_superuser
    assert demo.apps == {"isp", "gpon", "docsis", "logger", "installer"}
    assert {"isp.view_secret", "isp.change_cpe"} <= demo.permissions


@pytest.mark.parametrize("more", [{"demo": False}, {"bind": "0.0.0.0:4280"}])
def test_no_demo_user_elsewhere(settings: Settings, more: dict[str, Any]) -> None:
    other = Accounts(settings.model_copy(update=more))
    try:
        other.prepare(["pim"], demo=True)
        assert other.database.reading(lambda c: c.execute(select(users)).all()) == []
    finally:
        other.close()


def test_the_operator_makes_users_with_realms_and_groups_by_name(accounts: Accounts) -> None:
    id_ = accounts.create_user("op", PASSWORD, realms=["new", "pim"], groups=["APP: isp"], is_staff=True)
    op = accounts.authenticator.person(id_).principal
    assert op.realms == {"new", "pim"}
    assert op.apps == {"isp"}
    assert op.is_staff
    with pytest.raises(InvalidInput):
        accounts.create_user("op2", PASSWORD, groups=["APP: nothing"])
    with pytest.raises(InvalidInput):
        accounts.create_user("op3", "short")


def test_the_signing_key_is_made_once_and_for_our_eyes_only(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "new")
    key = signing_key(settings)
    assert len(key) == 64
    assert signing_key(settings) == key
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["secret_key"]
    assert signing_key(settings_in(tmp_path / "other")) != key
    assert signing_key(settings_in(tmp_path, secret_key="k" * 32)) == b"k" * 32
    with pytest.raises(ValueError, match="32 bytes"):
        signing_key(settings_in(tmp_path, secret_key="short"))


def test_every_operation_has_a_handler_and_every_handler_an_operation(gateway: Gateway) -> None:
    declared = {f"{one.name}.{operation.name}" for one in CONTRACTS for operation in one.operations}
    declared |= {
        f"{one.name}.{resource.singular}_{operation.name}"
        for one in CONTRACTS
        for resource in one.resources
        for operation in resource.operations
    }
    assert declared == set(gateway.accounts.operations)


def test_groups_are_named_after_apps(accounts: Accounts) -> None:
    names = set(accounts.database.reading(lambda c: c.execute(select(groups.c.name)).scalars().all()))
    assert {"APP: isp", "APP: auth", "APP: core", "APP: logger", "APP: installer"} <= names
    assert bootstrap.DEMO_REALM in accounts.realm_names()


def test_a_group_that_the_real_product_calls_otherwise_may_the_same(accounts: Accounts) -> None:
    ours, theirs = (member(accounts, one, groups=[f"APP: {one}"]) for one in ("gpon", "gpon_provision"))
    assert ours.permissions == theirs.permissions
    assert "gpon.view_olt" in theirs.permissions


def test_an_app_that_only_shows_what_others_have_lets_view_that(accounts: Accounts) -> None:
    installer = member(accounts, "installer", groups=["APP: installer"])
    assert installer.permissions == {"gpon.view_unconfiguredonu"}
    assert installer.enters("installer")
    assert not installer.enters("gpon")
