"""The request log, the admin log, and the history of one row."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import flask
import orjson
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import insert, select

from gateway.accounts.contract import CONTRACTS
from gateway.accounts.models import request_log
from gateway.accounts.service import Accounts
from gateway.logger import history, recorder
from gateway.logger.entry import MOST_BYTES, entry, kept, view_of
from gateway.logger.recorder import Recorder
from gateway.platform import Done, Platform
from gateway.principal import Principal
from gateway.routes import discovered
from services.common.contract import Contract
from services.common.database.engine import Database
from services.common.errors import (
    ApiError,
    Conflict,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    ServiceUnavailable,
)
from services.common.fields import Field
from services.common.log import mask_secrets
from services.common.resource.engine import Engine
from services.common.settings import Settings
from services.isp import models as isp_models
from services.isp.contract import CONTRACT as ISP
from tests.unit.gateway.accounts.conftest import PASSWORD, Gateway, as_, everything, member

MASK = "**********"


def rows(accounts: Accounts) -> list[Any]:
    return list(
        accounts.database.reading(lambda c: c.execute(select(request_log).order_by(request_log.c.id)).all())
    )


def a_row(**more: Any) -> dict[str, Any]:
    row = {
        "requested_at": dt.datetime.now(dt.UTC),
        "user_id": None,
        "user": None,
        "realms": None,
        "remote_addr": "192.0.2.1",
        "response_ms": 3,
        "status_code": 200,
        "method": "GET",
        "path": "/api/v2/isp/cpes/",
        "host": "localhost",
        "view": "isp.CpeViewSet",
        "view_method": "list",
        "query_params": None,
        "data": None,
        "response": None,
        "errors": None,
        "outcome": "ok",
        "resource": None,
        "object_id": None,
    }
    return {**row, **more}


# ---- writing ----------------------------------------------------------------------------------


def logged(
    gateway: Gateway,
    verb: str,
    path: str,
    status: int = 200,
    who: Principal | None = None,
    error: ApiError | None = None,
    **request: Any,
) -> dict[str, Any]:
    route, key = gateway.route(f"/api/v2{path.partition('?')[0]}")
    with flask.Flask("test").test_request_context(f"/api/v2{path}", method=verb, **request):
        flask.request.view_args = {"key": key} if key else {}
        facts = flask.g
        facts.began = time.perf_counter() - 0.05
        facts.route, facts.action, facts.principal = route, route.actions[verb], who
        facts.error = error
        return entry(flask.request, flask.Response(status=status), facts)


def test_a_request_is_logged_as_the_sample(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    row = logged(
        gateway,
        "PATCH",
        "/isp/cpes/259/?postalcode=1505",
        who=ana,
        json={"notes": "ñ", "wifi_password": "hunter2"},
    )
    assert row["user"] == "ana"
    assert row["path"] == "/api/v2/isp/cpes/259/"
    assert (row["view"], row["view_method"]) == ("isp.CpeViewSet", "partial_update")
    assert row["query_params"] == {"postalcode": "1505"}
    assert row["data"] == {"notes": "ñ", "wifi_password": MASK}
    assert (row["resource"], row["object_id"], row["outcome"]) == ("isp.cpes", "259", "ok")
    assert 50 <= row["response_ms"] < 60_000


def test_any_text_is_logged_as_it_came(gateway: Gateway) -> None:
    odd = "a\tb\nc\r\\N\\. \"'{},\x1f é 漢 🦐 "
    gateway.accounts.recorder.record(
        a_row(path=odd, user="\\N", data={odd: [odd, None, 1.5, True]}, query_params={}, object_id="")
    )
    gateway.accounts.recorder.close()
    row = rows(gateway.accounts)[-1]
    assert (row.path, row.user, row.object_id) == (odd, "\\N", "")
    assert row.data == {odd: [odd, None, 1.5, True]}
    assert (row.query_params, row.response, row.resource) == ({}, None, None)


def test_secrets_are_masked_at_any_depth(gateway: Gateway) -> None:
    row = logged(gateway, "POST", "/auth/login/", 401, data={"username": "ana", "password": PASSWORD})
    assert row["data"] == {"username": "ana", "password": MASK}
    row = logged(
        gateway,
        "POST",
        "/auth/refresh/",
        json={"refresh": "eyJ", "x": [{"api_token": "t", "deep": {"SECRET": ["a"]}}]},
    )
    assert row["data"] == {"refresh": MASK, "x": [{"api_token": MASK, "deep": {"SECRET": MASK}}]}
    row = logged(gateway, "GET", "/auth/google/callback/?code=abc&state=s")
    assert row["query_params"] == {"code": MASK, "state": "s"}


def test_what_a_request_was_refused_with_is_told_but_for_secrets(gateway: Gateway) -> None:
    wrong = {"code": ["4711 is wrong."], "name": ["Too long."]}
    for error, told in (
        (NotFound(), {"detail": "Not found.", "code": "not_found"}),
        (InvalidInput(wrong), wrong | {"code": MASK}),
    ):
        assert logged(gateway, "GET", "/isp/cpes/1/", error.status, error=error)["errors"] == told


@pytest.mark.parametrize("contract", discovered(), ids=lambda one: one.name)
def test_the_name_of_every_secret_member_is_known(contract: Contract) -> None:
    named = {one.name: "s" for resource in contract.resources for one in resource.fields if _is_secret(one)}
    assert set(kept(named).values()) <= {MASK}
    assert set(mask_secrets(None, "", dict(named)).values()) <= {MASK}


def _is_secret(field: Field) -> bool:
    return field.secret or field.write_only


def test_a_long_body_is_cut_and_a_file_is_not_read(gateway: Gateway) -> None:
    ana = member(gateway.accounts, "ana")
    row = logged(gateway, "POST", "/isp/cpes/", 400, who=ana, json={"notes": "ñ" * 9000})
    assert len(row["data"]["truncated"].encode()) <= MOST_BYTES
    assert (
        logged(gateway, "POST", "/isp/cpes/import/", 200, who=ana, data=b"a,b", content_type="text/csv")[
            "data"
        ]
        is None
    )
    assert logged(gateway, "POST", "/isp/cpes/", 413, who=ana, json={"notes": "x" * 70_000})["data"] is None
    assert (
        logged(gateway, "POST", "/isp/cpes/", 400, who=ana, data=b"{broken", content_type="application/json")[
            "data"
        ]
        is None
    )
    assert kept({"a": "b\0c"}) == {"a": "b\ufffdc"}


@pytest.mark.parametrize("levels", [200, 300, 1000])
def test_a_body_that_is_nested_deeply_is_logged_without_it(gateway: Gateway, levels: int) -> None:
    deep = b'{"title": "t", "more": ' + b"[" * levels + b"]" * levels + b"}"
    for path in ("/me/bookmarks/", "/auth/login/"):
        row = logged(gateway, "POST", path, 400, data=deep, content_type="application/json")
        assert (row["path"], row["data"]) == (f"/api/v2{path}", None)


def test_views_have_the_names_that_the_real_product_logs(gateway: Gateway) -> None:
    def name(verb: str, path: str) -> Any:
        return view_of(gateway.route(f"/api/v2{path}")[0].actions[verb], verb)

    assert name("GET", "/isp/cpe-profiles/") == ("isp.CpeProfileViewSet", "list")
    assert name("DELETE", "/isp/cpes/1/") == ("isp.CpeViewSet", "destroy")
    assert name("GET", "/isp/customers/1/cpes/") == ("isp.CustomerViewSet", "cpes")
    assert name("POST", "/auth/users/1/set_password/") == ("auth.UserViewSet", "set_password")
    assert name("POST", "/auth/login/") == ("auth.AuthViewSet", "login")


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("krill_request_log_dropped_total", {"reason": reason}) or 0.0


def test_rows_are_written_soon_and_all_of_them_at_the_end(accounts: Accounts) -> None:
    for number in range(450):
        accounts.recorder.record(a_row(path=f"/{number}"))
    deadline = time.monotonic() + 60
    while len(rows(accounts)) < 450 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [row.path for row in rows(accounts)] == [f"/{number}" for number in range(450)]
    accounts.recorder.record(a_row(path="/last"))
    accounts.recorder.close()
    assert rows(accounts)[-1].path == "/last"


def test_what_does_not_fit_is_counted(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "ROOM", 3)
    full = Recorder(accounts.database, lambda: None)
    monkeypatch.setattr(full, "_start", lambda: None)
    before = dropped("full")
    for _ in range(5):
        full.record(a_row())
    assert dropped("full") == before + 2


def test_a_database_that_is_away_is_tried_again(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    class Flaky:
        failures = 2

        def write(self) -> Any:
            if self.failures:
                self.failures -= 1
                raise ServiceUnavailable()
            return accounts.database.write()

    one = Recorder(Flaky(), lambda: None)  # type: ignore[arg-type]
    one.record(a_row(path="/kept"))
    deadline = time.monotonic() + 60
    while not rows(accounts) and time.monotonic() < deadline:
        time.sleep(0.05)
    one.close()
    assert [row.path for row in rows(accounts)] == ["/kept"]


def test_a_row_that_is_refused_takes_no_other_along(accounts: Accounts) -> None:
    before = dropped("refused")
    for number in range(450):
        accounts.recorder.record(a_row(path=f"/{number}", response_ms=None if number in (7, 207) else 1))
    deadline = time.monotonic() + 60
    while dropped("refused") < before + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    accounts.recorder.record(a_row(path="/after"))
    accounts.recorder.close()
    kept = [*(f"/{number}" for number in range(450) if number not in (7, 207)), "/after"]
    assert [row.path for row in rows(accounts)] == kept
    assert dropped("refused") == before + 2


@pytest.mark.parametrize("error", [DeadlineExceeded(), Conflict(), ValueError("a defect")], ids=repr)
def test_a_chore_that_fails_is_tried_again_and_the_log_goes_on(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(recorder, "TIDY_SECONDS", 0.0)
    tried = threading.Semaphore(0)

    def fail() -> None:
        tried.release()
        raise error

    one = Recorder(accounts.database, fail)
    one.record(a_row(path="/before"))
    assert tried.acquire(timeout=60)
    assert tried.acquire(timeout=60)
    one.record(a_row(path="/after"))
    one.close()
    assert [row.path for row in rows(accounts)] == ["/before", "/after"]


def test_the_thread_does_its_chore(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "TIDY_SECONDS", 0.0)
    done = threading.Event()
    one = Recorder(accounts.database, done.set)
    one.record(a_row())
    assert done.wait(60)
    one.close()


# ---- reading the request log ------------------------------------------------------------------


def test_one_sees_ones_own_requests_and_those_of_whom_one_may_see(accounts: Accounts) -> None:
    ana = member(accounts, "ana")
    bea = member(accounts, "bea")
    sur = member(accounts, "sur", realms=["sur"])
    root = member(accounts, "root", is_superuser=True)
    nowhere = member(accounts, "nowhere", realms=[])
    with accounts.database.write() as connection:
        for one in (ana, bea, sur, root, nowhere):
            realms = ",".join(["", *sorted(one.realms), ""]) if one != root else None
            row = a_row(user_id=one.id, user=one.username, realms=realms)
            connection.execute(insert(request_log).values(row))
        connection.execute(insert(request_log).values(a_row(status_code=401, outcome="error")))

    def seen(who: Principal, **filters: str) -> list[Any]:
        context = everything(who, accounts) if who.is_superuser else as_(who)
        reply = accounts.engines["logger"].list(context, "api-request-logs", list(filters.items()))
        found = orjson.loads(reply.body)
        assert reply.meta["count"] == len(found)
        return [one["user"] for one in found]

    assert seen(ana) == ["bea", "ana"]
    assert seen(sur) == ["sur"]
    assert seen(nowhere) == ["nowhere"]
    assert seen(root) == [None, "nowhere", "root", "sur", "bea", "ana"]
    assert seen(ana, user="sur") == []
    assert seen(root, outcome="error") == [None]
    assert seen(root, status_code__gte="400") == [None]
    assert seen(root, user="BEA", method="GET", path__startswith="/api/v2/isp") == ["bea"]
    assert seen(root, requested_at__lt="2020-01-01T00:00:00Z") == []
    first = orjson.loads(accounts.engines["logger"].list(as_(ana), "api-request-logs").body)[0]
    assert list(first) == [
        "id",
        "requested_at",
        "user",
        "remote_addr",
        "response_ms",
        "status_code",
        "method",
        "path",
        "host",
        "view",
        "view_method",
        "query_params",
        "data",
        "response",
        "errors",
    ]


def test_what_was_asked_within_other_realms_stays_there(gateway: Gateway) -> None:
    """Who has moved to another realm, or is no superuser any more, left behind what he saw there."""
    ana, bea = member(gateway.accounts, "ana"), member(gateway.accounts, "bea")
    both = member(gateway.accounts, "both", realms=["sur", "pim"])
    before = {
        "here": bea,
        "elsewhere": replace(bea, realms=frozenset({"sur"})),
        "in-both": replace(bea, realms=both.realms),
        "nowhere": replace(bea, realms=frozenset()),
        "everywhere": replace(bea, is_superuser=True),
    }
    for path, who in before.items():
        gateway.accounts.recorder.record(
            logged(gateway, "GET", "/isp/cpes/", who=who) | {"path": path},
        )
    gateway.accounts.recorder.close()

    def seen(who: Principal) -> set[str]:
        reply = gateway.accounts.engines["logger"].list(as_(who), "api-request-logs", [("attrs", "path")])
        return {one["path"] for one in orjson.loads(reply.body)}

    assert seen(ana) == {"here", "nowhere"}
    assert seen(both) == {"here", "elsewhere", "in-both", "nowhere"}
    assert seen(bea) == set(before)


# ---- admin log --------------------------------------------------------------------------------


class Here:
    """isp in this process, or away."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.away = False

    def start(
        self, service: str, method: str, arguments: dict[str, Any], context: Any, *, read: bool = False
    ) -> Done:
        assert service == "isp"
        if self.away:
            return Done(ServiceUnavailable())
        wire = orjson.loads(orjson.dumps(arguments))
        try:
            return Done(getattr(self.engine, method)(context, **wire))
        except (InvalidInput, NotFound) as error:
            return Done(error)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def isp(accounts: Accounts, settings: Settings) -> Iterator[Here]:
    database = Database(settings.database("isp"), settings)
    isp_models.metadata.create_all(database.engine)
    yield Here(Engine(ISP, isp_models.metadata, database, settings))
    database.close()


