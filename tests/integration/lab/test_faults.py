"""What can go wrong in the lab, on the wire; and that it is over when the fault is gone."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from deploy.lab.network import invent
from deploy.lab.network.starter import RunningLab
from tests.integration.lab.conftest import plan
from tests.integration.lab.managers import Manager, until
from tests.integration.lab.test_olt_cli import Channel, add, open_channel

UPTIME, NAME = "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0"
XPON = "1.3.6.1.4.1.2011.6.128.1.1.2"
SN, DESC, STATUS, CAUSE, AUTOFIND_SN = (
    f"{XPON}.{column}" for column in ("43.1.3", "43.1.9", "46.1.15", "46.1.24", "48.1.2")
)
REG = "1.3.6.1.4.1.4491.2.1.20.1.3.1"
FIRST_PON = 4194312192
OLT = "oltLab1"


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"fault": kind, "device": OLT, **more}


def answers(entry: dict[str, Any], timeout: float = 0.5) -> bool:
    with Manager(entry, timeout=timeout) as olt:
        try:
            return olt.get(NAME) == b"oltLab1"
        except TimeoutError:
            return False


def test_a_slow_device_answers_late(faulty: RunningLab, olt: Manager) -> None:
    def seconds() -> float:
        began = time.monotonic()
        olt.get(NAME)
        return time.monotonic() - began

    until(lambda: seconds() < 1)
    faulty.faults(fault("slow", seconds=1))
    assert seconds() >= 1
    faulty.faults()
    until(lambda: seconds() < 1)


def test_a_silent_device_answers_nothing_until_it_is_well(faulty: RunningLab) -> None:
    entry = faulty.device(OLT)
    faulty.faults(fault("silent"))
    assert not answers(entry)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(open_channel(entry), 0.5))
    faulty.faults()
    until(lambda: answers(entry))


def test_a_wrong_password_is_refused_everywhere(faulty: RunningLab) -> None:
    entry = faulty.device(OLT)
    faulty.faults(fault("wrong_password"))
    until(lambda: not answers(entry))
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(open_channel(entry))
    faulty.faults(fault("wrong_password", over="ssh"))
    until(lambda: answers(entry))


def test_a_new_host_key_is_another_than_the_one_told(faulty: RunningLab) -> None:
    entry = faulty.device(OLT)

    def known() -> bool:
        async def look() -> bool:
            try:
                connection, _ = await open_channel(entry)
            except (asyncssh.HostKeyNotVerifiable, OSError, asyncssh.ConnectionLost):
                return False
            connection.abort()
            return True

        return asyncio.run(look())

    assert known()
    faulty.faults(fault("new_host_key"))
    until(lambda: not known())
    faulty.faults()
    until(known)


@pytest.mark.parametrize("took", [False, True])
def test_a_session_is_cut_in_the_middle_of_a_command(faulty: RunningLab, olt: Manager, took: bool) -> None:
    faulty.faults(fault("resets", command="ont add", took=took, times=1))
    sn = "41434d45000000" + ("01" if took else "02")

    async def talk() -> None:
        connection, channel = await open_channel(faulty.device(OLT))
        async with connection:
            await enter(channel)
            with pytest.raises((asyncssh.ConnectionLost, asyncio.IncompleteReadError, BrokenPipeError)):
                await channel.say(add("1", sn), "ONTID")
        connection, channel = await open_channel(faulty.device(OLT))
        async with connection:
            await enter(channel)
            told = await channel.say(add("1", sn), "(config-if-gpon-0/1)#")
            assert ("SN already exists" in told) is took

    asyncio.run(talk())
    assert sn in [found.hex() for found in olt.walk(SN).values()]


async def enter(channel: Channel) -> None:
    await channel.until("oltLab1>")
    for line, end in (
        ("undo smart", "oltLab1>"),
        ("enable", "oltLab1#"),
        ("config", "(config)#"),
        ("interface gpon 0/1", "(config-if-gpon-0/1)#"),
    ):
        await channel.say(line, end)


def test_wrong_answers_are_garbled_but_an_answer(faulty: RunningLab, olt: Manager) -> None:
    well = olt.walk(DESC)
    faulty.faults(fault("wrong_answers", rate=0.7))
    ill = until(lambda: (found := olt.walk(DESC)) != well and found)
    assert any(b"\0" in value or value == b"" for value in ill.values() if isinstance(value, bytes)) or len(
        ill
    ) < len(well)
    faulty.faults()
    until(lambda: olt.walk(DESC) == well)


def test_a_full_pon_takes_no_more(faulty: RunningLab) -> None:
    faulty.faults(fault("full_pon", pon="0/1/0"))

    async def talk() -> None:
        connection, channel = await open_channel(faulty.device(OLT))
        async with connection:
            await enter(channel)
            end = "(config-if-gpon-0/1)#"
            assert "Failure:" in await channel.say(add("0", "41434d45000000f0"), end)
            assert "success: 1" in await channel.say(add("1", "41434d45000000f0"), end)
            await channel.say("ont delete 1 " + "3", end)

    asyncio.run(talk())


@pytest.mark.parametrize(("kind", "cause"), [("dying_gasp", 13), ("los", 2)])
def test_an_onu_loses_power_or_light_and_comes_back(
    faulty: RunningLab, olt: Manager, kind: str, cause: int
) -> None:
    faulty.faults(fault(kind, onu="cpe0000"))
    until(lambda: olt.get(f"{STATUS}.{FIRST_PON}.0") == 2)
    assert olt.get(f"{CAUSE}.{FIRST_PON}.0") == cause
    assert olt.get(f"{STATUS}.{FIRST_PON}.1") == 1
    faulty.faults()
    until(lambda: olt.get(f"{STATUS}.{FIRST_PON}.0") == 1)


def test_a_cut_fibre_takes_all_of_a_pon(faulty: RunningLab, olt: Manager) -> None:
    faulty.faults(fault("los", pon="0/1/0"))

    def down() -> set[str]:
        return {index.split(".")[0] for index, state in olt.walk(STATUS).items() if state == 2}

    until(lambda: str(FIRST_PON) in down())
    assert olt.get(f"{CAUSE}.{FIRST_PON}.0") == 1
    assert olt.get(f"1.3.6.1.2.1.2.2.1.8.{FIRST_PON}") == 2
    faulty.faults()
    until(lambda: str(FIRST_PON) not in down())


def test_a_mass_outage_reaches_a_share_of_all(faulty: RunningLab, olt: Manager) -> None:
    online = [index for index, state in olt.walk(STATUS).items() if state == 1]
    faulty.faults(fault("dying_gasp", rate=0.6))
    until(lambda: len([1 for index in online if olt.walk(STATUS)[index] == 2]) >= len(online) * 0.3)
    assert any(olt.walk(STATUS)[index] == 1 for index in online)
    faulty.faults()
    until(lambda: all(olt.walk(STATUS)[index] == 1 for index in online))


def test_modems_of_a_node_without_power_go_offline(faulty: RunningLab, cmts: Manager) -> None:
    faulty.faults({"fault": "dying_gasp", "device": "cmtsLab1", "pon": "nodo1"})
    until(lambda: sorted(cmts.walk(f"{REG}.6").values()) == [1, 1, 1, 8, 8, 8])
    faulty.faults()
    until(lambda: set(cmts.walk(f"{REG}.6").values()) == {8})


def test_a_twin_is_on_two_devices(tmp_path: Path) -> None:
    two = plan()
    two.olts.append(invent.olt("oltLab2", (), ports=2))
    with RunningLab(tmp_path, two) as lab, Manager(lab.device("oltLab2")) as other:
        assert not other.walk(AUTOFIND_SN)
        lab.faults({"fault": "twin", "device": "oltLab2", "onu": "4857544300000001", "pon": "0/1/1"})
        found = until(lambda: other.walk(AUTOFIND_SN))
        assert [sn.hex() for sn in found.values()] == ["4857544300000001"]


def test_after_a_reboot_counters_begin_anew_and_the_unsaved_is_lost(tmp_path: Path) -> None:
    octets = f"1.3.6.1.2.1.31.1.1.1.6.{FIRST_PON}"
    with RunningLab(tmp_path, plan()) as lab, Manager(lab.device(OLT)) as olt:
        before = (olt.get(UPTIME), olt.get(octets))
        assert olt.set(f"{DESC}.{FIRST_PON}.0", b"unsaved") == "noError"
        began = time.monotonic()
        lab.faults(fault("reboot", seconds=8))
        assert not answers(lab.device(OLT))
        until(lambda: answers(lab.device(OLT)))
        assert olt.get(UPTIME) / 100 <= time.monotonic() - began < before[0] / 100
        assert olt.get(octets) < before[1]
        assert olt.get(f"{DESC}.{FIRST_PON}.0") == b"cpe0000"
        until(lambda: set(olt.walk(STATUS).values()) == {1})
