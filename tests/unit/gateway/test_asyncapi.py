"""The AsyncAPI document: valid by its official schema, complete, and true to what travels."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator, meta

from gateway import asyncapi
from gateway.routes import discovered
from services.common.contract import Contract
from services.common.events.envelope import CONTENT_TYPE
from services.common.events.event import Event
from services.common.events.sample import sample
from services.common.events.schemas import ENVELOPE
from services.common.settings import Settings

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.json"
CONTRACTS = discovered()
EVENTS = [
    pytest.param(contract, kind, id=f"{contract.name}-{kind.type}")
    for contract in CONTRACTS
    for kind in contract.catalogue.values()
]
Json = dict[str, Any]


@cache
def made() -> Json:
    return asyncapi.document(CONTRACTS, Settings())


@cache
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(OFFICIAL.read_bytes()))


def payload(contract: Contract, kind: type[Event]) -> Draft7Validator:
    """Of the message of a class."""
    message = made()["components"]["messages"][f"{contract.name}.{kind.type}.{kind.version}"]
    whole = {**message["payload"], "components": made()["components"]}
    return Draft7Validator(whole, validate_formats=True)


# ---- the whole --------------------------------------------------------------------------------


def test_it_is_valid_asyncapi_3() -> None:
    assert [str(one) for one in official().iter_errors(made())] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("info"),
        lambda found: found["operations"]["send.isp.cpe.updated"].update(action="publish"),
        lambda found: found["channels"]["isp.cpe.updated"]["bindings"]["amqp"].update(key="x"),
        lambda found: found["components"]["messages"]["isp.cpe.updated.1"].update(payloads={}),
        lambda found: found["servers"]["broker"].pop("protocol"),
    ],
)
def test_the_official_schema_notices_what_is_wrong(spoil: Callable[[Json], Any]) -> None:
    found = copy.deepcopy(made())
    spoil(found)
    assert not official().is_valid(found)


def test_every_reference_leads_somewhere() -> None:
    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from walk(one)
        elif isinstance(value, list):
            for one in value:
                yield from walk(one)

    references = set(walk(made()))
    assert len(references) > len(EVENTS)
    for reference in references:
        found: Any = made()
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_schemas_are_json_schemas() -> None:
    components = made()["components"]
    for one in (
        *components["schemas"].values(),
        *(one["payload"] for one in components["messages"].values()),
    ):
        meta.validate({"$schema": "http://json-schema.org/draft-07/schema#", **one})


@pytest.mark.parametrize(("contract", "kind"), EVENTS)
def test_an_event_is_a_channel_that_the_platform_sends_to(contract: Contract, kind: type[Event]) -> None:
    name = f"{contract.name}.{kind.type}"
    channel, operation = made()["channels"][name], made()["operations"][f"send.{name}"]
    assert channel["address"] == kind.type
    binding = channel["bindings"]["amqp"]
    assert binding["exchange"]["name"] == f"{contract.name}.events"
    assert binding["exchange"]["type"] == "topic"
    assert operation["action"] == "send"
    assert operation["channel"] == {"$ref": f"#/channels/{name}"}
    assert list(channel["messages"]) == [f"{name}.{kind.version}"]
    assert made()["components"]["messages"][f"{name}.{kind.version}"]["summary"] == kind.doc


def test_there_is_nothing_but_the_events_of_the_contracts() -> None:
    assert len(made()["channels"]) == len(made()["operations"]) == len(EVENTS)
    assert made()["components"]["messageTraits"]["CloudEvent"]["contentType"] == CONTENT_TYPE


def test_two_services_may_have_events_of_one_type() -> None:
    class Rang(Event):
        type, subject = "bell.rang", "bells"
        id: int

    towers = [Contract(name=name, title=name, events=(Rang,)) for name in ("north", "south")]
    found = asyncapi.document(towers, Settings())
    assert official().is_valid(found)
    assert set(found["channels"]) == {"north.bell.rang", "south.bell.rang"}


# ---- messages ---------------------------------------------------------------------------------


def test_the_envelope_is_described_whole() -> None:
    isp = next(one for one in CONTRACTS if one.name == "isp")
    event = sample("isp", isp.catalogue["cpe.updated"])
    full = dataclasses.replace(event, traceparent="00-1-1-00")
    assert list(full.to_json()) == list(ENVELOPE["properties"])
    bare = dataclasses.replace(event, request_id=None)
    assert list(bare.to_json()) == ENVELOPE["required"]


@pytest.mark.parametrize(("contract", "kind"), EVENTS)
def test_an_example_fits_its_message(contract: Contract, kind: type[Event]) -> None:
    message = made()["components"]["messages"][f"{contract.name}.{kind.type}.{kind.version}"]
    (example,) = message["examples"]
    validator = payload(contract, kind)
    validator.validate(example["payload"])
    known = example["payload"]
    validator.validate({**known, "more": 1, "data": {**known["data"], "member_of_tomorrow": 1}})
    for wrong in (
        {"type": "cpe.exploded"},
        {"subject": "bells/1"},
        {"dataschema": "urn:krill:isp:cpe.updated:0"},
        {"time": "yesterday"},
        {"sequence": "17"},
        {"data": {}},
    ):
        assert not validator.is_valid({**known, **wrong}), wrong


# ---- serving ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v2/asyncapi.json", "/swagger/v2/asyncapi.json"])
def test_it_is_served_to_everybody_with_an_entity_tag(client: Any, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_json() == json.loads(json.dumps(made()))
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_document_of_requests_leads_to_it(client: Any) -> None:
    link = client.get("/api/v2/openapi.json").get_json()["externalDocs"]["url"]
    assert client.get(link).get_json()["asyncapi"] == "3.0.0"
