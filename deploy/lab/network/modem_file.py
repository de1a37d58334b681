"""What a cable modem takes from its configuration file (DOCSIS MULPI, annex C): whether it may speak, how
fast.

Only reads; what it does not know it skips. The message integrity checks are the CMTS's business, which the
lab's does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

NETWORK_ACCESS, UPSTREAM_FLOW, DOWNSTREAM_FLOW, END, PAD = 3, 24, 25, 255, 0
MAX_SUSTAINED_RATE = 8
"""Of a service flow: bit/s."""


@dataclass(frozen=True)
class Settings:
    access: bool = True
    down: int | None = None
    up: int | None = None


def read(data: bytes) -> Settings:
    """Raises ValueError on a file that is cut."""
    access, rates = True, {UPSTREAM_FLOW: 0, DOWNSTREAM_FLOW: 0}
    for kind, value in _tlvs(data):
        if kind == NETWORK_ACCESS:
            access = value == b"\x01"
        elif kind in rates:
            found = dict(_tlvs(value)).get(MAX_SUSTAINED_RATE)
            if found is not None:
                rates[kind] = max(rates[kind], int.from_bytes(found, "big"))
    return Settings(access, rates[DOWNSTREAM_FLOW] or None, rates[UPSTREAM_FLOW] or None)


def _tlvs(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind = data[at]
        if kind == PAD:
            at += 1
            continue
        if kind == END:
            return
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise ValueError("cut")
        yield kind, data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
