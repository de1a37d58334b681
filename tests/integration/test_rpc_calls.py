"""Calls over a real broker, and the same calls within the process: what comes back, and how fast."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import amqp
import orjson
import pika
import pytest

from deploy.local.instance import free_port
from services.common.context import Context, Scope
from services.common.errors import ApiError, Busy, DeadlineExceeded, ServiceUnavailable
from services.common.rpc.amqp import AmqpClient
from services.common.rpc.broker import connect
from tests.integration.rpc_broker import Broker, broker
from tests.integration.rpc_process import ROOT, ServiceProcess, answers, environment, service
from tests.integration.rpc_scenario import CALLS, concurrent_sleeps, mixed, outcomes


@pytest.fixture(scope="module")
def node():
    with broker() as running:
        yield running


@pytest.fixture(scope="module")
def client(node: Broker):
    made = AmqpClient(node.uri)
    yield made
    made.close()


@pytest.fixture(scope="module")
def health() -> str:
    return str(free_port())


@pytest.fixture(scope="module")
def toy(node: Broker, client: AmqpClient, health: str, tmp_path_factory):
    log = tmp_path_factory.mktemp("toy") / "log"
    with service(node.uri, log, KRILL_METRICS_PORT=health) as process:
        answers(client)
        answers(client, name="other")
        yield process


def green(transport: str, uri: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.rpc_scenario", transport],
        env=environment(uri), cwd=ROOT, capture_output=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return orjson.loads(done.stdout)


@pytest.fixture(scope="module")
def over_amqp(toy, client: AmqpClient) -> list:
    return outcomes(client)


def test_bodies_and_errors_cross_unchanged(over_amqp):
    named = {(s, m, orjson.dumps(a)): o for (s, m, a), o in zip(CALLS, over_amqp, strict=True)}

    def of(method, **arguments):
        return named["toy", method, orjson.dumps(arguments)]

    for service_, method, arguments in CALLS:
        if method == "raw":
            assert of(method, **arguments) == [arguments["body"], arguments["meta"]]
        if method == "echo" and service_ == "toy":
            assert orjson.loads(of(method, **arguments)[0]) == arguments
    assert of("who")[0] == {
        "user": "ana", "realms": ["pam", "pim"], "everything": False, "request_id": "r-1", "secrets": True,
    }  # fmt: skip
    assert of("fail", how="missing") == [
        "NotFound", 404, {"detail": "no such cpe", "code": "not_found", "key": "7"}, {},
    ]  # fmt: skip
    assert of("fail", how="invalid") == ["InvalidInput", 400, {"cpename": ["This field is required."]}, {}]
    assert of("fail", how="throttled")[3] == {"Retry-After": "17"}
    for how in ("defect", "nothing", "bytes"):
        assert of("fail", how=how) == [
            "ApiError",
            500,
            {"detail": "Internal error.", "code": "internal_error"},
            {},
        ]
    assert of("use", database="away")[:2] == ["ServiceUnavailable", 503]
    assert of("use", database="broken")[:2] == ["ApiError", 500]
    assert of("use", database="teardown") == ["true", {}]
    assert of("sleep", seconds=0.6)[0] == "DeadlineExceeded"


def test_within_the_process_everything_is_answered_alike(over_amqp):
    local = green("local", "amqp://unused")
    assert local["outcomes"] == over_amqp
    assert 1 <= local["sleeps"] < 6, "it is 10 one after the other"
    assert local["wrong"] == 0
    assert local["ticked"] > 3
    assert local["after"] == "service_unavailable"


def test_the_client_works_in_a_green_process(node, over_amqp):
    amqp = green("amqp", node.uri)
    assert amqp["outcomes"] == over_amqp
    assert 1 <= amqp["sleeps"] < 6, "it is 10 one after the other"
    assert amqp["wrong"] == 0
    assert amqp["after"] == "service_unavailable"


def test_a_defect_is_logged_where_it_happened_and_told_to_nobody(toy: ServiceProcess, client: AmqpClient):
    context = Context(user="ana")
    with pytest.raises(ApiError) as caught:
        client.call("toy", "fail", {"how": "defect"}, context)
    assert "hunter2" not in str(caught.value.body)
    lines = [line for line in toy.lines() if line.get("request_id") == context.request_id]
    assert len(lines) == 1
    assert lines[0]["user"] == "ana" and lines[0]["call"] == "toy.fail" and lines[0]["level"] == "error"
    assert 'raise RuntimeError("the password is' in lines[0]["exception"]


def test_an_expected_error_leaves_no_traceback_in_the_log(toy: ServiceProcess, client: AmqpClient):
    context = Context()
    with pytest.raises(ApiError):
        client.call("toy", "fail", {"how": "missing"}, context)
    assert not [line for line in toy.lines() if line.get("request_id") == context.request_id]


def test_a_stock_nameko_client_is_served(toy, node: Broker):
    from nameko.exceptions import RemoteError
    from nameko.standalone.rpc import ClusterRpcProxy

    with ClusterRpcProxy({"AMQP_URI": node.uri}, timeout=60) as rpc:
        assert rpc.toy.echo(a=1) == {"meta": {"status": 200}, "body": {"a": 1}}
        assert rpc.toy.raw("", {}) == {"meta": {}, "body": None}
        assert rpc.toy.who()["body"]["realms"] == []
        with pytest.raises(RemoteError) as caught:
            rpc.toy.fail(how="missing")
        assert caught.value.exc_type == "NotFound" and caught.value.value == "no such cpe"


def test_an_unknown_service_is_told_at_once(client: AmqpClient):
    """Within milliseconds, as soon as the machine has nothing else to do."""
    fastest, tries = float("inf"), 0
    while fastest >= 0.02 and tries < 200:
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            client.call("nobody", "echo", {}, Context())
        fastest, tries = min(fastest, time.monotonic() - began), tries + 1
    assert fastest < 0.02


def test_a_slow_call_ends_at_its_deadline_and_its_reply_goes_nowhere(toy, client: AmqpClient, tmp_path: Path):
    began, free = time.monotonic(), tmp_path / "free"
    with pytest.raises(DeadlineExceeded):
        client.call("toy", "hold", {"until": str(free)}, Context().within(0.25))
    assert 0.25 <= time.monotonic() - began < 5
    free.touch()
    time.sleep(0.4)
    assert client.call("toy", "echo", {"a": 2}, Context()).body == b'{"a":2}'


def test_a_call_without_time_left_is_not_sent(toy, client: AmqpClient, tmp_path):
    with pytest.raises(DeadlineExceeded):
        client.call("toy", "sleep", {"seconds": 0, "mark": str(tmp_path / "mark")}, Context().within(0))
    client.call("toy", "echo", {}, Context())
    assert not (tmp_path / "mark").exists()


def test_ten_sleeping_calls_take_the_time_of_one(toy, client: AmqpClient):
    assert 1 <= concurrent_sleeps(client) < 6, "it is 10 one after the other"


def test_long_calls_take_half_of_the_workers_and_the_rest_are_told_at_once(
    toy, client: AmqpClient, tmp_path: Path
):
    free, patient = tmp_path / "free", Context(patient=True).within(30)
    long = [client.start("toy", "hold", {"until": str(free)}, patient) for _ in range(16)]
    assert orjson.loads(client.call("toy", "echo", {"a": 1}, Context()).body) == {"a": 1}
    for one in long[8:]:  # while the others go on
        with pytest.raises(Busy) as caught:
            one.result()
        assert caught.value.headers == {"Retry-After": "2"}
    free.touch()
    assert [one.result().body for one in long[:8]] == [b'"held"'] * 8
    assert client.call("toy", "sleep", {"seconds": 0}, Context(patient=True).within(20)).body == b'"slept"'


def test_answers_never_cross_between_threads(toy, client: AmqpClient):
    assert mixed(client) == 0


def test_pending_calls_are_bounded(toy, node: Broker, tmp_path: Path):
    client, free = AmqpClient(node.uri, max_pending=3), tmp_path / "free"
    try:
        kept = [client.start("toy", "hold", {"until": str(free)}, Context().within(30)) for _ in range(3)]
        with pytest.raises(ServiceUnavailable, match="Too many"):
            client.call("toy", "echo", {}, Context())
        free.touch()
        for pending in kept:
            assert pending.result().body == b'"held"'
        assert client.call("toy", "echo", {}, Context()).body == b"{}"
    finally:
        client.close()


def test_calls_that_nobody_waits_for_are_forgotten(toy, node: Broker, tmp_path: Path):
    client, free = AmqpClient(node.uri, max_pending=3), tmp_path / "free"
    try:
        for _ in range(3):
            client.start("toy", "hold", {"until": str(free)}, Context().within(0.2))
        answers(client)
    finally:
        free.touch()
        client.close()


def test_closing_a_client_ends_its_calls(toy, node: Broker, tmp_path: Path):
    client, free = AmqpClient(node.uri), tmp_path / "free"
    pending = client.start("toy", "hold", {"until": str(free)}, Context().within(30))
    threading.Timer(0.2, client.close).start()
    with pytest.raises(ServiceUnavailable):  # at its deadline it would be another error
        pending.result()
    free.touch()


def test_arguments_that_are_not_json_are_the_callers_mistake(client: AmqpClient):
    with pytest.raises(TypeError):
        client.start("toy", "echo", {"a": object()}, Context())


def test_a_malformed_request_does_not_harm_the_service(toy: ServiceProcess, node: Broker, client: AmqpClient):
    with pika.BlockingConnection(pika.URLParameters(node.uri)) as connection:
        channel = connection.channel()
        for body, headers in [
            (b"\xff not json", {}),
            (b"[]", {}),
            (b'{"args":{},"kwargs":[]}', {}),
            (b'{"args":[],"kwargs":{}}', {"krill.context": "{}"}),
            (b'{"args":[],"kwargs":{}}', {"krill.context": "["}),
        ]:
            channel.basic_publish("nameko-rpc", "toy.echo", body, pika.BasicProperties(headers=headers))
    assert client.call("toy", "echo", {"a": 3}, Context()).body == b'{"a":3}'
    end = time.monotonic() + 60
    while sum(line["event"] == "malformed request" for line in toy.lines()) < 5:
        assert time.monotonic() < end  # another connection's call may overtake them
        time.sleep(0.05)
    assert toy.alive


def test_the_scope_of_a_superuser_travels(toy, client: AmqpClient):
    reply = client.call("toy", "who", {}, Context(Scope(everything=True)))
    assert orjson.loads(reply.body)["everything"] is True


def test_health_and_metrics_of_a_service_process(toy, client: AmqpClient, health: str):
    client.call("toy", "echo", {}, Context())

    def get(path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{health}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    assert get("/healthz") == (200, b'{"status":"ok"}')
    assert get("/readyz") == (200, b'{"status":"ok","failed":[]}')
    assert get("/elsewhere")[0] == 404
    status, text = get("/metrics")
    assert status == 200
    assert b'krill_rpc_served_total{method="echo",outcome="ok",service="toy"}' in text
    assert b'krill_rpc_served_seconds_bucket{le="0.001",method="echo",service="toy"}' in text


def test_publishing_reads_nothing_from_the_connection(node: Broker):
    """A worker that answers must not take what the service's loop is reading."""
    connection, taken = connect(node.uri), []
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).queue
    channel.basic_consume(queue, no_ack=True, callback=taken.append)
    channel.basic_publish(amqp.Message("one"), routing_key=queue)
    assert select.select([connection.connection.sock], [], [], 60.0)[0], "it has come"
    channel.basic_publish(amqp.Message("two"), routing_key=queue)
    assert taken == []
    for _ in range(2):
        connection.drain_events(timeout=60.0)
    assert [message.body for message in taken] == ["one", "two"]
    connection.close()


