"""Devices from a green process: the hub goes on while they are waited for."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from pysnmp.proto import rfc1902

from tests.integration.devices.agent import Agent, Request, integers, rows
from tests.integration.devices.terminal import Terminal

ROOT = Path(__file__).parents[3]
BASE = (1, 3, 6, 1, 4, 1, 1)
BEGIN = """
from services.common.rpc import green
green.patch()
import sys, time, eventlet
from services.common.devices import native as module
from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceBusy, DeviceSilent
from services.common.devices.native import genuine, native
from services.common.devices.snmp import Snmp
from services.common.devices.ssh import Cli, SshAccess

longest = 0.0

def tick():
    global longest
    last = time.perf_counter()
    while True:
        eventlet.sleep(0.002)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.002), now

eventlet.spawn(tick)
eventlet.sleep(0.05)
longest = 0.0
sleep = genuine("time").sleep
"""


def green(code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_reads_writes_and_sessions_leave_the_hub_alone() -> None:
    written = []

    def behave(request: Request) -> bytes:
        if request.kind == "set":
            written.append(request.variables)
        time.sleep(0.2)
        told = rows(integers(BASE, range(300)))(request)
        assert isinstance(told, bytes)
        return told

    code = """
access = SnmpAccess("127.0.0.1", int(sys.argv[1]), community="read", timeout=5.0)
shell = SshAccess("127.0.0.1", int(sys.argv[2]), "krill", "invented-secret", timeout=20)

def read():
    with Snmp("olt", access) as session:
        return len(list(session.walk("1.3.6.1.4.1.1")))

def write():
    with Snmp("olt", access) as session:
        session.set("1.3.6.1.4.1.1.5", 3)
    return 1

def ask():
    with Cli("olt", shell, "huawei_smartax") as cli:
        return cli.run("display version").strip()

native(ask)
longest = 0.0
work = [read, write, ask] * 3
print(sorted({str(green.wait()) for green in [eventlet.spawn(native, one) for one in work]}))
assert longest < 2, longest  # a reading alone takes longer
"""
    with Agent(behave) as agent, Terminal({"display version": "SmartAX"}) as terminal:
        assert green(code, agent.port, terminal.port) == "['1', '300', 'SmartAX']"
    assert written == [[((*BASE, 5), rfc1902.Integer32(3))]] * 3


def test_work_that_does_not_end_is_left_to_itself_and_keeps_its_place() -> None:
    code = """
begin = time.monotonic()
module.PLACES = 2

def late(work, *arguments):
    try:
        native(work, *arguments, seconds=0.3, device="olt")
    except (DeviceSilent, DeviceBusy) as failure:
        return type(failure).__name__

print([late(sleep, 8), late(sleep, 8), late(sleep, 0)], time.monotonic() - begin < 7)
assert longest < 2, longest
while late(sleep, 0):
    eventlet.sleep(0.05)
print(time.monotonic() - begin > 7.9)
"""
    assert green(code).splitlines() == ["['DeviceSilent', 'DeviceSilent', 'DeviceBusy'] True", "True"]


def test_what_the_work_raises_is_raised_where_it_is_waited_for() -> None:
    code = """
def fail():
    raise DeviceSilent("asleep", device="olt")

try:
    native(fail)
except DeviceSilent as failure:
    print(failure.body["device"])
"""
    assert green(code) == "olt"


def test_the_collector_does_not_look_through_what_was_loaded() -> None:
    code = """
import gc
native(len, ())
print(gc.get_freeze_count() > 10_000)
"""
    assert green(code) == "True"
