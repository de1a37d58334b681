"""Names of interfaces, as a CMTS writes them and as the platform does."""

from __future__ import annotations

import re

_FILLERS = re.compile(r"\b(?:logical|channel)\b")
_BLANKS = re.compile(r"\s+")


def interface(name: str) -> str:
    """`dn.0-3-0` of `Downstream 0/3/0`, `up.1-0-0` of `Logical Upstream Channel 1/0/0`, `ca3-0-up0` of
    `Ca3/0-upstream0`, `catv-mac.1` of `CATV-MAC 1`: one word, which is safe in tags and paths."""
    plain = _FILLERS.sub(" ", name.lower()).replace("upstream", "up").replace("downstream", "dn")
    return _BLANKS.sub(".", plain.strip()).replace("/", "-")
