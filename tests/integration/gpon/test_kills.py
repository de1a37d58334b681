"""A worker that ends anywhere in a provisioning: the next one brings it to the same end."""

from __future__ import annotations

from typing import Any

import pytest

from services.gpon import converging
from services.gpon.domain import provisioning
from tests.integration.gpon.conftest import Network, onu, plugged
from tests.integration.gpon.test_provisioning import telephone, vlans


class Killed(BaseException):
    """What a SIGKILL is to the code that it meets: nothing after it runs."""


def killing(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """End at the n-th of the moments before and after each write and each command."""
    passed = iter(range(10_000))

    def wrapped(work: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            if next(passed) == moment:
                raise Killed
            found = work(*args, **kwargs)
            if next(passed) == moment:
                raise Killed
            return found

        return run

    monkeypatch.setattr(converging, "_about_to", wrapped(converging._about_to))
    monkeypatch.setattr(converging, "_done", wrapped(converging._done))
    monkeypatch.setattr(converging, "_settle", wrapped(converging._settle))
    monkeypatch.setattr(converging, "_send", wrapped(converging._send))


def moments(network: Network, monkeypatch: pytest.MonkeyPatch) -> int:
    """Settle, killed again and again: before a command is written down, after that, before it is sent, and
    when it was sent and nobody knows. Returns how often."""
    for kills in range(400):
        with monkeypatch.context() as patch:
            killing(patch, kills % 4)
            try:
                network.settle()
                return kills
            except Killed:
                pass
    raise AssertionError("it never came to an end")


def test_putting_in(network: Network, monkeypatch: pytest.MonkeyPatch):
    one = onu(40)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    telephone(network, cpe, "910000040")
    assert moments(network, monkeypatch) >= 20
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED
    assert vlans(network, one.sn) == [933, 934, 1100]
    assert network.events(one.sn) == [
        "onu.discovered",
        "onu.added",
        *["onu.service_added"] * 3,
        "onu.changed",
        "onu.provisioned",
    ]


def test_taking_off(network: Network, monkeypatch: pytest.MonkeyPatch):
    one = onu(41)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    network.isp.delete("cpes", cpe["id"])
    network.hear()
    assert moments(network, monkeypatch) >= 8
    assert network.on_olt(one.sn) is None
    assert network.rows("provisionings") == []
    assert network.events(one.sn)[-3:] == ["onu.service_removed", "onu.service_removed", "onu.removed"]


def test_moving_on(network: Network, monkeypatch: pytest.MonkeyPatch):
    one = onu(42)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    network.isp.patch("cpes", cpe["id"], {"profile": network.speed("300M", "100M")})
    network.hear()
    assert moments(network, monkeypatch) >= 8
    ports = {port.service_vlan: port for port in network.on_olt(one.sn).service_ports}
    assert set(ports) == {933, 1100}
    assert ports[1100].outbound == "300M"
