"""`info` of a CPE: the gateway gets the CPE from isp, under the caller's scope, and asks who owns its
technology."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from gateway.routes import discovered, table
from services.common.contract import Contract
from services.common.cpe_info import INFO, info_of
from tests.contract.raw import refused
from tests.contract.toy.contract import CONTRACT
from tests.contract.toy.platform import Extended
from tests.servers import Session, eventually

PLACES = ("/api/v2/isp/cpes", "/api/v2/cpes", "/api/v2/monitoring/cpes")


@pytest.fixture(scope="module")
def phone(extended: Extended) -> Iterator[dict[str, Any]]:
    """A CPE of the toy's technology."""
    own = extended.session("own")
    customer = own.post("/api/v2/isp/customers/", json={"name": "Eva"}).json()["id"]
    body = {
        "customer": customer,
        "model": "SOFTPHONE",
        "external_id": "crm-phone",
        "pppoe_password": "s3cret",
    }
    made = own.post("/api/v2/isp/cpes/", json=body)
    assert made.status_code == 201, made.text
    yield made.json()
    own.delete(f"/api/v2/isp/customers/{customer}/")


@pytest.mark.parametrize("place", PLACES)
def test_the_owner_of_the_technology_answers(joiner: Session, phone: dict[str, Any], place: str) -> None:
    for key in (phone["id"], phone["internal_id"], "crm-phone"):
        for slash in ("", "/"):
            answer = joiner.get(f"{place}/{key}/info{slash}?lang=es")
            assert answer.status_code == 200, answer.text
            found = answer.json()
            jsonschema_rs.Draft202012Validator(INFO).validate(found)
            assert found["output"] == f"{phone['internal_id']} {{'lang': 'es'}}"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_it_is_given_what_it_needs_and_no_secret(joiner: Session, phone: dict[str, Any]) -> None:
    given = joiner.get(f"{PLACES[0]}/{phone['id']}/info").json()["tech"]["of"]
    assert {name: given.pop(name) for name in ("id", "internal_id")}.items() <= phone.items()
    assert given == {"tech": "voip", "mac": None, "pppoe_password": ""}


@pytest.mark.parametrize("place", PLACES)
def test_a_cpe_of_another_realm_is_not_there(extended: Extended, phone: dict[str, Any], place: str) -> None:
    found = refused(extended.session("other").get(f"{place}/{phone['id']}/info"), 404)
    assert found["code"] == "not_found"
    refused(extended.session("own").get(f"{place}/999999/info"), 404)


def test_it_needs_the_permission_to_see_cpes(extended: Extended, phone: dict[str, Any]) -> None:
    refused(extended.session("outsider").get(f"{PLACES[2]}/{phone['id']}/info"), 403)
    refused(extended.session(None).get(f"{PLACES[2]}/{phone['id']}/info"), 401)
    own = extended.session("own")
    assert own.get(f"{PLACES[2]}/{phone['id']}/info").status_code == 200
    assert own.post(f"{PLACES[2]}/{phone['id']}/info", json={}).status_code == 405


def test_a_technology_that_nobody_owns_is_told(extended: Extended) -> None:
    own = extended.session("own")
    row = own.get("/api/v2/isp/cpes/", params={"tech": "ethernet", "limit": "1"}).json()["results"][0]
    found = refused(own.get(f"{PLACES[0]}/{row['id']}/info"), 404)
    assert found["code"] == "no_info"
    assert "ethernet" in found["detail"]


def test_it_may_take_longer_than_a_request(joiner: Session, phone: dict[str, Any]) -> None:
    answer = joiner.get(f"{PLACES[0]}/{phone['id']}/info?takes=5.5", timeout=20)
    assert answer.status_code == 200


def test_an_owner_that_is_down_is_told(extended: Extended, joiner: Session, phone: dict[str, Any]) -> None:
    extended.stop_toy()
    try:
        answer = joiner.get(f"{PLACES[0]}/{phone['id']}/info")
        assert refused(answer, 503)["code"] == "service_unavailable"
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        extended.start_toy()
    eventually(lambda: joiner.get(f"{PLACES[0]}/{phone['id']}/info").status_code == 200)


def test_the_document_tells_the_shape(joiner: Session) -> None:
    paths = joiner.get("/api/v2/openapi.json").json()["paths"]
    ids = [paths[f"{place}/{{key}}/info/"]["get"]["operationId"] for place in PLACES]
    assert ids == ["isp_cpes_info_get", "cpes_info_get", "monitoring_cpes_info_get"]
    operation = paths["/api/v2/isp/cpes/{key}/info/"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == INFO
    assert {"404", "409", "502", "503", "504"} <= set(operation["responses"])
    assert operation["parameters"][0]["$ref"].endswith("IspCpe.key")
    assert joiner.options(f"{PLACES[2]}/1/info").json()["name"] == "CPE: info"


def test_two_owners_of_one_technology_are_refused() -> None:
    twin = Contract(name="twin", title="Twin", answers=(info_of("voip"),))
    with pytest.raises(ValueError, match="tech voip"):
        table([*discovered(), CONTRACT, twin])


def test_what_the_resource_does_not_have_is_refused() -> None:
    wrong = Contract(name="other", title="Other", answers=(info_of("wimax", needs=("id", "colour")),))
    with pytest.raises(ValueError, match="colour"):
        table([*discovered(), wrong])


def test_a_technology_brings_itself_to_those_that_are_there() -> None:
    other = Contract(name="other", title="Other", answers=(info_of("wimax", seconds=12),))
    routes = {one.rule: one for one in table([*discovered(), CONTRACT, other])}
    action = routes["/api/v2/isp/cpes/<key>/info/"].actions["GET"]
    assert {"voip", "wimax"} <= {one.value for _, one in action.answers}
    assert action.seconds(5) == 30
