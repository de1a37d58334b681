"""`python -m tests.bench.quick_olt PONS COMMUNITY`: an OLT of the lab's agent with a table made once, so that
it costs next to nothing to ask. Prints its port."""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from deploy.lab.network import ber
from deploy.lab.network.ber import Oid
from deploy.lab.network.snmp import Agent, Port
from deploy.lab.network.view import Found, View
from tests.integration.devices import recordings

VALUES: dict[str, Callable[[str], bytes]] = {
    "2": lambda value: ber.integer(int(value)),
    "4x": lambda value: ber.octets(bytes.fromhex(value)),
    "6": lambda value: ber.oid(ber.parse(value)),
    "64": ber.ip_address,
    "67": lambda value: ber.integer(int(value), 0x43),
    "70": lambda value: ber.counter64(int(value)),
}
"""By the tag that a recording has for them."""


class Recorded(View):
    def __init__(self, lines: Iterable[recordings.Line]) -> None:
        super().__init__([])
        self._known = {at: VALUES[tag](value) for at, tag, value in lines}
        self._order = sorted(self._known)
        self._found: list[Found] = [(at, ber.oid(at), self._known[at]) for at in self._order]

    def get(self, oid: Oid) -> bytes:
        return self._known.get(oid, ber.NO_SUCH_OBJECT)

    def after(self, oid: Oid) -> Iterator[Found]:
        for at in range(bisect_right(self._order, oid), len(self._order)):
            yield self._found[at]


async def serve(pons: int, community: str) -> None:
    agent = Agent(Recorded(recordings.large(pons, 64)), community)
    loop = asyncio.get_running_loop()
    way, _ = await loop.create_datagram_endpoint(lambda: Port(agent), ("127.0.0.1", 0))
    print(way.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
