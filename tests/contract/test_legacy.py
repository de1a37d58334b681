"""API v1: bare lists, one nested list in pages with columns of its own, and the same writes."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from tests.contract.raw import refused
from tests.servers import Server, Session

V1_CPE = {
    "id",
    "access",
    "address",
    "active",
    "address_profile",
    "bridge",
    "city",
    "country",
    "cpename",
    "created",
    "customer",
    "disable_provision",
    "disable_reconfig",
    "expiration_date",
    "dsn",
    "enable_notifications",
    "external_id",
    "external_voip",
    "fixed_address",
    "has_tr069",
    "internal_id",
    "latitude",
    "line_profile",
    "longitude",
    "mac",
    "model",
    "mtamac",
    "notes",
    "postalcode",
    "probe",
    "pppoe_password",
    "pppoe_username",
    "profile",
    "realm",
    "remote_id",
    "sn",
    "tech",
    "tech_updated",
    "topology",
    "tv_profile",
    "updated",
    "voip_profile",
    "wanmac",
    "me_vlan",
    "lan_cidr",
    "wifi_password",
    "wifi_profile",
    "wifi_ssid",
}
"""Contract 2.2: the v2 members without `_links`, `_services`, `avatar`, `is_router` and `tr069`."""

NESTED = (
    "id",
    "customer",
    "tech",
    "mac",
    "mtamac",
    "wanmac",
    "model",
    "sn",
    "dsn",
    "address",
    "city",
    "postalcode",
    "country",
    "profile",
    "active",
    "access",
    "line_profile",
    "tv_profile",
    "address_profile",
    "voip_profile",
    "bridge",
    "disable_reconfig",
    "latitude",
    "longitude",
    "notes",
    "topology",
    "external_id",
    "remote_id",
    "external_voip",
    "probe",
    "enable_notifications",
    "pppoe_username",
    "pppoe_password",
    "fixed_address",
    "wifi_ssid",
    "wifi_password",
    "expiration_date",
    "cpename",
    "has_tr069",
    "created",
    "updated",
    "tech_updated",
    "realm",
    "potses",
)
"""Contract 2.3: v1's older columns, with the ids of the ports."""

LISTS = ("cpes", "customers", "potses")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_bare_and_whole(server: Server, name: str) -> None:
    """The rows of v2 in the same order, members of v2 alone apart."""
    session = server.session()
    answer = session.get(f"/api/{name}/")
    rows = answer.json()
    assert isinstance(rows, list)
    assert answer.headers["Content-Type"] == "application/json"
    newer = session.get(f"/api/v2/isp/{name}/", params={"format": "ndjson"}).content.splitlines()
    shown = list(rows[0])
    assert rows == [{member: row[member] for member in shown} for row in map(json.loads, newer)]
    assert not {"_links", "_services", "avatar", "is_router", "tr069"} & set(shown)


def test_members_of_a_cpe(server: Server) -> None:
    session = server.session()
    assert set(session.get("/api/cpes/350/").json()) == V1_CPE
    assert set(session.get("/api/cpes/?sn=0000deadbeef0000").json()[0]) == V1_CPE


@pytest.mark.parametrize(
    "query", ["limit=3", "limit=3&offset=4", "limit=3&offset=4&sort=-id", "offset=2&limit=0"]
)
@pytest.mark.parametrize("name", LISTS)
def test_limit_gives_the_bare_slice(server: Server, name: str, query: str) -> None:
    session = server.session()
    found = session.get(f"/api/{name}/?attrs=id&{query}").json()
    assert found == session.get(f"/api/v2/isp/{name}/?attrs=id&{query}").json()["results"]
    assert 0 < len(found) <= 10


def test_filters_search_sort_attrs_and_joins_are_those_of_v2(server: Server) -> None:
    session = server.session()
    for query in ("customer=65", "id__in=74,119&sort=-id", "search=pim0350", "external_id=null&attrs=id,sn"):
        found = session.get(f"/api/cpes/?{query}").json()
        newer = session.get(f"/api/v2/isp/cpes/?{query}&limit=1000").json()["results"]
        assert [row["id"] for row in found] == [row["id"] for row in newer if "id" in row]
        assert found
    joined = session.get("/api/cpes/74/?attrs=id&joins=customer,potses").json()
    assert joined == session.get("/api/v2/isp/cpes/74/?attrs=id&joins=customer,potses").json()


def test_attrs_show_no_member_that_v1_does_not_have(server: Server) -> None:
    session = server.session()
    assert session.get("/api/cpes/350/?attrs=id,avatar,_links,locality").json() == {"id": 350}
    assert session.get("/api/cpes/?id=350&attrs=cpename,tr069").json() == [{"cpename": "pim0350"}]
    assert set(session.get("/api/cpes/350/?attrs=").json()) == V1_CPE


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
@pytest.mark.parametrize(
    ("path", "members"), [("/api/cpes/?id=350", V1_CPE), ("/api/customers/27/cpes/?", set(NESTED))]
)
def test_an_export_has_the_members_of_the_list(
    server: Server, path: str, members: set[str], kind: str
) -> None:
    def shown(query: str) -> set[str]:
        text = server.session().get(f"{path}&format={kind}{query}").text
        return set(text.splitlines()[0].split(",") if kind == "csv" else json.loads(text.splitlines()[0]))

    assert shown("") == members
    assert shown("&attrs=avatar,id,tr069") == {"id"}


