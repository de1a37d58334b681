"""OPTIONS describes a path as REST framework's SimpleMetadata does."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.options import metadata
from gateway.routes import Action, Route, discovered, table
from services.common.settings import BASE_LEVEL

ROUTES = {route.rule: route for route in table(discovered())}
CPES = ROUTES["/api/v2/isp/cpes/"]


def anybody(_: Action) -> bool:
    return True


def described(rule: str, may: Any = anybody, level: int = BASE_LEVEL) -> dict[str, Any]:
    return metadata(ROUTES[rule], may, level)


def test_a_collection_tells_how_to_create() -> None:
    found = described("/api/v2/isp/customers/")
    assert found["name"] == "Customer List"
    assert list(found["actions"]) == ["POST"]
    assert found["actions"]["POST"]["name"] == {
        "type": "string",
        "required": True,
        "read_only": False,
        "label": "Name",
        "max_length": 255,
    }


def test_a_detail_tells_how_to_replace() -> None:
    found = described("/api/v2/isp/customers/<key>/")
    assert found["name"] == "Customer Instance"
    assert list(found["actions"]) == ["PUT"]


@pytest.mark.parametrize(("rule", "verb"), [("/api/cpes/", "POST"), ("/api/cpes/<key>/", "PUT")])
def test_v1_tells_no_member_that_it_does_not_have(rule: str, verb: str) -> None:
    members = set(described(rule)["actions"][verb])
    newer = set(described(rule.replace("/api/", "/api/v2/isp/"))["actions"][verb])
    assert newer - members == {"_links", "_services", "avatar", "is_router", "tr069"}
    assert members < newer


def test_choices_and_bounds_are_told() -> None:
    members = described("/api/v2/isp/models/")["actions"]["POST"]
    assert members["tech"]["type"] == "choice"
    assert members["tech"]["choices"][0] == {"value": "gpon", "display_name": "gpon"}
    assert (members["pots"]["min_value"], members["pots"]["max_value"]) == (0, 48)


def test_read_only_members_are_marked_and_have_no_constraints() -> None:
    assert described("/api/v2/isp/customers/")["actions"]["POST"]["id"] == {
        "type": "integer",
        "required": False,
        "read_only": True,
        "label": "Id",
    }


def test_fields_are_told_only_to_those_who_may_use_the_verb() -> None:
    assert "actions" not in described("/api/v2/isp/cpes/", may=lambda action: action.kind != "create")


def test_a_path_without_writes_has_no_actions() -> None:
    assert "actions" not in described("/api/v2/isp/cities/")


def test_members_of_a_later_level_are_told_at_that_level() -> None:
    later = described("/api/v2/isp/customers/", level=2024)["actions"]["POST"]
    assert "locality" in later
    assert "locality" not in described("/api/v2/isp/customers/")["actions"]["POST"]


@pytest.mark.parametrize(
    ("rule", "renders", "parses"),
    [
        ("/api/v2/isp/cpes/", 3, 3),
        ("/api/v2/isp/cpes/<key>/", 1, 3),
        ("/api/v2/isp/cpes/<key>/potses/", 3, 3),
        ("/api/v2/isp/cpes/<key>/model/", 1, 3),
        ("/api/v2/isp/cpes/import/", 1, 2),
        ("/api/v2/isp/cpes/bulk/", 1, 1),
    ],
)
def test_content_types_are_those_of_the_path(rule: str, renders: int, parses: int) -> None:
    found = described(rule)
    assert (len(found["renders"]), len(found["parses"])) == (renders, parses)


def test_every_route_can_be_described() -> None:
    for route in ROUTES.values():
        found = metadata(route, anybody, BASE_LEVEL)
        assert found["name"].strip(), route.rule
        assert set(found) - {"actions"} == {"name", "description", "renders", "parses"}


def test_a_write_only_member_is_told() -> None:
    """A password cannot be read, but a form must ask for it."""
    from services.common.contract import Contract, Resource
    from services.common.fields import Integer, Text

    fields = (Integer(name="id", read_only=True), Text(name="password", write_only=True, required=True))
    resource = Resource(name="users", singular="user", model="user", table="users", fields=fields)
    contract = Contract(name="x", title="X", resources=(resource,))
    route: Route = next(one for one in table([contract]) if one.rule == "/api/v2/x/users/")
    assert "password" in metadata(route, anybody, BASE_LEVEL)["actions"]["POST"]
