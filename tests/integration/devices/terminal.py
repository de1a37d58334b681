"""An SSH server with the command line of an OLT, as far as a test tells it what to answer."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import asyncssh

USER, PASSWORD, NAME = "krill", "invented-secret", "MA5800-LAB"

MODES: tuple[tuple[str, str, str], ...] = (
    ("enable", ">", "#"),
    ("config", "#", "(config)#"),
)


class Terminal:
    """`answers`: pattern of a command → what is answered, a text or a function of the match. What matches
    none is an unknown command. `commands` are those that came in, `replies` what was said to its
    questions. `alarm`: told in the middle of a command that is typed, with the prompt anew; `slow`: seconds
    after each line that came in."""

    def __init__(
        self, answers: Mapping[str, str | Callable[[re.Match[str]], str]] | None = None, paging: int = 0
    ) -> None:
        self.answers = dict(answers or {})
        self.paging, self.modes = paging, tuple(MODES)
        self.commands, self.replies = list[str](), list[str]()
        self.silent_at = self.reset_at = self.alarm = ""
        self.slow = 0.0
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def host_key(self) -> str:
        return _public(self.key)

    def __enter__(self) -> Terminal:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *failure: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncssh.create_server(
            _Login,
            "127.0.0.1",
            0,
            server_host_keys=[self.key],
            process_factory=self._session,
            encoding="latin-1",
            line_editor=False,
        )
        self.port = server.get_port()
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)

    async def _session(self, process: asyncssh.SSHServerProcess[str]) -> None:
        way = _Way(process, self)
        mode = ">"
        try:
            while True:
                line = await way.ask(f"\r\n{NAME}{mode}")
                command = line.strip()
                if not command:
                    continue
                self.commands.append(command)
                if command == self.silent_at:
                    await asyncio.sleep(60)
                if command == self.reset_at:
                    process.channel.get_connection()._transport.abort()
                    return
                mode = await self._do(way, command, mode)
        except (asyncssh.BreakReceived, asyncssh.ConnectionLost, EOFError, BrokenPipeError):
            process.exit(0)

    async def _do(self, way: _Way, command: str, mode: str) -> str:
        """Answers, and returns the mode that follows."""
        for word, now, then in self.modes:
            if command == word and mode == now:
                return then
        if found := re.fullmatch(r"interface gpon (\d+/\d+)", command):
            return f"(config-if-gpon-{found[1]})#"
        if command == "quit":
            return "(config)#" if "-if-" in mode else "#"
        for pattern, answer in self.answers.items():
            if found := re.fullmatch(pattern, command):
                text = answer(found) if callable(answer) else answer
                await way.tell(text, self.paging, self.replies)
                return mode
        if not re.match(r"undo smart|infoswitch|scroll|mmi-mode|idle-timeout", command):
            way.write("\r\n  % Unknown command, the error locates at '^'\r\n")
        return mode


class _Way:
    """What goes over the terminal, letter for letter as an OLT does it."""

    def __init__(self, process: asyncssh.SSHServerProcess[str], terminal: Terminal) -> None:
        self._process, self._terminal = process, terminal

    def write(self, text: str) -> None:
        self._process.stdout.write(text)

    async def ask(self, prompt: str) -> str:
        """A line, echoed."""
        self.write(prompt)
        typed = ""
        while True:
            letter = await self._process.stdin.read(1)
            if not letter:
                raise EOFError
            if letter in "\r\n":
                self.write("\r\n")
                await asyncio.sleep(self._terminal.slow)
                return typed
            if not typed and self._terminal.alarm:
                self.write(f"\r\n{self._terminal.alarm}{prompt}")
                await asyncio.sleep(0.2)
            typed += letter
            self.write(letter)
            if len(typed) % 70 == 0:
                self.write("\r\n")

    async def tell(self, text: str, paging: int, replies: list[str]) -> None:
        """`{{…}}` in the text is a question that waits for a line, and is answered by it."""
        lines = 0
        for line in text.split("\n"):
            if line.startswith("{{"):
                reply = await self.ask(line[2:-2])
                replies.append(reply)
                if "(y/n)" in line and reply != "y":
                    return
                continue
            self.write(line + "\r\n")
            lines += 1
            if paging and lines % paging == 0:
                self.write("---- More ( Press 'Q' to break ) ----")
                await self._process.stdin.read(1)
                self.write("\x1b[37D" + " " * 37 + "\x1b[37D")


class _Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


def _public(key: Any) -> str:
    kind, body, *_ = key.export_public_key().decode().split()
    return f"{kind} {body}"
