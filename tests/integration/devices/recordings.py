"""Recordings of OLTs that do not exist, as snmpsim takes them. The numbers are written out, not taken from
the drivers, so that a wrong one there shows."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable

Oid = tuple[int, ...]
Line = tuple[Oid, str, str]

INVALID = "2147483647"
XPON = "1.3.6.1.4.1.2011.6.128.1.1"


def oid(*parts: str | int) -> Oid:
    return tuple(int(number) for part in parts for number in str(part).split("."))


def integer(value: int | str, *at: str | int) -> Line:
    return oid(*at), "2", str(value)


def octets(value: bytes, *at: str | int) -> Line:
    return oid(*at), "4x", value.hex()


def text(value: str, *at: str | int) -> Line:
    return octets(value.encode(), *at)


def counter64(value: int, *at: str | int) -> Line:
    return oid(*at), "70", str(value)


def address(value: str, *at: str | int) -> Line:
    return oid(*at), "64", value


def ticks(value: int, *at: str | int) -> Line:
    return oid(*at), "67", str(value)


def identifier(value: str, *at: str | int) -> Line:
    return oid(*at), "6", value


def moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> bytes:
    return struct.pack(">HBBBBBB", year, month, day, hour, minute, second, 0)


def written(lines: Iterable[Line], in_order: bool = True) -> str:
    kept = {line[0]: line for line in lines}
    listed = sorted(kept.values()) if in_order else list(kept.values())
    return "".join(f"{'.'.join(map(str, at))}|{tag}|{value}\n" for at, tag, value in listed)


def pon_ifindex(slot: int, port: int) -> int:
    return 4194304000 + slot * 8192 + port * 256


def system(descr: str, object_id: str, name: str) -> list[Line]:
    base = "1.3.6.1.2.1.1"
    return [
        text(descr, base, "1.0"),
        identifier(object_id, base, "2.0"),
        ticks(8_640_000, base, "3.0"),
        text(name, base, "5.0"),
    ]


def huawei_chassis(ports: Iterable[tuple[int, int]]) -> list[Line]:
    """What does not depend on ONUs: system, boards, PONs with light."""
    board, slot = "1.3.6.1.4.1.2011.2.6.7.1.1.2.1", "1.3.6.1.4.1.2011.6.3.3.2.1"
    lines = system("Huawei Integrated Access Software", "1.3.6.1.4.1.2011.2.248", "oltInvented")
    for number, kind, cpu, heat in ((1, "H901GPHF", 7, 41), (8, "H901MPSC", 23, 47), (9, "", -1, 2147483647)):
        lines += [
            integer(cpu, board, 5, 0, number),
            text(kind, board, 7, 0, number),
            integer(heat, board, 10, 0, number),
            integer(2, slot, 8, 0, number),
        ]
    for in_slot, port in ports:
        ifindex = pon_ifindex(in_slot, port)
        lines += [
            text("Huawei-MA5800-V100R019C12-GPON_UNI", "1.3.6.1.2.1.2.2.1.2", ifindex),
            integer(1, "1.3.6.1.2.1.2.2.1.7", ifindex),
            integer(1, "1.3.6.1.2.1.2.2.1.8", ifindex),
            text(f"GPON 0/{in_slot}/{port}", "1.3.6.1.2.1.31.1.1.1.1", ifindex),
            integer(43, XPON, "2.23.1.1", ifindex),
            integer(328, XPON, "2.23.1.2", ifindex),
            integer(22, XPON, "2.23.1.3", ifindex),
            integer(512, XPON, "2.23.1.4", ifindex),
        ]
    uplink = 234930176
    lines += [
        text("Huawei-MA5800-ETHERNET", "1.3.6.1.2.1.2.2.1.2", uplink),
        text("ethernet0/9/0", "1.3.6.1.2.1.31.1.1.1.1", uplink),
    ]
    return lines


def huawei_onu(
    ifindex: int, onu_id: int, sn: bytes, desc: str = "cpe0001", away: int | None = None
) -> list[Line]:
    """`away`: why it is away, as the device numbers it."""
    at = (ifindex, onu_id)
    online = away is None

    def light(value: int) -> int | str:
        return value if online else INVALID

    return [
        octets(sn, XPON, "2.43.1.3", *at),
        text("residential", XPON, "2.43.1.7", *at),
        text("HG8245", XPON, "2.43.1.8", *at),
        text(desc, XPON, "2.43.1.9", *at),
        integer(1, XPON, "2.43.1.10", *at),
        text("10C7.A", XPON, "2.45.1.1", *at),
        text("HG8245Q2" if online else "", XPON, "2.45.1.4", *at),
        text("V3R017C10S120", XPON, "2.45.1.5", *at),
        integer(1 if online else 2, XPON, "2.46.1.15", *at),
        integer(1834 if online else -1, XPON, "2.46.1.20", *at),
        octets(moment(2026, 11, 20, 8, 30, 5), XPON, "2.46.1.22", *at),
        octets(
            moment(2026, 11, 19, 23, 0, 0) if online else moment(2026, 11, 21, 1, 2, 3),
            XPON,
            "2.46.1.23",
            *at,
        ),
        integer(13 if away is None else away, XPON, "2.46.1.24", *at),
        address("10.8.33.14" if online else "0.0.0.0", XPON, "2.49.1.2", *at, 0),
        integer(light(45), XPON, "2.51.1.1", *at),
        integer(light(12), XPON, "2.51.1.2", *at),
        integer(light(227), XPON, "2.51.1.3", *at),
        integer(light(-2214), XPON, "2.51.1.4", *at),
        integer(light(3280), XPON, "2.51.1.5", *at),
        integer(light(8866), XPON, "2.51.1.6", *at),
        integer(INVALID, XPON, "2.51.1.7", *at),
        integer(7, XPON, "2.62.1.4", *at, 1),
        integer(5, XPON, "2.62.1.3", *at, 1),
        integer(1, XPON, "2.62.1.5", *at, 1),
        integer(100, XPON, "2.62.1.7", *at, 1),
        integer(1 if online else -1, XPON, "2.62.1.22", *at, 1),
        counter64(1000 + onu_id, XPON, "4.23.1.3", *at),
        counter64(9000 + onu_id, XPON, "4.23.1.4", *at),
    ]


def huawei_service_port(number: int, slot: int, port: int, onu_id: int, vlan: int, user: int) -> list[Line]:
    base = "1.3.6.1.4.1.2011.5.14.5.2.1"
    numbers = {2: 0, 3: slot, 4: port, 5: onu_id, 6: 1, 7: 4, 8: vlan, 9: 31, 10: 30, 12: user, 14: 1, 18: 2}
    return [integer(value, base, column, number) for column, value in numbers.items()]


def huawei_traffic_table(number: int, name: str) -> Line:
    return text(name, "1.3.6.1.4.1.2011.5.14.3.8.1.2", number)


def huawei_unconfigured(ifindex: int, number: int, sn: bytes) -> list[Line]:
    at = (ifindex, number)
    return [
        octets(sn, XPON, "2.48.1.2", *at),
        octets(b"12345678\0\0", XPON, "2.48.1.3", *at),
        octets(b"168D.A\0\0", XPON, "2.48.1.5", *at),
        octets(b"V5R019C10S115\0\0\0", XPON, "2.48.1.6", *at),
        octets(b"EG8145V5\0\0", XPON, "2.48.1.7", *at),
    ]


XGS = 4127195136
"""ifIndex of the XGS-PON half of a combo port, as IF-MIB names it."""


def huawei_combo() -> list[Line]:
    """A combo port, 0/5/2: its GPON and its XGS-PON are interfaces of their own. ONU 1 is listed under both,
    and is on the second; ONU 2 is on the first alone, 3 on the second alone."""
    gpon = pon_ifindex(5, 2)
    lines = huawei_chassis([(5, 2)])
    lines += [
        text("XGPON 0/5/2", "1.3.6.1.2.1.31.1.1.1.1", XGS),
        integer(1, "1.3.6.1.2.1.2.2.1.7", XGS),
        integer(2, "1.3.6.1.2.1.2.2.1.8", XGS),
        integer(701, XPON, "2.23.1.4", XGS),
    ]
    lines += huawei_onu(gpon, 1, b"HWTC\x00\x00\x00\x01", away=2)
    lines += huawei_onu(XGS, 1, b"HWTC\x00\x00\x00\x01")
    lines += huawei_onu(gpon, 2, b"HWTC\x00\x00\x00\x02")
    lines += huawei_onu(XGS, 3, b"HWTC\x00\x00\x00\x03")
    return lines + huawei_unconfigured(XGS, 1, b"HWTC\x00\x00\x00\x04")


def huawei() -> list[Line]:
    """An OLT of two PONs: ONUs online, lost, without power, never seen; one with nothing but a serial
    number."""
    first, second = pon_ifindex(5, 2), pon_ifindex(5, 3)
    lines = huawei_chassis([(5, 2), (5, 3)])
    lines += huawei_onu(first, 1, b"HWTC\x14\x26\x77\x9a", "cpe0264")
    lines += huawei_onu(first, 2, b"MSTC\x30\xc1\xec\x46", "", away=2)
    lines += huawei_onu(
        first, 7, b"ZTEG\x01\x02\x03\x04", "Peña".encode("latin-1").decode("latin-1"), away=13
    )
    lines += huawei_onu(second, 0, b"ALCL\xaa\xbb\xcc\xdd", "ONT_NO_DESCRIPTION", away=-1)
    lines += [octets(b"HWTC\x00\x00\x00\x05", XPON, "2.43.1.3", second, 9)]
    lines += huawei_service_port(5558, 5, 2, 1, 933, 20)
    lines += huawei_service_port(5559, 5, 2, 1, 1100, 100)
    lines += huawei_service_port(24, 5, 2, 2, 934, 65535)
    lines += huawei_service_port(7, 5, 3, 1, 935, 1)
    lines += [huawei_traffic_table(30, "100M-up"), huawei_traffic_table(31, "100M")]
    lines += huawei_unconfigured(first, 1, b"TPLG\x97\x44\x1b\x58")
    lines += huawei_unconfigured(second, 1, b"\0" * 8)
    for number, (up, down, cause) in enumerate(
        (("2026-11-19 10:45:47Z", "2026-11-19 23:00:00Z", 2), ("2026-11-20 08:30:05Z", "", 16))
    ):
        at = (first, 1, number)
        lines += [text(up, XPON, "2.101.1.6", *at), text(down, XPON, "2.101.1.7", *at)]
        lines += [integer(cause, XPON, "2.101.1.8", *at)]
    return lines


def zte_onu(ifindex: int, onu_id: int, sn: bytes, phase: int, reason: int = 1) -> list[Line]:
    gpon, at, online = "1.3.6.1.4.1.3902.1012.3", (ifindex, onu_id), phase == 3
    return [
        text("ZTE-F660", gpon, "28.1.1.1", *at),
        text(f"ONU-2:{onu_id}", gpon, "28.1.1.2", *at),
        text(f"cpe{onu_id:04}", gpon, "28.1.1.3", *at),
        octets(sn, gpon, "28.1.1.5", *at),
        integer(1, gpon, "28.2.1.1", *at),
        integer(phase, gpon, "28.2.1.4", *at),
        text("2026-11-20 08:30:05", gpon, "28.2.1.5", *at),
        octets(moment(2026, 11, 19, 23, 0, 0), gpon, "28.2.1.6", *at)
        if online
        else text("2026-11-21 01:02:03", gpon, "28.2.1.6", *at),
        integer(reason, gpon, "28.2.1.7", *at),
        integer(1234 if online else -1, gpon, "11.4.1.2", *at),
        text("V5.0", gpon, "50.11.2.1.2", *at),
        integer(4500 if online else 65535, gpon, "50.12.1.1.10", *at, 1),
        integer(16100 if online else 0, gpon, "50.12.1.1.14", *at, 1),
        integer(-22350 if online else -80000, "1.3.6.1.4.1.3902.1015.1010.11.2.1.2", *at),
    ]


def zte(named: int = 0x10020000, each: int = 0x100) -> list[Line]:
    """Shelf 1, slot 2, ports 1 and 2, which IF-MIB numbers from `named`; tables of ONUs always 0x1002pp00."""
    access, card = "1.3.6.1.4.1.3902.1015", "1.3.6.1.4.1.3902.1015.2.1.1.3.1"
    lines = system(
        "C320 Version V2.1.0 Software, Copyright (c) by ZTE Corporation",
        "1.3.6.1.4.1.3902.1082.1001.320.2.1",
        "oltZ",
    )
    for slot, kind, state, load in ((2, "GTGH", 1, 7), (3, "SMXA", 1, 31), (4, "", 4, 255)):
        lines += [
            text(kind, card, 4, 1, 1, slot),
            integer(state, card, 5, 1, 1, slot),
            integer(load, card, 9, 1, 1, slot),
        ]
    lines += [integer(38, access, "2.1.3.2.0")]
    for port in (1, 2):
        ifindex, light = named + port * each, 0x10020000 + port * 0x100
        lines += [
            text(f"gpon_1/2/{port}", "1.3.6.1.2.1.31.1.1.1.1", ifindex),
            integer(1, "1.3.6.1.2.1.2.2.1.7", ifindex),
            integer(port, "1.3.6.1.2.1.2.2.1.8", ifindex),
            integer(41_250, access, "1010.11.1.1.2", light),
            integer(3290, access, "1010.11.1.1.3", light),
            integer(17_500, access, "1010.11.1.1.4", light),
            integer(4120, access, "1010.11.1.1.5", light),
        ]
    lines += zte_onu(0x10020100, 1, b"ZTEG\x01\x02\x03\x04", 3)
    lines += zte_onu(0x10020100, 2, b"1,ZTEGC0FFEE42", 1, 2)
    lines += zte_onu(0x10020100, 5, b"HWTC\x14\x26\x77\x9a", 4, 9)
    lines += zte_onu(0x10020200, 1, b"ALCL\x00\x00\x00\x01", 6, 12)
    waiting = "1.3.6.1.4.1.3902.1012.3.13.3.1"
    lines += [
        octets(b"ZTEG\xaa\xbb\xcc\xdd", waiting, 2, 0x10020200, 1),
        octets(b"secret\0\0\0\0", waiting, 3, 0x10020200, 1),
        text("F601", waiting, 10, 0x10020200, 1),
        text("V6.0.1P1", waiting, 11, 0x10020200, 1),
    ]
    return lines


def generic() -> list[Line]:
    """A chassis of one board, and interfaces of which one is a PON."""
    part = "1.3.6.1.2.1.47.1.1.1.1"
    lines = system("Invented OLT", "1.3.6.1.4.1.99999.1", "other")
    for number, (name, within, kind, position) in enumerate(
        (("Chassis", 0, 3, 0), ("Slot 4", 1, 5, 4), ("PON board", 2, 9, 1), ("Fan", 1, 7, 1)), start=1
    ):
        lines += [
            text(name, part, 2, number),
            integer(within, part, 4, number),
            integer(kind, part, 5, number),
            integer(position, part, 6, number),
            text("1.2.3" if number == 1 else "", part, 10, number),
            text("Acme" if number == 1 else "", part, 12, number),
            text("OLT-16" if number == 1 else "", part, 13, number),
        ]
    for number, (name, kind) in enumerate((("gpon0/4/1", 250), ("eth0", 6), ("gpon-up", 250)), start=1):
        lines += [
            text(name, "1.3.6.1.2.1.2.2.1.2", number),
            integer(kind, "1.3.6.1.2.1.2.2.1.3", number),
            integer(1, "1.3.6.1.2.1.2.2.1.7", number),
            integer(2, "1.3.6.1.2.1.2.2.1.8", number),
        ]
    return lines


def many(pons: int, onus: int, build: Callable[[int, int], list[Line]]) -> list[Line]:
    return [line for pon in range(pons) for onu in range(onus) for line in build(pon, onu)]


def large(pons: int, onus: int, away: int = 20) -> list[Line]:
    """An OLT full of ONUs, of which one in `away` is not online."""

    def build(pon: int, onu: int) -> list[Line]:
        number = pon * onus + onu
        ifindex = pon_ifindex(1 + pon // 16, pon % 16)
        sn = b"HWTC" + number.to_bytes(4)
        return huawei_onu(ifindex, onu, sn, f"cpe{number:05}", away=(13 if number % away == 0 else None))

    return huawei_chassis((1 + pon // 16, pon % 16) for pon in range(pons)) + many(pons, onus, build)


def mangled(lines: list[Line], seed: int) -> list[Line]:
    """The same OLT as a bad day answers it: rows and columns missing, values of other types and lengths."""
    rng = random.Random(seed)
    tags = ("2", "4x", "5", "6", "64", "65", "66", "67", "70")
    wild = {
        "2": lambda: str(rng.choice((-1, 0, 3, 65535, 2**31 - 1, -(2**31)))),
        "4x": lambda: rng.randbytes(rng.choice((0, 1, 3, 6, 8, 11, 40))).hex(),
        "5": lambda: "",
        "6": lambda: "1.3.6.1.4.1.9",
        "64": lambda: "10.0.0.1",
        "65": lambda: str(rng.randrange(2**32)),
        "66": lambda: str(rng.randrange(2**32)),
        "67": lambda: str(rng.randrange(2**32)),
        "70": lambda: str(rng.randrange(2**64)),
    }
    gone = {line[0][:-2] for line in lines if rng.random() < 0.05}
    found = []
    for at, tag, value in lines:
        if at[:-2] in gone or rng.random() < 0.1:
            continue
        if rng.random() < 0.25:
            tag = rng.choice(tags)
            value = wild[tag]()
        found.append((at, tag, value))
        if rng.random() < 0.05:
            found.append(((*at, rng.randrange(9)), tag, value))
    return found
