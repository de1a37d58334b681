"""A TCP proxy for the network's own failures: slow, silent, broken, refused.

One thread carries all connections. It is transparent until told otherwise.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from deploy.local.instance import LOOPBACK, free_port

BLOCK = 65_536
TICK, SOON = 0.05, 0.001
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, for 0 s: closing sends RST and drops what was not sent."""


@dataclass(eq=False)
class Flow:
    """One direction of a connection: what was read and when it may be passed on."""

    source: socket.socket
    sink: socket.socket
    waiting: deque[tuple[float, memoryview]] = field(default_factory=deque)
    ended: bool = False


class Proxy:
    """Listens on `port` of loopback and passes everything to and from `target`, a port of loopback too.

    `delay`: seconds that each byte is held back, in each direction.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.delay = 0.0
        self.accepted = 0
        self._silent = threading.Event()
        self._reset = threading.Event()
        self._refusing = threading.Event()
        self._stopping = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._flows: list[Flow] = []
        self._thread = threading.Thread(target=self._run, name=f"proxy of {target}")

    def __enter__(self) -> Proxy:
        self._listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        for flow in list(self._flows):
            self._break(flow)
        self._ignore()
        self._selector.close()

    def through(self, url: str) -> str:
        """The URL of the target, by way of the proxy."""
        direct = f"{LOOPBACK}:{self.target}"
        assert direct in url
        return url.replace(direct, f"{LOOPBACK}:{self.port}")

    # ---- faults -------------------------------------------------------------------------------

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        self.delay = seconds
        try:
            yield
        finally:
            self.delay = 0.0

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing passes and nobody is told, as with a cable that was pulled; then all goes on."""
        self._silent.set()
        try:
            yield
        finally:
            self._silent.clear()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens; connections that are there stay."""
        self._refusing.set()
        try:
            yield
        finally:
            self._refusing.clear()

    def reset(self) -> int:
        """Break every connection with RST; returns how many there were."""
        number = len(self._flows) // 2
        self._reset.set()
        while self._reset.is_set() and self._thread.is_alive():
            time.sleep(SOON)
        return number

    # ---- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._reset.is_set():
                for flow in list(self._flows):
                    self._break(flow)
                self._reset.clear()
            if self._refusing.is_set():
                self._ignore()
            elif self._listener is None:
                self._listen()
            if self._silent.is_set():
                time.sleep(TICK)
                continue
            pending = any(flow.waiting for flow in self._flows)
            for key, _ in self._selector.select(SOON if pending else TICK):
                if key.data is None:
                    self._accept()
                elif key.data in self._flows:
                    self._read(key.data)
            for flow in list(self._flows):
                self._pass(flow)

    def _listen(self) -> None:
        self._listener = socket.create_server((LOOPBACK, self.port), backlog=200)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)

    def _ignore(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        with suppress(BlockingIOError, ConnectionError):
            client, _ = self._listener.accept()
            self.accepted += 1
            try:
                server = socket.create_connection((LOOPBACK, self.target), timeout=1.0)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                client.close()
                return
            for source, sink in ((client, server), (server, client)):
                source.setblocking(False)
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                flow = Flow(source, sink)
                self._flows.append(flow)
                self._selector.register(source, selectors.EVENT_READ, flow)

    def _read(self, flow: Flow) -> None:
        try:
            block = flow.source.recv(BLOCK)
        except BlockingIOError:
            return
        except OSError:
            self._break(flow)
            return
        if block:
            flow.waiting.append((time.monotonic() + self.delay, memoryview(block)))
        else:
            flow.ended = True
            self._selector.unregister(flow.source)

    def _pass(self, flow: Flow) -> None:
        now = time.monotonic()
        try:
            while flow.waiting and flow.waiting[0][0] <= now:
                due, block = flow.waiting.popleft()
                sent = flow.sink.send(block)
                if sent < len(block):
                    flow.waiting.appendleft((due, block[sent:]))
                    return
        except BlockingIOError:
            flow.waiting.appendleft((due, block))
        except OSError:
            self._break(flow)
            return
        if flow.ended and not flow.waiting and flow in self._flows:
            self._close(flow)

    def _break(self, flow: Flow) -> None:
        for end in (flow.source, flow.sink):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._close(flow)

    def _close(self, flow: Flow) -> None:
        """Both directions: a side that has said all it had to say waits for nothing more here."""
        both = {flow.source, flow.sink}
        self._flows = [one for one in self._flows if one.source not in both]
        for end in both:
            with suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()
