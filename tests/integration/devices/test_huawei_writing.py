"""The steps of a SmartAX's command line, against a real SSH server that answers as such a device does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest

from services.common.devices.errors import DeviceBusy, DeviceError, DeviceRefused
from services.common.devices.ssh import SshAccess
from services.gpon.drivers.base import (
    REPEATABLE,
    Configured,
    Position,
    Registration,
    ServicePort,
    Unconfigured,
    Writer,
)
from services.gpon.drivers.huawei import writing
from services.gpon.drivers.huawei.writing import HuaweiWriter
from tests.integration.devices.terminal import PASSWORD, USER, Terminal

PON = Position(0, 5, 2)
RULE = "  " + "-" * 77

INFO = f"""{RULE}
  F/S/P                   : 0/5/2
  ONT-ID                  : 7
  Control flag            : active
  Run state               : online
  ONT distance(m)         : 1834
  SN                      : 485754431426779A (HWTC-1426779A)
  Description             : cpe0264
  Last down cause         : dying-gasp
  Last up time            : 2026-11-20 08:30:05+01:00
{RULE}
  Line profile ID      : 500
  Line profile name    : residential
{RULE}
  Service profile ID   : 12
  Service profile name : HG8245
{RULE}"""
PORTS = f"""  Switch-Oriented Flow List
{RULE}
   INDEX VLAN VLAN     PORT F/ S/ P VPI  VCI   FLOW  FLOW       RX   TX   STATE
         ID   ATTR     TYPE                    TYPE  PARA
{RULE}
    5558  933 common   gpon 0/5 /2  7    1     vlan  20         31   30   up
    5559 1100 common   gpon 0/5 /2  7    2     vlan  untag      -    -    down
{RULE}
   Total : 2  (Up/Down :    1/1)"""
PORT = """  Index                    : 5558
  VLAN ID                  : 933
  Inbound table name       : 100M-up
  Outbound table name      : 100M
  Tag transforms           : translate"""
RUNNING = """#
[gpon]
  <gpon-0/5>
 interface gpon 0/5
 ont add 2 7 sn-auth "485754431426779A" omci ont-lineprofile-id 500 ont-srvprofile-id 12 desc "cpe0264"
 ont port native-vlan 2 7 eth 1 vlan 100 priority 0
 ont port native-vlan 2 7 eth 2 vlan 200 priority 5
 ont port attribute 2 7 catv 1 operational-state off
