"""What stands in the lab: devices, and what hangs on their fibres and cables. The physical world, no
configuration.

Kept as `lab/plan.json` in the data folder. Editing that file while the lab runs is the work of a technician:
an ONU plugged in, moved, swapped. It is read again when it changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FlowPlan(_Part):
    """A service port that is configured from the beginning, with the names of its traffic tables."""

    vlan: int
    user_vlan: int | None
    gem: int = 1
    inbound: str
    outbound: str


class OnuPlan(_Part):
    """An ONU on the fibre of a PON (`fsp`: frame/slot/port). With `desc` it begins configured and online."""

    sn: str = Field(pattern="^[0-9a-f]{16}$")
    fsp: str = Field(pattern=r"^\d+/\d+/\d+$")
    model: str = "HG8245Q2"
    desc: str | None = None
    line_profile: str = "ftth"
    service_profile: str = "ftth"
    flows: list[FlowPlan] = []
    native: dict[int, int] = Field({}, description="Ethernet port → VLAN")
    rf: bool = True
    distance: int = 1_200
    attenuation: float = Field(18.0, description="dB between OLT and ONU")
    hardware: str = "15AD.A"
    software: str = "V5R020C10S115"
    ethernet: int = 4
    pots: int = 2
    catv: int = 1
    password: str = ""


class OltPlan(_Part):
    """A ZTE can be read over SNMP only."""

    name: str
    vendor: Literal["huawei", "zte"] = "huawei"
    slots: list[int] = [1, 2]
    ports: int = Field(8, description="PONs of a slot")
    onus: list[OnuPlan] = []


class ModemPlan(_Part):
    """A cable modem behind a fiber node."""

    mac: str = Field(pattern="^[0-9a-f]{12}$")
    node: str
    model: str = "CM500"
    vendor: str = "Labcable"
    file: str = "default.cm"
    down: int = Field(100_000_000, description="bit/s, while it has no configuration file")
    up: int = 10_000_000


class CmtsPlan(_Part):
    name: str
    vendor: Literal["cisco", "casa", "arris"] = "casa"
    nodes: list[str] = ["nodo1"]
    modems: list[ModemPlan] = []


class Plan(_Part):
    registration: float = Field(2.0, gt=0, description="seconds from light to an ONU or modem that is online")
    olts: list[OltPlan] = []
    cmtss: list[CmtsPlan] = []

    @classmethod
    def load(cls, path: Path) -> Plan:
        return cls.model_validate_json(path.read_bytes())

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(self.model_dump_json(indent=1, exclude_defaults=True))
        fresh.replace(path)
