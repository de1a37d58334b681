"""What RabbitMQ delivers is what the AsyncAPI document says, to a subscriber who knows only the document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator

from deploy.local.rabbitmq import RabbitMQ
from gateway import asyncapi
from gateway.routes import discovered
from services.common.events.amqp import AmqpPublisher
from services.common.events.envelope import Envelope
from services.common.events.sample import sample
from services.common.settings import Settings
from tests.servers import Real, Server

CONTRACTS = discovered()
DOCUMENT = asyncapi.document(CONTRACTS, Settings())
PARTS = DOCUMENT["components"]

Delivered = tuple[str, Any, dict[str, Any]]
"""Of which channel, with which properties, what."""


@pytest.fixture(scope="module")
def published() -> list[Envelope]:
    return [sample(one.name, kind) for one in CONTRACTS for kind in one.catalogue.values()]


@pytest.fixture(scope="module")
def delivered(rabbitmq: RabbitMQ, published: list[Envelope]) -> list[Delivered]:
    """Through a queue that was bound as the document's channels say. Others' events may be among them."""
    connection = rabbitmq.connect()
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channels: dict[tuple[str, str], str] = {}
    for name, one in DOCUMENT["channels"].items():
        exchange = one["bindings"]["amqp"]["exchange"]
        how = {"durable": exchange["durable"], "auto_delete": exchange["autoDelete"]}
        channel.exchange_declare(exchange["name"], exchange["type"], **how)
        channel.queue_bind(queue, exchange["name"], one["address"])
        channels[exchange["name"], one["address"]] = name
    for source in sorted({one.source for one in published}):
        publisher = AmqpPublisher(rabbitmq.uri, source)
        for event in published:
            if event.source == source:
                publisher.publish([event])
        publisher.close()
    found: list[Delivered] = []
    while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
        method, properties, body = got
        found.append((channels[method.exchange, method.routing_key], properties, json.loads(body)))
    connection.close()
    return found


def test_every_event_arrives_on_its_channel(published: list[Envelope], delivered: list[Delivered]) -> None:
    arrived = {body["id"]: (name, body) for name, _, body in delivered}
    for event in published:
        assert arrived[event.id] == (f"{event.source}.{event.type}", event.to_json())


def test_what_arrives_is_as_its_message_says(delivered: list[Delivered]) -> None:
    trait = PARTS["messageTraits"]["CloudEvent"]
    persistent = PARTS["operationTraits"]["persistent"]["bindings"]["amqp"]
    for name, properties, body in delivered:
        (reference,) = DOCUMENT["operations"][f"send.{name}"]["messages"]
        message = PARTS["messages"][reference["$ref"].rpartition("/")[2]]
        schema = {**message["payload"], "components": PARTS}
        Draft7Validator(schema, validate_formats=True).validate(body)
        assert properties.content_type == trait["contentType"]
        assert properties.content_encoding == message["bindings"]["amqp"]["contentEncoding"]
        assert properties.type == message["bindings"]["amqp"]["messageType"] == message["name"]
        assert properties.delivery_mode == persistent["deliveryMode"]


def test_the_platform_serves_the_document_to_everybody(server: Server) -> None:
    answer = server.session(None).get("/api/v2/asyncapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["channels"] == DOCUMENT["channels"]
    tag = answer.headers["ETag"]
    assert (
        server.session(None).get("/api/v2/asyncapi.json", headers={"If-None-Match": tag}).status_code == 304
    )


def test_what_the_platform_sends_is_as_the_document_says(real: Real) -> None:
    """From a request to the wire."""
    connection = real.rabbitmq.connect()
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    exchange = DOCUMENT["channels"]["isp.customer.created"]["bindings"]["amqp"]["exchange"]["name"]
    channel.queue_bind(queue, exchange, "customer.created")
    made = real.session("own").post("/api/v2/isp/customers/", json={"name": "Eva", "surname": "Soto"}).json()
    found = None
    for method, _, body in channel.consume(queue, auto_ack=True, inactivity_timeout=60):
        assert method is not None, "no event came"
        found = json.loads(body)
        if found["subject"] == f"customers/{made['id']}":
            break
    channel.cancel()
    connection.close()
    schema = {**PARTS["messages"]["isp.customer.created.1"]["payload"], "components": PARTS}
    Draft7Validator(schema, validate_formats=True).validate(found)
    assert (found["data"]["name"], found["realm"], found["sequence"]) == ("Eva", "pim", 1)
