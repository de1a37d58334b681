"""How places on an OLT and ONUs are written (contract 3.1): `0/5/2`, `0/5/2-7`, `onug-olt0/05/02`."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = re.compile(r"\s*0*([0-9]{1,5})\s*")


class Pon(NamedTuple):
    frame: int
    slot: int
    port: int

    @property
    def fsp(self) -> str:
        return f"{self.frame}/{self.slot}/{self.port}"

    @property
    def name(self) -> str:
        """As monitoring calls it, whatever the OLT's own name."""
        return f"olt{self.frame}/{self.slot:02d}/{self.port:02d}"

    @property
    def service(self) -> str:
        return f"onug-{self.name}"


def number(text: str) -> int:
    """A part of a place, with or without leading zeros (`05` is `5`). Raises `ValueError`."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError("A valid number is required.")
    return int(found.group(1))


def parse(fsp: str) -> Pon:
    """`0/5/2`, `00/05/02`. Raises `ValueError`."""
    parts = fsp.split("/")
    if len(parts) != 3:
        raise ValueError("Enter frame/slot/port.")
    return Pon(*(number(one) for one in parts))


def fsp(text: str) -> str:
    """`00/05/02` → `0/5/2`. Raises `ValueError`."""
    return parse(text).fsp


def position(pon: Pon, onu_id: int) -> str:
    return f"{pon.fsp}-{onu_id}"


def located(text: str) -> str:
    """`0/5/2-7`, of that or of `0/ 5/ 2:07`. Raises `ValueError`."""
    place, _, onu_id = text.replace(":", "-").rpartition("-")
    return position(parse(place), number(onu_id))


def tags(olt: str, pon: Pon) -> list[str]:
    """Registration tags: without the ONU's id, which changes when it is put in again."""
    return [f"{olt}-{pon.fsp}", olt]


def line(state: str, olt: str, pon: Pon, onu_id: int, ips: list[str]) -> str:
    """The output line: `online oltNorte:0/5/14-2 10.8.33.14`."""
    return " ".join([state, f"{olt}:{position(pon, onu_id)}", *ips])


def ascii_form(sn: str) -> str:
    """`444632326a183197` → `DF226A183197`; a serial whose vendor bytes are no letters stays hexadecimal."""
    vendor = bytes.fromhex(sn[:8])
    if not all(0x30 <= one <= 0x5A or 0x61 <= one <= 0x7A for one in vendor):
        return sn.upper()
    return vendor.decode("ascii") + sn[8:].upper()
