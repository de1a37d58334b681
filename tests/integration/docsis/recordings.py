"""Recordings of agents, as snmpsim plays them: three CMTSs in the manner of three vendors, their modems, and
what becomes of them when rows, columns and values are lost.

Everything in them is invented; the objects are spelled out here, not taken from the drivers.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

INTEGER, OCTETS, HEX, OID, IP, COUNTER, GAUGE, TICKS, COUNTER64 = (
    "2",
    "4",
    "4x",
    "6",
    "64",
    "65",
    "66",
    "67",
    "70",
)

SYSTEM = "1.3.6.1.2.1.1"
IF, IFX, STACK = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.2.1.31.1.2.1.3"
DOWN, UP, QUALITY = "1.3.6.1.2.1.10.127.1.1.1.1", "1.3.6.1.2.1.10.127.1.1.2.1", "1.3.6.1.2.1.10.127.1.1.4.1"
CM, CMTS_CM, POINTER = (
    "1.3.6.1.2.1.10.127.1.2.2.1",
    "1.3.6.1.2.1.10.127.1.3.3.1",
    "1.3.6.1.2.1.10.127.1.3.7.1.2",
)
MODULATION, UTILIZATION = "1.3.6.1.2.1.10.127.1.3.5.1.4", "1.3.6.1.2.1.10.127.1.3.9.1.3"
IF3 = "1.3.6.1.4.1.4491.2.1.20.1"
REG, CM_US, US, CHANNEL, NODE = f"{IF3}.3.1", f"{IF3}.2.1", f"{IF3}.4.1", f"{IF3}.5.1", f"{IF3}.12.1"
QOS3, QOS = "1.3.6.1.4.1.4491.2.1.21.1", "1.3.6.1.2.1.10.127.7.1"
NODE_DESCR = "1.3.6.1.4.1.4491.4.2.1.1.1.2"
DEVICE = "1.3.6.1.2.1.69.1"


@dataclass
class Recording:
    """`lines`: object → (tag, value)."""

    lines: dict[str, tuple[str, str]] = field(default_factory=dict)

    def put(self, oid: str, tag: str, value: object) -> None:
        self.lines[oid] = tag, value.hex() if isinstance(value, bytes) else str(value)

    def row(self, entry: str, index: object, **columns: tuple[str, object]) -> None:
        """`c2=(INTEGER, 1)`: column 2 of the row."""
        for name, (tag, value) in columns.items():
            self.put(f"{entry}.{name.removeprefix('c')}.{index}", tag, value)

    def without(self, *beginnings: str) -> Recording:
        kept = {oid: one for oid, one in self.lines.items() if not oid.startswith(beginnings)}
        return Recording(kept)

    def text(self) -> str:
        ordered = sorted(self.lines.items(), key=lambda line: tuple(int(one) for one in line[0].split(".")))
        return "".join(f"{oid}|{tag}|{value}\n" for oid, (tag, value) in ordered)


def letters(name: str) -> str:
    """A name as an index: its length, then its octets."""
    octets = name.encode()
    return ".".join(str(one) for one in (len(octets), *octets))


def octets(mac: str) -> str:
    return ".".join(str(one) for one in bytes.fromhex(mac))


def system(rec: Recording, descr: str, oid: str, seconds: int = 5_000_000) -> None:
    rec.put(f"{SYSTEM}.1.0", OCTETS, descr)
    rec.put(f"{SYSTEM}.2.0", OID, oid)
    rec.put(f"{SYSTEM}.3.0", TICKS, 100 * seconds)


def settable(value: int) -> tuple[str, str]:
    """Of an integer that remembers what it is set to."""
    return f"{INTEGER}:writecache", f"value={value}"


def protected(value: int, status: str = "notwritable") -> tuple[str, str]:
    """Of an integer that refuses to be set."""
    return f"{INTEGER}:error", f"op=set,status={status},value={value}"


def interface(rec: Recording, ifindex: int, descr: str, name: str, kind: int, state: int = 1) -> None:
    rec.row(IF, ifindex, c2=(OCTETS, descr), c3=(INTEGER, kind), c8=(INTEGER, state))
    rec.row(IFX, ifindex, c1=(OCTETS, name))


def downstream(rec: Recording, ifindex: int, number: int, freq: int, power: int = 570) -> None:
    columns = {"c1": number, "c2": freq, "c3": 8_000_000, "c4": 4, "c5": 8, "c6": power, "c7": 3}
    rec.row(DOWN, ifindex, **{name: (INTEGER, value) for name, value in columns.items()})


def upstream(rec: Recording, ifindex: int, number: int, freq: int, profile: int = 2) -> None:
    rec.row(UP, ifindex, c1=(INTEGER, number), c2=(INTEGER, freq), c3=(INTEGER, 3_200_000))
    rec.row(
        UP, ifindex, c4=(GAUGE, profile), c5=(GAUGE, 2), c6=(GAUGE, 1200), c15=(INTEGER, 2), c19=(INTEGER, 2)
    )
    rec.row(UP, ifindex, **{f"c{column}": (INTEGER, column) for column in range(7, 11)})
    rec.row(QUALITY, ifindex, c2=(COUNTER, 900), c3=(COUNTER, 90), c4=(COUNTER, 10), c5=(INTEGER, 352))
    rec.row(QUALITY, ifindex, c6=(INTEGER, 30))
    rec.row(QUALITY, ifindex, c8=(COUNTER64, 9_000_000_000), c9=(COUNTER64, 90), c10=(COUNTER64, 10))


@dataclass(frozen=True)
class Subscriber:
    """A modem of a CMTS. `ups`: ifIndexes of its upstream channels, `muted` those it cannot use."""

    number: int
    mac: str
    ip: str = "10.0.32.48"
    state: int = 8
    md: int = 77
    rcs: int = 256
    tcs: int = 256
    ups: tuple[int, ...] = (397, 398)
    muted: tuple[int, ...] = ()

    def put(self, rec: Recording, counted: int = 1000, corrected: int = 0, lost: int = 0) -> None:
        address = bytes(int(one) for one in self.ip.split("."))
        rec.row(
            REG, self.number, c2=(HEX, bytes.fromhex(self.mac)), c5=(HEX, address), c6=(INTEGER, self.state)
        )
        rec.row(REG, self.number, c3=(HEX, bytes(16)), c4=(HEX, bytes(16)), c9=(HEX, b"\0\x10\0\0\0"))
        rec.row(REG, self.number, c7=(INTEGER, self.md), c8=(GAUGE, 1), c10=(GAUGE, 0))
        rec.row(REG, self.number, c11=(GAUGE, self.rcs), c12=(GAUGE, self.tcs), c13=(INTEGER, 2))
        rec.row(REG, self.number, c14=(HEX, bytes((7, 0xEA, 11, 25, 9, 30, 0, 0, 0x2B, 1, 0))))
        for ifindex in self.ups:
            index = f"{self.number}.{ifindex}"
            rec.row(US, index, c2=(INTEGER, 2), c3=(INTEGER, 52), c4=(INTEGER, 382), c5=(GAUGE, 25))
            rec.row(
                US,
                index,
                c7=(COUNTER, counted),
                c8=(COUNTER, corrected),
                c9=(COUNTER, lost),
                c10=(INTEGER, 48_000),
            )
            muted = ifindex in self.muted
            rec.row(US, index, c11=(INTEGER, 1 if muted else 2), c12=(INTEGER, 6 if muted else 4))
        rec.put(f"{POINTER}.{octets(self.mac)}", INTEGER, self.number)


ANA = Subscriber(29, "0a00cb83414d", rcs=7, tcs=1, ups=(397,))
LUIS = Subscriber(30, "0a00cb834150", ip="10.0.32.49")
EVA = Subscriber(41, "0a00cb834160", ip="0.0.0.0", state=1, rcs=0, tcs=0, ups=())
NORA = Subscriber(42, "0a00cb834161", ip="10.0.32.51", state=17)
OMAR = Subscriber(43, "0a00cb834162", ip="0.0.0.0", state=14)
TEO = Subscriber(50, "0a00cb834170", ip="10.0.32.60", muted=(398,))
SUBSCRIBERS = (ANA, LUIS, EVA, NORA, OMAR, TEO)


def casa(
    subscribers: Iterable[Subscriber] = SUBSCRIBERS,
    seconds: int = 5_000_000,
    counted: int = 1000,
    corrected: int = 0,
    lost: int = 0,
) -> Recording:
    """Everything that DOCSIS 3.0 has."""
    rec = Recording()
    system(rec, "Casa Systems C1G, Software Ver 6.1.3, Build 12", "1.3.6.1.4.1.20858.2.600", seconds)
    interface(rec, 1, "Eth 0", "eth0", 6)
    interface(rec, 77, "CATV-MAC 1", "", 127)
    for place in range(8):
        interface(rec, 141 + place, f"Downstream 0/{place // 2}/{place % 2}", "", 128)
        downstream(rec, 141 + place, place + 1, 464_000_000 + 8_000_000 * place)
        interface(rec, 397 + place, f"Logical Upstream Channel 1/{place}/0", "", 205, 1 if place < 7 else 2)
        upstream(rec, 397 + place, place + 1, 35_000_000 + 3_200_000 * place)
        rec.row(CHANNEL, f"77.{141 + place}", c2=(INTEGER, 1), c3=(GAUGE, place + 1), c5=(INTEGER, 1))
        rec.row(CHANNEL, f"77.{397 + place}", c2=(INTEGER, 2), c3=(GAUGE, place + 1), c5=(INTEGER, 1))
        rec.put(f"{UTILIZATION}.{397 + place}.129.{place + 1}", INTEGER, 10 + place)
    for code, kind in ((1, 2), (3, 2), (5, 2), (6, 2), (9, 3), (10, 6)):
        rec.put(f"{MODULATION}.2.{code}", INTEGER, kind)
    rec.put(f"{UP}.2.397", *settable(35_000_000))
    rec.put(f"{UP}.2.398", *protected(38_200_000))
    rec.put(f"{IF3}.16.1.2.77", INTEGER, 3)
    rec.put(f"{IF3}.23.1.2.77.256", HEX, bytes(range(1, 9)))
    rec.put(f"{IF3}.22.1.2.77.256", HEX, bytes((1, 2)))
    rec.put(f"{IF3}.22.1.2.77.257", HEX, bytes((5, 6, 7, 8)))
    for group, (name, up_set) in enumerate((("nodo1", 256), ("nodo2", 257), ("nodo vacío", 0)), 1):
        rec.row(NODE, f"77.{letters(name)}.{group}", c3=(GAUGE, 1), c4=(GAUGE, group if up_set else 0))
        rec.put(f"{NODE_DESCR}.{letters(name)}", OCTETS, "Calle Real" if group == 1 else "")
        if up_set:
            rec.put(f"{IF3}.14.1.2.77.{group}", GAUGE, up_set)
    rec.put(f"{IF3}.13.1.2.77.1", GAUGE, 256)
    for one in subscribers:
        one.put(rec, counted, corrected, lost)
    for flow, (way, rate) in enumerate(((1, 20_000_000), (2, 2_000_000)), 100):
        rec.put(f"{QOS3}.11.1.3.{octets(ANA.mac)}.{flow}", INTEGER, 77)
        rec.put(f"{QOS3}.3.1.7.77.{flow}", INTEGER, way)
        rec.put(f"{QOS3}.2.1.6.77.1.{flow}", GAUGE, rate)
        rec.put(f"{QOS3}.4.1.2.77.{flow}", COUNTER64, 1_000_000 * flow)
    return rec


def cisco() -> Recording:
    """No fiber nodes, MAC domains that name other interfaces of their downstreams, names in Latin-1, columns
    and rows that are missing, one modem listed twice, MACs as text."""
    rec = Recording()
    system(
        rec,
        "Cisco IOS Software, 10000 Software (UBR10K4-K9P6U2-M), Version 12.2(33)SCH2, RELEASE",
        "1.3.6.1.4.1.9.1.827",
    )
    interface(rec, 1017, "Cable3/0", "Ca3/0", 127)
    rec.put(f"{IF}.2.1017", HEX, "Cable3/0 señal".encode("latin-1"))
    for place in range(4):
        interface(rec, 1095 + 3 * place, f"Integrated-Cable3/0:{place}", f"In3/0:{place}", 128)
        interface(
            rec, 1289 + place, f"Integrated-Cable3/0-downstream{place}", f"In3/0-downstream{place}", 128
        )
        downstream(rec, 1289 + place, place + 1, 657_000_000 + 6_000_000 * place, power=460)
        interface(rec, 1337 + place, f"Cable3/0-upstream{place}", f"Ca3/0-upstream{place}", 129)
        upstream(rec, 1337 + place, place + 1, 32_600_000, profile=122)
        rec.row(CHANNEL, f"1017.{1095 + 3 * place}", c2=(INTEGER, 1), c3=(GAUGE, place + 1))
        rec.row(CHANNEL, f"1017.{1337 + place}", c3=(GAUGE, place + 1))
    rec.lines.pop(f"{DOWN}.3.1290")
    rec.put(f"{MODULATION}.122.6", INTEGER, 2)
    for number, mac in ((3, "0a00.cb83.4201"), (900, "0a:00:cb:83:42:02")):
        rec.row(REG, number, c2=(OCTETS, mac), c5=(IP, "10.1.0.9"), c6=(INTEGER, 8), c7=(INTEGER, 1017))
    old, new = (
        Subscriber(7, "0a00cb834203", state=1, md=0, ups=()),
        Subscriber(70_000, "0a00cb834203", md=1017, ups=(1337,)),
    )
    old.put(rec)
    new.put(rec)
    rec.row(REG, 8, c6=(INTEGER, 8))  # a modem of which nothing else is known
    rec.row(REG, 9, c2=(HEX, bytes(6)), c6=(INTEGER, 1))
    rec.row(REG, 10, c2=(HEX, b"\x01\x02"), c6=(INTEGER, 8))
    return rec


def arris() -> Recording:
    """DOCSIS 2.0: no DOCS-IF3-MIB at all; MAC domains from the interface stack."""
    rec = Recording()
    system(rec, "ARRIS C4 CMTS - CMTS_V07.03.01, (C) 2013 ARRIS", "1.3.6.1.4.1.4998.2.1")
    interface(rec, 500, "cable-mac 1", "cable-mac 1", 127)
    interface(rec, 600, "cable-downstream 1/0/0", "", 128)
    interface(rec, 700, "cable-upstream 12/0", "", 129)
    interface(rec, 701, "cable-upstream 12/0.0", "", 205)
    downstream(rec, 600, 1, 500_000_000)
    upstream(rec, 701, 1, 30_000_000)
    for higher, lower in ((500, 600), (500, 700), (700, 701), (0, 500)):
        rec.put(f"{STACK}.{higher}.{lower}", INTEGER, 1)
    modems = ((1, "0a00cb834301", 6, 352, 0), (2, "0a00cb834302", 8, 340, 12), (3, "0a00cb834303", 7, 0, 0))
    for number, mac, state, snr, power in modems:
        rec.row(CMTS_CM, number, c2=(HEX, bytes.fromhex(mac)), c3=(IP, f"10.2.0.{number}"), c4=(INTEGER, 600))
        rec.row(
            CMTS_CM, number, c5=(INTEGER, 701), c6=(INTEGER, power), c9=(INTEGER, state), c13=(INTEGER, snr)
        )
        rec.row(CMTS_CM, number, c10=(COUNTER, 100), c11=(COUNTER, 5), c12=(COUNTER, 1), c18=(INTEGER, 2))
        rec.put(f"{POINTER}.{octets(mac)}", INTEGER, number)
    rec.put(f"{QOS}.11.1.3.{octets('0a00cb834301')}.5", INTEGER, 500)
    rec.put(f"{QOS}.3.1.7.500.5", INTEGER, 1)
    rec.put(f"{QOS}.2.2.6.500.5.1", GAUGE, 8_000_000)
    return rec


def modem(seconds: int = 86_400, file: str = "") -> Recording:
    """A modem of DOCSIS 3.0 with two channels each way, of which one tuner is not in use."""
    rec = Recording()
    descr = (
        "Northlight Voice Modem <<HW_REV: 04; VENDOR: Northlight, L.L.C.; BOOTR: 5.01; SW_REV: 6.1.129T; "
        "MODEL: NL552B>>"
    )
    system(rec, descr, "1.3.6.1.4.1.4115.1", seconds)
    interface(rec, 2, "cable-mac", "cm0", 127)
    rec.row(IFX, 2, c6=(COUNTER64, 123_456_789_012), c10=(COUNTER64, 9_876_543_210))
    for flow, (way, rate) in enumerate(((1, 50_000_000), (2, 5_000_000)), 1):
        rec.put(f"{QOS3}.3.1.7.2.{flow}", INTEGER, way)
        rec.put(f"{QOS3}.2.1.6.2.1.{flow}", GAUGE, rate)
    rec.put(f"{DEVICE}.1.4.0", OCTETS, "NL0012")
    rec.put(f"{DEVICE}.3.5.0", OCTETS, "6.1.129T")
    rec.put(f"{DEVICE}.4.5.0", OCTETS, file)
    rec.put(f"{DEVICE}.1.3.0", *settable(2))
    for place, (ifindex, freq) in enumerate(((3, 512_000_000), (48, 520_000_000), (49, 0))):
        downstream(rec, ifindex, 7 + place, freq, power=41 - place)
        rec.row(QUALITY, ifindex, c2=(COUNTER, 100), c3=(COUNTER, 0), c4=(COUNTER, 0), c5=(INTEGER, 400))
        rec.row(QUALITY, ifindex, c8=(COUNTER64, 5_000_000_000), c9=(COUNTER64, 7), c10=(COUNTER64, 1))
        rec.put(f"{IF3}.24.1.1.{ifindex}", INTEGER, 410)
    for ifindex, number in ((4, 1), (80, 2)):
        upstream(rec, ifindex, number, 35_000_000 + 3_200_000 * (number - 1))
        rec.row(CM_US, ifindex, c1=(INTEGER, 450), c2=(COUNTER, 3), c3=(COUNTER, 1), c4=(COUNTER, 0))
        rec.row(CM_US, ifindex, c8=(INTEGER, 2), c9=(INTEGER, 4))
    return rec


def mangled(rec: Recording, seed: int) -> Recording:
    """The same agent on a bad day: columns gone, rows with holes, values of another type, sentinels, and
    objects that nobody knows."""
    drawn = random.Random(seed)
    lines = dict(rec.lines)
    columns = sorted({oid.rsplit(".", 2)[0] for oid in lines if oid.count(".") > 12})
    for column in drawn.sample(columns, k=min(len(columns), drawn.randint(0, 8))):
        lines = {oid: one for oid, one in lines.items() if not oid.startswith(f"{column}.")}
    strange = (
        *((INTEGER, "-1"), (INTEGER, "2147483647"), (GAUGE, "4294967295"), (COUNTER64, str(2**64 - 1))),
        *(
            (HEX, ""),
            (HEX, "ff00fe"),
            (HEX, "00" * 17),
            (OCTETS, "N/A"),
            (IP, "255.255.255.255"),
            (OID, "0.0"),
        ),
    )
    for oid in list(lines):
        if oid.startswith(SYSTEM):
            continue
        chance = drawn.random()
        if chance < 0.08:
            del lines[oid]
        elif chance < 0.16:
            lines[oid] = drawn.choice(strange)
        elif chance < 0.18:
            head, _, last = oid.rpartition(".")
            lines[f"{head}.{last}.0"] = lines.pop(oid)  # an index longer than it should be
    lines["1.3.6.1.4.1.4491.2.1.20.1.3.1.99.1"] = (HEX, "00")
    return Recording(lines)
