"""What the benchmark's peers say of a CPE is what isp says: else its run stops before it has measured."""

from __future__ import annotations

import itertools
from typing import Any

from services.isp.domain import cpe
from services.isp.domain.action import Device
from tests.bench import wire


class Installation:
    links_prefix = wire.CPES


def test_its_actions_and_sub_resources() -> None:
    installation: Any = Installation()
    for facts in itertools.product((False, True), repeat=len(Device._fields)):
        device = Device(*facts)
        theirs = wire.links(
            350,
            bitstream=device.is_bitstream,
            tr069=bool(device.tr069),
            diagnostics=bool(device.diagnostics),
            bridge=device.bridge,
            no_provision=device.disable_provision,
            no_reconfig=device.disable_reconfig,
        )
        assert theirs == cpe.links(installation, "350", *device)


def test_what_is_checked_of_it() -> None:
    installation: Any = Installation()
    techs = (*wire.CHECKS, "voip")
    for tech, bitstream, tr069, ports in itertools.product(techs, (False, True), (False, True), ("", "1,2")):
        theirs = wire.services(tech, tr069, bitstream, ports)
        assert theirs == cpe.services(installation, tech, bitstream, tr069, ports)
