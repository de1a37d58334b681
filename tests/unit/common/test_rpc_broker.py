"""The broker's certificate is verified for the name in the URI."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from services.common.rpc.broker import BROKER_ERRORS, connect


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[bytes]]]:
    """A port whose trusted certificate is for `localhost`, and what is said to it after the handshake."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", str(key), "-out", str(certificate), "-days", "2")
    subprocess.run([*made, *files, *subject], check=True, capture_output=True)
    monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = server.accept()
                with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as used:
                    heard.append(used.recv(8))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(("host", "said"), [("localhost", b"AMQP"), ("127.0.0.1", b"")])
def test_nothing_is_said_to_a_broker_of_another_name(
    listening: tuple[int, list[bytes]], host: str, said: bytes
) -> None:
    port, heard = listening
    with pytest.raises((*BROKER_ERRORS, OSError)):
        connect(f"amqps://user:secret@{host}:{port}/")
    assert {one[:4] for one in heard if one} == ({said} if said else set())
