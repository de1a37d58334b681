"""The AsyncAPI 3 document of the events, made from the contracts' event classes and from nothing else.

As OpenAPI does, it describes the platform and not its clients: the platform `send`s each event, a subscriber
receives it. A published name (channel, message, schema) never changes.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.common.contract import Contract
from services.common.events import schemas
from services.common.events.envelope import CONTENT_TYPE, exchange
from services.common.events.event import Event
from services.common.events.sample import sample
from services.common.fields import Json
from services.common.settings import Settings

BINDING = "0.3.0"
"""Version of AsyncAPI's AMQP bindings."""

_ABOUT = """Every change that the platform commits, and every action on a device, as an event on RabbitMQ.

The operations here are the platform's own: it sends, **you receive**. Declare a durable queue of your own
and bind it to the exchange of a service with the types that you want (`cpe.updated`, `cpe.*`, `#`).

- None is lost, and each arrives at least once: remember the `id`s that you have handled.
- Events of one `subject` arrive in the order of their `sequence`; those of different subjects in any order.
- Classes gain members, and closed lists values: ignore what you do not know. Nothing is lost or changes its
  type.

The same envelopes are answered by the feed, `GET /api/v2/<service>/events/`."""


def document(contracts: Iterable[Contract], settings: Settings) -> Json:
    """As JSON values."""
    events = [(contract, kind) for contract in contracts for _, kind in sorted(contract.catalogue.items())]
    services = {contract.name: contract for contract, _ in events}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:krill:events",
        "info": {
            "title": "Krill events",
            "version": f"2.{settings.api_level}",
            "description": _ABOUT,
            "tags": [
                {"name": one.name, "description": " ".join(filter(None, (f"{one.title}.", one.doc)))}
                for one in services.values()
            ],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _BROKER},
        "channels": {_channel_id(contract, kind): _channel(contract, kind) for contract, kind in events},
        "operations": {
            f"send.{_channel_id(contract, kind)}": _operation(contract, kind) for contract, kind in events
        },
        "components": {
            "schemas": {
                "Envelope": schemas.ENVELOPE,
                **{_version_id(contract, kind): schemas.of_data(kind) for contract, kind in events},
            },
            "messages": {_version_id(contract, kind): _message(contract, kind) for contract, kind in events},
            "messageTraits": {"CloudEvent": _CLOUD_EVENT},
            "operationTraits": {"persistent": _PERSISTENT},
            "securitySchemes": {
                "account": {"type": "userPassword", "description": "An account of the broker."}
            },
        },
    }


_BROKER: Json = {
    "host": "{host}",
    "pathname": "/{vhost}",
    "protocol": "amqp",
    "protocolVersion": "0-9-1",
    "title": "RabbitMQ",
    "description": "The operator's broker. An installation in one process (`krill run`) has none: there the "
    "feed is the way to read events.",
    "variables": {
        "host": {"description": "address and port", "examples": ["rabbitmq.example:5672"]},
        "vhost": {"description": "virtual host; empty: `/`", "default": ""},
    },
    "security": [{"$ref": "#/components/securitySchemes/account"}],
}

_CLOUD_EVENT: Json = {
    "contentType": CONTENT_TYPE,
    "correlationId": {
        "description": "The request that caused it, when there was one.",
        "location": "$message.payload#/requestid",
    },
}

_PERSISTENT: Json = {"bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": BINDING}}}


def _channel_id(contract: Contract, kind: type[Event]) -> str:
    """`isp.cpe.updated`."""
    return f"{contract.name}.{kind.type}"


def _version_id(contract: Contract, kind: type[Event]) -> str:
    """`isp.cpe.updated.1`: of messages and schemas."""
    return f"{_channel_id(contract, kind)}.{kind.version}"


def _channel(contract: Contract, kind: type[Event]) -> Json:
    version = _version_id(contract, kind)
    return {
        "address": kind.type,
        "title": kind.type,
        "summary": kind.doc,
        "servers": [_ref("servers/broker")],
        "messages": {version: _ref(f"components/messages/{version}")},
        "tags": [{"name": contract.name}],
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange(contract.name),
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _operation(contract: Contract, kind: type[Event]) -> Json:
    channel = f"channels/{_channel_id(contract, kind)}"
    return {
        "action": "send",
        "channel": _ref(channel),
        "messages": [_ref(f"{channel}/messages/{_version_id(contract, kind)}")],
        "summary": kind.doc,
        "tags": [{"name": contract.name}],
        "traits": [_ref("components/operationTraits/persistent")],
    }


def _message(contract: Contract, kind: type[Event]) -> Json:
    version = _version_id(contract, kind)
    envelope, data = _ref("components/schemas/Envelope"), _ref(f"components/schemas/{version}")
    return {
        "name": kind.type,
        "title": f"{kind.type}, version {kind.version}",
        "summary": kind.doc,
        "payload": schemas.of_event(contract.name, kind, envelope, data),
        "examples": [{"name": "invented", "payload": sample(contract.name, kind).to_json()}],
        "tags": [{"name": contract.name}],
        "bindings": {
            "amqp": {"contentEncoding": "utf-8", "messageType": kind.type, "bindingVersion": BINDING}
        },
        "traits": [_ref("components/messageTraits/CloudEvent")],
    }


def _ref(path: str) -> Json:
    return {"$ref": f"#/{path}"}
