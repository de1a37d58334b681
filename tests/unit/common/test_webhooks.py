"""Webhooks: signatures against the reference library, the schedule, the guard, and one POST."""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.common.events.webhooks import guard, schedule, sender, signature
from services.common.settings import Settings
from tests.receiver import Receiver

BODY = '{"type": "cpe.updated", "data": {"name": "Ñuñoa"}}'.encode()
LOOPBACK = Settings(webhook_networks="127.0.0.0/8")
PUBLIC = Settings()


# ---- signatures -------------------------------------------------------------------------------


def test_the_reference_library_verifies_a_signature() -> None:
    secret = signature.new_secret()
    headers = signature.headers([secret], "0198", int(time.time()), BODY)
    assert Webhook(secret).verify(BODY, headers)["type"] == "cpe.updated"


def test_the_reference_library_makes_the_same_signature() -> None:
    secret, moment = signature.new_secret(), dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    ours = signature.headers([secret], "0198", int(moment.timestamp()), BODY)["webhook-signature"]
    assert ours == Webhook(secret).sign("0198", moment, BODY.decode())


def test_both_secrets_verify_while_they_are_changed_and_no_other_does() -> None:
    new, former = signature.new_secret(), signature.new_secret()
    headers = signature.headers([new, former], "0198", int(time.time()), BODY)
    for secret in (new, former):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signature.new_secret()).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_what_was_changed_on_the_way_does_not_verify(changed: str) -> None:
    secret = signature.new_secret()
    headers, body = signature.headers([secret], "0198", int(time.time()), BODY), BODY
    if changed == "body":
        body = BODY.replace(b"cpe", b"CPE")
    else:
        headers[changed] = headers[changed][:-1] + str((int(headers[changed][-1]) + 1) % 10)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_new_secrets_differ_and_have_the_form_of_the_specification() -> None:
    made = {signature.new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(signature.key_of(one)) for one in made} == {32}


@pytest.mark.parametrize(
    "text",
    [
        *("", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ñ", "whsec_" + "*" * 32),
        *("whsec_" + "A" * 28, "whsec_" + "A" * 88, "whsec_" + "A" * 33),
    ],
)
def test_a_secret_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        signature.key_of(text)


def test_the_secret_of_the_specification_is_one() -> None:
    assert len(signature.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")) == 24


# ---- schedule ---------------------------------------------------------------------------------


def test_the_schedule_is_that_of_the_specification_and_seventy_hours_lie_within() -> None:
    assert schedule.SCHEDULE == (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
    assert schedule.WHOLE > 70 * 3600


def test_a_pause_is_what_is_written_and_a_little_jitter() -> None:
    for attempts, written in enumerate(schedule.SCHEDULE):
        for _ in range(50):
            assert written <= schedule.pause(attempts) <= written * 1.05


def test_a_failing_webhook_is_probed_each_half_hour_in_the_end() -> None:
    assert [schedule.probe(one) for one in (0, 4.9, 5, 299, 300, 1e6)] == [5, 5, 300, 300, 1800, 1800]


# ---- where it may go --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "192.0.0.8", "192.0.0.192", "192.88.99.1",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "ff0e::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001:0:1::1", "4000::1",
    ],
)  # fmt: skip
def test_what_is_not_plainly_public_is_not(address: str) -> None:
    assert not guard.is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert guard.is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "example.com/hook", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x",
        "https://user:pass@example.com/", "https://user@example.com/", "https://example.com/#top",
        "https://example.com:0/", "https://example.com:70000/", "https://example.com:x/",
        "https://exa mple.com/", "https://example.com/a b", "https://ejemplo.ñ/", "https://example.com/ñ",
        "https://example.com\\@127.0.0.1/", "https://-x.example.com/", "https://a..b/", "https://[::1",
        "javascript:alert(1)", "https://example.com/\r\nX: y", "https://.", "https://" + "a" * 64 + ".com/",
        "https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://[::1%25lo]/",
        "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3:8443/x", "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/", "https://localhost/", "https://localhost./",
        "https://LOCALHOST/", "https://a.localhost/", "http://example.com/", "http://8.8.8.8/",
    ],
)  # fmt: skip
def test_a_url_that_is_none_or_leads_inside_is_refused(url: str) -> None:
    with pytest.raises(guard.Refused, match=r"^[A-Z].*\.$|https://\.$"):
        guard.check_url(url, PUBLIC)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.example.com/a/b?c=d%20e", "hooks.example.com", "/a/b?c=d%20e"),
        ("https://example.com", "example.com", "/"),
        ("HTTPS://Example.COM:8443/x", "example.com:8443", "/x"),
        ("https://[2606:4700:4700::1111]:8443/", "[2606:4700:4700::1111]:8443", "/"),
        ("https://8.8.8.8/", "8.8.8.8", "/"),
        ("https://xn--jemplo-9ua.es/?", "xn--jemplo-9ua.es", "/"),
    ],
)
def test_a_good_url_is_taken_apart(url: str, authority: str, path: str) -> None:
    guard.check_url(url, PUBLIC)
    target = guard.parsed(url)
    assert (target.authority, target.path) == (authority, path)


