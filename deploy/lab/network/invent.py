"""Makes the plan of a lab: from the CPEs that isp has, or of any size out of nothing. Nothing here is
chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deploy.lab.network.olt import MOST_ONUS, seeded
from deploy.lab.network.plan import CmtsPlan, FlowPlan, ModemPlan, OltPlan, OnuPlan, Plan

OLT, CMTS = "oltLab1", "cmtsLab1"
PLACEHOLDER = "00000000"
MANAGEMENT = FlowPlan(vlan=933, user_vlan=20, speed="management", gem=1)
INTERNET_VLAN, USER_VLAN = 1100, 1021
WAITING = ("48575443a1b0c001", "48575443a1b0c002", "48575443a1b0c003", "5a544547a1b0c004", "4e55434da1b0c005")
"""Serials of ONUs that are plugged in and configured nowhere."""
MODELS = ("HG8245H", "HG8245Q2", "HS8145V", "HS8546V2", "HG8010H")


@dataclass(frozen=True)
class Subscriber:
    """`id`: what identifies the device on its network, a serial or a MAC; `speed` None: no internet."""

    name: str
    id: str
    model: str
    speed: str | None
    ethernet: int = 4
    pots: int = 2
    catv: int = 1
    line_profile: str = "residential"


def onu(subscriber: Subscriber, fsp: str) -> OnuPlan:
    flows = [MANAGEMENT]
    if subscriber.speed is not None:
        flows.append(FlowPlan(vlan=INTERNET_VLAN, user_vlan=USER_VLAN, speed=subscriber.speed, gem=2))
    return _plugged(subscriber, fsp).model_copy(update={"desc": subscriber.name, "flows": flows})


def _plugged(subscriber: Subscriber, fsp: str) -> OnuPlan:
    sn = subscriber.id
    return OnuPlan(
        sn=sn,
        fsp=fsp,
        model=subscriber.model,
        ethernet=subscriber.ethernet,
        pots=subscriber.pots,
        catv=subscriber.catv,
        line_profile=subscriber.line_profile,
        distance=round(seeded(f"{sn} metres", 120, 9_800)),
        attenuation=round(seeded(f"{sn} loss", 14.5, 26.5), 2),
    )


def olt(
    name: str,
    subscribers: Iterable[Subscriber],
    *,
    slots: int = 2,
    ports: int = 8,
    waiting: Iterable[str] = (),
) -> OltPlan:
    """The subscribers dealt out over the PONs, one after another."""
    plan = OltPlan(name=name, slots=list(range(1, slots + 1)), ports=ports)
    pons = [f"0/{slot}/{port}" for slot in plan.slots for port in range(ports)]
    for number, subscriber in enumerate(subscribers):
        if number < len(pons) * MOST_ONUS:
            plan.onus.append(onu(subscriber, pons[number % len(pons)]))
    for number, sn in enumerate(waiting):
        one = Subscriber("", sn, MODELS[number % len(MODELS)], None)
        plan.onus.append(_plugged(one, pons[number * 3 % len(pons)]))
    return plan


def cmts(name: str, subscribers: Iterable[Subscriber], *, vendor: str = "casa", nodes: int = 2) -> CmtsPlan:
    plan = CmtsPlan.model_validate(
        {"name": name, "vendor": vendor, "nodes": [f"nodo{n + 1}" for n in range(nodes)]}
    )
    for number, subscriber in enumerate(subscribers):
        plan.modems.append(
            ModemPlan(
                mac=subscriber.id,
                node=plan.nodes[number % nodes],
                model=subscriber.model,
                file=f"{subscriber.name}.cm" if subscriber.name else "default.cm",
            )
        )
    return plan


def small(onus: Iterable[Subscriber], modems: Iterable[Subscriber], registration: float = 2.0) -> Plan:
    """One OLT, one CMTS, the subscribers given, and a few ONUs that wait."""
    return Plan(registration=registration, olts=[olt(OLT, onus, waiting=WAITING)], cmtss=[cmts(CMTS, modems)])


def big(
    olts: int = 4, cmtss: int = 2, onus: int = 2_000, modems: int = 400, registration: float = 2.0
) -> Plan:
    """Any size; the first OLT and CMTS bear the names of the small lab."""
    return Plan(
        registration=registration,
        olts=[
            olt(
                f"oltLab{n + 1}",
                _anonymous(f"o{n + 1}", onus // olts, "48575443"),
                waiting=WAITING if n == 0 else (),
            )
            for n in range(olts)
        ],
        cmtss=[
            cmts(
                f"cmtsLab{n + 1}",
                _modems(n, modems // cmtss),
                vendor=("casa", "cisco", "arris")[n % 3],
                nodes=4,
            )
            for n in range(cmtss)
        ],
    )


def _anonymous(prefix: str, count: int, vendor: str) -> Iterator[Subscriber]:
    for number in range(count):
        name = f"{prefix}{number:04d}"
        sn = f"{vendor}{round(seeded(name, 0, 0xFFFF)):04x}{number:04x}"
        yield Subscriber(name, sn, MODELS[number % len(MODELS)], ("100M", "300M", "600M")[number % 3])


def _modems(device: int, count: int) -> Iterator[Subscriber]:
    for number in range(count):
        yield Subscriber(f"m{device + 1}{number:04d}", f"0200{device:02x}{number:06x}", "EPC3928AD", "100M")
