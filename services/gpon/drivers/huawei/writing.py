"""Writes to a SmartAX over its command line: each method one step, each refusal of the device an error of
ours.

What is said already ("Make configuration repeatedly") is done; what is there already or not there is told
by the error's `reason`, so that a caller who repeats a step can go on."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Self

from services.common.devices import values
from services.common.devices.errors import DeviceError, DeviceRefused
from services.common.devices.native import genuine
from services.common.devices.ssh import Cli, SshAccess
from services.gpon.drivers.base import (
    Alarm,
    Configured,
    Place,
    Position,
    Registration,
    ServicePort,
    Unconfigured,
)
from services.gpon.drivers.huawei import cli

clock = genuine("time")

PLATFORM = "huawei_smartax"
"""netmiko's name of it."""
LONG = 120.0
"""Seconds that saving may be silent."""
TRIES, PAUSE = 3, 2.0
"""A device that saves or synchronises refuses for a few seconds."""

_WORD = re.compile(r"[A-Za-z0-9_.:/+@#=,()-]([A-Za-z0-9 _.:/+@#=,()-]*[A-Za-z0-9_.:/+@#=,()-])?")
_NO_TEXT = re.compile(r"[^A-Za-z0-9 _.:/+@#=,()-]")
_LONGEST_DESCRIPTION = 64


