"""Notifications of the OLT of the lab, as pysnmp reads them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pyasn1.codec.ber import decoder
from pysnmp.proto import api

from deploy.lab.network.plan import OnuPlan
from deploy.lab.network.starter import RunningLab
from tests.integration.lab.conftest import plan

CONFIG_CHANGE, LINK_DOWN, LINK_UP = "1.3.6.1.2.1.47.2.0.1", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1.4194312192"


def read(datagram: bytes) -> dict[str, str]:
    v2c = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    message, rest = decoder.decode(datagram, asn1Spec=v2c.Message())
    assert not rest
    pdu = v2c.apiMessage.get_pdu(message)
    assert pdu.isSameTypeWith(v2c.TrapPDU())
    return {str(name): value.prettyPrint() for name, value in v2c.apiTrapPDU.get_varbinds(pdu)}


def test_what_changes_on_an_olt_is_notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(60)
        monkeypatch.setitem(os.environ, "KRILL_LAB_TRAPS", f"127.0.0.1:{listener.getsockname()[1]}")

        def told() -> dict[str, str]:
            return read(listener.recv(2_000))

        changed = plan()
        changed.olts[0].onus.append(OnuPlan(sn="41434d45000000ff", fsp="0/2/1"))
        with RunningLab(tmp_path, plan()) as lab:
            lab.plug(changed)
            assert told()["1.3.6.1.6.3.1.1.4.1.0"] == CONFIG_CHANGE
            lab.faults({"fault": "los", "device": "oltLab1", "pon": "0/1/0"})
            down = told()
            assert (down["1.3.6.1.6.3.1.1.4.1.0"], IF_INDEX in down) == (LINK_DOWN, True)
            assert told()["1.3.6.1.6.3.1.1.4.1.0"] == CONFIG_CHANGE
            lab.faults()
            assert told()["1.3.6.1.6.3.1.1.4.1.0"] == LINK_UP
