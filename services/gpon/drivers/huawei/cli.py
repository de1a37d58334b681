"""What a SmartAX prints, made into plain values, and what its refusals mean. Pure: text in, values out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from services.common.devices import values
from services.common.devices.errors import DeviceBusy, DeviceError, DeviceRefused
from services.gpon.drivers.base import Alarm, Configured, Position, Registration, ServicePort, Unconfigured
from services.gpon.drivers.huawei import alarms, cells

UNCHANGED = "unchanged"
"""The reason of a refusal that means no more than that it is so already."""

REASONS = (
    ("Make configuration repeatedly", UNCHANGED),
    ("has some service virtual ports", "in_use"),
    ("already exist", "exists"),
    ("already existed", "exists"),
    ("existed already", "exists"),
    ("is busy", "busy"),
    ("not online", "offline"),
    ("offline", "offline"),
    ("not support", "unsupported"),
    ("reached the upper limit", "full"),
    ("reach the upper limit", "full"),
    ("exceed", "full"),
    ("reached the maximum", "full"),
    ("not exist", "missing"),
    ("No service virtual port", "missing"),
    ("There is no ONT", "missing"),
    ("no right", "refused"),
    ("not authorized", "refused"),
    ("permission", "refused"),
    ("privilege", "refused"),
)
"""Words of the device → reason, in the order in which they are looked for."""

_FAILURE = re.compile(r"^\s*Failure\s*:\s*(.+(?:\n(?!\s*$)(?!.*:).+)*)", re.MULTILINE)
_NOT_THERE = re.compile(r"^\s*(The required ONT does not exist|There is no ONT available)", re.MULTILINE)
_WRONG = re.compile(r"^\s*%\s*(.+)$", re.MULTILINE)
_COUNT = re.compile(r"success\s*:\s*(\d+)")
_ONT_ID = re.compile(r"\bONT-?ID\s*:\s*(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_FIELD = re.compile(r"^\s*([A-Za-z][^:\n]*?)\s*:[ \t]*(.*?)\s*$", re.MULTILINE)
_SERVICE_PORT = re.compile(
    r"^\s*(?P<id>\d+)\s+(?P<vlan>\d+|-)\s+\S+\s+gpon\s+(?P<fsp>\d+\s*/\s*\d+\s*/\s*\d+)\s+(?P<onu>\d+)\s+(?P<gem>\d+)"
    r"\s+\S+\s+(?P<user>\S+)\s+(?P<rx>\S+)\s+(?P<tx>\S+)\s+(?P<state>up|down)\b",
    re.MULTILINE,
)
_USED = re.compile(r"^\s*(\d+)\s+(?:\d+|-)\s+\S+\s+[a-z]+\s+\d+\s*/", re.MULTILINE)
_ALARM = re.compile(r"^\s*\(\s*\d+\s*\)\s*(.+?)\s*$", re.MULTILINE)
_NATIVE = re.compile(r"^\s*ont port native-vlan \d+ \d+ eth (\d+) vlan (\d+)", re.MULTILINE)
_CATV = re.compile(r"^\s*ont port attribute \d+ \d+ catv \d+ operational-state (on|off)", re.MULTILINE)
_NEXT_FREE = re.compile(r"free service virtual port ID\s*:\s*(\d+)", re.IGNORECASE)

CAUSES = (
    ("dying", "dyinggasp"),
    ("LOS", "losi"),
    ("LOB", "losi"),
    ("LOF", "lofi"),
    ("no error", "noerror"),
    ("noerror", "noerror"),
)
"""What a cause of the device begins or goes on with → the API's word; other causes stay as they are."""


class Refusal(NamedTuple):
    words: str
    reason: str | None


def refusal(answer: str) -> Refusal | None:
    """The device's refusal, or None where it did as told."""
    if found := _FAILURE.search(answer) or _NOT_THERE.search(answer):
        words = " ".join(found[1].split()).rstrip(".")
        reason = next((reason for mark, reason in REASONS if mark.lower() in words.lower()), None)
        return Refusal(words, reason)
    if found := _WRONG.search(answer):
        words = found[1].partition(", the error locates")[0].strip()
        return Refusal(words, "unknown_command" if words.startswith("Unknown") else "unsupported")
    if (count := _COUNT.search(answer)) and count[1] == "0":
        return Refusal("It was done to none", None)
    return None


def error(refused: Refusal, device: str) -> DeviceError:
    if refused.reason == "refused":
        return DeviceRefused(f"{refused.words}.", device=device)
    if refused.reason == "busy":
        return DeviceBusy(f"{refused.words}.", device=device)
    return DeviceError(f"{refused.words}.", device=device, reason=refused.reason)


