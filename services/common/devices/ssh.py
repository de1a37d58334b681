"""A command line session over SSH, on netmiko. Blocking: called inside `native`.

The host key is looked at before a password is sent: `SshAccess.host_key` pins it, and without one the key
met is on `Cli.host_key`, for the caller to keep. What goes wrong ends as a `DeviceError`, each kind as its
own."""

from __future__ import annotations

import re
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field
from logging import getLogger
from types import TracebackType
from typing import Any, NoReturn, Self

from services.common.devices.errors import (
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    DeviceUnreachable,
    HostKeyChanged,
)
from services.common.devices.native import genuine

netmiko = genuine("netmiko")
paramiko = genuine("paramiko")
clock = genuine("time")

for _name in ("netmiko", "paramiko", "paramiko.transport"):
    getLogger(_name).disabled = True  # they write passwords, and take locks that threads must not share

_MORE = re.compile(r"-{2,}\s*More[^\r\n]*?-{2,}\s*$", re.IGNORECASE)
_MORE_SHOWN = re.compile(r"-{2,}\s*More[^\r\n]*?-{2,}[\r ]*", re.IGNORECASE)
_CONTINUE = re.compile(r"\{[^{}]*<cr>[^{}]*\}\s*:\s*$")
_CONTINUE_SHOWN = re.compile(r"\{[^{}]*<cr>[^{}]*\}\s*:[ \t]*")
_CONFIRM = re.compile(r"\([yY]/[nN]\)\s*(?:\[[yYnN]\])?\s*:?\s*$")
_AGREE = re.compile(r"[\[(](?:YES/NO|yes/no|Y/N|y/n)[\])].{0,5}$")
_PROMPT = re.compile(r"\s*([^\s>#()\[\]][^\r\n>#()]*?)(?:\([^()\r\n]*\))?[>#]\s*")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>78]")
_BACK = re.compile(r"[^\x08\r\n]\x08")
_PAUSE, _SETTLED, _UNECHOED = 0.01, 0.15, 1.0
"""Seconds: between two looks, until a login prompt stands still, until a prompt without an echo before it is
taken for the end."""
_LARGEST = 20_000_000
"""Characters: more than any answer has."""


@dataclass(frozen=True, slots=True)
class SshAccess:
    """`timeout` in seconds, of connecting, of logging in, and of any single silence. `host_key` as in
    OpenSSH's files: `ssh-ed25519 AAAA…`."""

    address: str
    port: int = 22
    username: str = ""
    password: str = field(default="", repr=False)
    host_key: str | None = None
    timeout: float = 15.0