@pytest.fixture
def both(accounts: Accounts, settings: Settings, isp: Here) -> Gateway:
    platform = Platform(settings, isp, [*CONTRACTS, ISP], accounts.engines, accounts)  # type: ignore[arg-type]
    accounts.attach(platform)
    return Gateway(accounts, platform)


@pytest.fixture
def ana(accounts: Accounts) -> Principal:
    return member(accounts, "ana", groups=["APP: isp", "APP: logger"])


@pytest.fixture
def customers(isp: Here, ana: Principal, accounts: Accounts) -> list[int]:
    """A customer of pim that was made, changed and deleted, one that stays, and one of realm sur."""
    sur = member(accounts, "sur", realms=["sur"])
    ids = [isp.engine.create(as_(ana), "customers", {"name": name}).meta["id"] for name in ("Uno", "Dos")]
    isp.engine.update(as_(ana), "customers", str(ids[0]), {"surname": "x", "city": "y"}, True)
    isp.engine.delete(as_(ana), "customers", str(ids[0]))
    isp.engine.create(as_(sur), "customers", {"name": "Tres"})
    return ids


def test_the_admin_log_gathers_what_every_service_noted(
    both: Gateway, ana: Principal, customers: list[int]
) -> None:
    body = both.json("GET", "/logger/admin-logs/", ana)
    messages = [(one["action_flag"], one["object_repr"], one["change_message"]) for one in body["results"]]
    assert messages == [
        (3, "Uno x", [{"deleted": {}}]),
        (2, "Uno x", [{"changed": {"fields": ["city", "surname"]}}]),
        (1, "Dos", [{"added": {}}]),
        (1, "Uno", [{"added": {}}]),
    ]
    assert body["count"] == 4
    first = body["results"][0]
    assert list(first) == [
        "id",
        "action_time",
        "user",
        "action_flag",
        "content_type",
        "object_id",
        "object_repr",
        "change_message",
    ]
    assert (first["content_type"], first["user"], first["object_id"]) == (
        "isp | customer",
        "ana",
        str(customers[0]),
    )


