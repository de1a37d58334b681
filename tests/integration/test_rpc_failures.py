"""What a caller sees when a service or the broker dies, stalls or comes back: an answer in time, and health
soon after."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import orjson
import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from services.common.context import Context
from services.common.errors import ApiError, DeadlineExceeded, ServiceUnavailable
from services.common.rpc.amqp import AmqpClient, Failure
from tests.integration.rpc_broker import Broker, broker
from tests.integration.rpc_process import ServiceProcess, answers, service

AT_ONCE = 4.0
"""Seconds: on a busy machine; it is a few milliseconds on one at rest. Who waits for the deadline waits 5."""

BACK = 30.0
"""Seconds, likewise, until calls are answered again; it is about one."""


@pytest.fixture(scope="module")
def node():
    with broker() as running:
        yield running


@pytest.fixture
def client(node: Broker):
    made = AmqpClient(node.uri)
    yield made
    made.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The service process that a test left alive serves the next one."""
    with ExitStack() as stack:
        yield Stage(stack, tmp_path_factory)


class Stage:
    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack, self._folders = stack, folders
        self._process: ServiceProcess | None = None

    def toy(self, uri: str) -> ServiceProcess:
        if self._process is None or not self._process.alive:
            log = self._folders.mktemp("toy") / "log"
            self._process = self._stack.enter_context(service(uri, log, "toy"))
        return self._process

    def leave(self) -> None:
        if self._process is not None and self._process.alive:
            self._process.kill()


@pytest.fixture
def toy(node: Broker, client: AmqpClient, stage: Stage):
    process = stage.toy(node.uri)
    answers(client)
    return process


@pytest.fixture
def alone(stage: Stage, node: Broker):
    """No other process serves `toy`, and the broker knows."""
    stage.leave()
    until(lambda: not is_queued(node))


