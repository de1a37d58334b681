"""The names that clients generate code from: operation ids, component names, tags.

A published name never changes.
"""

from __future__ import annotations

from gateway.routes import LEGACY_ROOT, PLACE, ROOT, Action, Route
from services.common.contract import Contract, Resource

LEGACY = "v1"

_WORDS = {
    "list": "list",
    "create": "create",
    "get": "get",
    "answering": "get",
    "delete": "delete",
    "bulk_create": "create",
    "bulk_update": "update",
    "bulk_delete": "delete",
    "import": "create",
    "logs": "list",
    "index": "index",
}


def path_of(route: Route) -> str:
    """The path as OpenAPI templates it."""
    return PLACE.sub(r"{\1}", route.rule)


def operation_id(route: Route, verb: str, action: Action) -> str:
    """`isp_cpes_list`, `isp_cpes_potses_list`, `v1_cpes_list`: the path without keys and places, then what is
    done; `gpon_olts_frames_by_frame_get` when it ends with a place."""
    current = route.rule.startswith(f"{ROOT}/")
    segments = route.rule.removeprefix(ROOT if current else LEGACY_ROOT).strip("/").split("/")
    words = [one.replace("-", "_") for one in segments if one and not PLACE.fullmatch(one)]
    if (last := PLACE.fullmatch(segments[-1])) and last[1] != "key":
        words.append(f"by_{last[1]}")
    return "_".join([*(() if current else (LEGACY,)), *words, _word(verb, action)])


def _word(verb: str, action: Action) -> str:
    if action.kind == "update":
        return "replace" if verb == "PUT" else "update"
    if action.relation is not None:
        return "list" if action.relation.many else "get"
    if action.kind == "operation":
        return verb.lower()
    return _WORDS[action.kind]


def component(contract: Contract, resource: Resource, form: str = "") -> str:
    """`IspCpe`, `IspCpeCreate`."""
    words = [contract.name, *resource.singular.replace("-", "_").split("_"), form]
    return "".join(word[:1].upper() + word[1:] for word in words)


def tag(action: Action) -> str:
    return LEGACY if action.legacy else (action.contract.name or "index")
