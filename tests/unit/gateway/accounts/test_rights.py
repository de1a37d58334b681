"""Who may change whom: attempts to get more rights than one has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from gateway.accounts.models import groups, permissions, users
from gateway.accounts.service import Accounts
from gateway.principal import Principal
from services.common.context import Context, Scope
from services.common.errors import ApiError, InvalidInput, NotFound, PermissionDenied
from tests.unit.gateway.accounts.conftest import PASSWORD, Gateway, as_, everything, member


@pytest.fixture
def staff(accounts: Accounts) -> Principal:
    """Staff of two realms, who may do everything in isp."""
    return member(accounts, "staff", is_staff=True, realms=["pim", "cpe"], groups=["APP: isp", "APP: auth"])


@pytest.fixture
def root(accounts: Accounts) -> Principal:
    return member(accounts, "root", is_superuser=True, is_staff=True, realms=["pim"])


def id_of(accounts: Accounts, table: Any, **equals: Any) -> int:
    found = select(table.c.id).where(*(table.c[name] == value for name, value in equals.items()))
    return int(accounts.database.reading(lambda c: c.execute(found).scalar_one()))


def create(accounts: Accounts, by: Principal, **body: Any) -> dict[str, Any]:
    body = {"username": "new", "password": PASSWORD, **body}
    return dict(orjson.loads(accounts.engines["auth"].create(as_(by), "users", body).body))


def patch(accounts: Accounts, by: Principal, user_id: int, **changes: Any) -> dict[str, Any]:
    reply = accounts.engines["auth"].update(as_(by), "users", str(user_id), changes, True)
    return dict(orjson.loads(reply.body))


def test_staff_make_users_of_their_realms_with_what_they_have(accounts: Accounts, staff: Principal) -> None:
    isp = id_of(accounts, groups, name="APP: isp")
    cpe = id_of(accounts, permissions, app="isp", codename="view_cpe")
    made = create(accounts, staff, realms=["pim"], groups=[isp], user_permissions=[cpe])
    assert made["realms"] == ["pim"]
    assert made["groups"] == [isp]
    assert "password" not in made
    assert list(made) == [
        "id",
        "username",
        "first_name",
        "last_name",
        "email",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "user_permissions",
        "realms",
        "last_login",
        "date_joined",
    ]
    assert patch(accounts, staff, made["id"], realms=["cpe"], first_name="Nueva")["realms"] == ["cpe"]
    accounts.engines["auth"].delete(as_(staff), "users", str(made["id"]))


@pytest.mark.parametrize("name", ["Root", "ROOT", "\uff32oot"])
def test_nobody_takes_the_name_of_another_in_other_letters(
    accounts: Accounts, staff: Principal, root: Principal, name: str
) -> None:
    ana = member(accounts, "ana")
    for attempt in (
        lambda: create(accounts, staff, username=name, realms=["pim"]),
        lambda: patch(accounts, staff, ana.id, username=name),
    ):
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert caught.value.body == {"username": ["User with this username already exists."]}
    assert patch(accounts, staff, ana.id, username="Ana")["username"] == "Ana"
    accounts.engines["auth"].update(
        everything(root, accounts), "users", str(ana.id), {"username": name}, True
    )


def test_no_flag_is_given_by_staff(accounts: Accounts, staff: Principal) -> None:
    other = member(accounts, "ana")
    for flag in ("is_staff", "is_superuser"):
        with pytest.raises(PermissionDenied):
            create(accounts, staff, realms=["pim"], **{flag: True})
        for one in (other, staff):
            if not (one is staff and flag == "is_staff"):
                with pytest.raises(PermissionDenied):
                    patch(accounts, staff, one.id, **{flag: True})
    with pytest.raises(PermissionDenied):
        patch(accounts, staff, staff.id, is_staff=False)


def test_nothing_is_granted_that_staff_do_not_have(accounts: Accounts, staff: Principal) -> None:
    logger = id_of(accounts, groups, name="APP: logger")
    view_log = id_of(accounts, permissions, app="logger", codename="view_apirequestlog")
    ana = member(accounts, "ana")
    for grant in ({"groups": [logger]}, {"user_permissions": [view_log]}):
        for attempt in (
            lambda grant=grant: create(accounts, staff, realms=["pim"], **grant),
            lambda grant=grant: patch(accounts, staff, ana.id, **grant),
            lambda grant=grant: patch(accounts, staff, staff.id, **grant),
        ):
            with pytest.raises(PermissionDenied):
                attempt()
    with pytest.raises(InvalidInput) as caught:
        create(accounts, staff, realms=["sur"])
    assert caught.value.body == {"realms": ['Invalid pk "sur" - object does not exist.']}
    with pytest.raises(InvalidInput):
        patch(accounts, staff, staff.id, realms=["pim", "cpe", "sur"])


def test_staff_see_only_users_whose_realms_are_all_theirs(
    accounts: Accounts, staff: Principal, root: Principal
) -> None:
    inside = member(accounts, "inside")
    outside = member(accounts, "outside", realms=["sur"])
    straddling = member(accounts, "straddling", realms=["pim", "sur"])
    nowhere = member(accounts, "nowhere", realms=[])
    listed = accounts.engines["auth"].list(as_(staff), "users")
    assert {one["username"] for one in orjson.loads(listed.body)} == {"staff", "inside"}
    assert listed.meta["count"] == 2
    for hidden in (outside, straddling, nowhere, root):
        for attempt in (
            lambda id_: accounts.engines["auth"].get(as_(staff), "users", id_),
            lambda id_: accounts.engines["auth"].update(
                as_(staff), "users", id_, {"password": "another horse 8"}, True
            ),
            lambda id_: accounts.engines["auth"].delete(as_(staff), "users", id_),
        ):
            with pytest.raises(NotFound):
                attempt(str(hidden.id))
    assert patch(accounts, staff, inside.id, last_name="x")["last_name"] == "x"


def test_staff_cannot_take_over_somebody_with_more_rights(gateway: Gateway, staff: Principal) -> None:
    accounts = gateway.accounts
    stronger = member(accounts, "stronger", groups=["APP: logger"])
    for changes in (
        {"password": "another horse 8"},
        {"email": "staff@example.net"},
        {"is_active": False},
        {"username": "x"},
    ):
        with pytest.raises(PermissionDenied):
            patch(accounts, staff, stronger.id, **changes)
    with pytest.raises(PermissionDenied):
        gateway.call(
            "POST", f"/auth/users/{stronger.id}/set_password/", staff, json={"password": "another horse 8"}
        )
    with pytest.raises(PermissionDenied):
        accounts.engines["auth"].delete(as_(staff), "users", str(stronger.id))


def test_a_family_group_is_a_right_though_it_has_no_permission(
    accounts: Accounts, staff: Principal, root: Principal
) -> None:
    accounts.engines["auth"].create(everything(root, accounts), "groups", {"name": "HG: CORE"})
    watcher = member(accounts, "watcher", groups=["HG: CORE"])
    with pytest.raises(PermissionDenied):
        patch(accounts, staff, watcher.id, password="another horse 8")


def test_set_password_works_downwards_and_ends_sessions(gateway: Gateway, staff: Principal) -> None:
    ana = member(gateway.accounts, "ana", groups=["APP: isp"])
    body = gateway.json(
        "POST", f"/auth/users/{ana.id}/set_password/", staff, json={"password": "another horse 8"}
    )
    assert body == {"detail": "New password has been saved."}
    gateway.accounts.authenticator.login("ana", "another horse 8", None)
    with pytest.raises(InvalidInput) as caught:
        gateway.call("POST", f"/auth/users/{ana.id}/set_password/", staff, json={"password": "ana"})
    assert "This password is too short" in caught.value.body["password"][1]


def test_a_user_made_by_staff_has_a_realm(accounts: Accounts, staff: Principal) -> None:
    bodies: list[dict[str, Any]] = [{}, {"realms": []}]
    for body in bodies:
        with pytest.raises(InvalidInput) as caught:
            create(accounts, staff, **body)
        assert caught.value.body == {"realms": ["This field is required."]}
    ana = member(accounts, "ana")
    with pytest.raises(InvalidInput):
        patch(accounts, staff, ana.id, realms=[])


def test_groups_and_realms_are_changed_by_superusers_only(
    accounts: Accounts, staff: Principal, root: Principal
) -> None:
    isp = str(id_of(accounts, groups, name="APP: isp"))
    auth, core = accounts.engines["auth"], accounts.engines["core"]
    pim = orjson.loads(core.list(as_(staff), "realms", [("name", "pim")]).body)[0]["id"]
    attempts: list[Callable[[Context], Any]] = [
        lambda context: auth.update(context, "groups", isp, {"users": [staff.id]}, True),
        lambda context: auth.create(context, "groups", {"name": "HG: CORE"}),
        lambda context: core.create(context, "realms", {"name": "new"}),
        lambda context: core.update(context, "realms", str(pim), {"users": ["staff"]}, True),
        lambda context: auth.delete(context, "groups", isp),
        lambda context: core.delete(context, "realms", str(pim)),
    ]
    for attempt in attempts:
        with pytest.raises(ApiError) as caught:
            attempt(as_(staff))
        assert caught.value.status in (403, 404)
    for attempt in attempts:
        attempt(everything(root, accounts))


def test_a_superuser_who_lost_it_is_one_no_more(accounts: Accounts, root: Principal) -> None:
    """The context of a request that was under way still says superuser; the database decides."""
    accounts.engines["auth"].update(accounts.trusted, "users", str(root.id), {"is_superuser": False}, True)
    with pytest.raises(PermissionDenied):
        accounts.engines["auth"].create(everything(root, accounts), "groups", {"name": "HG: CORE"})


def test_the_context_of_nobody_is_not_trusted(accounts: Accounts) -> None:
    with pytest.raises(PermissionDenied):
        accounts.engines["auth"].create(Context(), "users", {"username": "x", "password": PASSWORD})
    with pytest.raises(PermissionDenied):
        accounts.engines["auth"].create(Context(scope=Scope(frozenset({"pim"}))), "groups", {"name": "x"})


def test_lists_of_users_show_only_those_one_may_see(
    accounts: Accounts, staff: Principal, root: Principal
) -> None:
    ana = member(accounts, "ana", groups=["APP: isp"])
    hidden = member(accounts, "hidden", realms=["sur", "pim"], groups=["APP: isp"])
    isp = str(id_of(accounts, groups, name="APP: isp"))
    assert orjson.loads(accounts.engines["auth"].get(as_(staff), "groups", isp).body)["users"] == [
        staff.id,
        ana.id,
    ]
    shown = orjson.loads(accounts.engines["auth"].get(everything(root, accounts), "groups", isp).body)
    assert shown["users"] == sorted([staff.id, ana.id, hidden.id])
    realms = orjson.loads(accounts.engines["core"].list(as_(staff), "realms").body)
    assert {one["name"]: one["users"] for one in realms} == {"pim": ["ana", "staff"], "cpe": ["staff"]}
    realms = orjson.loads(accounts.engines["core"].list(everything(root, accounts), "realms").body)
    assert {one["name"]: one["users"] for one in realms}["pim"] == ["ana", "hidden", "root", "staff"]


def test_a_password_is_never_shown_filtered_or_logged(accounts: Accounts, root: Principal) -> None:
    ana = member(accounts, "ana")
    patch(accounts, root, ana.id, password="another horse 8")
    engine = accounts.engines["auth"]
    context = everything(root, accounts)
    asked = orjson.loads(engine.get(context, "users", str(ana.id), [("attrs", "id,password")]).body)
    assert asked == {"id": ana.id}
    assert engine.list(context, "users", [("password__startswith", "$argon2")]).meta["ignored"] == [
        "password__startswith"
    ]
    with pytest.raises(InvalidInput):
        engine.list(context, "users", [("sort", "password")])
    logged = accounts.database.reading(lambda c: c.exec_driver_sql("SELECT * FROM audit").all())
    assert "another horse" not in str(logged)
    assert "argon2" not in str(logged)
    assert "'password': ['**********', '**********']" in str(logged).replace('"', "'")


def test_a_user_deleted_leaves_nothing_that_lets_in(accounts: Accounts, root: Principal) -> None:
    ana = member(accounts, "ana")
    accounts.sessions.begin(ana.id)
    accounts.engines["auth"].delete(everything(root, accounts), "users", str(ana.id))
    left = accounts.database.reading(
        lambda c: c.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one()
    )
    assert left == 0
    assert (
        accounts.database.reading(
            lambda c: c.execute(select(users.c.id).where(users.c.username == "ana")).all()
        )
        == []
    )
