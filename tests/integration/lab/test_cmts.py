"""The CMTS of the lab and its cable modems over SNMP, and the files they boot with over TFTP."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from deploy.lab.network import invent
from deploy.lab.network.plan import Plan
from deploy.lab.network.starter import RunningLab
from tests.integration.lab.conftest import REGISTRATION
from tests.integration.lab.managers import Manager, modem, until

IF = "1.3.6.1.2.1.10.127.1"
IF3 = "1.3.6.1.4.1.4491.2.1.20.1"
REG = f"{IF3}.3.1"
UP_FREQUENCY, DOWN_POWER, SIGQ_CORRECTED = f"{IF}.1.2.1.2", f"{IF}.1.1.1.6", f"{IF}.1.4.1.8"
UPTIME = "1.3.6.1.2.1.1.3.0"
RESET_NOW = "1.3.6.1.2.1.69.1.1.3.0"
MAX_RATE = "1.3.6.1.4.1.4491.2.1.21.1.2.1.6"
OPERATIONAL = 8
FIRST = 1
"""The id of the first modem."""


def address_of(cmts: Manager, number: int = FIRST) -> str:
    return ".".join(str(octet) for octet in cmts.get(f"{REG}.5.{number}"))


def test_a_walk_of_everything_goes_up_without_repeating(cmts: Manager) -> None:
    names = [tuple(map(int, name.split("."))) for name in cmts.walk("1.3.6.1")]
    assert len(names) > 500
    assert names == sorted(set(names))


def test_the_modems_of_the_plan_are_registered_with_an_address_of_their_own(cmts: Manager) -> None:
    macs, states = cmts.walk(f"{REG}.2"), cmts.walk(f"{REG}.6")
    assert [mac.hex() for mac in macs.values()] == [f"0200000000{n:02x}" for n in range(6)]
    assert set(states.values()) == {OPERATIONAL}
    assert len({address_of(cmts, int(number)) for number in macs}) == 6


def test_the_tables_of_channels_groups_and_nodes_belong_together(cmts: Manager) -> None:
    """From a fiber node to its channels, the way a manager goes."""
    nodes = cmts.walk(f"{IF3}.12.1.3")
    assert {bytes(map(int, index.split(".")[2:-1])).decode() for index in nodes} == {"nodo1", "nodo2"}
    ids = cmts.walk(f"{IF3}.5.1.3")
    for index, group in nodes.items():
        domain = index.split(".")[0]
        channel_set = cmts.get(f"{IF3}.13.1.2.{domain}.{group}")
        listed = set(cmts.get(f"{IF3}.23.1.2.{domain}.{channel_set}"))
        downstreams = {ids[f"{domain}.{one}"] for one in cmts.walk(DOWN_POWER) if f"{domain}.{one}" in ids}
        assert listed
        assert listed <= downstreams


def test_a_modem_tells_what_it_is_and_how_it_receives(lab: RunningLab, cmts: Manager) -> None:
    with modem(lab.device("cmtsLab1"), address_of(cmts)) as cm:
        assert b"<<HW_REV: 1.0; VENDOR: Labcable;" in cm.get("1.3.6.1.2.1.1.1.0")
        assert len(cm.walk(DOWN_POWER)) == 8
        assert all(250 < snr < 450 for snr in cm.walk(f"{IF3}.24.1.1").values())
        assert all(300 < power < 600 for power in cm.walk(f"{IF3}.2.1.1").values())
        assert cm.get("1.3.6.1.2.1.69.1.4.5.0") == b"020000000000.cm"


def test_counters_of_modems_and_channels_grow(lab: RunningLab, cmts: Manager) -> None:
    us_status = f"{IF3}.4.1.7"
    before = cmts.walk(us_status)
    in_octets = "1.3.6.1.2.1.31.1.1.1.6.2"
    with modem(lab.device("cmtsLab1"), address_of(cmts)) as cm:
        octets = cm.get(in_octets)
        until(lambda: cm.get(in_octets) > octets)
    until(lambda: all(value != before[index] for index, value in cmts.walk(us_status).items()))
    assert all(value > 0 for value in cmts.walk(SIGQ_CORRECTED).values())


def test_a_reset_modem_is_silent_and_registers_again(slow_lab: RunningLab) -> None:
    entry = slow_lab.device("cmtsLab1")
    with Manager(entry) as cmts:
        address = address_of(cmts, 2)
        with modem(entry, address) as cm:
            began = time.monotonic()
            assert cm.set(RESET_NOW, 1) == "noError"
        states = [cmts.get(f"{REG}.6.2")]
        with modem(entry, address, timeout=0.05) as cm, pytest.raises(TimeoutError):
            cm.get(UPTIME)
        deadline = time.monotonic() + 60
        while states[-1] != OPERATIONAL:
            states.append(cmts.get(f"{REG}.6.2"))
            assert time.monotonic() < deadline
    passed = list(dict.fromkeys(states))
    assert passed[-1] == OPERATIONAL
    assert set(passed) <= {1, 2, 4, 10, 5, 14, 15, 16, 6, 8}
    assert len(passed) > 3
    with modem(entry, address) as cm:
        assert cm.get(UPTIME) / 100 <= time.monotonic() - began


def test_a_return_frequency_is_changed_within_the_band(cmts: Manager) -> None:
    index = next(iter(cmts.walk(UP_FREQUENCY)))
    assert cmts.set(f"{UP_FREQUENCY}.{index}", 37_200_000) == "noError"
    assert cmts.get(f"{UP_FREQUENCY}.{index}") == 37_200_000
    assert cmts.set(f"{UP_FREQUENCY}.{index}", 700_000_000) == "wrongValue"
    until(lambda: set(cmts.walk(f"{REG}.6").values()) == {OPERATIONAL})


def fetch(port: int, name: str) -> bytes:
    """A file over TFTP (RFC 1350)."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(b"\0\1" + name.encode() + b"\0octet\0", ("127.0.0.1", port))
        found, blocks = b"", 0
        while True:
            packet, peer = client.recvfrom(1_024)
            if packet[:2] != b"\0\3":
                raise FileNotFoundError(packet)
            client.sendto(b"\0\4" + packet[2:4], peer)
            if int.from_bytes(packet[2:4]) == blocks:  # again, for we were slow
                continue
            blocks += 1
            found += packet[4:]
            if len(packet) < 516:
                return found


