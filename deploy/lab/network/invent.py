"""Makes the plan of a lab: for the subscribers given, or of any size out of nothing. Nothing here is
chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.lab.network.olt import MOST_ONUS, seeded
from deploy.lab.network.plan import CmtsPlan, FlowPlan, ModemPlan, OltPlan, OnuPlan, Plan

OLT, CMTS = "oltLab{}", "cmtsLab{}"
MANAGEMENT = FlowPlan(vlan=933, user_vlan=20, gem=1, inbound="management", outbound="management")
INTERNET_VLAN, USER_VLAN = 1100, 1021
WAITING = ("48575443a1b0c001", "48575443a1b0c002", "48575443a1b0c003", "5a544547a1b0c004", "4e55434da1b0c005")
"""Serials of ONUs that are plugged in and configured nowhere."""
MODELS = ("HG8245H", "HG8245Q2", "HS8145V", "HS8546V2", "HG8010H")
ONUS_OF_AN_OLT, MODEMS_OF_A_CMTS = 600, 200
VENDORS = ("casa", "cisco", "arris")


@dataclass(frozen=True)
class Subscriber:
    """`id`: what identifies the device on its network, a serial or a MAC. `flows`, `native` and `rf` are
    what an ONU begins with; `down` and `up` in bit/s what a modem has without a file.
    """

    name: str
    id: str
    model: str
    flows: tuple[FlowPlan, ...] = ()
    native: dict[int, int] = field(default_factory=dict)
    rf: bool = True
    down: int = 100_000_000
    up: int = 10_000_000
    ethernet: int = 4
    pots: int = 2
    catv: int = 1


def internet(speed: str) -> FlowPlan:
    return FlowPlan(vlan=INTERNET_VLAN, user_vlan=USER_VLAN, gem=2, inbound=speed, outbound=speed)


def _plugged(subscriber: Subscriber, fsp: str, **configured: Any) -> OnuPlan:
    sn = subscriber.id
    return OnuPlan(
        sn=sn,
        fsp=fsp,
        model=subscriber.model,
        ethernet=subscriber.ethernet,
        pots=subscriber.pots,
        catv=subscriber.catv,
        distance=round(seeded(f"{sn} metres", 120, 9_800)),
        attenuation=round(seeded(f"{sn} loss", 14.5, 26.5), 2),
        **configured,
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
    for number, one in enumerate(subscribers):
        if number == len(pons) * MOST_ONUS:
            break
        configured = {"desc": one.name, "flows": list(one.flows), "native": one.native, "rf": one.rf}
        plan.onus.append(_plugged(one, pons[number % len(pons)], **configured))
    for number, sn in enumerate(waiting):
        one = Subscriber("", sn, MODELS[number % len(MODELS)])
        plan.onus.append(_plugged(one, pons[number * 3 % len(pons)]))
    return plan


def cmts(name: str, subscribers: Iterable[Subscriber], *, vendor: str = "casa", nodes: int = 2) -> CmtsPlan:
    """The subscribers dealt out over the fiber nodes. A modem's file is named after it."""
    names = [f"nodo{number + 1}" for number in range(nodes)]
    plan = CmtsPlan.model_validate({"name": name, "vendor": vendor, "nodes": names})
    plan.modems = [
        ModemPlan(
            mac=one.id,
            node=names[number % nodes],
            model=one.model,
            file=f"{one.id}.cm",
            down=one.down,
            up=one.up,
        )
        for number, one in enumerate(subscribers)
    ]
    return plan


def lab(
    onus: Sequence[Subscriber],
    modems: Sequence[Subscriber],
    *,
    olts: int | None = None,
    cmtss: int | None = None,
    registration: float = 2.0,
) -> Plan:
    """As many OLTs and CMTSs as the subscribers need, at least one of each; a few more ONUs wait on the
    first.
    """
    olts = olts or -(-len(onus) // ONUS_OF_AN_OLT) or 1
    cmtss = -(-len(modems) // MODEMS_OF_A_CMTS) or 1 if cmtss is None else cmtss
    return Plan(
        registration=registration,
        olts=[olt(OLT.format(n + 1), onus[n::olts], waiting=WAITING if n == 0 else ()) for n in range(olts)],
        cmtss=[
            cmts(
                CMTS.format(n + 1),
                modems[n::cmtss],
                vendor=VENDORS[n % len(VENDORS)],
                nodes=2 + 2 * (cmtss > 1),
            )
            for n in range(cmtss)
        ],
    )


def anonymous(onus: int, modems: int) -> tuple[list[Subscriber], list[Subscriber]]:
    return list(_onus(onus)), list(_modems(modems))


def _onus(count: int) -> Iterator[Subscriber]:
    for number in range(count):
        speed = ("100M", "300M", "600M")[number % 3]
        yield Subscriber(
            f"cpe{number:05d}",
            f"48575443{number:08x}",
            MODELS[number % len(MODELS)],
            (MANAGEMENT, internet(speed)),
            {1: USER_VLAN},
        )


def _modems(count: int) -> Iterator[Subscriber]:
    for number in range(count):
        yield Subscriber(f"cm{number:05d}", f"0200{number:08x}", "EPC3928AD")
