"""What must come first in a green process, and what a process that is not green must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_patching_makes_sockets_and_psycopg_cooperative():
    done = python(
        "from services.common.rpc import green; green.patch()\n"
        "import os, eventlet.patcher as p\n"
        "assert p.is_monkey_patched('socket') and os.environ['PSYCOPG_WAIT_FUNC'] == 'wait_select'\n"
    )
    assert done.returncode == 0, done.stderr


def test_patching_after_psycopg_is_refused():
    done = python("import psycopg\nfrom services.common.rpc import green; green.patch()")
    assert "RuntimeError" in done.stderr


def test_services_are_not_run_in_a_process_that_is_not_green():
    done = python(
        "import warnings; warnings.simplefilter('ignore')\n"
        "from services.common.rpc.runner import embed\n"
        "from services.common.settings import Settings\n"
        "embed([], Settings())"
    )
    assert "green.patch() must run" in done.stderr


def test_the_gateways_client_loads_neither_nameko_nor_eventlet():
    done = python(
        "import sys, services.common.rpc.amqp\n"
        "assert not {'nameko', 'eventlet', 'kombu'} & set(sys.modules), sys.modules.keys()"
    )
    assert done.returncode == 0, done.stderr
