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
    """Settle with a kill at each moment in turn, until one is never reached; returns how many were."""
    for moment in range(200):
        with monkeypatch.context() as patch:
            killing(patch, moment)
            try:
                network.settle()
                return moment
            except Killed:
                pass
        row = network.rows("provisionings")
        assert all(one["due"] is not None for one in row), "what was killed is not done"
    raise AssertionError("it never came to an end")


def test_putting_in(network: Network, monkeypatch: pytest.MonkeyPatch):
    one = onu(40)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    telephone(network, cpe, "910000040")
    assert moments(network, monkeypatch) >= 20
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED
    assert vlans(network, one.sn) == [933, 934, 1100]
    added = [kind for kind in network.events(one.sn) if kind == "onu.provisioned"]
    assert added == ["onu.provisioned"]


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
