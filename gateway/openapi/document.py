"""The document as a whole: information, tags, security schemes, components, paths."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from gateway.openapi import answers, bulk, parameters, schemas
from gateway.openapi.names import LEGACY, component, path_of
from gateway.openapi.operations import Operations
from gateway.openapi.schemas import Joined, sentences
from gateway.routes import ROOT, Route
from services.common.contract import Contract
from services.common.fields import Json
from services.common.settings import Settings

_ABOUT = f"""Operations platform for internet providers. Errors carry a frozen `code`, or name the
members that are wrong. A slash at the end of a path may be left out.

{parameters.GRAMMAR}"""

_SECURITY: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access` of a login.",
    },
    "basic": {"type": "http", "scheme": "basic"},
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "A personal token, written `Token <key>`.",
    },
}


def document(routes: Iterable[Route], settings: Settings, contracts: Iterable[Contract]) -> Json:
    """The OpenAPI 3.1 document of these routes, as JSON values.

    Raises ValueError when two operations share an id: a path of a contract must then change.
    """
    routes, contracts = list(routes), list(contracts)
    known = _parameters(contracts, settings)
    operations = Operations(settings, known, routes)
    paths = {
        path_of(route): {verb.lower(): operations.of(route, verb, one) for verb, one in route.actions.items()}
        for route in routes
    }
    ids = Counter(one["operationId"] for verbs in paths.values() for one in verbs.values())
    if twice := [name for name, times in ids.items() if times > 1]:
        raise ValueError(f"operation ids used twice: {', '.join(twice)}")
    return {
        "openapi": "3.1.1",
        "info": {"title": "Krill REST API", "version": f"2.{settings.api_level}", "description": _ABOUT},
        "externalDocs": {"description": "The events (AsyncAPI)", "url": f"{ROOT}/asyncapi.json"},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _SECURITY],
        "tags": _tags(contracts, paths),
        "paths": paths,
        "components": {
            "schemas": _schemas(contracts, settings),
            "parameters": known,
            "headers": answers.headers(),
            "responses": answers.failures(settings),
            "securitySchemes": _SECURITY,
        },
    }


def _tags(contracts: list[Contract], paths: Mapping[str, Json]) -> list[Json]:
    docs = {one.name: sentences(one.title, one.doc) for one in contracts}
    docs |= {"index": "Where to begin.", LEGACY: "API v1: deprecated, bare lists."}
    used = {name for verbs in paths.values() for one in verbs.values() for name in one["tags"]}
    return [{"name": name, "description": doc} for name, doc in docs.items() if name in used]


def _joined(contracts: list[Contract]) -> dict[str, list[Joined]]:
    """`service.resource` → the relations that its `joins` can name, those of other services too."""
    resources = {f"{one.name}.{each.name}": (one, each) for one in contracts for each in one.resources}
    found: dict[str, list[Joined]] = defaultdict(list)
    for contract in contracts:
        for resource in contract.resources:
            for relation in resource.relations:
                if relation.joined:
                    target = resources[f"{contract.name}.{relation.to}"]
                    found[f"{contract.name}.{resource.name}"].append((relation, *target))
        for extension in contract.extensions:
            if extension.relation.joined:
                target = resources[f"{contract.name}.{extension.relation.to}"]
                found[extension.target].append((extension.relation, *target))
    return found


def _parameters(contracts: list[Contract], settings: Settings) -> dict[str, Json]:
    joined = _joined(contracts)
    found = parameters.common(settings)
    for contract in contracts:
        for resource in contract.resources:
            names = [relation.name for relation, *_ in joined[f"{contract.name}.{resource.name}"]]
            foreign = [name for name in names if name not in resource.related]
            found |= parameters.of_resource(contract, resource, foreign)
    return found


def _schemas(contracts: list[Contract], settings: Settings) -> dict[str, Json]:
    joined = _joined(contracts)
    found: dict[str, Json] = answers.problems() | {
        "BulkAnswer": bulk.answer(),
        "ImportAnswer": bulk.import_answer(),
        "LogEntry": schemas.log_entry(),
        "LogEntryPage": schemas.paged(schemas.ref("LogEntry")),
    }
    for contract in contracts:
        for resource in contract.resources:
            name = component(contract, resource)
            joins = joined[f"{contract.name}.{resource.name}"]
            found[name] = schemas.read(resource, joins, settings.api_level)
            found[f"{name}Page"] = schemas.page(contract, resource)
            if "POST" in resource.methods:
                found[f"{name}Create"] = schemas.create(resource)
            if {"PUT", "PATCH"} & set(resource.methods):
                found[f"{name}Update"] = schemas.update(resource)
    return found
