"""SNMPv3 with snmpsim, which answers users from the recording `self`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from services.common.devices import pdu
from services.common.devices.access import SnmpAccess
from services.common.devices.errors import DeviceRefused
from services.common.devices.snmp import Snmp
from services.gpon.drivers.huawei.reading import HuaweiReader
from tests.integration.devices import recordings
from tests.integration.devices.snmpsim import SnmpSim

USER = {
    "version": "3",
    "user": "reader",
    "auth_protocol": "sha",
    "auth_password": "invented-1",
    "privacy_protocol": "aes",
    "privacy_password": "invented-2",
    "timeout": 10.0,
}
NAME = "1.3.6.1.2.1.1.5.0"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpSim]:
    options = (
        "user=reader",
        "auth-key=invented-1",
        "auth-proto=SHA",
        "priv-key=invented-2",
        "priv-proto=AES",
    )
    recording = recordings.written(recordings.huawei()).replace(f"{NAME}|4x|", f"{NAME}|4x:writecache|value=")
    with SnmpSim(
        tmp_path_factory.mktemp("users"),
        {"self": recording, "open": recording},
        *(f"--v3-{option}" for option in options),
    ) as server:
        yield server


def access(agent: SnmpSim, **changed: object) -> SnmpAccess:
    return agent.access("", **(USER | changed))


def test_an_olt_is_read_as_with_a_community(agent: SnmpSim) -> None:
    with HuaweiReader("olt", access(agent)) as secret, HuaweiReader("olt", agent.access("open")) as open_:
        first, second = ([replace(one, uptime=None) for one in who.onus()] for who in (secret, open_))
        assert first == second != []
        assert len(secret.onus()) == 5
        assert secret.slots() == open_.slots()
        assert secret.unconfigured() == open_.unconfigured()


def test_a_value_is_set(agent: SnmpSim) -> None:
    with Snmp("olt", access(agent)) as session:
        session.set(NAME, b"renamed")
        assert session.get(NAME) == {NAME: b"renamed"}


@pytest.mark.parametrize(
    "wrong", [{"user": "nobody"}, {"auth_password": "wrong-wrong"}, {"privacy_password": "wrong-wrong"}]
)
def test_wrong_credentials_are_refused(agent: SnmpSim, wrong: dict[str, str]) -> None:
    with pytest.raises(DeviceRefused), Snmp("olt", access(agent, **wrong)) as session:
        session.get(NAME)


def test_a_wrong_user_may_not_set(agent: SnmpSim) -> None:
    exchange = pdu.open_exchange(access(agent, auth_password="wrong-wrong"))
    with pytest.raises(pdu.Unwelcome):
        pdu.write(exchange, (1, 3, 6, 1, 2, 1, 1, 5, 0), b"x", "octets")
    exchange.close()


def test_silence_ends() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        changed = USER | {"timeout": 0.3}
        exchange = pdu.open_exchange(SnmpAccess("127.0.0.1", deaf.getsockname()[1], **changed))  # type: ignore
        with pytest.raises(pdu.Unanswered):
            pdu.write(exchange, (1, 3, 6, 1, 2, 1, 1, 5, 0), b"x", "octets")
        exchange.close()
