"""The OpenAPI document: complete, valid, and true to the contracts it is made from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.accounts.contract import CONTRACTS as OWN
from gateway.openapi import document
from gateway.openapi.names import path_of
from gateway.routes import discovered, table
from services.common import errors
from services.common.contract import Contract, Extension, Operation, Relation, Resource
from services.common.devices import errors as devices
from services.common.errors import InvalidInput
from services.common.fields import NOT_BLANK, NOT_NULL, REQUIRED, Field, Integer, Members, Text
from services.common.resource.body import cleaned
from services.common.settings import Settings

CONTRACTS = [*OWN, *discovered()]
ROUTES = table(CONTRACTS)
Json = dict[str, Any]


@cache
def made() -> Json:
    return document(ROUTES, Settings(), CONTRACTS)


def operations(found: Json) -> dict[tuple[str, str], Json]:
    return {(path, verb): one for path, verbs in found["paths"].items() for verb, one in verbs.items()}


def schema(name: str) -> Json:
    found: Json = made()["components"]["schemas"][name]
    return found


# ---- the whole --------------------------------------------------------------------------------


def test_it_is_valid_openapi_3_1() -> None:
    assert list(OpenAPIV31SpecValidator(made()).iter_errors()) == []


def test_every_cell_of_the_route_table_is_an_operation_and_nothing_else_is() -> None:
    cells = {(path_of(route), verb.lower()) for route in ROUTES for verb in route.actions}
    assert set(operations(made())) == cells


def test_operation_ids_are_unique_and_do_not_depend_on_what_else_is_there() -> None:
    whole = {key: one["operationId"] for key, one in operations(made()).items()}
    assert len(set(whole.values())) == len(whole)
    alone = document(table(CONTRACTS[:1]), Settings(), CONTRACTS[:1])
    assert {key: whole[key] for key in operations(alone)} == {
        key: one["operationId"] for key, one in operations(alone).items()
    }


def test_two_operations_with_one_id_are_refused() -> None:
    twins = tuple(Operation(name=name, verbs=("GET",)) for name in ("line-up", "line_up"))
    contract = Contract(name="x", title="X", operations=twins)
    with pytest.raises(ValueError, match="x_line_up_get"):
        document(table([contract]), Settings(), [contract])


def test_every_reference_leads_somewhere() -> None:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from walk(one)
        elif isinstance(value, list):
            for one in value:
                yield from walk(one)

    for reference in set(walk(made())):
        found: Any = made()
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_it_stays_small() -> None:
    assert len(json.dumps(made())) < 1_500_000


def test_v1_is_deprecated() -> None:
    for (path, _), one in operations(made()).items():
        if not path.startswith("/api/v2/"):
            assert one["deprecated"] is True, path


# ---- errors -----------------------------------------------------------------------------------


def test_error_codes_are_those_of_the_kernel() -> None:
    listed = {
        (int(name.removeprefix("Error")), code)
        for name, one in made()["components"]["schemas"].items()
        if name.startswith("Error")
        for code in one["properties"]["code"]["enum"]
    }
    known = [one for kind in (errors, devices) for one in vars(kind).values() if isinstance(one, type)]
    kinds = [one for one in known if issubclass(one, errors.ApiError)]
    assert listed == {(one.status, one.code) for one in kinds}
    assert {(504, "device_silent"), (503, "busy"), (404, "no_info")} <= listed


@pytest.mark.parametrize(
    "error", [errors.NotFound(), InvalidInput({"sn": ["Wrong."]}), InvalidInput("Wrong.")]
)
def test_an_error_body_fits_its_schema(error: errors.ApiError) -> None:
    response = made()["components"]["responses"][f"Error{error.status}"]
    body = {**response["content"]["application/json"]["schema"], "components": made()["components"]}
    Draft202012Validator(body).validate(error.body)


def test_every_operation_tells_that_its_service_may_be_away_or_slow() -> None:
    for key, one in operations(made()).items():
        assert {"429", "503", "504"} <= set(one["responses"]), key
        if one.get("security") != []:
            assert {"401", "403"} <= set(one["responses"]), key


# ---- sending again ----------------------------------------------------------------------------

KEY = {"$ref": "#/components/parameters/idempotency-key"}


def test_every_write_may_be_named_and_tells_what_a_key_may_be_answered_with() -> None:
    imports = {
        path_of(route) for route in ROUTES if route.actions.get("POST", None) and "import" in route.rule
    }
    acting = {
        path_of(route)
        for route in ROUTES
        for action in route.actions.values()
        if action.operation is not None and action.operation.acts
    }
    for (path, verb), one in operations(made()).items():
        anonymous, reads = one.get("security") == [], verb == "get" and path not in acting
        password = path in ("/api/v2/auth/password/change/", "/api/v2/me/password/")
        named = not (anonymous or reads or password)
        assert (KEY in one.get("parameters", [])) is named, (path, verb)
        if named and path not in imports:
            assert {"409", "422"} <= set(one["responses"]), (path, verb)
            good = [found for status, found in one["responses"].items() if status.startswith("2")]
            assert all("Idempotency-Replayed" in found["headers"] for found in good), (path, verb)


def test_an_operation_that_acts_on_get_may_be_named_too() -> None:
    acting = Operation(name="reboot", verbs=("GET", "POST"), permission="change", acts=True)
    seeing = Operation(name="info", verbs=("GET",), permission="view")
    ids = (Integer(name="id", read_only=True),)
    box = Resource(
        name="boxes", singular="box", model="box", table="boxes", fields=ids, operations=(acting, seeing)
    )
    contract = Contract(name="x", title="X", resources=(box,))
    found = operations(document(table([contract]), Settings(), [contract]))
    named = {
        path for (path, verb), one in found.items() if verb == "get" and KEY in one.get("parameters", [])
    }
    assert named == {"/api/v2/x/boxes/{key}/reboot/"}


def test_upsert_is_told_where_a_row_has_a_key_of_another_system() -> None:
    def takes(path: str) -> bool:
        found = operations(made())[path, "post"]["parameters"]
        return any(one.get("$ref", "").endswith(".upsert") for one in found)

    made_by_post = [one for one in CONTRACTS[-1].resources if one.bulk and "POST" in one.methods]
    bases = {f"/api/v2/isp/{one.name}/": "external_id" in one.keys for one in made_by_post}
    for base, offered in bases.items():
        if (base, "post") in operations(made()):
            assert takes(base) is takes(f"{base}bulk/") is offered, base
    assert sum(bases.values()) == 2


# ---- contracts that isp has no example of -------------------------------------------------------


def test_an_anonymous_operation_needs_no_credentials() -> None:
    login = Operation(
        name="login",
        verbs=("POST",),
        anonymous=True,
        permission=None,
        doc="Deprecated: another way in.",
        request={"type": "object", "required": ["username"], "properties": {"username": {"type": "string"}}},
        response={"type": "object"},
        statuses=(200, 302, 401),
    )
    contract = Contract(name="door", title="Door", operations=(login,))
    found = operations(document(table([contract]), Settings(), [contract]))["/api/v2/door/login/", "post"]
    assert found["security"] == []
    assert found["deprecated"] is True
    assert found["requestBody"]["required"] is True
    assert {"200", "302", "401"} <= set(found["responses"])
    assert "403" not in found["responses"]


def test_a_relation_that_another_service_adds_is_a_join_and_a_path() -> None:
    ids = (Integer(name="id", read_only=True), Text(name="host"))
    mine = Resource(name="hosts", singular="host", model="host", table="hosts", fields=ids)
    other = Resource(name="checks", singular="check", model="check", table="checks", fields=ids)
    relation = Relation(name="checks", to="checks", by="host", many=True)
    added = Extension(target="a.hosts", relation=relation)
    contracts = [
        Contract(name="a", title="A", resources=(mine,)),
        Contract(name="b", title="B", resources=(other,), extensions=(added,)),
    ]
    found = document(table(contracts), Settings(), contracts)
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert ("/api/v2/a/hosts/{key}/checks/", "get") in operations(found)
    assert found["components"]["parameters"]["AHost.joins"]["schema"]["items"]["enum"] == ["checks"]
    assert {"checks", "_errors"} <= set(found["components"]["schemas"]["AHost"]["properties"])


# ---- bodies -----------------------------------------------------------------------------------

WRITABLE = [
    pytest.param(
        one,
        f"{contract.name.capitalize()}{''.join(map(str.capitalize, one.singular.split('_')))}",
        id=one.name,
    )
    for contract in CONTRACTS
    for one in contract.resources
    if "POST" in one.methods
]
QUICK = settings(
    max_examples=40,
    phases=(Phase.generate,),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# What only a wrong type or length is answered with. Anything else is a rule that no schema can say: that
# digits in a text are within bounds, that an address has a meaning.
TOO_LONG = "Ensure this field has no more than"
TYPES = (
    REQUIRED,
    NOT_NULL,
    NOT_BLANK,
    "Not a valid string",
    "A valid integer is required",
    "A valid number is required",
    "Must be a valid boolean",
    "Incorrect type",
    "Expected",
    TOO_LONG,
)


def drawn(name: str) -> st.SearchStrategy[Json]:
    """Bodies that the schema allows, as schemathesis makes them."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": ""}},
    }
    whole = {**made(), "paths": {"/": {"post": operation}}}
    return schemathesis.openapi.from_dict(whole)["/"]["POST"].as_strategy().map(_body)


