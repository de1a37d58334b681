"""What a modem says of itself in `sysDescr` (DOCSIS OSSI): free text, and between `<<` and `>>` fields such
as `HW_REV: 04; VENDOR: Arris Interactive, L.L.C.; MODEL: WTM552B`.
"""

from __future__ import annotations

import re

FIELDS = ("HW_REV", "VENDOR", "BOOTR", "SW_REV", "MODEL")

_MARKED = re.compile(r"<<(.*?)(?:>>|$)", re.DOTALL)
_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9_ -]*?)\s*:\s*")


def system_description(text: str | None) -> dict[str, str]:
    """`DESC` and the fields that are there, in their order. A value may hold anything but a semicolon; a part
    without a key belongs to the value before it."""
    if not text or not (text := text.replace("\0", "").strip()):
        return {}
    marked = _MARKED.search(text)
    if marked is None:
        return {"DESC": text}
    around = " ".join(part for part in (text[: marked.start()].strip(), text[marked.end() :].strip()) if part)
    found = {"DESC": around} if around else {}
    key = None
    for part in marked.group(1).split(";"):
        named = _KEY.match(part)
        if named is not None:
            key = named.group(1).upper().replace(" ", "_")
            found[key] = part[named.end() :].strip()
        elif key is not None and part.strip():
            found[key] += f";{part.rstrip()}"
    return found
