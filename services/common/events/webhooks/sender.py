"""One POST to one receiver: to a checked address, within a time limit, following nothing.

The socket is connected here and handed to `http.client`, so no proxy of the environment, no pool and no
redirect can lead it elsewhere.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache

import certifi

from services.common.events.webhooks.guard import Refused, Resolve, Target, addresses, parsed
from services.common.settings import Settings

TIMEOUT, CONNECT_TIMEOUT = 15.0, 5.0
READ = 16 * 1024
GONE = 410
PATIENT = (429, 502, 503, 504)
LONGEST_WAIT = 3600.0
AGENT = "krill-webhooks/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status`: of the answer, None when there was none. `wait`: seconds that the receiver asked for."""

    status: int | None
    error: str = ""
    wait: float = 0.0

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == GONE


def post(
    url: str,
    headers: dict[str, str],
    body: bytes,
    settings: Settings,
    resolve: Resolve,
    timeout: float = TIMEOUT,
) -> Outcome:
    """Never raises for what the receiver, its name or the network does."""
    ends = time.monotonic() + timeout
    try:
        target = parsed(url)
        with _connected(target, addresses(target, settings, resolve), ends) as plain:
            return _exchange(target, plain, headers, body, ends)
    except Refused as error:
        return Outcome(None, f"Not sent: {error}")
    except socket.gaierror as error:
        return Outcome(None, f"The name was not found: {error.strerror}.")
    except ssl.SSLCertVerificationError as error:
        return Outcome(None, f"The certificate is not valid: {error.verify_message}.")
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= ends:
            return Outcome(None, f"No answer within {timeout:g} s.")
        return Outcome(None, f"No answer: {(getattr(error, 'strerror', None) or type(error).__name__)}.")


def _connected(target: Target, found: Sequence[str], ends: float) -> socket.socket:
    failure: OSError = OSError("no address")
    for address in found:
        try:
            left = max(0.1, min(CONNECT_TIMEOUT, ends - time.monotonic()))
            return socket.create_connection((address, target.port), left)
        except OSError as error:
            failure = error
        if time.monotonic() >= ends:
            break
    raise failure


def _exchange(
    target: Target, plain: socket.socket, headers: dict[str, str], body: bytes, ends: float
) -> Outcome:
    left = max(0.1, ends - time.monotonic())
    plain.settimeout(left)
    used = plain
    if target.tls:
        used = _tls().wrap_socket(plain, server_hostname=target.host, do_handshake_on_connect=False)
    watch = threading.Timer(left, _cut, (used,))  # for a receiver that says a byte now and then
    watch.daemon = True
    watch.start()
    try:
        with used:
            if isinstance(used, ssl.SSLSocket):
                used.do_handshake()
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = used
            connection.request("POST", target.path, body, _headers(target, headers))
            answer = connection.getresponse()
            if time.monotonic() >= ends:
                raise TimeoutError  # for `http.client` headers that were cut off are headers
            status, wait = answer.status, _wait(answer)
            with suppress(OSError, http.client.HTTPException):  # the answer counts, not what follows it
                answer.read(READ)
    finally:
        watch.cancel()
    if 200 <= status < 300:
        return Outcome(status)
    redirect = ", a redirect, which is not followed" if 300 <= status < 400 else ""
    return Outcome(status, f"The receiver answered {status}{redirect}.", wait)


def _cut(used: socket.socket) -> None:
    with suppress(OSError):
        used.shutdown(socket.SHUT_RDWR)


def _headers(target: Target, headers: dict[str, str]) -> dict[str, str]:
    return {"Host": target.authority, "User-Agent": AGENT, "Connection": "close", **headers}


def _wait(answer: http.client.HTTPResponse) -> float:
    """Seconds that `Retry-After` asks for, within bounds."""
    text = (answer.getheader("Retry-After") or "").strip()
    if not text or answer.status not in PATIENT:
        return 0.0
    if text.isascii() and text.isdecimal():
        asked = float(text[:9])
    else:
        try:
            asked = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(0.0, asked), LONGEST_WAIT)


@cache
def _tls() -> ssl.SSLContext:
    """What the system trusts (or `SSL_CERT_FILE`), and the usual authorities where it trusts none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