def _body(case: schemathesis.Case) -> Json:
    assert isinstance(case.body, dict)
    return case.body


def refusals(resource: Resource, body: Any) -> dict[str, list[str]]:
    try:
        cleaned(resource, body, None, partial=False, secrets=True)
    except InvalidInput as error:
        return error.errors
    return {}


@pytest.mark.parametrize(("resource", "name"), WRITABLE)
def test_a_body_drawn_from_the_schema_is_taken(resource: Resource, name: str) -> None:
    @QUICK
    @given(drawn(f"{name}Create"))
    def check(body: Json) -> None:
        for field, messages in refusals(resource, body).items():
            if isinstance(resource.by_name[field], Members) and isinstance(body[field], str):
                continue  # the comma list of a form, whose items the schema does not look into
            if messages[0].startswith(TOO_LONG) and not isinstance(body[field], str):
                continue  # a number, whose digits JSON Schema does not count
            assert not messages[0].startswith(TYPES), (field, messages, body)

    check()


@pytest.mark.parametrize(("resource", "name"), WRITABLE)
def test_a_member_that_breaks_the_schema_is_refused(resource: Resource, name: str) -> None:
    members = schema(f"{name}Create")["properties"]
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
    )
    values = (
        scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=2)
    )

    @QUICK
    @given(st.sampled_from(resource.writable), values)
    def check(field: Field, value: Any) -> None:
        assume(not Draft202012Validator(members[field.name]).is_valid(value))
        assume(not (isinstance(value, str) and value != value.strip()))  # blanks around a text are taken off
        assert field.name in refusals(resource, {field.name: value}), (field.name, value)

    check()


