"""An event of the platform: CloudEvents 1.0 in its JSON form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

TEXTS = ("id", "type", "subject")


@dataclass(frozen=True, slots=True)
class Event:
    """`subject`: whose row, `cpes/350`. `sequence` grows with each event of a subject. `data`: the row."""

    id: str
    type: str
    subject: str
    sequence: int
    data: dict[str, Any]

    @classmethod
    def read(cls, found: Any) -> Event:
        """From the decoded JSON. Raises ValueError when it is no event."""
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
        id_, type_, subject = (found.get(name) for name in TEXTS)
        sequence, data = found.get("sequence"), found.get("data")
        if not (isinstance(id_, str) and isinstance(type_, str) and isinstance(subject, str)):
            raise ValueError(f"not all of {', '.join(TEXTS)} are there")
        if not (isinstance(sequence, int) and isinstance(data, dict)):
            raise ValueError("no sequence or no data")
        return cls(id_, type_, subject, sequence, data)

    @classmethod
    def decode(cls, body: bytes) -> Event:
        """From a message. Raises ValueError when it is no event."""
        return cls.read(json.loads(body))

    @property
    def resource(self) -> str:
        return self.subject.partition("/")[0]

    @property
    def deletes(self) -> bool:
        return self.type.endswith(".deleted")
