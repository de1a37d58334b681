"""The OLT's command line, through netmiko and a bare SSH channel; what it does, SNMP shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from netmiko import ConnectHandler, NetmikoAuthenticationException
from netmiko.base_connection import BaseConnection

from deploy.lab.network import invent
from deploy.lab.network.starter import RunningLab
from tests.integration.lab.conftest import plan
from tests.integration.lab.managers import Manager, until

XPON = "1.3.6.1.4.1.2011.6.128.1.1.2"
SN, STATUS, AUTOFIND_SN, NATIVE_VLAN, CATV = (
    f"{XPON}.{column}" for column in ("43.1.3", "46.1.15", "48.1.2", "62.1.7", "63.1.2")
)
FLOW = "1.3.6.1.4.1.2011.5.14.5.2.1"
SECOND_PON = 4194312448
WAITS = invent.WAITING[0]
FLOW_OF_3 = "gpon 0/1/1 ont 3 gemport 2 multi-service user-vlan 1021 tag-transform translate"


def add(where: str, sn: str = "48575443aaaaaaaa", line: int = 10) -> str:
    return f"ont add {where} sn-auth {sn} omci ont-lineprofile-id {line} ont-srvprofile-id 10"


def connect(lab: RunningLab, **other: str) -> BaseConnection:
    entry = lab.device("oltLab1")
    return ConnectHandler(
        device_type="huawei_smartax",
        host=entry["address"],
        port=entry["ssh_port"],
        username=entry["user"],
        password=other.get("password", entry["password"]),
        fast_cli=True,
        conn_timeout=60,
        banner_timeout=60,
        read_timeout_override=60,
    )


@pytest.fixture(scope="module")
def cli(lab: RunningLab) -> Iterator[BaseConnection]:
    with connect(lab) as connection:
        connection.enable()
        connection.config_mode()
        yield connection


def say(cli: BaseConnection, *lines: str) -> str:
    """The answer to the last of the lines; each is answered by a prompt or a question."""
    answer = ""
    for line in lines:
        answer = str(cli.send_command(line, expect_string=r"(#|\[n\]:)\s*$", read_timeout=60))
    return answer


def test_an_onu_is_provisioned_by_command_and_snmp_shows_it(cli: BaseConnection, olt: Manager) -> None:
    added = say(
        cli,
        "interface gpon 0/1",
        f"ont add 1 sn-auth {WAITS} omci ont-lineprofile-id 10 ont-srvprofile-id 10",
    )
    assert "success: 1" in added
    assert "ONTID :3" in added
    assert olt.get(f"{SN}.{SECOND_PON}.3").hex() == WAITS
    assert olt.get(f"{STATUS}.{SECOND_PON}.3") == 2, "it hangs on another PON"
    assert WAITS in [sn.hex() for sn in olt.walk(AUTOFIND_SN).values()]

    say(cli, "ont delete 1 3", add("0", WAITS), "quit")
    assert WAITS not in [sn.hex() for sn in olt.walk(AUTOFIND_SN).values()]
    until(lambda: olt.get(f"{STATUS}.4194312192.3") == 1)
    assert not say(cli, f"service-port 900 vlan 1100 {FLOW_OF_3.replace('0/1/1', '0/1/0')}")
    assert [olt.get(f"{FLOW}.{column}.900") for column in (3, 4, 5, 6, 8, 12, 14)] == [
        1,
        0,
        3,
        2,
        1100,
        1021,
        1,
    ]

    assert "success: 1" in say(cli, "undo service-port 900", "interface gpon 0/1", "ont delete 0 3")
    say(cli, "quit")
    until(lambda: WAITS in [sn.hex() for sn in olt.walk(AUTOFIND_SN).values()])


def test_what_is_configured_is_shown_as_commands(cli: BaseConnection) -> None:
    native, off = "ont port native-vlan 0 4 eth 1 vlan 77 priority 0", "ont port attribute 0 4 catv 1"
    say(cli, "interface gpon 0/1", add("0 4"), native, f"{off} operational-state off", "quit")
    free = re.search(r"free service virtual port ID: (\d+)", say(cli, "display service-port next-free-index"))
    assert free
    flow = f"service-port {free[1]} vlan 1100 {FLOW_OF_3.replace('1/1 ont 3', '1/0 ont 4')}"
    tables = "inbound traffic-table index 12 outbound traffic-table index 20"
    assert not say(cli, f"{flow} {tables}")
    shown = [line.strip() for line in say(cli, "display current-configuration ont 0/1/0 4").splitlines()]
    assert {native, f"{off} operational-state off", f"{flow} {tables}"} <= set(shown)
    assert sum(line.startswith("ont add 0 4 sn-auth") for line in shown) == 1
    assert shown[-1] == "return"
    say(cli, f"undo service-port {free[1]}", "interface gpon 0/1", "ont delete 0 4", "quit")
    assert "does not exist" in say(cli, "display current-configuration ont 0/1/0 4")


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ((add("0", "4857544300000001"),), "SN already exists"),
        ((add("0", line=99),), "profile does not exist"),
        ((add("0 0"),), "has already existed"),
        ((add("7"),), "port does not exist"),
        (("ont delete 0 99",), "The ONT does not exist"),
        (("ont delete 0 0",), "has some service virtual ports"),
        (("service-port 1 vlan 5 gpon 0/1/0 ont 1 gemport 9 multi-service user-vlan 9",), "index: 1"),
        (("service-port 77 vlan 5 gpon 0/1/0 ont 0 gemport 1 multi-service user-vlan 20",), "index: 1"),
        (("undo service-port 555",), "does not exist"),
        (("display service-port port 0/1/0 ont 88",), "No service virtual port can be operated"),
        (("display ont info by-sn 48575443aaaaaaaa",), "The required ONT does not exist"),
        (("ont port native-vlan 0 0 eth 9 vlan 20 priority 0",), "ONT port does not exist"),
        (("ont add",), "% Incomplete command"),
        (("ont remove 0 0",), "% Parameter error"),
        (("frobnicate",), "% Unknown command"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_the_words_of_the_device(
    cli: BaseConnection, lines: tuple[str, ...], answer: str
) -> None:
    say(cli, "interface gpon 0/1")
    assert answer in say(cli, *lines)
    say(cli, "quit")


def test_settings_of_ports_are_shown(cli: BaseConnection, olt: Manager) -> None:
    say(cli, "interface gpon 0/1", "ont port native-vlan 1 0 eth 2 vlan 30 priority 3")
    say(cli, "ont port attribute 1 0 catv 1 operational-state off", "quit")
    assert olt.get(f"{NATIVE_VLAN}.{SECOND_PON}.0.2") == 30
    assert olt.get(f"{CATV}.{SECOND_PON}.0.1") == 2


def test_a_deactivated_onu_is_offline_and_comes_back(cli: BaseConnection, olt: Manager) -> None:
    say(cli, "interface gpon 0/1", "ont deactivate 1 1")
    assert olt.get(f"{STATUS}.{SECOND_PON}.1") == 2
    say(cli, "ont activate 1 1", "quit")
    until(lambda: olt.get(f"{STATUS}.{SECOND_PON}.1") == 1)


def test_a_reset_is_asked_about_and_told_in_the_register(cli: BaseConnection, olt: Manager) -> None:
    question = say(cli, "interface gpon 0/1", "ont reset 1 2")
    assert question.endswith("(y/n)[n]:")
    say(cli, "y")
    until(lambda: olt.get(f"{STATUS}.{SECOND_PON}.2") == 1)
    told = say(cli, "display ont register-info 1 2")
    assert "ont-reset" in told
    assert told.count("UpTime") == 2
    assert "ont-reset" in say(cli, "display ont info 1 2")
    say(cli, "quit")


def test_what_is_displayed_agrees_with_snmp(cli: BaseConnection, olt: Manager) -> None:
    listed = say(cli, "display ont info 0 1 1 all")
    for sn in (sn.hex() for index, sn in olt.walk(SN).items() if index.startswith(f"{SECOND_PON}.")):
        assert sn.upper() in listed
    assert f"Total : {len(olt.walk(f'{FLOW}.8'))}" in say(cli, "display service-port all")


def test_a_wrong_password_is_refused(lab: RunningLab) -> None:
    with pytest.raises(NetmikoAuthenticationException):
        connect(lab, password="wrong")


class Channel:
    """A bare channel of a terminal."""

    def __init__(self, process: asyncssh.SSHClientProcess[str]) -> None:
        self.process = process

    async def until(self, end: str) -> str:
        return await asyncio.wait_for(self.process.stdout.readuntil(end), 60)

    async def say(self, line: str, end: str) -> str:
        self.process.stdin.write(f"{line}\n")
        return await self.until(end)


async def open_channel(entry: dict[str, str]) -> tuple[asyncssh.SSHClientConnection, Channel]:
    connection = await asyncssh.connect(
        entry["address"],
        int(entry["ssh_port"]),
        username=entry["user"],
        password=entry["password"],
        known_hosts=([asyncssh.import_public_key(entry["host_key"])], [], []),
    )
    return connection, Channel(await connection.create_process(term_type="vt100"))


def test_a_fresh_session_completes_interactively_and_pages(lab: RunningLab) -> None:
    async def talk() -> None:
        connection, channel = await open_channel(lab.device("oltLab1"))
        async with connection:
            await channel.until("oltLab1>")
            await channel.say("enable", "oltLab1#")
            await channel.say("display service-port all", "{ <cr>|sort-by<K>||<K> }:")
            shown = await channel.say("", "---- More ( Press 'Q' to break ) ----")
            assert "Command:\r\n          display service-port all" in shown
            channel.process.stdin.write("q")
            await channel.until("oltLab1#")
            await channel.say("undo smart", "oltLab1#")
            await channel.say("scroll", "oltLab1#")
            assert "Total : 24" in await channel.say("display service-port all", "oltLab1#")
            await channel.say("quit", "Are you sure to log out? (y/n)[n]:")
            await channel.say("y", "Configuration console exit, please retry to log on")

    asyncio.run(talk())


def test_no_more_sessions_than_the_device_has(lab: RunningLab, cli: BaseConnection) -> None:
    async def crowd() -> None:
        opened = [await open_channel(lab.device("oltLab1")) for _ in range(9)]  # `cli` is the tenth
        try:
            for _, channel in opened:
                await channel.until("oltLab1>")
            connection, late = await open_channel(lab.device("oltLab1"))
            async with connection:
                assert "upper limit" in await late.process.stdout.read()
        finally:
            for connection, _ in opened:
                connection.close()

    asyncio.run(crowd())


def test_only_what_was_saved_outlives_a_restart(tmp_path: Path) -> None:
    first, second = (add("1", sn) for sn in invent.WAITING[:2])
    with RunningLab(tmp_path, plan()) as lab, connect(lab) as cli:
        cli.enable()
        cli.config_mode()
        say(cli, "interface gpon 0/1", first, "save", second)
    with RunningLab(tmp_path) as lab, Manager(lab.device("oltLab1")) as olt:
        serials = [sn.hex() for sn in olt.walk(SN).values()]
        assert invent.WAITING[0] in serials
        assert invent.WAITING[1] not in serials
