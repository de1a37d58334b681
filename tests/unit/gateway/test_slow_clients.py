"""A client that stands still in the middle of a request does not keep what it holds of a server."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import server

ROOT = Path(__file__).parents[3]

GREEN = """
from services.common.rpc import green
green.patch()
import eventlet
from deploy.local import protocol

def app(environ, start):
    environ["wsgi.input"].read()
    start("200 OK", [("Content-Length", "0")])
    return []

protocol.SILENCE = 1
listener = eventlet.listen(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
protocol.serve(listener, app)
"""


def test_a_thread_of_gunicorn_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SILENCE", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.patient(listener)
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(b"G")
            listener.setblocking(False)
            held = None
            while held is None:
                try:
                    held = listener.accept()[0]
                except BlockingIOError:
                    continue
            with held:
                held.setblocking(True)
                assert held.recv(1) == b"G"
                with pytest.raises(BlockingIOError):
                    held.recv(1)
                with pytest.raises(BlockingIOError):
                    held.sendall(b"x" * 100_000_000)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: x\r\n", b"x"], ids=repr)
def test_a_green_server_waits_only_so_long(sent: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    command = [sys.executable, "-c", GREEN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        try:
            place = ("127.0.0.1", int(running.stdout.readline()))
            with socket.create_connection(place, timeout=60) as client:
                client.sendall(head + sent if sent == b"x" else sent)
                found = b""
                while more := client.recv(65536):
                    found += more
            assert b" 200 " not in found
        finally:
            running.kill()
