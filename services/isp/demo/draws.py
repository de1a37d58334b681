"""The small draws that every invented row is made of. Fast: a big installation takes millions of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final, TypeVar

Row = dict[str, Any]

LAST_CHANGE: Final = dt.datetime(2026, 6, 30, 12, tzinfo=dt.UTC).timestamp()
"""Nothing in the demo data happened later (seconds since the epoch)."""

_T = TypeVar("_T")
_YEAR = 365 * 86_400


def pick(random: Random, items: Sequence[_T]) -> _T:
    """One of `items`; about three times as fast as `Random.choice`."""
    return items[int(random.random() * len(items))]


def secret(random: Random, length: int) -> str:
    """`length` hexadecimal digits. Of the demo only: anybody can draw the same."""
    return f"{random.getrandbits(4 * length):0{length}x}"


def near(random: Random, centre: float) -> Decimal:
    """A coordinate within a hundredth of a degree (about a kilometre) of `centre`, with seven decimals."""
    return Decimal(f"{centre + (random.random() - 0.5) / 50:.7f}")


def later(random: Random, when: float) -> float:
    """The last change of what was created at `when`: for half of the rows the creation itself."""
    if random.random() < 0.5:
        return when
    return min(LAST_CHANGE, when + random.random() * 2 * _YEAR)


def instant(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def scattered(number: int, bits: int) -> int:
    """Maps 1 … 2**bits - 1 onto itself, one to one, in no visible order: an odd multiplier has an inverse."""
    return number * 0x9E37_79B9_7F4A_7C15 % (1 << bits)
