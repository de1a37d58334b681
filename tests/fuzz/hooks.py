"""What schemathesis is told beyond the document."""

from __future__ import annotations

from typing import Any

import schemathesis

LISTS = frozenset(("attrs", "joins", "sort"))


@schemathesis.hook
def filter_query(context: schemathesis.HookContext, query: dict[str, Any]) -> bool:
    """A parameter that is no list but stands there several times counts by its last value, as in every web
    framework. JSON Schema has no word for that and calls such a request wrong; so it is not made."""
    repeated = (name for name, value in (query or {}).items() if isinstance(value, list | dict))
    return LISTS.issuperset(repeated)
