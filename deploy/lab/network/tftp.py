"""A TFTP server (RFC 1350, octet mode, reading only) in front of one folder: where modems get their files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

READ, WRITE, DATA, ACK, ERROR = range(1, 6)
NOT_FOUND, ACCESS, ILLEGAL = 1, 2, 4
BLOCK = 512
PATIENCE, TRIES = 1.0, 4


def _error(code: int, text: str) -> bytes:
    return ERROR.to_bytes(2, "big") + code.to_bytes(2, "big") + text.encode() + b"\0"


class Tftp(asyncio.DatagramProtocol):
    """The well-known port: each transfer goes on from a port of its own."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self._transport: Any = None
        self._transfers: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        code = int.from_bytes(data[:2], "big")
        name, _, rest = data[2:].partition(b"\0")
        mode = rest.partition(b"\0")[0].lower()
        if code != READ or mode not in (b"octet", b"netascii"):
            self._transport.sendto(_error(ACCESS if code == WRITE else ILLEGAL, "read only"), addr)
            return
        path = (self.folder / name.decode("utf-8", "replace").lstrip("/")).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            self._transport.sendto(_error(NOT_FOUND, "no such file"), addr)
            return
        task = asyncio.get_running_loop().create_task(self._send(path.read_bytes(), addr))
        self._transfers.add(task)
        task.add_done_callback(self._transfers.discard)

    async def _send(self, content: bytes, peer: Any) -> None:
        acks: asyncio.Queue[int] = asyncio.Queue()

        class Acks(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                if addr == peer and int.from_bytes(data[:2], "big") == ACK:
                    acks.put_nowait(int.from_bytes(data[2:4], "big"))

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Acks, local_addr=(self.address, 0))
        try:
            for number in range(len(content) // BLOCK + 1):
                block = (number + 1) & 0xFFFF
                part = content[number * BLOCK : (number + 1) * BLOCK]
                packet = DATA.to_bytes(2, "big") + block.to_bytes(2, "big") + part
                for _ in range(TRIES):
                    transport.sendto(packet, peer)
                    try:
                        while await asyncio.wait_for(acks.get(), PATIENCE) != block:
                            continue
                    except TimeoutError:
                        continue
                    break
                else:
                    return
        finally:
            transport.close()
