"""`krill run`: what it does beside answering requests."""

from __future__ import annotations

import subprocess

from deploy.local.instance import free_port
from tests.servers import KRILL, Embedded


def test_a_data_folder_is_of_one_process(embedded: Embedded) -> None:
    """On SQLite workers are kept apart within a process: a second one would begin what the first is at."""
    command = (*KRILL, "run", "--bind", f"127.0.0.1:{free_port()}")
    second = subprocess.run(command, env=embedded.env, capture_output=True, timeout=120)
    assert second.returncode == 1
    assert b"is used by another process" in second.stderr
    embedded.wait()