@pytest.mark.parametrize("size", [0, 511, 512, 3_000])
def test_files_are_served_over_tftp(lab: RunningLab, size: int) -> None:
    tftp = lab.book["tftp"]
    content = bytes(n % 251 for n in range(size))
    (Path(tftp["folder"]) / "some.cm").write_bytes(content)
    assert fetch(tftp["port"], "some.cm") == content


def test_no_file_outside_the_folder_is_served(lab: RunningLab) -> None:
    for name in ("../lab.json", "none.cm"):
        with pytest.raises(FileNotFoundError):
            fetch(lab.book["tftp"]["port"], name)


def test_a_modem_takes_its_speeds_and_its_access_from_its_file(lab: RunningLab, cmts: Manager) -> None:
    entry, address = lab.device("cmtsLab1"), address_of(cmts, 3)
    file = Path(lab.book["tftp"]["folder"]) / "020000000002.cm"

    def restarted() -> tuple[int, list[int]]:
        with modem(entry, address) as cm:
            cm.set(RESET_NOW, 1)
        until(lambda: cmts.get(f"{REG}.6.3") in (OPERATIONAL, 17))
        with modem(entry, address) as cm:
            return cmts.get(f"{REG}.6.3"), sorted(cm.walk(MAX_RATE).values())

    flows = b"".join(
        bytes((kind, 6, 8, 4)) + rate.to_bytes(4, "big") for kind, rate in ((24, 7_000_000), (25, 70_000_000))
    )
    file.write_bytes(b"\x03\x01\x01" + flows + b"\xff")
    assert restarted() == (OPERATIONAL, [7_000_000, 70_000_000])
    file.write_bytes(b"\x03\x01\x00" + flows + b"\xff")
    assert restarted()[0] == 17
    file.unlink()
    assert restarted() == (OPERATIONAL, [5_000_000, 50_000_000])


@pytest.mark.parametrize(
    ("vendor", "maker", "upstream"),
    [
        ("cisco", b"Cisco IOS", b"Ca5/0/0-upstream0"),
        ("casa", b"Casa", b"up.0-0-0"),
        ("arris", b"ARRIS", b"cable-upstream 0/0"),
    ],
)
def test_each_vendor_names_things_its_way(tmp_path: Path, vendor: str, maker: bytes, upstream: bytes) -> None:
    plan = Plan(registration=REGISTRATION, cmtss=[invent.cmts("cmtsLab1", (), vendor=vendor)])
    with RunningLab(tmp_path, plan) as lab, Manager(lab.device("cmtsLab1")) as cmts:
        assert cmts.get("1.3.6.1.2.1.1.1.0").startswith(maker)
        assert upstream in cmts.walk("1.3.6.1.2.1.31.1.1.1.1").values()
