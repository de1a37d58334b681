"""What a log line holds and what it never holds."""

from __future__ import annotations

import io
import logging
import sys

import orjson
import pytest
import structlog

from services.common import log
from services.common.settings import Settings


@pytest.fixture
def lines(monkeypatch):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    log.configure(Settings(log_json=True), "isp")
    mine = {"created", "lost it", "after", "event", "failed"}  # a thread of another test may have its say
    yield lambda: [one for one in map(orjson.loads, stderr.getvalue().splitlines()) if one["event"] in mine]
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_our_lines_and_those_of_libraries_look_alike_and_carry_the_request(lines):
    with structlog.contextvars.bound_contextvars(request_id="r-1", user="ana"):
        structlog.get_logger("ours").info("created", cpe=7)
        logging.getLogger("amqp.connection").warning("lost %s", "it")
    ours, theirs = lines()
    assert (ours["event"], ours["cpe"], ours["level"], ours["logger"]) == ("created", 7, "info", "ours")
    assert (theirs["event"], theirs["level"]) == ("lost it", "warning")
    for line in (ours, theirs):
        assert (line["request_id"], line["user"], line["service"]) == ("r-1", "ana", "isp")
        assert line["timestamp"].endswith("Z")


def test_nothing_of_one_request_stays_for_the_next(lines):
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        pass
    structlog.get_logger().info("after")
    assert "request_id" not in lines()[0]


@pytest.mark.parametrize(
    "members",
    [
        {"password": "hunter2"},
        {"wifi_password": "hunter2"},
        {"headers": {"Authorization": "Bearer hunter2"}},
        {"cpes": [{"sip": {"secret": "hunter2"}}]},
        {"access_token": 12345, "other": "x", "nested": ({"client_secret": b"hunter2"},)},
        {"uri": "amqp://krill:hunter2@broker:5672/"},
        {"uri": "amqp://krill:hunt@er2hunter2@broker:5672/"},
        {"text": "cannot connect: password=hunter2, host=x"},
        {"text": "sent Authorization: Bearer hunter2"},
        {"text": '{"password": "hunter2"}'},
        {"error": ValueError("postgresql://krill:hunter2@db/isp is away")},
    ],
)
def test_secrets_are_masked(lines, members):
    structlog.get_logger().info("event", **members)
    (told,) = lines()
    del told["timestamp"]  # in which any digits may be
    line = orjson.dumps(told).decode()
    assert "hunter2" not in line and "12345" not in line
    assert log.MASK in line


def test_secrets_in_tracebacks_are_masked(lines):
    try:
        raise ValueError("amqp://krill:hunter2@broker/")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines()
    assert "Traceback" in line["exception"] and "hunter2" not in line["exception"]


def test_what_is_no_secret_is_left_as_it_is(lines):
    members = {"url": "http://host:80/a@b", "n": 1, "none": None, "nested": {"a": [1.5, True, "x: y"]}}
    structlog.get_logger().info("event", **members)
    (line,) = lines()
    assert {name: line[name] for name in members} == members
