"""A service plugs in by its contract alone: its rows come as joins in the URLs of a service that knows
nothing of it, and when it is down or slow it takes no page with it.

The toy service is a process of its own behind RabbitMQ; only its contract is given to the gateway.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.contract.raw import refused
from tests.contract.toy.platform import CPES, CUSTOMERS, Extended
from tests.servers import Session, eventually

DEADLINE = 5.0
SILENT = 15.0
"""Seconds after which a slow service would answer: well behind the deadline."""


def labels(rows: Any) -> list[str]:
    return [one["label"] for one in rows]


# ---- joins ------------------------------------------------------------------------------------


def test_a_list_is_joined(joiner: Session) -> None:
    found = joiner.get(f"{CPES}?id__in=74,119,350&joins=meters&sort=-id")
    assert found.status_code == 200, found.text
    page = found.json()
    assert "_errors" not in page
    assert [(row["id"], labels(row["meters"])) for row in page["results"]] == [
        (350, ["first", "second"]),
        (119, []),
        (74, ["third"]),
    ]
    assert list(page["results"][0]["meters"][0]) == ["id", "customer_key", "label", "pin"]
    assert "cpename" in page["results"][0]


def test_a_detail_is_joined(joiner: Session) -> None:
    row = joiner.get(f"{CPES}350/?joins=meters").json()
    assert labels(row["meters"]) == ["first", "second"]
    assert "_errors" not in row
    assert joiner.get(f"{CPES}119/?joins=meters").json()["meters"] == []


def test_a_to_one_join_is_an_object_or_null(joiner: Session) -> None:
    """It hangs on another member than the id, which may be null."""
    page = joiner.get(f"{CUSTOMERS}?id__in=27,65&attrs=id&joins=meter").json()
    assert [row["id"] for row in page["results"]] == [27, 65]
    assert page["results"][0]["meter"]["label"] == "of the customer"
    assert page["results"][1]["meter"] is None
    assert joiner.get(f"{CUSTOMERS}27/?joins=meter").json()["meter"]["label"] == "of the customer"


@pytest.mark.parametrize("path", [f"{CPES}350/", f"{CPES}?id=350"])
def test_attrs_hold_with_a_join(joiner: Session, path: str) -> None:
    """The member that the join hangs on does not show unless it is asked for."""

    def row(attrs: str) -> dict[str, Any]:
        mark = "&" if "?" in path else "?"
        body = joiner.get(f"{path}{mark}attrs={attrs}&joins=meters").json()
        found: dict[str, Any] = body["results"][0] if "results" in body else body
        return found

    assert list(row("cpename")) == ["cpename", "meters"]
    assert list(row("cpename,id")) == ["id", "cpename", "meters"]
    assert list(row("none_such")) == ["meters"]


def test_joins_of_both_kinds_go_together(joiner: Session) -> None:
    row = joiner.get(f"{CPES}350/?attrs=id&joins=meters,customer").json()
    assert labels(row["meters"]) == ["first", "second"]
    assert row["customer"]["id"] == 27


def test_an_empty_page_is_joined(joiner: Session) -> None:
    page = joiner.get(f"{CPES}?id=999999&joins=meters").json()
    assert page == {"count": 0, "next": None, "previous": None, "results": []}


def test_a_joined_page_has_a_tag(joiner: Session) -> None:
    first = joiner.get(f"{CPES}350/?joins=meters")
    again = joiner.get(f"{CPES}350/?joins=meters", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_the_sub_resource_answers_too(joiner: Session) -> None:
    for path in (f"{CPES}350/meters/", "/api/v2/cpes/pim0350/meters"):
        page = joiner.get(path).json()
        assert (page["count"], labels(page["results"])) == (2, ["first", "second"])
    assert joiner.get(f"{CUSTOMERS}27/meter/").json()["label"] == "of the customer"
    refused(joiner.get(f"{CPES}999999/meters/"), 404)


def test_a_sub_resource_of_a_row_without_a_key_is_empty(joiner: Session) -> None:
    """Customer 65 has no external id: nobody's meters are his."""
    answer = joiner.get(f"{CUSTOMERS}65/meter/")
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        assert answer.json() is None


# ---- who may ----------------------------------------------------------------------------------


def test_who_may_not_see_the_service_may_not_join_it(extended: Extended) -> None:
    own = extended.session("own")
    for path in (f"{CPES}350/?joins=meters", f"{CPES}?joins=meters", f"{CUSTOMERS}?joins=meter"):
        found = refused(own.get(path), 403)
        assert found["code"] == "permission_denied"
    for path in (f"{CPES}350/meters/", "/api/v2/toy/meters/"):
        refused(own.get(path), 403)
    assert own.get(f"{CPES}350/").status_code == 200


def test_the_scope_holds_in_the_other_service(extended: Extended, joiner: Session) -> None:
    assert "strange" not in joiner.get(f"{CPES}350/?joins=meters").text
    assert labels(extended.session("admin").get(f"{CPES}350/?joins=meters").json()["meters"]) == [
        "first",
        "second",
        "strange",
    ]


