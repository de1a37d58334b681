"""Speeds as profiles write them: `20M`, `1G`, `512k`, `300 Mbit/s`."""

from __future__ import annotations

import re
from decimal import Decimal

MOST = 2**32 - 1
"""Bit/s in the 32 bits of `Maximum Sustained Traffic Rate` (CM-SP-MULPI, C.2.2.7.2)."""

_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_SPEED = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*([kmg]?)(?:b|bit|bits)?(?:/s|ps)?", re.IGNORECASE)
_LEAST = 8_000


def bits(text: str) -> int:
    """Bit/s. Raises `ValueError`: a speed that is misread cuts somebody off, or gives away what he did not
    buy."""
    found = _SPEED.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is not a speed, such as 20M.')
    rate = int(Decimal(found.group(1).replace(",", ".")) * _FACTORS[found.group(2).lower()])
    if rate < _LEAST:
        raise ValueError(f'"{text}" is too slow for a speed; say 20M for 20 Mbit/s.')
    if rate > MOST:
        raise ValueError(f'"{text}" is more than a service flow can be given.')
    return rate
