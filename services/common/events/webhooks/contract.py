"""What every service declares about webhooks: `resources=(…, *webhook_resources())` in its contract."""

from __future__ import annotations

from typing import Any

from services.common.contract import Operation, Relation, Resource
from services.common.fields import Boolean, Computed, DateTime, Integer, Members, Reference, Text

RULES = "services.common.events.webhooks.rules"
STATES = ("pending", "delivered", "failed")
MOST_REPLAYED = 1000

_REPLAY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "failed": {"const": True, "description": "all that failed"},
        "deliveries": {"type": "array", "items": {"type": "integer"}, "maxItems": MOST_REPLAYED},
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


def webhook_resources() -> tuple[Resource, ...]:
    """`webhooks` and `webhook-deliveries`, the log of what was sent to them."""
    return WEBHOOKS, DELIVERIES


def _number(name: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: {"type": "integer"}}}


WEBHOOKS = Resource(
    name="webhooks",
    singular="webhook",
    model="webhook",
    table="webhooks",
    title="Webhook",
    doc="An address that gets the events of its realm, and those of rows that all realms share, by POST.",
    fields=(
        Integer(name="id", read_only=True, minimum=1),
        Text(
            name="url",
            required=True,
            blank="refuse",
            max_length=2048,
            folded=False,
            searched=True,
            doc="https, of a public address unless the operator allows others",
        ),
        Text(name="description", default="", max_length=255, searched=True),
        Members(
            name="types",
            table="webhook_types",
            mine="webhook_id",
            theirs="type",
            textual=True,
            doc="event types, or `cpe.*` for all of a resource; empty: all",
        ),
        Boolean(name="active", default=True, doc="set it again to go on where it ended"),
        Text(
            name="secret",
            null=True,
            blank="null",
            write_only=True,
            create_only=True,
            max_length=128,
            doc="signs what is sent: `whsec_` and 24 to 64 bytes in base64; made when left out",
        ),
        DateTime(name="failing_since", read_only=True, null=True, doc="nothing has been taken since"),
        Text(name="disabled_reason", read_only=True, null=True),
        Text(name="realm", max_length=32, blank="refuse", create_only=True, folded=False, doc="whose events"),
        DateTime(name="created", read_only=True),
        DateTime(name="updated", read_only=True),
    ),
    relations=(Relation(name="deliveries", to="webhook-deliveries", by="webhook", many=True, joined=False),),
    operations=(
        Operation(
            name="rotate_secret",
            verbs=("POST",),
            doc="A new secret, shown here only; the former one signs too for 24 hours.",
            response={
                "type": "object",
                "required": ["secret"],
                "properties": {"secret": {"type": "string"}},
            },
        ),
        Operation(
            name="replay",
            verbs=("POST",),
            doc="Send again what was delivered or failed: `deliveries` by id, or all that failed.",
            request=_REPLAY,
            response=_number("replayed"),
        ),
        Operation(
            name="ping",
            verbs=("POST",),
            doc="Send a test event (`webhook.ping`), once, also to a webhook that is not active.",
            response=_number("delivery"),
            statuses=(202, 404),
        ),
    ),
    rules=RULES,
    once=("secret",),
    bulk=False,
    logs=True,
)

DELIVERIES = Resource(
    name="webhook-deliveries",
    singular="webhook_delivery",
    model="webhookdelivery",
    table="webhook_deliveries",
    title="Webhook Delivery",
    doc="One event on its way to one webhook.",
    fields=(
        Integer(name="id", read_only=True, minimum=1),
        Reference(name="webhook", to="webhooks", read_only=True),
        Text(name="event", read_only=True, folded=False, doc="id of the event: the header webhook-id"),
        Text(name="type", read_only=True, folded=False),
        Text(name="state", read_only=True, choices=STATES, blank="refuse"),
        Integer(name="attempts", read_only=True, minimum=0),
        Integer(name="status", read_only=True, null=True, doc="HTTP status of the last answer"),
        Text(name="error", read_only=True, doc="why the last attempt failed"),
        Computed(
            name="next_attempt",
            by="next_attempt",
            needs=("state", "due"),
            shape={"type": ["string", "null"], "format": "date-time"},
            doc="not before; while the webhook fails, one of its deliveries is tried at a time",
        ),
        Text(name="realm", read_only=True, folded=False),
        DateTime(name="created", read_only=True),
        DateTime(name="ended", read_only=True, null=True),
    ),
    sort=("-id",),
    methods=("GET",),
    rules=RULES,
    bulk=False,
)