#
return"""
FOUND = """   ----------------------------------------------------------------------------
   Number              : 1
   F/S/P               : 0/5/2
   Ont SN              : 54504C4797441B58 (TPLG-97441B58)
   Password            : 0x31323334353637380000(12345678)
   Loid                :
   Checkcode           :
   VendorID            : TPLG
   Ont Version         : 168D.A
   Ont SoftwareVersion : V5R019C10S115
   Ont EquipmentID     : XX230v
   Ont autofind time   : 2026-11-20 11:22:28+01:00
   ----------------------------------------------------------------------------
   Number              : 2
   F/S/P               : 0/5/3
   Ont SN              : 0000000000000000
   Password            : 0x00000000000000000000
   Ont EquipmentID     :
   ----------------------------------------------------------------------------
   The number of GPON autofind ONT is 2"""
REGISTERED = f"""{RULE}
  Index               : 2
  Auth-type           : SN-auth
  SN                  : 485754431426779A (HWTC-1426779A)
  UpTime              : 2026-11-20 08:30:05+01:00
  DownTime            : -
  DownCause           : -
{RULE}
  Index               : 1
  Auth-type           : SN-auth
  UpTime              : 2026-11-19 10:45:47+01:00
  DownTime            : 2026-11-19 23:00:00+01:00
  DownCause           : LOSi/LOBi
{RULE}"""
ALARMS = f"""  Active Alarm List:
{RULE}
  (1) The distribute fiber is broken or the OLT cannot receive expected signals from the ONT(LOSi/LOBi)
  (2) The something of ONTi is odd
{RULE}"""
ADDED = "  Number of ONTs that can be added: 1, success: 1\n  PortID :2, ONTID :7"
REPEATED = "  Failure: Make configuration repeatedly"


@contextmanager
def device(answers: dict[str, str], zone: dt.tzinfo = dt.UTC) -> Iterator[tuple[HuaweiWriter, list[str]]]:
    """A writer, and the commands that its device got. What `answers` does not tell it does in silence, but
    for `display`, which it does not know then."""
    with Terminal({**answers, r"(?!display).*": ""}, paging=12) as terminal:
        access = SshAccess("127.0.0.1", terminal.port, USER, PASSWORD, timeout=15.0)
        with HuaweiWriter("oltInvented", access, zone) as writer:
            terminal.commands.clear()
            yield writer, terminal.commands


def test_an_onu_is_found_by_its_serial_number() -> None:
    answers = {
        "display ont info by-sn 485754431426779A": INFO,
        "display ont info by-sn .*": "  The required ONT does not exist",
    }
    with device(answers) as (olt, _):
        assert olt.find("485754431426779a") == (PON, 7)
        assert olt.find("4857544300000000") is None
    other = device({"display ont info by-sn .*": "  Location : 0-5-2, number 7"})
    with other as (olt, _), pytest.raises(DeviceError, match="makes no sense"):  # which is not "not there"
        olt.find("485754431426779a")


def test_the_configuration_is_put_together_from_what_several_commands_tell() -> None:
    answers = {
        "display ont info 2 7": INFO,
        "display ont info 2 8": "  Failure: The ONT does not exist",
        "display service-port port 0/5/2 ont 7": PORTS,
        "display service-port 5558": PORT,
        "display current-configuration ont 0/5/2 7": RUNNING,
    }
    with device(answers) as (olt, _):
        assert olt.configuration(PON, 8) is None
        assert olt.configuration(PON, 7) == Configured(
            PON,
            7,
            sn="485754431426779a",
            desc="cpe0264",
            line_profile="residential",
            service_profile="HG8245",
            active=True,
            service_ports=(
                ServicePort(5558, PON, 7, 1, 20, 933, "100M-up", "100M", "translate", None, "up", 30, 31),
                ServicePort(5559, PON, 7, 2, None, 1100, None, None, None, None, "down"),
            ),
            native_vlans={1: 100, 2: 200},
            catv=False,
            line_profile_id=500,
            service_profile_id=12,
        )


def test_a_release_without_the_newer_commands_tells_less_of_the_configuration() -> None:
    answers = {"display ont info 2 7": INFO, "display service-port port 0/5/2 ont 7": PORTS}
    with device(answers) as (olt, _):
        found = olt.configuration(PON, 7)
    assert found is not None
    assert (found.native_vlans, found.catv) == (None, None)
    assert [(port.inbound, port.inbound_id, port.outbound_id) for port in found.service_ports] == [
        *((None, 30, 31), (None, None, None)),
    ]


def test_those_who_wait() -> None:
    with device({"display ont autofind all": FOUND}) as (olt, _):
        assert olt.unconfigured() == [
            Unconfigured("54504c4797441b58", None, "XX230v", PON, "168D.A", "V5R019C10S115", "12345678")
        ]
    nobody = {"display ont autofind all": "  Failure: The automatically found ONTs do not exist"}
    with device(nobody) as (olt, _):
        assert olt.unconfigured() == []


def test_registrations_and_alarms_of_one_onu() -> None:
    answers = {"display ont register-info 2 7": REGISTERED, "display ont alarm-state 2 7": ALARMS}
    with device(answers) as (olt, _):
        assert olt.registrations(PON, 7) == [
            Registration(
                dt.datetime(2026, 11, 19, 9, 45, 47, tzinfo=dt.UTC),
                dt.datetime(2026, 11, 19, 22, 0, 0, tzinfo=dt.UTC),
                "losi",
            ),
            Registration(dt.datetime(2026, 11, 20, 7, 30, 5, tzinfo=dt.UTC), None, None),
        ]
        lost, odd = olt.alarms(PON, 7)
        assert (lost.level, lost.type) == ("warning", "servicequality")
        assert (odd.level, odd.name) == ("warning", "The something of ONTi is odd")


def test_times_without_a_zone_are_in_the_device_s_own() -> None:
    shown = REGISTERED.replace("+01:00", "")
    answers = {"display ont register-info 2 7": shown}
    with device(answers, ZoneInfo("Europe/Madrid")) as (olt, _):
        assert olt.registrations(PON, 7)[0].up == dt.datetime(2026, 11, 19, 9, 45, 47, tzinfo=dt.UTC)


STEPS: dict[str, tuple[Callable[[Writer], object], list[str]]] = {
    "add": (
        lambda olt: olt.add(PON, "485754431426779a", "residential", "12", 'Peña "1"?\nreboot', 7),
        [
            "interface gpon 0/5",
            "ont add 2 7 sn-auth 485754431426779A omci ont-lineprofile-name residential ont-srvprofile-id 12 "
            'desc "Pe_a _1___reboot"',
        ],
    ),
    "add_service_port": (
        lambda olt: olt.add_service_port(5558, PON, 7, 1, 933, 20, "100M up", "31", "translate"),
        [
            "service-port 5558 vlan 933 gpon 0/5/2 ont 7 gemport 1 multi-service user-vlan 20 "
            'tag-transform translate inbound traffic-table name "100M up" outbound traffic-table index 31'
        ],
    ),
    "delete_service_port": (lambda olt: olt.delete_service_port(5558), ["undo service-port 5558"]),
    "delete": (lambda olt: olt.delete(PON, 7), ["interface gpon 0/5", "ont delete 2 7"]),
    "native_vlan": (
        lambda olt: olt.native_vlan(PON, 7, 1, 100, 5),
        ["interface gpon 0/5", "ont port native-vlan 2 7 eth 1 vlan 100 priority 5"],
    ),
    "rf": (
        lambda olt: olt.rf(PON, 7, False),
        ["interface gpon 0/5", "ont port attribute 2 7 catv 1 operational-state off"],
    ),
    "profiles": (
        lambda olt: olt.profiles(PON, 7, "residential", "HG8245"),
        [
            "interface gpon 0/5",
            "ont modify 2 7 ont-lineprofile-name residential",
            "ont modify 2 7 ont-srvprofile-name HG8245",
        ],
    ),
    "describe": (
        lambda olt: olt.describe(PON, 7, "cpe0264"),
        ["interface gpon 0/5", 'ont modify 2 7 desc "cpe0264"'],
    ),
    "activate": (lambda olt: olt.activate(PON, 7), ["interface gpon 0/5", "ont activate 2 7"]),
    "deactivate": (lambda olt: olt.deactivate(PON, 7), ["interface gpon 0/5", "ont deactivate 2 7"]),
    "reset": (lambda olt: olt.reset(PON, 7), ["interface gpon 0/5", "ont reset 2 7"]),
    "factory": (lambda olt: olt.factory(PON, 7), ["interface gpon 0/5", "ont factory-setting-restore 2 7"]),
    "save": (lambda olt: olt.save(), ["save"]),
}


@pytest.fixture(scope="module")
def quiet() -> Iterator[tuple[HuaweiWriter, list[str]]]:
    with device({}) as found:
        yield found


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_its_commands_in_its_view(quiet: tuple[HuaweiWriter, list[str]], step: str) -> None:
    olt, commands = quiet
    commands.clear()
    take, wanted = STEPS[step]
    take(olt)
    views = ("quit", "interface gpon 0/5")
    assert [one for one in commands if one not in views] == [one for one in wanted if one not in views]


def test_every_step_says_whether_it_may_be_repeated() -> None:
    assert REPEATABLE.keys() == STEPS.keys()


def test_a_view_is_entered_once_and_left_for_the_next() -> None:
    with device({}) as (olt, commands):
        olt.activate(PON, 7)
        olt.activate(Position(0, 5, 3), 1)
        olt.activate(Position(0, 6, 0), 1)
        olt.delete_service_port(1)
        assert commands == [
            "interface gpon 0/5",
            "ont activate 2 7",
            "ont activate 3 1",
            "quit",
            "interface gpon 0/6",
            "ont activate 0 1",
            "quit",
            "undo service-port 1",
        ]


def test_the_device_chooses_the_number_of_an_onu_that_comes_without_one() -> None:
    with device({"ont add .*": ADDED}) as (olt, commands):
        assert olt.add(PON, "485754431426779a", "residential", "HG8245", "cpe0264") == 7
        assert commands[-1].startswith("ont add 2 sn-auth")


def test_a_free_service_port_is_what_the_device_says_or_the_first_gap() -> None:
    with device(
        {"display service-port next-free-index": "  Next valid free service virtual port ID: 17"}
    ) as (olt, _):
        assert olt.free_service_port() == 17
    numbers = "\n".join(
        f"  {number:>6}  933 common   gpon 0/5 /2  7    1     vlan  20  31  30  up" for number in (1, 2, 4)
    )
    with device({"display service-port all": numbers}) as (olt, _):
        assert olt.free_service_port() == 3
    with device({"display service-port all": "  Failure: No service virtual port can be operated"}) as (
        olt,
        _,
    ):
        assert olt.free_service_port() == 1


@pytest.mark.parametrize("step", ["native_vlan", "rf", "describe", "activate", "deactivate"])
def test_what_is_so_already_is_done(step: str) -> None:
    with device({"ont .*": REPEATED}) as (olt, _):
        STEPS[step][0](olt)


@pytest.mark.parametrize(
    ("step", "words", "reason"),
    [
        ("add", "SN already exists", "exists"),
        ("add", "The ONT ID has already existed", "exists"),
        ("add", "The number of ONTs in the port has reached the upper limit", "full"),
        ("add", "The profile does not exist", "missing"),
        ("add_service_port", "Service virtual port has existed already", "exists"),
        ("add_service_port", "The traffic table does not exist", "missing"),
        ("delete_service_port", "Service virtual port does not exist", "missing"),
        ("delete", "This configured object has some service virtual\n  ports", "in_use"),
        ("delete", "The ONT does not exist", "missing"),
        ("reset", "The ONT is not online", "offline"),
        ("factory", "The ONT can not support", "unsupported"),
        ("save", "Something that nobody has seen", None),
    ],
)
def test_a_refusal_has_the_words_of_the_device_and_a_reason(
    step: str, words: str, reason: str | None
) -> None:
    with device({"(?!interface|display).*": f"  Failure: {words}"}) as (olt, _):
        with pytest.raises(DeviceError) as raised:
            STEPS[step][0](olt)
        assert type(raised.value) is DeviceError
        assert (raised.value.reason, str(raised.value)) == (reason, f"{' '.join(words.split())}.")
        assert raised.value.body["device"] == "oltInvented"


def test_none_added_is_none_added() -> None:
    with (
        device({"ont add .*": "  Number of ONTs that can be added: 1, success: 0"}) as (olt, _),
        pytest.raises(DeviceError),
    ):
        olt.add(PON, "485754431426779a", "residential", "HG8245", "cpe0264")


def test_a_command_that_the_release_lacks_says_so() -> None:
    with device({"ont activate .*": "           ^\n  % Unknown command, the error locates at '^'"}) as (
        olt,
        _,
    ):
        with pytest.raises(DeviceError, match="Unknown command") as raised:
            olt.activate(PON, 7)
        assert raised.value.reason == "unknown_command"


def test_a_busy_device_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PAUSE", 0.05)
    refusals = iter(["  Failure: System is busy, please retry after a while", ""])
    with Terminal({"save": lambda _: next(refusals), "(?!display).*": ""}) as terminal:
        access = SshAccess("127.0.0.1", terminal.port, USER, PASSWORD, timeout=15.0)
        with HuaweiWriter("oltInvented", access) as olt:
            olt.save()
    with (
        device({"save": "  Failure: System is busy, please retry after a while"}) as (busy, _),
        pytest.raises(DeviceBusy),
    ):
        busy.save()


def test_a_user_without_the_right_to_configure_is_refused() -> None:
    with Terminal({}) as terminal:
        terminal.modes = (("enable", ">", "#"),)
        access = SshAccess("127.0.0.1", terminal.port, USER, PASSWORD, timeout=15.0)
        with pytest.raises(DeviceRefused), HuaweiWriter("oltInvented", access):
            pass


def test_a_profile_with_the_name_of_another_command_is_not_sent() -> None:
    with device({}) as (olt, commands):
        with pytest.raises(DeviceError) as raised:
            olt.add(PON, "485754431426779a", "x\nreboot system", "HG8245", "cpe0264")
        assert raised.value.reason == "unsupported"
        assert not any("reboot" in command for command in commands)


def test_a_reset_is_confirmed() -> None:
    question = "{{  Are you sure to reset the ONT(s)? (y/n)[n]:}}\n  reset it"
    with Terminal({"ont reset 2 7": question, "(?!display).*": ""}) as terminal:
        with HuaweiWriter("oltInvented", SshAccess("127.0.0.1", terminal.port, USER, PASSWORD)) as olt:
            olt.reset(PON, 7)
        assert terminal.replies == ["y"]
