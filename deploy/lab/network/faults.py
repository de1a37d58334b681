"""What can go wrong with the simulated equipment, switched on and off by the file of faults.

`Fault` is a row of that file; `Trouble` is what a device has now, asked by whoever serves it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid
from deploy.lab.network.view import Found, View

Way = Literal["snmp", "ssh"]


class Fault(BaseModel):
    """`slow`: answers after `seconds`. `silent`: answers nothing. `resets`: cuts a session in the middle of
    `command`. `wrong_answers`: a share (`rate`) of what it says is garbled. `reboot`: silent for `seconds`,
    then back with counters at zero and what was saved. `full_pon`: takes no more ONUs on `pon`. `twin`: the
    serial `onu` is on the fibre of `pon` of this device too. `wrong_password`: what `lab.json` tells is not
    taken. `new_host_key`. `dying_gasp`, `los`: power or light is lost, of an `onu` (serial, description,
    MAC), a `pon` (or fiber node), or a share of all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: Literal[
        "slow",
        "silent",
        "resets",
        "wrong_answers",
        "reboot",
        "full_pon",
        "twin",
        "wrong_password",
        "new_host_key",
        "dying_gasp",
        "los",
    ]
    device: str
    seconds: float = Field(5.0, gt=0)
    over: Way | None = Field(None, description="only on this way in; both when it is left out")
    command: int | str = Field(1, description="of `resets`: the n-th of a session, or how it begins")
    took: bool = Field(False, description="of `resets`: whether the command was done before the cut")
    times: int | None = Field(None, description="of `resets`: how often; always when it is left out")
    pon: str | None = None
    onu: str | None = None
    rate: float = Field(1.0, ge=0, le=1)

    def meets(self, *names: str, pon: str) -> bool:
        """Whether something with one of these names, on this PON, has it."""
        if self.onu is not None and self.onu not in names:
            return False
        if self.pon is not None and self.pon != pon:
            return False
        return random.Random(f"{self.fault} {self.device} {names[0]}").random() < self.rate


@dataclass
class Trouble:
    faults: tuple[Fault, ...] = ()
    _befell: dict[Fault, int] = field(default_factory=dict)

    def of(self, kind: str, way: Way | None = None) -> Iterator[Fault]:
        return (one for one in self.faults if one.fault == kind and way in (None, one.over or way))

    def has(self, kind: str, way: Way | None = None) -> bool:
        return any(True for _ in self.of(kind, way))

    def delay(self, way: Way) -> float | None:
        """Seconds that an answer takes more; None: it never comes."""
        if self.has("silent", way):
            return None
        return sum(one.seconds for one in self.of("slow", way))

    def cut(self, line: str, number: int) -> Fault | None:
        """The fault that ends a session at its `number`-th command, which is `line`."""
        for one in self.of("resets"):
            met = one.command == number if isinstance(one.command, int) else line.startswith(one.command)
            befell = self._befell.get(one, 0)
            if met and (one.times is None or befell < one.times):
                self._befell[one] = befell + 1
                return one
        return None

    def garbling(self, way: Way) -> float:
        """The share of what is said on this way that is garbled."""
        return max((one.rate for one in self.of("wrong_answers", way)), default=0.0)

    def lines(self, told: Iterable[str]) -> Iterator[str]:
        """Lines of a terminal, some of them with their columns run together, cut, or in another code page."""
        rate = self.garbling("ssh")
        for line in told:
            draw = random.Random(line)
            if draw.random() >= rate:
                yield line
                continue
            match draw.randrange(3):
                case 0:
                    yield " ".join(line.split())
                case 1:
                    yield line[: len(line) // 2]
                case _:
                    yield line.replace("e", "é").replace(":", " ")


class GarbledView(View):
    """What an agent shows when it is not well: holes, repeated and wrong values, strange strings."""

    def __init__(self, view: View, rate: float) -> None:
        self._view = view
        self._rate = rate

    def get(self, oid: Oid) -> bytes:
        value = self._view.get(oid)
        return value if value[0] & 0x80 else self._garbled(oid, value) or ber.NO_SUCH_INSTANCE

    def after(self, oid: Oid) -> Iterator[Found]:
        for name, encoded, value in self._view.after(oid):
            garbled = self._garbled(name, value)
            if garbled is None:
                continue
            yield name, encoded, garbled
            if garbled is not value and random.Random(f"{name} again").random() < 0.1:
                yield name, encoded, garbled

    def set(self, oid: Oid, tag: int, content: bytes) -> None:
        self._view.set(oid, tag, content)

    def _garbled(self, oid: Oid, value: bytes) -> bytes | None:
        """Another value, the same each time; None: a hole."""
        draw = random.Random(str(oid))
        if draw.random() >= self._rate:
            return value
        text = value[0] == ber.OCTETS
        match draw.randrange(4):
            case 0:
                return None
            case 1:
                return ber.octets(b"") if text else ber.integer(2_147_483_647)
            case 2:
                return ber.octets("Señal\0\0 caída".encode("latin-1")) if text else ber.octets(b"12")
            case _:
                return ber.integer(draw.randrange(-10, 10)) if text else ber.ABSENT
