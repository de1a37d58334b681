"""What an rpc method returns and what a client yields: ready-made bytes and a few facts about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """`body`: JSON bytes that nobody parses on the way; empty where there is nothing to say.
    `meta`: small JSON-able members (status, etag, count, cursor …). A body that is not JSON (CSV, NDJSON)
    is UTF-8 text and says so in `meta["content_type"]`."""

    body: bytes
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        return bool(self.meta.get("content_type", JSON) == JSON)
