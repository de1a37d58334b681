"""MACs of modems: kept and shown with colons, found by any spelling."""

from __future__ import annotations

from services.common import types


def colons(text: str) -> str:
    """`00:15:96:cb:83:4d`. Raises `ValueError`."""
    digits = types.mac(text)
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def plain(text: str) -> str:
    """`001596cb834d`, as isp keeps it. Raises `ValueError`."""
    return types.mac(text)