def test_an_empty_list_is_an_empty_array(server: Server) -> None:
    answer = server.session().get("/api/cpes/?sn=00000000feedbeef")
    assert (answer.content, answer.headers["Content-Length"]) == (b"[]", "2")


# ---- the nested exception ---------------------------------------------------------------------


def test_the_cpes_of_a_customer_come_in_pages_with_older_columns(server: Server) -> None:
    session = server.session()
    page = session.get("/api/customers/65/cpes/").json()
    assert list(page) == ["count", "next", "previous", "results"]
    mine = session.get("/api/v2/isp/cpes/?customer=65&limit=1000").json()
    assert page["count"] == mine["count"] >= 1
    for row in page["results"]:
        assert tuple(row) == NESTED
        ports = session.get(f"/api/v2/isp/cpes/{row['id']}/potses/").json()
        assert row["potses"] == [one["id"] for one in ports]
        newer = session.get(f"/api/v2/isp/cpes/{row['id']}/").json()
        assert {name: row[name] for name in row if name != "potses"} == {
            name: newer[name] for name in row if name != "potses"
        }
    assert {"id": 74, "potses": [138, 139]} in [
        {"id": row["id"], "potses": row["potses"]} for row in page["results"]
    ]


def test_the_nested_list_takes_limit_and_offset(server: Server) -> None:
    session = server.session()
    customer = _customer(session)
    ids = [_cpe(session, customer)["id"] for _ in range(3)]
    path = f"/api/customers/{customer}/cpes/"
    page = session.get(f"{path}?limit=1&offset=1&attrs=id,potses").json()
    assert page["count"] == 3
    assert [row["id"] for row in page["results"]] == ids[1:2]
    assert list(page["results"][0]) == ["id", "potses"]
    assert page["next"] == f"{server.url}{path}?attrs=id%2Cpotses&limit=1&offset=2"
    assert page["previous"] == f"{server.url}{path}?attrs=id%2Cpotses&limit=1"
    assert session.get(f"{path}?offset=9").json()["results"] == []


def test_the_nested_list_of_nobody_is_404(server: Server) -> None:
    refused(server.session().get("/api/customers/999999/cpes/"), 404)
    refused(server.session("other").get("/api/customers/65/cpes/"), 404)


# ---- writes -----------------------------------------------------------------------------------


def _customer(session: Session, **more: Any) -> int:
    made = session.post("/api/customers/", json={"name": "legacy", **more})
    assert made.status_code == 201, made.text
    assert "_links" not in made.json()
    id_: int = made.json()["id"]
    return id_


def _cpe(session: Session, customer: int, **more: Any) -> dict[str, Any]:
    body = {"customer": customer, "model": "HG8245H", "sn": f"48575443{secrets.token_hex(4)}", **more}
    made = session.post("/api/cpes/", json=body)
    assert made.status_code == 201, made.text
    row: dict[str, Any] = made.json()
    assert set(row) == V1_CPE
    assert made.headers["Location"] == f"/api/cpes/{row['id']}"
    return row


def test_a_crm_suspends_resumes_and_deletes(server: Server) -> None:
    """The typical calls of a CRM (contract 3.2), without slashes, as JSON and as a form."""
    session = server.session()
    key = f"crm-{secrets.token_hex(4)}"
    customer = _customer(session, external_id=key)
    assert session.get(f"/api/customers/?realm=pim&external_id={key}").json()[0]["id"] == customer
    row = _cpe(session, customer)
    path = f"/api/cpes/{row['id']}"
    suspended = session.patch(path, json={"access": False, "active": False})
    assert suspended.status_code == 200
    assert (suspended.json()["access"], suspended.json()["active"]) == (False, False)
    resumed = session.patch(path, data={"access": "true", "active": "true"}).json()
    assert (resumed["access"], resumed["active"]) == (True, True)
    put = session.put(path, json={**resumed, "notes": "put"})
    assert (put.status_code, put.json()["notes"], set(put.json())) == (200, "put", V1_CPE)
    assert session.get(f"/api/v2/isp/cpes/{row['id']}/").json()["notes"] == "put"
    assert session.delete(path).status_code == 204
    refused(session.get(path), 404)
    assert session.delete(f"/api/customers/{customer}").status_code == 204


def test_ports_are_changed_but_neither_made_nor_deleted(server: Server) -> None:
    session = server.session()
    row = _cpe(session, _customer(session))
    port = session.get(f"/api/potses/?sort=-id&limit=1&cpe={row['id']}").json()[0]
    changed = session.patch(f"/api/potses/{port['id']}/", json={"label": "v1"})
    assert (changed.status_code, changed.json()["label"]) == (200, "v1")
    assert set(changed.json()) == set(port)
    refused(session.post("/api/potses/", json={}), 405)
    refused(session.delete(f"/api/potses/{port['id']}/"), 405)


def test_what_v1_does_not_have_is_not_there(server: Server) -> None:
    session = server.session()
    for path in ("/api/", "/api/models/", "/api/cpes/bulk/", "/api/cpes/import/", "/api/cpes/74/potses/"):
        assert session.get(path).status_code in (404, 405)
