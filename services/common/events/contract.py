"""What every service declares of its events: the feed, and the events that it could not handle."""

from __future__ import annotations

from services.common.contract import InRealm, Operation, Resource
from services.common.events.schemas import ENVELOPE
from services.common.fields import DateTime, Document, Integer, Text

MOST = 1000
PAGE = 100


def feed_operation(service: str) -> Operation:
    """`GET /api/v2/<service>/events/`: the service's events, oldest first, none left out."""
    return Operation(
        name="feed",
        path="events",
        verbs=("GET",),
        permission=f"{service}.view_event",
        doc="The events of the caller's realms in the order of their commits. Ask again with `after` set to "
        "`next`; `more` says that there are some already. Nothing is left out, however long a transaction "
        "takes. An answer of 410 means that what follows the cursor is gone: load the lists again.",
        parameters={
            "after": {
                "type": "string",
                "description": "cursor; without it from the oldest event that is kept on; "
                "`latest`: no events, only the cursor of now",
            },
            "type": {
                "type": "string",
                "description": "types, or `cpe.*` for all of a resource; a comma means any of",
            },
            "subject": {"type": "string", "description": "`cpes/350`: of this row alone"},
            "realm": {"type": "string", "description": "of this realm alone"},
            "limit": {"type": ["integer", "string"], "description": f"at most {MOST}, {PAGE} by default"},
        },
        response={
            "type": "object",
            "required": ["results", "next", "more"],
            "properties": {
                "results": {"type": "array", "items": ENVELOPE},
                "next": {"type": "string"},
                "more": {"type": "boolean"},
            },
        },
        statuses=(200, 400, 410),
    )


def parked_resource() -> Resource:
    """Events of others that a handler of this service failed on until its last try. `replay` has one tried
    again, DELETE drops it."""
    return Resource(
        name="parked-events",
        singular="parked_event",
        model="parkedevent",
        table="held",
        title="Parked event",
        doc="An event that could not be handled, after its last try. Deleting it drops it.",
        fields=(
            Integer(name="id", read_only=True, minimum=1),
            Text(name="subscription", read_only=True, folded=False, doc="who failed on it"),
            Text(name="event", read_only=True, folded=False, doc="id of the event"),
            Text(name="source", read_only=True, folded=False, doc="the service that it came from"),
            Text(name="type", read_only=True, folded=False),
            Text(name="subject", read_only=True, folded=False),
            Text(name="realm", read_only=True, folded=False),
            Integer(name="attempts", read_only=True, minimum=0),
            Text(name="error", read_only=True, doc="of the last try"),
            DateTime(name="received", read_only=True),
            Document(name="envelope", read_only=True),
        ),
        scoping=InRealm(),
        sort=("id",),
        methods=("GET", "DELETE"),
        where=(("state", "parked"),),
        label=("type", "subject"),
        bulk=False,
        staff=True,
        operations=(
            Operation(
                name="replay",
                verbs=("POST",),
                doc="Has the event tried again, with all its pauses before it.",
                statuses=(202, 404),
                response={
                    "type": "object",
                    "properties": {"id": {"type": "integer"}, "state": {"const": "waiting"}},
                },
            ),
        ),
    )
