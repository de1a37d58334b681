"""The command line session, against a real SSH server: what it reads, and what each failure is called."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from services.common.devices import ssh
from services.common.devices.errors import (
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    DeviceUnreachable,
    HostKeyChanged,
)
from services.common.devices.ssh import Cli, SshAccess
from tests.integration.devices.terminal import NAME, PASSWORD, USER, Terminal

ANSWERS = {
    "display version": "  VERSION : MA5800V100R019C12\n  PATCH   : SPH206",
    "display long": "\n".join(f"  line {number}" for number in range(100)),
    "display asks": "{{{ <cr>|backplane<K>|frameid/slotid<S> }:}}\n  answered",
    "ont reset 1 2": "{{  Are you sure to reset the ONT(s)? (y/n)[n]:}}\n  reset it",
    "display latin": "  Descripci\xf3n : Pe\xf1a\0",
    "display utf": "  Descripción".encode().decode("latin-1"),
    "display prompt": f"  in the text {NAME}# stands a prompt\n  and goes on",
    "long " + "x" * 150: "  done",
}


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    with Terminal(ANSWERS, paging=20) as server:
        yield server


def access(terminal: Terminal, **changed: object) -> SshAccess:
    return replace(
        SshAccess("127.0.0.1", terminal.port, USER, PASSWORD, timeout=10.0),
        **changed,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def cli(terminal: Terminal) -> Iterator[Cli]:
    with Cli("oltNorte", access(terminal), "huawei_smartax") as session:
        session.run("enable")
        yield session


def test_the_answer_comes_without_echo_and_prompt(cli: Cli) -> None:
    assert cli.run("display version") == "  VERSION : MA5800V100R019C12\n  PATCH   : SPH206"


def test_an_answer_of_many_screens_is_read_to_its_end(cli: Cli) -> None:
    lines = [line.strip() for line in cli.run("display long").splitlines()]
    assert lines == [f"line {number}" for number in range(100)]


def test_defaults_are_taken_where_the_device_wants_to_be_told_more(cli: Cli) -> None:
    assert cli.run("display asks").strip() == "answered"


def test_a_question_is_answered_yes_only_when_told_so(cli: Cli) -> None:
    assert "reset it" not in cli.run("ont reset 1 2")
    assert "reset it" in cli.run("ont reset 1 2", confirm=True)


def test_latin_1_and_utf_8_are_told_apart(cli: Cli) -> None:
    assert cli.run("display latin").strip() == "Descripción : Peña"
    assert cli.run("display utf").strip() == "Descripción"


def test_a_prompt_within_a_line_ends_nothing(cli: Cli) -> None:
    assert cli.run("display prompt").endswith("and goes on")


def test_a_command_that_the_terminal_breaks_is_no_part_of_the_answer(cli: Cli) -> None:
    assert cli.run("long " + "x" * 150).strip() == "done"


def test_an_alarm_with_its_prompt_is_no_answer(
    terminal: Terminal, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "_UNECHOED", 30.0)  # what follows comes soon, but not on a machine that is busy
    terminal.alarm = "  ! FAULT MINOR an alarm"
    try:
        assert cli.run("display utf").strip() == "Descripción"
        assert "VERSION" in cli.run("display version")
    finally:
        terminal.alarm = ""


def test_a_question_is_replied_to_once_however_slow_the_device_goes_on(terminal: Terminal, cli: Cli) -> None:
    terminal.slow = 0.2
    try:
        assert cli.run("display asks").strip() == "answered"
        assert cli.run("display utf").strip() == "Descripción"
    finally:
        terminal.slow = 0.0


def test_the_first_use_tells_the_key_and_the_next_may_pin_it(terminal: Terminal) -> None:
    with Cli("oltNorte", access(terminal), "huawei_smartax") as first:
        assert first.host_key == terminal.host_key
    with Cli("oltNorte", access(terminal, host_key=first.host_key), "huawei_smartax") as second:
        assert "VERSION" in second.run("display version")


def fails(kind: type[DeviceError], wanted: SshAccess, command: str = "display version") -> DeviceError:
    begin = time.monotonic()
    with pytest.raises(DeviceError) as raised, Cli("oltNorte", wanted, "huawei_smartax") as session:
        session.run(command)
    assert type(raised.value) is kind, raised.value
    assert raised.value.body["device"] == "oltNorte"
    assert PASSWORD not in str(raised.value)
    assert time.monotonic() - begin < 60
    return raised.value


def test_a_wrong_password_is_refused(terminal: Terminal) -> None:
    fails(DeviceRefused, access(terminal, password="wrong"))


def test_another_host_key_ends_it_before_the_password_is_sent(terminal: Terminal) -> None:
    with Terminal() as other:
        fails(HostKeyChanged, access(terminal, host_key=other.host_key))


def test_a_closed_port_is_unreachable() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        fails(DeviceUnreachable, SshAccess("127.0.0.1", taken.getsockname()[1], USER, PASSWORD, timeout=1.0))


def test_a_server_that_accepts_and_says_nothing_is_silent() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        fails(DeviceSilent, SshAccess("127.0.0.1", mute.getsockname()[1], USER, PASSWORD, timeout=1.0))


@contextmanager
def speaking(what: bytes) -> Iterator[int]:
    """A server that says that to whoever comes, and hangs up."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    way, _ = server.accept()
                except OSError:
                    return
                way.sendall(what)
                way.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("what", [b"", b"SSH-2.0-HUAWEI-1.5\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_server_that_hangs_up_is_unreachable(what: bytes) -> None:
    with speaking(what) as port:
        fails(DeviceUnreachable, SshAccess("127.0.0.1", port, USER, PASSWORD, timeout=10.0))


def test_silence_after_a_command_is_silence() -> None:
    with Terminal(ANSWERS) as server:
        server.silent_at = "display version"
        fails(DeviceSilent, access(server, timeout=5.0))  # which is time enough to log in
        assert server.commands == ["display version"]


def test_a_reset_in_the_middle_of_a_command_is_unreachable() -> None:
    with Terminal(ANSWERS) as server:
        server.reset_at = "display version"
        fails(DeviceUnreachable, access(server))
        assert server.commands == ["display version"]