def failure(call) -> tuple[ApiError, float]:
    """What the call raised and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value, time.monotonic() - began


def is_queued(node: Broker) -> bool:
    """Whether `toy` has a queue: it goes with its last consumer, a moment after the process."""
    with pika.BlockingConnection(pika.URLParameters(node.uri)) as connection:
        try:
            connection.channel().queue_declare("rpc-toy", passive=True)
        except ChannelClosedByBroker:
            return False
    return True


def until(holds: Callable[[], bool], within: float = 60.0) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_away(error: ApiError) -> bool:
    return isinstance(error, ServiceUnavailable) and Failure.BROKER_AWAY.value in str(error)


def refuses(client: AmqpClient) -> bool:
    """Whether the service takes no call any more."""
    try:
        client.call("toy", "echo", {}, Context())
    except ServiceUnavailable:
        return True
    return False


def pid(client: AmqpClient) -> int:
    return int(client.call("toy", "pid", {}, Context()).body)


def test_a_broker_kill_fails_pending_calls_at_once_and_all_is_well_after_it_returns(
    node: Broker, client: AmqpClient, toy: ServiceProcess, tmp_path: Path
):
    process = pid(client)
    free = tmp_path / "free"
    marks = [tmp_path / f"mark-{number}" for number in range(5)]
    in_flight = [
        client.start("toy", "hold", {"until": str(free), "mark": str(mark)}, Context().within(30))
        for mark in marks
    ]
    until(lambda: all(mark.exists() for mark in marks))
    node.kill()
    for pending in in_flight:
        error, seconds = failure(pending.result)
        assert isinstance(error, ServiceUnavailable) and seconds < AT_ONCE
    free.touch()
    for _ in range(20):
        error, seconds = failure(lambda: client.call("toy", "echo", {}, Context()))
        assert isinstance(error, ServiceUnavailable) and seconds < AT_ONCE
        time.sleep(0.05)  # the workers of the service end now, without a broker to answer over

    opened = node.start()
    answers(client, within=BACK)
    assert time.monotonic() - opened < BACK
    assert pid(client) == process == toy.process.pid
    assert not [line for line in toy.lines() if line["level"] in ("error", "critical")]


def test_a_killed_service_leaves_no_caller_hanging_and_its_successor_answers(
    node: Broker, client: AmqpClient, toy: ServiceProcess, tmp_path: Path
):
    mark, never = tmp_path / "mark", tmp_path / "never"
    pending = client.start("toy", "hold", {"until": str(never), "mark": str(mark)}, Context().within(5))
    until(mark.exists)
    toy.kill()
    error, seconds = failure(pending.result)
    assert error.status in (503, 504) and seconds < 5 + AT_ONCE
    until(lambda: not is_queued(node))
    for read in (False, False, True):
        error, seconds = failure(lambda read=read: client.call("toy", "echo", {}, Context(), read=read))
        assert isinstance(error, ServiceUnavailable) and seconds < AT_ONCE + (0.3 if read else 0)
    with service(node.uri, tmp_path / "successor", "toy") as successor:
        answers(client)
        assert pid(client) == successor.process.pid


@pytest.mark.parametrize(
    ("read", "key", "times"),
    [(False, None, 1), (True, None, 2), (False, "once", 2)],
    ids=["a change", "a read", "a change whose answer is remembered"],
)
def test_what_a_killed_instance_had_begun_is_done_again_only_where_that_does_no_harm(
    node: Broker,
    client: AmqpClient,
    toy: ServiceProcess,
    tmp_path: Path,
    read: bool,
    key: str | None,
    times: int,
):
    mark, free = tmp_path / "mark", tmp_path / "free"
    context = Context(user_id=7, idempotency_key=key).within(100)
    pending = client.start("toy", "hold", {"until": str(free), "mark": str(mark)}, context, read=read)
    until(mark.exists)
    with service(node.uri, tmp_path / "other", "toy") as other:
        other.wait_for("receiving calls")
        toy.kill()
        free.touch()
        if times == 2:
            assert pending.result().body == b'"held"'
        else:
            error, _ = failure(pending.result)
            assert isinstance(error, ServiceUnavailable) and "may have been done" in str(error)
            assert pid(client) == other.process.pid
        assert mark.read_text().splitlines() == ["executed"] * times


def test_a_terminated_service_answers_what_it_has_begun(
    client: AmqpClient, toy: ServiceProcess, tmp_path: Path
):
    free, mark = tmp_path / "free", tmp_path / "mark"
    pending = client.start("toy", "hold", {"until": str(free), "mark": str(mark)}, Context().within(30))
    until(mark.exists)
    toy.signal(signal.SIGTERM)
    until(lambda: refuses(client))
    error, seconds = failure(lambda: client.call("toy", "echo", {}, Context()))
    assert isinstance(error, ServiceUnavailable) and seconds < AT_ONCE
    free.touch()
    assert pending.result().body == b'"held"'
    assert toy.process.wait(BACK) == 0


def test_rolling_over_to_another_instance_loses_no_call(
    node: Broker, client: AmqpClient, toy: ServiceProcess, tmp_path: Path
):
    with service(node.uri, tmp_path / "second", "toy") as second:
        while pid(client) != second.process.pid:
            time.sleep(0.01)
        toy.signal(signal.SIGTERM)
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            client.call("toy", "sleep", {"seconds": 0.01}, Context())
        assert toy.process.wait(BACK) == 0


def test_a_call_that_waited_in_a_stalled_process_is_not_executed_late(
    client: AmqpClient, toy: ServiceProcess, tmp_path: Path
):
    mark = tmp_path / "mark"
    toy.signal(signal.SIGSTOP)
    error, _ = failure(
        lambda: client.call("toy", "sleep", {"seconds": 0, "mark": str(mark)}, Context().within(0.3))
    )
    assert isinstance(error, DeadlineExceeded)
    time.sleep(0.2)
    toy.signal(signal.SIGCONT)
    assert client.call("toy", "echo", {}, Context()).body == b"{}"
    assert not mark.exists()


def test_a_call_that_waited_in_the_queue_is_not_executed_late(
    alone, node: Broker, client: AmqpClient, tmp_path: Path
):
    mark = tmp_path / "mark"
    with service(node.uri, tmp_path / "log", "toy", KRILL_WORKERS="1"):
        answers(client)
        free = tmp_path / "free"
        busy = client.start("toy", "hold", {"until": str(free)}, Context().within(30))
        error, _ = failure(
            lambda: client.call("toy", "sleep", {"seconds": 0, "mark": str(mark)}, Context().within(0.3))
        )
        assert isinstance(error, DeadlineExceeded)
        free.touch()
        assert busy.result().body == b'"held"'
        client.call("toy", "echo", {}, Context())
        assert not mark.exists()


def test_a_silent_service_is_held_back_and_probed(client: AmqpClient, toy: ServiceProcess):
    toy.signal(signal.SIGSTOP)
    callers = [
        threading.Thread(target=failure, args=[lambda: client.call("toy", "echo", {}, Context().within(1.1))])
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    outcomes = [failure(lambda: client.call("toy", "echo", {}, Context().within(1.1))) for _ in range(5)]
    assert (
        sum(seconds < AT_ONCE and isinstance(error, ServiceUnavailable) for error, seconds in outcomes) >= 3
    )
    toy.signal(signal.SIGCONT)
    assert answers(client) < BACK
    assert client.call("toy", "echo", {}, Context()).body == b"{}"


def test_a_service_started_before_its_broker_waits_for_it(
    alone, node: Broker, client: AmqpClient, tmp_path: Path
):
    node.kill()
    with service(node.uri, tmp_path / "log", "toy") as process:
        process.wait_for("broker away")
        time.sleep(1)
        assert process.alive
        opened = node.start()
        answers(client)
        assert time.monotonic() - opened < BACK


def test_a_service_that_never_saw_its_broker_can_be_stopped(tmp_path: Path):
    with service("amqp://guest:guest@127.0.0.1:1/", tmp_path / "log", "toy") as process:
        process.wait_for("broker away")
        process.signal(signal.SIGTERM)
        assert process.process.wait(BACK) == 0


def test_a_deleted_queue_is_made_again_and_a_read_does_not_notice(node: Broker, toy: ServiceProcess):
    client = AmqpClient(node.uri, read_retry=30)  # a third of a second is short for a busy machine
    try:
        answers(client)
        with pika.BlockingConnection(pika.URLParameters(node.uri)) as connection:
            connection.channel().queue_delete("rpc-toy")
        assert client.call("toy", "echo", {"a": 1}, Context().within(30), read=True).body == b'{"a":1}'
        assert pid(client) == toy.process.pid
    finally:
        client.close()


def test_a_queue_of_another_make_is_replaced_with_what_waits_in_it(
    alone, node: Broker, client: AmqpClient, tmp_path: Path
):
    mark = tmp_path / "mark"
    with pika.BlockingConnection(pika.URLParameters(node.uri)) as connection:
        channel = connection.channel()
        channel.queue_declare("rpc-toy", durable=True)
        body = orjson.dumps({"args": [], "kwargs": {"seconds": 0, "mark": str(mark)}})
        channel.queue_bind("rpc-toy", "nameko-rpc", "toy.*")
        channel.basic_publish("nameko-rpc", "toy.sleep", body)
    with service(node.uri, tmp_path / "log", "toy") as process:
        process.wait_for("receiving calls")
        assert client.call("toy", "echo", {}, Context()).body == b"{}"
    assert not mark.exists()


def test_the_queue_of_a_service_that_died_with_its_broker_goes_by_itself(
    node: Broker, client: AmqpClient, toy: ServiceProcess
):
    node.kill()
    toy.kill()
    node.start()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        error, _ = failure(lambda: client.call("toy", "echo", {}, Context().within(1)))
        if isinstance(error, ServiceUnavailable) and "not running" in str(error):
            return
        time.sleep(0.2)
    pytest.fail("the queue is still there")


def test_a_broker_that_takes_nothing_fails_calls_at_once_until_it_does(
    node: Broker, client: AmqpClient, toy: ServiceProcess
):
    alarm = "{{resource_limit,memory,node()},[]}"
    node.ctl("eval", f"rabbit_alarm:set_alarm({alarm}).")
    try:
        # Our publishing makes the broker say so, in its own time.
        until(lambda: is_away(failure(lambda: client.call("toy", "echo", {}, Context().within(0.5)))[0]))
        error, seconds = failure(lambda: client.call("toy", "echo", {}, Context()))
        assert is_away(error) and seconds < AT_ONCE
    finally:
        node.ctl("eval", "rabbit_alarm:clear_alarm({resource_limit,memory,node()}).")
    assert answers(client) < BACK
    assert toy.alive


def test_a_container_that_died_is_started_again(alone, node: Broker, client: AmqpClient, tmp_path: Path):
    deaths = tmp_path / "deaths"
    deaths.write_text("2")
    with service(node.uri, tmp_path / "log", "mortal", "toy", TOY_DEATHS=str(deaths)) as process:
        process.wait_for("container died")
        while int(deaths.read_text()):
            time.sleep(0.01)
        answers(client, name="mortal")
        answers(client, name="toy")
        assert process.alive


def test_a_container_that_dies_while_it_starts_is_started_again(
    node: Broker, client: AmqpClient, tmp_path: Path
):
    deaths, log = tmp_path / "deaths", tmp_path / "log"
    deaths.write_text("2")
    with service(node.uri, log, "stillborn", TOY_DEATHS=str(deaths)) as process:
        process.wait_for("container died")
        answers(client, name="stillborn")
    assert deaths.read_text() == "0"
    assert "AttributeError" not in log.read_text(), "its timer was never started"


def test_a_process_whose_container_keeps_dying_ends(node: Broker, tmp_path: Path):
    (tmp_path / "deaths").write_text("99")
    with service(node.uri, tmp_path / "log", "mortal", TOY_DEATHS=str(tmp_path / "deaths")) as process:
        assert process.process.wait(60) == 1


def test_logs_never_hold_the_brokers_password(node: Broker, tmp_path: Path):
    for uri in ("amqp://krill:hunter2@127.0.0.1:1/", node.uri.replace("guest:guest", "krill:hunter2")):
        log = tmp_path / str(hash(uri))
        with service(uri, log, "toy") as process:
            process.wait_for("broker away")
            time.sleep(1)
            assert process.alive
            (line,) = process.lines()
            assert "exception" not in line, "one line, without a traceback, however often it tries"
        assert "hunter2" not in log.read_text()