def test_frames_of_a_batch_leave_together(node: Broker, monkeypatch):
    connection, taken = connect(node.uri), []
    written: list[Any] = []
    channel, transport = connection.channel(), connection.connection.transport
    queue = channel.queue_declare("", exclusive=True).queue
    channel.basic_consume(queue, no_ack=True, callback=taken.append)
    write = transport.write

    def noted(data: bytes) -> None:
        written.append(data)
        write(data)

    monkeypatch.setattr(transport, "write", noted)
    with channel.connection.frame_writer.batch():
        for body in ("one", "b" * 200_000, "two"):
            channel.basic_publish(amqp.Message(body), routing_key=queue)
        assert written == []
    assert len(written) == 1
    for _ in range(3):
        connection.drain_events(timeout=60.0)
    assert [message.body for message in taken] == ["one", "b" * 200_000, "two"]
    channel.basic_publish(amqp.Message("three"), routing_key=queue)
    connection.drain_events(timeout=60.0)
    assert taken[-1].body == "three", "nothing is left over from the batch"
    connection.close()


def test_all_that_has_come_is_taken_at_once(node: Broker):
    connection, taken = connect(node.uri), []
    channel, sock = connection.channel(), connection.connection.sock
    queue = channel.queue_declare("", exclusive=True).queue
    channel.basic_consume(queue, no_ack=True, callback=taken.append)
    with channel.connection.frame_writer.batch():
        for body in ("one", "two"):
            channel.basic_publish(amqp.Message(body), routing_key=queue)
    end = time.monotonic() + 60
    while b"two" not in sock.recv(65_536, socket.MSG_PEEK):
        assert time.monotonic() < end
    connection.drain_events(timeout=60.0)
    assert len(taken) == 1
    assert not select.select([sock], [], [], 0)[0], "the second is here already"
    connection.drain_events(timeout=60.0)
    assert [message.body for message in taken] == ["one", "two"]
    connection.close()
