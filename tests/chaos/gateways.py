"""Gateways that start within a moment, to be killed as fast: `python -m tests.chaos.gateways <port>`.

Each line on standard input forks one, gunicorn as it always runs, off a process that has loaded the code; its
process id is printed.
"""

from __future__ import annotations

import os
import signal
import sys

import gunicorn.app.wsgiapp
import gunicorn.workers.gthread

import gateway.accounts.service
import gateway.app
import gateway.assembly
import services.common.rpc.amqp
import services.isp.contract

LOADED = (gunicorn, gateway, services)


def main(port: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that were killed leave nothing behind
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sys.argv = ["gunicorn", "gateway.wsgi:app", "-k", "gthread", "-w", "2", "--threads", "8"]
            sys.argv += ["--no-control-socket", "-b", f"127.0.0.1:{port}"]
            gunicorn.app.wsgiapp.run()
        print(pid, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
