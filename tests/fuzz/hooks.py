"""What schemathesis is told beyond the document."""

from __future__ import annotations

from typing import Any

import schemathesis

KEY = {"$ref": "#/components/parameters/idempotency-key"}
KEYED = frozenset(f"/api/v2/isp/customers/{rest}" for rest in ("", "{key}/", "bulk/"))
LISTS = frozenset(("attrs", "joins", "sort"))


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Leaves out what would only cost time, or end the run.

    Wrong passwords lock the address they come from, which is this run's own, so HTTP Basic is not tried.
    Multipart forms are read by what reads the other forms. What an idempotency key does is the same for every
    write, so that those of customers are enough.
    """
    raw_schema["security"] = [one for one in raw_schema["security"] if "basic" not in one]
    del raw_schema["components"]["securitySchemes"]["basic"]
    for path, verbs in raw_schema["paths"].items():
        for operation in verbs.values():
            if path not in KEYED and KEY in operation.get("parameters", []):
                operation["parameters"].remove(KEY)
            operation.get("requestBody", {}).get("content", {}).pop("multipart/form-data", None)


@schemathesis.hook
def filter_query(context: schemathesis.HookContext, query: dict[str, Any]) -> bool:
    """A parameter that is no list but stands there several times counts by its last value, as in every web
    framework. JSON Schema has no word for that and calls such a request wrong; so it is not made."""
    repeated = (name for name, value in (query or {}).items() if isinstance(value, list | dict))
    return LISTS.issuperset(repeated)


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """What a form leaves empty may be left out, for which JSON Schema has no word either."""
    form = case.media_type == "application/x-www-form-urlencoded" and isinstance(case.body, dict)
    return not form or "" not in case.body.values()
