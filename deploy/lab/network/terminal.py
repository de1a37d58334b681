"""A terminal of a device behind SSH: echo, line editing, paging, questions. What is said is not its business.

Works on characters as they come, for devices do: clients wait for the echo, for `---- More ----`, for
questions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import asyncssh

MORE = "---- More ( Press 'Q' to break ) ----"
ERASE = "\x1b[37D" + " " * 37 + "\x1b[37D"
ENTER, BACKSPACES, INTERRUPT = "\r\n", "\b\x7f", "\x03"
SCREEN = 24


class Closed(Exception):
    """The other side is gone."""


class Terminal:
    """`garbled` is what becomes of a line that is shown; nothing is seen of what is said while `mute`."""

    def __init__(
        self, process: asyncssh.SSHServerProcess[str], garbled: Callable[[str], str] = lambda line: line
    ) -> None:
        self._process = process
        self._garbled = garbled
        self.mute = False
        self._typed: list[str] = []
        self._last = ""
        self.paging = True

    def write(self, text: str) -> None:
        if not self.mute:
            self._process.stdout.write(text.replace("\n", "\r\n"))

    async def key(self) -> str:
        """One character; a CR and LF in a row are one Enter."""
        while True:
            while self._typed:
                key, last = self._typed.pop(0), self._last
                self._last = key
                if key == "\n" and last == "\r":
                    continue
                return "\r" if key == "\n" else key
            try:
                typed = await self._process.stdin.read(4096)
            except (asyncssh.Error, OSError):
                raise Closed from None
            if not typed:
                raise Closed
            self._typed = list(typed)

    async def line(self, prompt: str) -> str:
        """What is typed until Enter, echoed."""
        self.write(prompt)
        typed = ""
        while (key := await self.key()) != "\r":
            if key in BACKSPACES:
                if typed:
                    typed = typed[:-1]
                    self.write("\b \b")
            elif key == INTERRUPT:
                typed = ""
                break
            elif key.isprintable():
                typed += key
                self.write(key)
        self.write("\n")
        return typed

    async def sure(self, question: str) -> bool:
        return (await self.line(f"  {question} (y/n)[n]:")).strip().lower() == "y"

    async def show(self, lines: Iterable[str]) -> None:
        """Page by page, unless paging is off."""
        shown = 0
        for line in lines:
            if self.paging and shown == SCREEN - 1:
                self.write(MORE)
                key = await self.key()
                self.write(ERASE)
                if key in "qQ":
                    return
                shown = SCREEN - 2 if key == "\r" else 0
            self.write(f"{self._garbled(line)}\n")
            shown += 1


async def listen(
    address: str,
    port: int,
    key: asyncssh.SSHKey,
    admits: Callable[[str, str], Awaitable[bool]],
    handle: Callable[[asyncssh.SSHServerProcess[str]], Awaitable[None]],
) -> asyncssh.SSHAcceptor:
    """An SSH server with passwords only, whose sessions are `handle(process)`."""

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        async def validate_password(self, username: str, password: str) -> bool:
            return await admits(username, password)

    return await asyncssh.listen(
        address,
        port,
        server_factory=Server,
        server_host_keys=[key],
        process_factory=handle,
        line_editor=False,
        encoding="utf-8",
        errors="replace",
        login_timeout=60,
        reuse_address=True,
    )
