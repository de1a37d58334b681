"""What OPTIONS answers: the description of a path that REST framework clients build their forms from.

The shape is the one of REST framework's `SimpleMetadata`. It tells of a verb's fields only to
those who may use the verb.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.bodies import FORMS
from gateway.openapi.operations import summary
from gateway.routes import Action, Route
from services.common.contract import Answering, Resource
from services.common.fields import BIGGEST, Field, Integer, Json, Text
from services.common.resource.reads import CSV, NDJSON

JSON = "application/json"


def metadata(route: Route, may: Callable[[Action], bool], level: int) -> Json:
    """`{"name", "description", "renders", "parses", "actions"?}`.

    `actions`: POST or PUT → member → what it takes; left out when `may` allows neither. `level`:
    the API level whose members are told.
    """
    kinds = {one.kind: one for one in route.actions.values()}
    verb, first = min(route.actions.items(), key=lambda item: item[1].operation is not None)
    found: Json = {
        "name": _name(kinds, verb, first),
        "description": (first.operation or _answering(first) or first.resource or first.contract).doc,
        "renders": [JSON, CSV, NDJSON] if _listed(first) else [JSON],
        "parses": _parsed(first),
    }
    written = {"create": "POST", "update": "PUT"}
    actions = {
        verb: _members(action, action.resource, level)
        for verb, action in route.actions.items()
        if action.resource is not None and written.get(action.kind) == verb and may(action)
    }
    return found | ({"actions": actions} if actions else {})


def _name(kinds: dict[str, Action], verb: str, first: Action) -> str:
    title = first.resource.title or first.resource.singular if first.resource else ""
    if "list" in kinds or "create" in kinds:
        return f"{title} List"
    if {"get", "update", "delete"} & kinds.keys():
        return f"{title} Instance"
    return summary(first, verb)


def _answering(action: Action) -> Answering | None:
    return action.answers[0][1] if action.answers else None


def _listed(action: Action) -> bool:
    many = action.relation is not None and action.relation.many
    return action.kind == "list" or (action.kind == "related" and many)


def _parsed(action: Action) -> list[str]:
    if action.kind == "import":
        return [CSV, NDJSON]
    return [JSON] if action.kind.startswith("bulk_") else [JSON, *FORMS]


def _members(action: Action, resource: Resource, level: int) -> Json:
    omitted = resource.legacy.omit if action.legacy and resource.legacy is not None else ()
    shown = (one for one in resource.fields if one.since <= level and one.name not in omitted)
    return {one.name: _member(one) for one in shown}


def _member(field: Field) -> Json:
    choices = field.choices if isinstance(field, Text) else ()
    described: Json = {
        "type": "choice" if choices else field.kind,
        "required": field.required,
        "read_only": field.read_only,
        "label": field.name.strip("_").replace("_", " ").capitalize(),
    }
    if field.doc:
        described["help_text"] = field.doc
    if field.read_only:
        return described
    if isinstance(field, Text) and field.max_length is not None and not choices:
        described["max_length"] = field.max_length
    if isinstance(field, Integer):
        if field.minimum >= -BIGGEST:
            described["min_value"] = field.minimum
        if field.maximum < BIGGEST:
            described["max_value"] = field.maximum
    if choices:
        described["choices"] = [{"value": one, "display_name": one} for one in choices]
    return described