def test_a_superuser_sees_the_gateways_own_changes_between_them(both: Gateway, customers: list[int]) -> None:
    root = member(both.accounts, "root", is_superuser=True)
    body = both.json("GET", "/logger/admin-logs/?limit=100", root)
    kinds = {one["content_type"] for one in body["results"]}
    assert {"isp | customer", "auth | user", "core | realm"} <= kinds
    times = [dt.datetime.fromisoformat(one["action_time"]) for one in body["results"]]
    assert times == sorted(times, reverse=True)
    assert body["count"] == len(body["results"])


def test_the_admin_log_is_filtered_and_paged(both: Gateway, customers: list[int]) -> None:
    root = member(both.accounts, "root", is_superuser=True)

    def found(query: str) -> list[Any]:
        return list(both.json("GET", f"/logger/admin-logs/?{query}", root)["results"])

    whole = found("limit=100")
    paged = [row for offset in range(0, len(whole), 3) for row in found(f"limit=3&offset={offset}")]
    assert paged == whole
    assert {one["content_type"] for one in found("content_type=auth|user&limit=100")} == {"auth | user"}
    assert {one["content_type"] for one in found("content_type=isp|&limit=100")} == {"isp | customer"}
    assert {one["action_flag"] for one in found("action_flag=3")} == {3}
    assert {one["user"] for one in found("user=ana")} == {"ana"}
    assert [one["object_repr"] for one in found("object_repr__icontains=dos")] == ["Dos"]
    assert found("action_time__lt=2020-01-01T00:00:00Z") == []
    page = both.json("GET", "/logger/admin-logs/?limit=2&offset=2", root)
    assert "limit=2&offset=4" in page["next"]
    with pytest.raises(InvalidInput):
        found("action_flag=x")
    with pytest.raises(InvalidInput):
        found("offset=1000000")


