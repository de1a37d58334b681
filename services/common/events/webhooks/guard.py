"""Where a webhook may go: public addresses, and the networks that the operator allows.

A URL is judged when it is written down, its addresses at each attempt, on the very address that is connected
to: a name that changes its mind between two look-ups gains nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from services.common.settings import Settings, networks

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]

HTTPS = "Only https is allowed."
PRIVATE = "The address is not a public one, and not in a network that the operator allows."
_UNICAST = IPv6Network("2000::/3")
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))  # 6to4 and Teredo carry an IPv4 address
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""Protocol assignments and relays of 6to4 (RFC 6890), which not every Python knows to be no public ones."""

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=%]+")
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class Refused(Exception):
    """The text says why, and may be shown."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts. `host`: a name, or an address without brackets; `path`: with the query."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def address(self) -> Address | None:
        """The address that the URL names outright."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """The header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def parsed(url: str) -> Target:
    """Raises `Refused` when the URL is none that could be called."""
    if "@" in url:
        raise Refused("A user name or password in the URL is not allowed.")
    if "#" in url:
        raise Refused("A fragment in the URL is not allowed.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise Refused("Enter a valid URL.") from None
    if parts.scheme not in ("http", "https"):
        raise Refused("Enter a valid URL that begins with https://.")
    if not host or not _CHARACTERS.fullmatch(url):
        raise Refused("Enter a valid URL: a host, and no characters but those of RFC 3986.")
    if port == 0:
        raise Refused("Enter a valid port.")
    tls = parts.scheme == "https"
    query = f"?{parts.query}" if parts.query else ""
    found = Target(tls, host, port or (443 if tls else 80), (parts.path or "/") + query)
    if found.address is None and not _is_name(host):
        raise Refused("Enter a valid URL: the host is neither a name nor an address.")
    return found


def check_url(url: str, settings: Settings) -> None:
    """Raises `Refused` for what can be told without asking for the name."""
    target = parsed(url)
    if target.address is not None:
        check_address(target, target.address, settings)
        return
    allowed = networks(settings.webhook_networks)
    if (target.host == "localhost" or target.host.endswith(".localhost")) and not any(
        one.is_loopback for one in allowed
    ):
        raise Refused(PRIVATE)
    if not target.tls and not settings.webhook_http and not allowed:
        raise Refused(HTTPS)


def check_address(target: Target, address: Address, settings: Settings) -> None:
    """Raises `Refused` unless the target may be called at this address."""
    if any(address in one for one in networks(settings.webhook_networks)):
        return
    if not is_public(address):
        raise Refused(PRIVATE)
    if not target.tls and not settings.webhook_http:
        raise Refused(HTTPS)


def addresses(target: Target, settings: Settings, resolve: Resolve) -> list[str]:
    """The addresses to connect to, in their order. Raises `Refused` if one of them may not be: a name that
    leads to both kinds has something in mind."""
    found = [target.host] if target.address else resolve(target.host, target.port)
    for one in found:
        check_address(target, ip_address(one), settings)
    return found


def is_public(address: Address) -> bool:
    """Whether the address is of the public Internet, and not another one in disguise: IPv4 in IPv6 in its
    many forms (mapped, NAT64, 6to4, Teredo) is not."""
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in one for one in _SPECIAL)
    return address in _UNICAST and not any(address in one for one in _TUNNELS)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises `OSError`. In a green process real threads wait for the answer."""
    from eventlet import tpool
    from eventlet.patcher import is_monkey_patched

    look: Any = socket.getaddrinfo
    asked = (host, port, 0, socket.SOCK_STREAM)
    found: Sequence[Any] = tpool.execute(look, *asked) if is_monkey_patched("socket") else look(*asked)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _is_name(host: str) -> bool:
    """Whether it is a host name; what ends in a number is an address in one of its old spellings."""
    labels = host.split(".")
    return (
        len(host) < 254 and all(_NAME.fullmatch(one) for one in labels) and not _NUMBER.fullmatch(labels[-1])
    )
