"""`lab.json`: where the lab's devices are and how one gets in. Ports and passwords are chosen once and kept.

Mode 0600, for they are real passwords, made up per lab. `pid` is that of the process that answers, and null
while none does.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local import state
from deploy.local.instance import LOOPBACK, PORTS, port_is_free

FILE = "lab.json"


def udp_port_is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _is_free(port: int) -> bool:
    """For TCP and UDP."""
    return port_is_free(port) and udp_port_is_free(port)


def free_port(taken: set[int]) -> int:
    """Free, and of no other device of the lab."""
    while True:
        port = secrets.choice(PORTS)
        if port not in taken and _is_free(port):
            taken.add(port)
            return port


@dataclass
class Book:
    """`devices`: by name, what is in the file. Extra keys of an entry are kept."""

    path: Path
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    tftp: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, data: Path) -> Book:
        found = state.load(data / FILE) or {}
        devices = {entry["name"]: entry for entry in found.get("devices", ())}
        return cls(data / FILE, devices, found.get("tftp", {}))

    def keep(self, names: Iterable[str]) -> None:
        """Forget the devices that are not in the lab any more."""
        here = set(names)
        self.devices = {name: entry for name, entry in self.devices.items() if name in here}

    def olt(self, name: str, vendor: str) -> dict[str, Any]:
        """The entry of an OLT, made when it is not there yet."""
        return self._entry(
            name, "olt", vendor, ("snmp_port", "ssh_port") if vendor == "huawei" else ("snmp_port",)
        )

    def cmts(self, name: str, vendor: str) -> dict[str, Any]:
        """The entry of a CMTS; `modem_port` is the SNMP port of all its modems, each on an address of its
        own.
        """
        return self._entry(name, "cmts", vendor, ("snmp_port", "modem_port"))

    def _entry(self, name: str, kind: str, vendor: str, ports: tuple[str, ...]) -> dict[str, Any]:
        entry = self.devices.setdefault(name, {"name": name})
        taken = {
            value for one in self.devices.values() for key, value in one.items() if key.endswith("_port")
        }
        entry |= {"kind": kind, "vendor": vendor, "address": LOOPBACK}
        for port in ports:
            if port not in entry or not _is_free(entry[port]):
                entry[port] = free_port(taken)
        for key in ("community", "write_community"):
            entry.setdefault(key, secrets.token_hex(8))
        entry.setdefault(
            "v3",
            {
                "user": "krill",
                "auth_protocol": "sha",
                "auth_password": secrets.token_hex(12),
                "privacy_protocol": "aes128",
                "privacy_password": secrets.token_hex(12),
            },
        )
        if "ssh_port" in entry:
            entry.setdefault("user", "krill")
            entry.setdefault("password", secrets.token_hex(12))
        if kind == "cmts":
            entry.setdefault("modem_community", secrets.token_hex(8))
        return entry

    def tftp_server(self, folder: Path) -> dict[str, Any]:
        if "port" not in self.tftp or not _is_free(self.tftp["port"]):
            self.tftp["port"] = free_port(set())
        self.tftp |= {"address": LOOPBACK, "folder": str(folder)}
        return self.tftp

    def write(self, *, answering: bool, **more: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        told = {
            "pid": os.getpid() if answering else None,
            "devices": list(self.devices.values()),
            "tftp": self.tftp,
        }
        state.save(self.path, {**told, **more})