def test_an_app_that_one_may_not_enter_is_left_out(both: Gateway, customers: list[int]) -> None:
    only_logger = member(both.accounts, "only", groups=["APP: logger"])
    assert both.json("GET", "/logger/admin-logs/?content_type=isp|customer", only_logger)["results"] == []


def test_a_service_that_is_away_is_named(both: Gateway, isp: Here, customers: list[int]) -> None:
    isp.away = True
    root = member(both.accounts, "root", is_superuser=True)
    body = both.json("GET", "/logger/admin-logs/", root)
    assert body["results"]
    assert body["_errors"]["isp"]["code"] == "service_unavailable"


def test_counts_of_the_audit_grow_with_it(
    both: Gateway, isp: Here, ana: Principal, customers: list[int]
) -> None:
    assert both.json("GET", "/logger/admin-logs/?action_flag=1", ana)["count"] == 2
    isp.engine.create(as_(ana), "customers", {"name": "Cuatro"})
    assert both.json("GET", "/logger/admin-logs/?action_flag=1", ana)["count"] == 3


# ---- the history of a row ---------------------------------------------------------------------


def test_the_history_of_a_row_has_its_requests_and_its_changes(
    both: Gateway, isp: Here, ana: Principal, customers: list[int]
) -> None:
    id_ = customers[1]
    isp.engine.update(as_(ana), "customers", str(id_), {"external_id": "C-2"}, True)
    sur = member(both.accounts, "s", realms=["sur"])
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)
    with both.accounts.database.write() as connection:
        for who, key in ((ana, str(id_)), (ana, "C-2"), (ana, "99"), (sur, str(id_))):
            values = a_row(
                user_id=who.id, user=who.username, resource="isp.customers", object_id=key, requested_at=later
            )
            connection.execute(insert(request_log).values(values))
    for key in (str(id_), "C-2"):
        body = orjson.loads(both.call("GET", f"/isp/customers/{key}/logs/", ana, handler=history.of_row).body)
        kinds = [one["type"] for one in body["results"]]
        assert kinds == ["request"] * (1 if key != "C-2" else 2) + ["change"] * 2
        assert body["count"] == len(kinds)
        assert {one["user"] for one in body["results"]} == {"ana"}
    with pytest.raises(NotFound):
        both.call("GET", f"/isp/customers/{id_}/logs/", sur, handler=history.of_row)


# ---- realm usage over the services ------------------------------------------------------------


def test_deleting_a_realm_asks_every_service(both: Gateway, isp: Here, customers: list[int]) -> None:
    root = everything(member(both.accounts, "root", is_superuser=True), both.accounts)
    core = both.accounts.engines["core"]
    ids = {one["name"]: str(one["id"]) for one in orjson.loads(core.list(root, "realms").body)}
    with pytest.raises(Exception, match="still has data") as caught:
        core.delete(root, "realms", ids["pim"])
    assert caught.value.extra == {"usage": {"isp": {"customers": 1}}}  # type: ignore[attr-defined]
    core.delete(root, "realms", ids["cpe"])
    isp.away = True
    with pytest.raises(ServiceUnavailable):
        core.delete(root, "realms", ids["sur"])


def test_the_audit_has_no_route(both: Gateway) -> None:
    assert not [route.rule for route in both.platform.routes if "audit" in route.rule]