class HuaweiWriter:
    vendor = "Huawei"

    def __init__(self, device: str, access: SshAccess, zone: dt.tzinfo = dt.UTC) -> None:
        self._device, self._zone = device, zone
        self._cli = Cli(device, access, PLATFORM)
        self._inside: tuple[int, int] | None = None

    @property
    def host_key(self) -> str:
        return self._cli.host_key

    def __enter__(self) -> Self:
        self._cli.__enter__()
        try:
            for command in ("enable", "config"):
                if refused := cli.refusal(self._cli.run(command)):
                    raise DeviceRefused(f"{refused.words}: {command}.", device=self._device)
            for command in ("undo smart", "scroll", "undo alarm output all", "undo event output all"):
                self._cli.run(command)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._cli.__exit__(None, None, None)

    def find(self, sn: str) -> Place | None:
        answer = self._ask(f"display ont info by-sn {sn.upper()}")
        if answer is None:
            return None
        found = cli.place(answer)
        if found is None:
            raise DeviceError("What it tells of the serial number makes no sense.", device=self._device)
        return found

    def configuration(self, position: Position, onu_id: int) -> Configured | None:
        info = self._ask(f"display ont info {position.port} {onu_id}", position)
        if info is None:
            return None
        listed = self._ask(f"display service-port port {position.fsp} ont {onu_id}")
        ports = tuple(self._named(port) for port in cli.service_ports(listed or ""))
        running = self._ask(f"display current-configuration ont {position.fsp} {onu_id}", optional=True)
        found = cli.configured(info, ports, running)
        if found is None:
            raise DeviceError("What it tells of the ONT makes no sense.", device=self._device)
        return found

    def _named(self, port: ServicePort) -> ServicePort:
        """With the names of its traffic tables, of which the list has the numbers."""
        told = cli.fields(self._ask(f"display service-port {port.id}", optional=True) or "")
        return replace(
            port,
            inbound=values.words(told.get("inbound table name")),
            outbound=values.words(told.get("outbound table name")),
            tag_transform=told.get("tag transforms") or told.get("tag transform"),
        )

    def unconfigured(self) -> list[Unconfigured]:
        answer = self._ask("display ont autofind all")
        return [] if answer is None else cli.unconfigured(answer)

    def add(
        self,
        position: Position,
        sn: str,
        line_profile: str,
        service_profile: str,
        desc: str,
        onu_id: int | None = None,
    ) -> int:
        which = position.port if onu_id is None else f"{position.port} {onu_id}"
        line = self._profile("ont-lineprofile", line_profile)
        service = self._profile("ont-srvprofile", service_profile)
        answer = self._do(
            f"ont add {which} sn-auth {sn.upper()} omci {line} {service} desc {_text(desc)}", position
        )
        number = cli.added(answer) if onu_id is None else onu_id
        if number is None:
            raise DeviceError("It does not tell which number the ONT has now.", device=self._device)
        return number

    def add_service_port(
        self,
        id_: int,
        position: Position,
        onu_id: int,
        gem: int,
        service_vlan: int,
        user_vlan: int | None,
        inbound: str | None = None,
        outbound: str | None = None,
        tag_transform: str | None = None,
    ) -> None:
        words = [
            f"service-port {id_} vlan {service_vlan} gpon {position.fsp} ont {onu_id} gemport {gem}",
            f"multi-service user-vlan {'untagged' if user_vlan is None else user_vlan}",
        ]
        if tag_transform:
            words.append(f"tag-transform {self._word(tag_transform)}")
        for side, table in (("inbound", inbound), ("outbound", outbound)):
            if table:
                kind = "index" if table.isdigit() else "name"
                words.append(f"{side} traffic-table {kind} {self._word(table)}")
        self._do(" ".join(words))

    def free_service_port(self) -> int:
        answer = self._ask("display service-port next-free-index", optional=True)
        if answer is not None and (number := cli.next_free(answer)) is not None:
            return number
        return cli.first_free(self._ask("display service-port all") or "")

    def delete_service_port(self, id_: int) -> None:
        self._do(f"undo service-port {id_}")

    def delete(self, position: Position, onu_id: int) -> None:
        self._do(f"ont delete {position.port} {onu_id}", position)

    def native_vlan(
        self, position: Position, onu_id: int, ethernet_port: int, vlan: int, priority: int = 0
    ) -> None:
        port = f"{position.port} {onu_id} eth {ethernet_port}"
        self._do(f"ont port native-vlan {port} vlan {vlan} priority {priority}", position)

    def rf(self, position: Position, onu_id: int, on: bool) -> None:
        state = "on" if on else "off"
        self._do(f"ont port attribute {position.port} {onu_id} catv 1 operational-state {state}", position)

    def describe(self, position: Position, onu_id: int, desc: str) -> None:
        self._do(f"ont modify {position.port} {onu_id} desc {_text(desc)}", position)

    def profiles(self, position: Position, onu_id: int, line_profile: str, service_profile: str) -> None:
        line = self._profile("ont-lineprofile", line_profile)
        service = self._profile("ont-srvprofile", service_profile)
        self._do(f"ont modify {position.port} {onu_id} {line}", position)
        self._do(f"ont modify {position.port} {onu_id} {service}", position)

    def activate(self, position: Position, onu_id: int) -> None:
        self._do(f"ont activate {position.port} {onu_id}", position)

    def deactivate(self, position: Position, onu_id: int) -> None:
        self._do(f"ont deactivate {position.port} {onu_id}", position)

    def reset(self, position: Position, onu_id: int) -> None:
        self._do(f"ont reset {position.port} {onu_id}", position)

    def factory(self, position: Position, onu_id: int) -> None:
        self._do(f"ont factory-setting-restore {position.port} {onu_id}", position)

    def alarms(self, position: Position, onu_id: int) -> list[Alarm]:
        answer = self._ask(f"display ont alarm-state {position.port} {onu_id}", position)
        return [] if answer is None else cli.active_alarms(answer)

    def registrations(self, position: Position, onu_id: int) -> list[Registration]:
        answer = self._ask(f"display ont register-info {position.port} {onu_id}", position)
        return [] if answer is None else cli.registrations(answer, self._zone)

    def save(self) -> None:
        self._do("save", seconds=LONG)

    def _do(self, command: str, within: Position | None = None, seconds: float | None = None) -> str:
        """Gives the command in its view. Raises what the device says against it."""
        self._enter(within)
        for attempt in range(1, TRIES + 1):
            answer = self._cli.run(command, confirm=True, seconds=seconds)
            refused = cli.refusal(answer)
            if refused is None or refused.reason == cli.UNCHANGED:
                return answer
            if refused.reason != "busy" or attempt == TRIES:
                raise cli.error(refused, self._device)
            clock.sleep(PAUSE)
        raise AssertionError("unreachable")

    def _ask(self, command: str, within: Position | None = None, optional: bool = False) -> str | None:
        """The answer; None for what is not there. `optional`: nor is it an error when the release lacks the
        command."""
        try:
            return self._do(command, within)
        except DeviceError as failure:
            if failure.reason == "missing" or (
                optional and failure.reason in ("unknown_command", "unsupported")
            ):
                return None
            raise

    def _enter(self, within: Position | None) -> None:
        wanted = None if within is None else (within.frame, within.slot)
        if wanted == self._inside:
            return
        if self._inside is not None:
            self._cli.run("quit")
            self._inside = None
        if wanted is not None:
            if refused := cli.refusal(self._cli.run(f"interface gpon {wanted[0]}/{wanted[1]}")):
                raise DeviceError(
                    f"{refused.words}: board {wanted[0]}/{wanted[1]}.", device=self._device, reason="missing"
                )
            self._inside = wanted

    def _profile(self, what: str, profile: str) -> str:
        return f"{what}-id {profile}" if profile.isdigit() else f"{what}-name {self._word(profile)}"

    def _word(self, text: str) -> str:
        """A name as the command line takes it. Raises for one that would be read as something else."""
        if not _WORD.fullmatch(text):
            raise DeviceError(
                f"Its command line takes no name such as {text!r}.", device=self._device, reason="unsupported"
            )
        return f'"{text}"' if " " in text else text


def _text(desc: str) -> str:
    """A description in what the command line takes: its own letters, no quotes, no question mark."""
    return f'"{_NO_TEXT.sub("_", desc)[:_LONGEST_DESCRIPTION]}"'
