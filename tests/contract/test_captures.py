"""The requests of the product's public API overview get the answers of the real product.

Lengths are those of the captured answers; the rows are the ones that the demo data holds for them.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from services.isp.demo import DEFAULT_CPES
from tests.servers import PATIENCE, Server

HOST = {"Host": "pre1:4280"}

CAPTURED_HEADERS = {
    "Access-Control-Allow-Credentials": "True",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
    "Content-Type": "application/json",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

COLLECTION, DETAIL = "GET, POST, HEAD, OPTIONS", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"

FALSE = ["bridge", "disable_provision", "disable_reconfig", "enable_notifications", "external_voip", "probe"]
NULL = [
    "address_profile",
    "country",
    "dsn",
    "expiration_date",
    "external_id",
    "fixed_address",
    "lan_cidr",
    "latitude",
    "line_profile",
    "longitude",
    "mac",
    "me_vlan",
    "mtamac",
    "postalcode",
    "pppoe_username",
    "remote_id",
    "tech_updated",
    "tv_profile",
    "voip_profile",
    "wanmac",
    "wifi_profile",
]
EMPTY = ["address", "city", "notes", "pppoe_password", "topology", "wifi_password", "wifi_ssid"]

CPE_350: dict[str, Any] = {
    **dict.fromkeys(FALSE, False),
    **dict.fromkeys(NULL),
    **dict.fromkeys(EMPTY, ""),
    "access": True,
    "active": True,
    "cpename": "pim0350",
    "created": "2022-12-17T23:00:01+01:00",
    "customer": 27,
    "has_tr069": True,
    "id": 350,
    "internal_id": "pim0350",
    "model": "HG8245H",
    "profile": 7,
    "realm": "pim",
    "sn": "0000deadbeef0000",
    "tech": "gpon",
    "updated": "2022-12-17T23:00:01+01:00",
}

BASE = "/api/v2/cpes/350"
ACTIONS = {"diagnostic": "cwmp_diagnostic"} | {
    name: name for name in ("factory", "reboot", "reconfig", "reprovision", "unprovision")
}
LINKS = {"cdrs": "events?type=cdr"} | {
    name: name
    for name in [
        "customer",
        "cwmp_info",
        "events",
        "info",
        "links",
        "livestatus",
        "logs",
        "model",
        "potses",
        "profile",
    ]
}

CPE_350_V2 = {
    **CPE_350,
    "_links": {
        "actions": {name: f"{BASE}/{path}" for name, path in ACTIONS.items()},
        "links": {name: f"{BASE}/{path}" for name, path in LINKS.items()},
    },
    "_services": ["provision", "txrx", "dhcp", "tr069"],
    "avatar": "HG4201",
    "is_router": True,
    "tr069": True,
}

PAGE = {
    "count": 158,
    "next": "http://pre1:4280/api/v2/isp/cpes/?attrs=id&limit=3&offset=45",
    "previous": "http://pre1:4280/api/v2/isp/cpes/?attrs=id&limit=3&offset=39",
    "results": [{"id": 119}, {"id": 121}, {"id": 123}],
}


def one_page(row: dict[str, Any]) -> dict[str, Any]:
    return {"count": 1, "next": None, "previous": None, "results": [row]}


@pytest.mark.parametrize(
    ("path", "allow", "length", "body"),
    [
        ("/api/cpes/?sn=0000deadbeef0000", COLLECTION, 876, [CPE_350]),
        ("/api/v2/isp/cpes/?sn=0000deadbeef0000", COLLECTION, 1704, one_page(CPE_350_V2)),
        ("/api/v2/isp/cpes/74/?attrs=id,cpename", DETAIL, 29, {"id": 74, "cpename": "pim0074"}),
        ("/api/v2/isp/cpes/?attrs=id&offset=42&limit=3", COLLECTION, 202, PAGE),
    ],
)
def test_captured_request_gets_the_captured_answer(
    server: Server, path: str, allow: str, length: int, body: Any
) -> None:
    if body is PAGE:
        added = added_to(server)
        body = {**PAGE, "count": PAGE["count"] + added}
        length += len(str(body["count"])) - len(str(PAGE["count"]))
    answer = requests.get(server.url + path, headers={**HOST, **bearer(server)}, timeout=PATIENCE)
    assert answer.json() == body
    assert answer.headers["Content-Length"] == str(length) == str(len(answer.content))
    assert {name: answer.headers.get(name) for name in CAPTURED_HEADERS} == CAPTURED_HEADERS
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize("joins", ["joins==customer,potses", "joins=customer,potses"])
def test_captured_joins_embed_the_customer_and_the_ports(server: Server, joins: str) -> None:
    url = f"{server.url}/api/v2/isp/cpes/74/?attrs=id&{joins}"
    answer = requests.get(url, headers={**HOST, **bearer(server)}, timeout=PATIENCE)
    found = answer.json()
    assert len(answer.content) == 840 == int(answer.headers["Content-Length"])
    assert list(found) == ["id", "customer", "potses"]
    assert found["customer"]["id"] == 65
    assert found["customer"]["city"] == "Coslada, Madrid"
    assert not {"_links", "locality", "cpes_count"} & set(found["customer"])
    assert [(one["id"], one["order"], one["lineid"]) for one in found["potses"]] == [
        (138, 1, "pim0074-1"),
        (139, 2, "pim0074-2"),
    ]
    assert all(not {"cpe", "customer", "realm", "updated"} & set(one) for one in found["potses"])
    assert {one["dtmf"] for one in found["potses"]} == {"auto"}


@pytest.mark.parametrize("path", ["/api/v2/isp/cpes/350", "/api/v2/cpes/350", "/api/cpes/350"])
def test_a_slash_at_the_end_makes_no_difference(server: Server, path: str) -> None:
    session = server.session("demo")
    with_slash, without = session.get(f"{path}/"), session.get(path)
    assert with_slash.status_code == without.status_code == 200
    assert with_slash.content == without.content


def test_members_of_newer_releases_come_when_named(server: Server) -> None:
    found = server.session("demo").get("/api/v2/isp/cpes/350/?attrs=id,locality,is_bitstream").json()
    assert found == {"id": 350, "is_bitstream": False, "locality": ""}


def test_members_come_in_the_order_of_the_real_product(server: Server) -> None:
    found = server.session("demo").get("/api/v2/isp/cpes/350/").json()
    assert list(found)[:7] == ["id", "access", "address", "active", "address_profile", "bridge", "city"]
    assert list(found)[-5:] == ["_links", "_services", "avatar", "is_router", "tr069"]


def added_to(server: Server) -> int:
    """How many CPEs other tests made: the ids of the demo's own end there."""
    query = {"id__gt": str(DEFAULT_CPES), "attrs": "id", "limit": "1"}
    number: int = server.session("demo").get("/api/v2/isp/cpes/", params=query).json()["count"]
    return number


def bearer(server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token('demo')}"}
