"""What travels: CloudEvents 1.0 in its JSON form, with the platform's extension attributes.

`{"specversion": "1.0", "id": UUIDv7, "source": "urn:krill:isp", "type": "cpe.updated", "subject": "cpes/350",
"time": RFC 3339, "datacontenttype": "application/json", "dataschema": "urn:krill:isp:cpe.updated:1",
"realm": "pim", "sequence": 17, "requestid": …, "traceparent": …, "data": {…}}`

`sequence` grows with each event of a subject (not by ones). `realm` is empty for what all realms share.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

SOURCE = "urn:krill:"
CONTENT_TYPE = "application/cloudevents+json"
LONGEST = {"id": 36, "source": 64, "type": 128, "subject": 128, "realm": 32}
"""Characters that the tables of a subscriber have for a member."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The one character that PostgreSQL cannot keep, as JSON writes it."""


def exchange(service: str) -> str:
    """The topic exchange that a service publishes to; the routing key is the event's type."""
    return f"{service}.events"


class Malformed(ValueError):
    """A message that is no event of ours."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`source` is the service's name, without the URN around it."""

    id: str
    source: str
    type: str
    subject: str
    sequence: int
    realm: str
    time: str
    dataschema: str
    data: dict[str, Any]
    request_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def of_row(cls, source: str, row: Mapping[str, Any]) -> Envelope:
        """From a row of the outbox."""
        time: dt.datetime = row["time"]
        return cls(
            id=row["id"],
            source=source,
            type=row["type"],
            subject=row["subject"],
            sequence=row["sequence"],
            realm=row["realm"],
            time=time.isoformat(),
            dataschema=row["dataschema"],
            data=row["data"],
            request_id=row["request_id"],
            traceparent=row["traceparent"],
        )

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"{SOURCE}{self.source}",
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
            "datacontenttype": "application/json",
            "dataschema": self.dataschema,
            "realm": self.realm,
            "sequence": self.sequence,
        }
        if self.request_id:
            found["requestid"] = self.request_id
        if self.traceparent:
            found["traceparent"] = self.traceparent
        return {**found, "data": self.data}

    def encode(self) -> bytes:
        return orjson.dumps(self.to_json())

    @classmethod
    def decode(cls, raw: bytes | str) -> Envelope:
        """Raises `Malformed`, also for what no subscriber could keep."""
        try:
            made = cls.from_json(orjson.loads(raw))
            again = made.encode()
        except (ValueError, TypeError) as error:  # `TypeError`: its data are too deep
            raise Malformed(str(error)) from error
        if long := [name for name, most in LONGEST.items() if len(getattr(made, name)) > most]:
            raise Malformed(f"not an event: too long: {', '.join(long)}")
        if _NUL.search(again):
            raise Malformed("not an event: it has a null character")
        return made

    @classmethod
    def from_json(cls, found: Any) -> Envelope:
        """Raises `Malformed`."""
        try:
            made = cls(
                id=found["id"],
                source=found["source"].removeprefix(SOURCE),
                type=found["type"],
                subject=found["subject"],
                sequence=int(found["sequence"]),
                realm=found["realm"],
                time=found["time"],
                dataschema=found["dataschema"],
                data=found["data"],
                request_id=found.get("requestid"),
                traceparent=found.get("traceparent"),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Malformed(f"not an event: {error!r}") from error
        texts = (made.id, made.source, made.type, made.subject, made.realm, made.time, made.dataschema)
        if not all(isinstance(one, str) for one in texts) or not isinstance(made.data, dict):
            raise Malformed("not an event: a member has the wrong type")
        return made