@pytest.mark.parametrize(("resource", "name"), WRITABLE)
def test_what_is_required_is_demanded(resource: Resource, name: str) -> None:
    required = schema(f"{name}Create").get("required", [])
    assert set(refusals(resource, {})) == set(required)


def test_defaults_are_taken_as_they_are_told() -> None:
    for param in WRITABLE:
        resource, name = param.values
        assert isinstance(resource, Resource)
        for field in resource.writable:
            member = schema(f"{name}Create")["properties"][field.name]
            if "default" in member:
                assert field.name not in refusals(resource, {field.name: member["default"]}), field.name


def test_secrets_and_references_are_described() -> None:
    cpe = schema("IspCpe")["properties"]
    assert "secrets" in cpe["pppoe_password"]["description"]
    assert {"$ref": "#/components/schemas/IspCustomer"} in cpe["customer"]["anyOf"]
    assert "required" not in schema("IspCpe")


# ---- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v2/openapi.json", "/swagger/v2/openapi.json"])
def test_the_document_is_served_with_an_entity_tag(client: Any, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_json() == json.loads(json.dumps(made()))
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/swagger/v2/", "/swagger/v2", "/redoc/", "/redoc", "/swagger/v2/redoc/"])
def test_a_page_loads_only_what_is_served_here(client: Any, path: str) -> None:
    page = client.get(path)
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    links = re.findall(r'(?:src|href|spec-url|data-document)="([^"]*)"', page.text)
    assert len(links) >= 3
    for link in links:
        assert link.startswith("/"), link
        assert client.get(link).status_code == 200, link


def test_files_are_kept_by_browsers_and_nothing_above_them_is_served(client: Any) -> None:
    base = client.get("/swagger/v2/").text.split('src="')[1].split("swagger-ui-dist")[0]
    script = client.get(f"{base}swagger-ui-dist/swagger-ui-bundle.js")
    assert script.content_type.startswith("text/javascript")
    assert "immutable" in script.headers["Cache-Control"]
    assert client.get(f"{base}../../apps.py").status_code == 404
    assert client.get(f"{base}%2e%2e/%2e%2e/apps.py").status_code == 404


def test_serving_the_pages_imports_no_django() -> None:
    program = "import sys, gateway.docs; from importlib.metadata import distribution; "
    program += "distribution('drf-spectacular-sidecar'); sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