class Cli:
    """`Cli("oltNorte", access, "huawei_smartax")`: a context manager. `platform`: netmiko's name of the
    device's operating system."""

    def __init__(self, device: str, access: SshAccess, platform: str) -> None:
        self.device, self._access, self._platform = device, access, platform
        self._connection: Any = None
        self.host_key = access.host_key or ""
        self.prompt = ""

    def __enter__(self) -> Self:
        access = self._access
        try:
            self._connection = connection = netmiko.ConnectHandler(
                device_type=self._platform,
                host=access.address,
                port=access.port,
                username=access.username,
                password=access.password,
                conn_timeout=access.timeout,
                banner_timeout=access.timeout,
                auth_timeout=access.timeout,
                blocking_timeout=access.timeout,
                read_timeout_override=access.timeout,
                encoding="latin-1",
                auto_connect=False,
            )
            build = connection._build_ssh_client
            connection._build_ssh_client = lambda: self._pinned(build())
            connection._modify_connection_params()
            connection.establish_connection()
            met = connection.remote_conn_pre.get_transport().get_remote_server_key()
            self.host_key = f"{met.get_name()} {met.get_base64()}"
            self.prompt = self._greeted()
        except Exception as failure:  # noqa: BLE001 - each kind is given its name
            self._fail(failure)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def run(self, command: str, *, confirm: bool = False, seconds: float | None = None) -> str:
        """What the device answers, without the command's echo and the prompt. Asks for more where it stops,
        takes the defaults of what it wants to be told, and says yes if `confirm`, else no, when asked
        whether it shall. `seconds` of silence end it, by default the access's `timeout`."""
        if self._connection is None:
            raise DeviceUnreachable("The session has ended.", device=self.device)
        try:
            self._connection.clear_buffer()
            self._connection.write_channel(command + self._connection.RETURN)
            return self._answer(command, confirm, seconds or self._access.timeout)
        except Exception as failure:  # noqa: BLE001 - each kind is given its name
            self._fail(failure)

    def _greeted(self) -> str:
        """The device's name as its prompt shows it, which must stand still to be taken for one."""
        told, until, quiet, asked = "", clock.monotonic() + self._access.timeout, 0.0, False
        while clock.monotonic() < until:
            new = self._connection.read_channel()
            told, quiet = told + new, 0.0 if new else quiet + _PAUSE
            last = _ESCAPE.sub("", told[-500:]).rsplit("\n", 1)[-1]
            if new and _AGREE.search(last):
                self._connection.write_channel("yes" + self._connection.RETURN)
            elif quiet > _SETTLED and (found := _PROMPT.fullmatch(last)):
                return found[1]
            elif quiet > 5 * _SETTLED and not asked:
                self._connection.write_channel(self._connection.RETURN)
                asked = True
            elif self._connection.remote_conn.closed:
                raise EOFError("closed by the device")
            clock.sleep(_PAUSE)
        raise TimeoutError("no prompt")

    def _answer(self, command: str, confirm: bool, seconds: float) -> str:
        """Everything from the command's echo to the next prompt. A prompt without an echo before it came of
        something else, as an alarm that the device told, unless nothing follows it."""
        shown = rf"[ \t]*{re.escape(self.prompt)}[^\r\n>#]{{0,80}}[>#][ \t]*"
        ends, begins = re.compile(rf"(?:^|[\r\n]){shown}$"), re.compile(rf"(?:^|\n){shown}(?=\S)")
        told, until, replied, unechoed = "", clock.monotonic() + seconds, 0, 0.0
        while True:
            new = self._connection.read_channel()
            now = clock.monotonic()
            if new:
                told, until, unechoed = told + new, now + seconds, 0.0
                last = _ESCAPE.sub("", told[max(replied, len(told) - 500) :])
                if end := ends.search(last):
                    answer = _plain(told)[: -len(last[end.start() :].lstrip("\r\n"))]
                    for start in (0, *(one.end() for one in begins.finditer(answer))):
                        if (found := _without_echo(command, answer[start:])) is not None:
                            return found
                    unechoed = now
                elif reply := self._reply(last, confirm):
                    self._connection.write_channel(reply)
                    replied = len(told)
            elif unechoed and now > unechoed + _UNECHOED:
                return answer.strip("\n")
            elif now > until:
                raise TimeoutError("no prompt")
            elif self._connection.remote_conn.closed:
                raise EOFError("closed by the device")
            else:
                clock.sleep(_PAUSE)
            if len(told) > _LARGEST:
                raise DeviceError("The answer has no end.", device=self.device)

    def _reply(self, last: str, confirm: bool) -> str:
        """To what the device wants to know before it goes on; "" where it wants nothing."""
        if _MORE.search(last):
            return " "
        if _CONTINUE.search(last):
            return str(self._connection.RETURN)
        if _CONFIRM.search(last):
            return ("y" if confirm else "n") + str(self._connection.RETURN)
        return ""

    def _pinned(self, client: Any) -> Any:
        """The client, knowing the device's key, so that paramiko asks for one of that type and refuses
        others."""
        if self._access.host_key:
            kind, _, key = self._access.host_key.strip().partition(" ")
            known = paramiko.PKey.from_type_string(kind, b64decode(key.split()[0]))
            address, port = self._access.address, self._access.port
            client.get_host_keys().add(address if port == 22 else f"[{address}]:{port}", kind, known)
        return client

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.paramiko_cleanup()
            self._connection = None

    def _fail(self, failure: Exception) -> NoReturn:
        self._close()
        if isinstance(failure, DeviceError):
            raise failure
        raise _named(failure, self.device) from failure


def _named(failure: BaseException, device: str) -> DeviceError:
    """The failure, or what it came of: netmiko and paramiko wrap what happened in errors of their own."""
    chain: list[BaseException] = []
    one: BaseException | None = failure
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or one.__context__
    for cause in chain:
        if isinstance(cause, paramiko.BadHostKeyException):
            return HostKeyChanged(
                f"It shows {cause.key.fingerprint} in place of {cause.expected_key.fingerprint}.",
                device=device,
            )
        if isinstance(cause, paramiko.AuthenticationException) and "timeout" not in str(cause).lower():
            return DeviceRefused("The device refuses the user or the password.", device=device)
    for cause in chain:
        if isinstance(cause, TimeoutError | netmiko.ReadTimeout) or "imeout" in str(cause):
            return DeviceSilent(device=device)
        if isinstance(cause, EOFError | OSError | netmiko.exceptions.ReadException):
            return DeviceUnreachable(
                f"The connection fails: {str(cause) or 'closed by the device'}", device=device
            )
    if isinstance(failure, paramiko.SSHException) and "No existing session" in str(failure):
        return DeviceSilent(device=device)
    return DeviceError(f"The SSH session fails: {failure}", device=device)


def _plain(told: str) -> str:
    """What a reader would see on a screen: UTF-8 if it is, no escapes, no paging, lines ended by LF."""
    with suppress(UnicodeDecodeError):
        told = told.encode("latin-1").decode()
    seen = _CONTINUE_SHOWN.sub("", _MORE_SHOWN.sub("", _ESCAPE.sub("", told)))
    while (without := _BACK.sub("", seen)) != seen:
        seen = without
    return re.sub(r"\r+\n", "\n", seen).replace("\r", "\n").replace("\0", "")


def _without_echo(command: str, told: str) -> str | None:
    """The device's own words: the echo is gone, also where it was broken at the edge of a screen. None where
    it does not begin with one."""
    wanted = "".join(command.split())
    at = 0
    for place, letter in enumerate(told):
        if at == len(wanted):
            return told[place:].strip("\n")
        if letter == wanted[at]:
            at += 1
        elif not letter.isspace():
            break
    return "" if at == len(wanted) else None