def fields(answer: str) -> dict[str, str]:
    """`name : value` lines by name in lower case; the first of a name holds."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(answer):
        found.setdefault(" ".join(name.lower().split()), value)
    return found


def blocks(answer: str, first: str) -> Iterator[dict[str, str]]:
    """The fields of each part that begins with the field `first`."""
    parts = re.split(rf"(?=^\s*{re.escape(first)}\s*:)", answer, flags=re.MULTILINE | re.IGNORECASE)
    return (found for part in parts if first.lower() in (found := fields(part)))


def place(answer: str) -> tuple[Position, int] | None:
    told = fields(answer)
    position, onu_id = cells.position_in(told.get("f/s/p", "")), values.number(told.get("ont-id"))
    return None if position is None or onu_id is None else (position, onu_id)


def configured(info: str, ports: tuple[ServicePort, ...], running: str | None) -> Configured | None:
    """Of `display ont info`, `display service-port …` and, where the release has it, `display
    current-configuration ont`."""
    where = place(info)
    if where is None:
        return None
    told = fields(info)
    desc = values.words(told.get("description"))
    catv = _CATV.findall(running or "")
    natives = None
    if running is not None:
        natives = {int(port): int(vlan) for port, vlan in _NATIVE.findall(running)}
    return Configured(
        *where,
        sn=values.serial(told.get("sn")),
        desc=None if desc in cells.NO_DESCRIPTION else desc,
        line_profile=values.words(told.get("line profile name")),
        service_profile=values.words(told.get("service profile name")),
        active=not told.get("control flag", "").lower().startswith("deact"),
        service_ports=ports,
        native_vlans=natives,
        catv=catv[-1] == "on" if catv else None,
        line_profile_id=values.number(told.get("line profile id")),
        service_profile_id=values.number(told.get("service profile id")),
    )


def service_ports(answer: str) -> list[ServicePort]:
    """Of the list. RX is what the user receives, outbound of the OLT; most releases tell tables by number."""
    found = []
    for line in _SERVICE_PORT.finditer(answer):
        position = cells.position_in(line["fsp"])
        assert position is not None
        found.append(
            ServicePort(
                int(line["id"]),
                position,
                int(line["onu"]),
                gem=int(line["gem"]),
                user_vlan=values.number(line["user"]),
                service_vlan=values.number(line["vlan"]),
                inbound=_named(line["tx"]),
                outbound=_named(line["rx"]),
                state=line["state"],
                inbound_id=values.number(line["tx"]),
                outbound_id=values.number(line["rx"]),
            )
        )
    return found


def _named(table: str) -> str | None:
    return None if table.isdecimal() else values.words(table)


def next_free(answer: str) -> int | None:
    found = _NEXT_FREE.search(answer)
    return int(found[1]) if found else None


def first_free(answer: str) -> int:
    """The lowest number that no service port of the list of all has."""
    used = {int(number) for number in _USED.findall(answer)}
    return next(number for number in range(1, len(used) + 2) if number not in used)


def added(answer: str) -> int | None:
    found = _ONT_ID.search(answer)
    return int(found[1]) if found else None


def unconfigured(answer: str) -> list[Unconfigured]:
    found = []
    for told in blocks(answer, "Number"):
        if (sn := values.serial(told.get("ont sn"))) is None:
            continue
        found.append(
            Unconfigured(
                sn,
                onu_type=values.words(told.get("ont equipmentid")),
                position=cells.position_in(told.get("f/s/p", "")),
                hardware_version=values.words(told.get("ont version")),
                software_version=values.words(told.get("ont softwareversion")),
                password=_password(told.get("password", "")),
            )
        )
    return found


def _password(shown: str) -> str | None:
    """`0x31323334…(1234…)`; None for none, which is zeros or blanks."""
    digits = shown.partition("(")[0].strip().removeprefix("0x")
    try:
        return values.words(bytes.fromhex(digits))
    except ValueError:
        return values.words(shown)


def active_alarms(answer: str) -> list[Alarm]:
    return [alarms.named(name) for name in _ALARM.findall(answer)]


def registrations(answer: str, zone: dt.tzinfo = dt.UTC) -> list[Registration]:
    """Oldest first; the device lists the latest first. `zone`: of its clock, where it tells times without."""
    found = []
    for told in blocks(answer, "Index"):
        up = values.moment(told.get("uptime") or told.get("register time"), zone)
        down = values.moment(told.get("downtime") or told.get("deregister time"), zone)
        if up is not None or down is not None:
            found.append(Registration(up, down, cause(told.get("downcause", ""))))
    return found[::-1]


def cause(shown: str) -> str | None:
    shown = values.words(shown) or ""
    return next((word for mark, word in CAUSES if mark.lower() in shown.lower()), shown or None)