def test_the_operator_may_allow_http_and_networks() -> None:
    guard.check_url("http://example.com/", Settings(webhook_http=True))
    guard.check_url("http://127.0.0.1:8080/", LOOPBACK)
    guard.check_url("http://localhost:8080/", LOOPBACK)
    guard.check_url("https://10.1.2.3/", Settings(webhook_networks="192.168.0.0/16, 10.0.0.0/8"))
    with pytest.raises(guard.Refused):
        guard.check_url("https://10.1.2.3/", LOOPBACK)
    with pytest.raises(guard.Refused):
        guard.check_url("http://10.1.2.3/", Settings(webhook_http=True))
    with pytest.raises(ValueError, match="host bits set"):
        Settings(webhook_networks="10.0.0.1/8")


def test_http_by_name_is_for_allowed_networks_only() -> None:
    target = guard.parsed("http://crm.example.com/")
    guard.check_url("http://crm.example.com/", LOOPBACK)
    assert guard.addresses(target, LOOPBACK, lambda *_: ["127.0.0.1"]) == ["127.0.0.1"]
    with pytest.raises(guard.Refused, match="https"):
        guard.addresses(target, LOOPBACK, lambda *_: ["8.8.8.8"])


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    target = guard.parsed("https://example.com/")
    assert guard.addresses(target, PUBLIC, lambda *_: ["8.8.8.8", "1.1.1.1"]) == ["8.8.8.8", "1.1.1.1"]
    with pytest.raises(guard.Refused, match="not a public one"):
        guard.addresses(target, PUBLIC, lambda *_: ["8.8.8.8", "10.0.0.1"])


# ---- one POST ---------------------------------------------------------------------------------


def post(url: str, settings: Settings = LOOPBACK, timeout: float = 60.0, **more: Any) -> sender.Outcome:
    return sender.post(url, {"webhook-id": "x"}, BODY, settings, more.get("resolve", guard.resolve), timeout)


def test_it_is_a_post_with_the_body_to_the_path() -> None:
    with Receiver() as receiver:
        outcome = post(f"{receiver.url}?a=b")
    assert outcome.delivered
    (one,) = receiver.taken
    assert (one.path, one.body) == ("/hook?a=b", BODY)
    assert one.headers["host"] == receiver.url.split("/")[2]
    assert one.headers["user-agent"] == sender.AGENT


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert post(receiver.url).delivered
        assert not proxy.asked


def test_a_redirect_is_a_failure_and_is_not_followed() -> None:
    with Receiver() as inside:
        statuses = iter((301, 302, 303, 307, 308))
        with Receiver(lambda _: (next(statuses), {"Location": inside.url})) as receiver:
            outcomes = [post(receiver.url) for _ in range(5)]
        assert [one.status for one in outcomes] == [301, 302, 303, 307, 308]
        assert not any(one.delivered for one in outcomes)
        assert all("redirect" in one.error for one in outcomes)
        assert not inside.asked


def test_a_name_that_changes_its_mind_does_not_reach_loopback() -> None:
    """Public when it is asked for first, loopback from then on."""
    answers = iter([["8.8.8.8"]])

    def rebinding(_host: str, _port: int) -> list[str]:
        return next(answers, ["127.0.0.1"])

    with Receiver() as receiver:
        port = receiver.server.server_port
        url = f"https://rebinding.example.com:{port}/"
        target = guard.parsed(url)
        assert guard.addresses(target, PUBLIC, rebinding) == ["8.8.8.8"]
        outcome = post(url, PUBLIC, resolve=rebinding)
        assert outcome == sender.Outcome(None, f"Not sent: {guard.PRIVATE}")
        assert not receiver.asked