def test_secrets_of_the_other_service_need_its_own_permission(extended: Extended, joiner: Session) -> None:
    """`isp.view_secret` shows nothing of the toy."""
    admin = extended.session("admin")
    permissions = admin.get("/api/v2/auth/permissions/?codename=view_secret&attrs=id,app&limit=50").json()
    of = {one["app"]: one["id"] for one in permissions["results"]}
    for app in ("isp", "toy"):
        group = admin.get("/api/v2/auth/groups/", params={"name": f"APP: {app}"}).json()["results"][0]
        kept = [one["id"] for one in group["permissions"] if one["id"] != of[app]]
        narrowed = admin.patch(f"/api/v2/auth/groups/{group['id']}/", json={"permissions": kept})
        assert len(narrowed.json()["permissions"]) == len(group["permissions"]) - 1
    user = admin.get("/api/v2/auth/users/?username=joiner").json()["results"][0]
    for granted, shown in (([], ""), ([of["isp"]], ""), ([of["toy"]], "meterpin-1")):
        changed = admin.patch(f"/api/v2/auth/users/{user['id']}/", json={"user_permissions": granted})
        assert changed.status_code == 200, changed.text
        row = joiner.get(f"{CPES}350/?attrs=id&joins=meters").json()
        assert row["meters"][0]["pin"] == shown, granted


# ---- plugging in ------------------------------------------------------------------------------


def test_the_contract_alone_brings_routes_documents_and_permissions(
    extended: Extended, joiner: Session
) -> None:
    assert "toy" in joiner.get("/api/v2/").json()
    assert joiner.get("/api/v2/toy/").json() == {"meters": f"{extended.url}/api/v2/toy/meters/"}
    paths = joiner.get("/api/v2/openapi.json").json()["paths"]
    assert {"/api/v2/toy/meters/", "/api/v2/isp/cpes/{key}/meters/"} <= {
        path.replace("{id}", "{key}") for path in paths
    }
    assert joiner.options("/api/v2/toy/meters/").json()["actions"]["POST"]["label"]["required"] is True
    rights = joiner.get("/api/v2/me/permissions/").json()["permissions"]
    assert {f"toy.{verb}_meter" for verb in ("view", "add", "change", "delete")} <= set(rights)


def test_an_unknown_join_names_the_foreign_ones_too(joiner: Session) -> None:
    found = refused(joiner.get(f"{CPES}?joins=metres"), 400)
    assert "metres" in found["joins"][0]


# ---- when it is not well ----------------------------------------------------------------------


def timed(session: Session, path: str) -> tuple[requests.Response, float]:
    began = time.monotonic()
    answer = session.get(path, timeout=SILENT)
    return answer, time.monotonic() - began


def test_a_slow_service_takes_no_page_with_it(extended: Extended, joiner: Session) -> None:
    extended.delay(SILENT)
    answer, took = timed(joiner, f"{CPES}?id__in=74,350&joins=meters,customer")
    page = answer.json()
    assert answer.status_code == 200
    assert took < 2 * DEADLINE
    assert [row["meters"] for row in page["results"]] == [None, None]
    assert page["results"][0]["customer"]["id"]
    assert page["_errors"]["meters"]["code"] == "deadline_exceeded"
    answer, took = timed(joiner, f"{CPES}350/?attrs=cpename&joins=meters")
    assert answer.status_code == 200
    assert answer.json()["meters"] is None
    assert list(answer.json()) == ["cpename", "meters", "_errors"]
    assert answer.json()["_errors"]["meters"]["code"] in ("deadline_exceeded", "service_unavailable")
    assert took < 2 * DEADLINE
    answer, took = timed(joiner, f"{CPES}350/meters/")
    refused(answer, 503, 504)
    extended.delay(None)
    eventually(lambda: joiner.get(f"{CPES}350/?joins=meters").json()["meters"])


def test_a_dead_service_takes_no_page_with_it(extended: Extended, joiner: Session) -> None:
    extended.stop_toy()
    try:
        answer, took = timed(joiner, f"{CPES}?id__in=74,350&attrs=id&joins=meters")
        assert answer.status_code == 200
        assert took < DEADLINE
        page = answer.json()
        assert page["results"] == [{"id": 74, "meters": None}, {"id": 350, "meters": None}]
        assert page["_errors"]["meters"]["code"] == "service_unavailable"
        row = joiner.get(f"{CPES}350/?attrs=id&joins=meters").json()
        assert (row["meters"], row["_errors"]["meters"]["code"]) == (None, "service_unavailable")
        answer = joiner.get(f"{CPES}350/meters/")
        refused(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert joiner.get(f"{CPES}350/").status_code == 200
    finally:
        extended.start_toy()
    eventually(lambda: joiner.get(f"{CPES}350/?joins=meters").json()["meters"])
    assert "_errors" not in joiner.get(f"{CPES}350/?joins=meters").json()


def test_no_defect_was_logged(extended: Extended) -> None:
    assert "Traceback" not in extended.logs()