def test_it_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked for once; what is connected to is what came back, not the name again."""
    connected: list[Any] = []
    asked: list[str] = []

    def connect(address: Any, _timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8", "1.1.1.1"]

    monkeypatch.setattr(socket, "create_connection", connect)
    outcome = post("https://example.com/", PUBLIC, resolve=resolve)
    assert connected == [("8.8.8.8", 443), ("1.1.1.1", 443)]
    assert asked == ["example.com"]
    assert "Connection refused" in outcome.error


def test_names_are_looked_up() -> None:
    assert "127.0.0.1" in guard.resolve("localhost", 80)
    with Receiver() as receiver:
        assert post(
            receiver.url.replace("127.0.0.1", "localhost"), Settings(webhook_networks="127.0.0.0/8,::1")
        ).delivered
    assert "not found" in post("https://nothing.invalid/", PUBLIC).error


def test_nobody_listening_is_told() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        outcome = post(f"http://127.0.0.1:{port}/")
    assert outcome == sender.Outcome(None, "No answer: Connection refused.")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90])
def test_a_receiver_that_dribbles_is_not_waited_for(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def dribble() -> None:
            connection, _ = listener.accept()
            with connection:
                for byte in said + b"z" * 1000:
                    if stop.wait(0.02):
                        return
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return

        thread = threading.Thread(target=dribble)
        thread.start()
        began = time.monotonic()
        outcome = post(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.5)
        took = time.monotonic() - began
        stop.set()
        thread.join()
    assert not outcome.delivered
    assert outcome.error == "No answer within 0.5 s."
    assert took < 10, "all of it takes 20 s"


def test_a_long_answer_is_not_read_to_its_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def flood() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
                    while True:
                        connection.sendall(b"x" * 65_536)
                except OSError:
                    return

        thread = threading.Thread(target=flood)
        thread.start()
        assert post(f"http://127.0.0.1:{listener.getsockname()[1]}/").delivered
        thread.join(30)
        assert not thread.is_alive()


def test_what_is_no_http_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        outcome = post(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert outcome == sender.Outcome(None, "No answer: BadStatusLine.")


@pytest.mark.parametrize(
    ("status", "text", "least", "most"),
    [
        (429, "120", 120, 120), (503, "7", 7, 7), (503, "999999999999", 3600, 3600), (500, "120", 0, 0),
        (503, "soon", 0, 0), (503, "-5", 0, 0), (502, "Wed, 21 Oct 2099 07:28:00 GMT", 3600, 3600),
        (504, "Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)  # fmt: skip
def test_retry_after_is_honoured_within_bounds(status: int, text: str, least: float, most: float) -> None:
    with Receiver(lambda _: (status, {"Retry-After": text})) as receiver:
        assert least <= post(receiver.url).wait <= most


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[tuple[Path, ssl.SSLContext]]:
    """A certificate for hooks.example.com, and the context of a server that has it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ("-subj", "/CN=hooks.example.com", "-addext", "subjectAltName=DNS:hooks.example.com")
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", str(key), "-out", str(certificate), "-days", "2")
    subprocess.run([*made, *files, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    sender._tls.cache_clear()
    yield certificate, context
    sender._tls.cache_clear()


def test_tls_is_verified_for_the_name_in_the_url(
    certified: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = certified
    names: list[Any] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with Receiver() as receiver:
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        port = receiver.server.server_port

        def outcome(host: str) -> sender.Outcome:
            return post(f"https://{host}:{port}/", resolve=lambda *_: ["127.0.0.1"])

        assert outcome("hooks.example.com").error.startswith("The certificate is not valid")
        sender._tls.cache_clear()
        monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(certificate))
        assert outcome("hooks.example.com").delivered
        assert outcome("other.example.com").error.startswith("The certificate is not valid")
        assert outcome("127.0.0.1").error.startswith("The certificate is not valid")
        greens = _in_a_green_process(f"https://hooks.example.com:{port}/", f"https://localhost:{port}/")
    assert greens[0] == "Outcome(status=204, error='', wait=0.0)"
    assert "The certificate is not valid" in greens[1]
    del receiver.taken[1:]
    assert [one.headers["host"] for one in receiver.taken] == [f"hooks.example.com:{port}"]
    assert names[:3] == ["hooks.example.com", "hooks.example.com", "other.example.com"]


def test_a_green_process_goes_on_while_a_name_is_looked_up() -> None:
    assert _in_a_green_process("slow") == ["True"]


def _in_a_green_process(*urls: str) -> list[str]:
    """What comes of a POST to each, where green threads do it."""
    done = subprocess.run([sys.executable, "-c", _GREEN, *urls], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


_GREEN = """
from services.common.rpc import green
green.patch()
import socket, sys, time
import eventlet
from eventlet.patcher import original
from services.common.events.webhooks import guard, sender
from services.common.settings import Settings

settings = Settings(webhook_networks="127.0.0.0/8,::1")
ticks = 0

def tick():
    global ticks
    while True:
        eventlet.sleep(0.01)
        ticks += 1

eventlet.spawn(tick)
if sys.argv[1] == "slow":
    sleep = original("time").sleep

    def slowly(*_):
        for _ in range(3000):
            if ticks > 10:
                break
            sleep(0.01)
        return []

    socket.getaddrinfo = slowly
    guard.resolve("example.com", 443)
    print(ticks > 10)
else:
    for url in sys.argv[1:]:
        named = "example" in url
        resolve = (lambda *_: ["127.0.0.1"]) if named else guard.resolve
        print(sender.post(url, {}, b"{}", settings, resolve))
"""
