"""The subscribers of the demo as a stream of batches, in constant memory.

It decides ids, realms, owners and dates, and where the captured rows go. A longer stream begins with
the shorter one. It reads no clock and no database.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import deque
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

from services.isp.demo import captured
from services.isp.demo.catalogue import INVENTORY, MODELS, REALMS, VOIP_PROFILES
from services.isp.demo.devices import cpe
from services.isp.demo.draws import LAST_CHANGE, Row, pick
from services.isp.demo.lines import ports_in_use, potses
from services.isp.demo.people import TOWNS, Town, customer

DEFAULT_CPES: Final = 400
MOST_CPES: Final = 45_000_000
"""Two ports each have a number of their own up to here."""

_SEED = 4280
_SURPLUS = ("pim",) * 60 + ("cpe",) * 25 + ("swt",) * 15
_OTHERS = ("cpe",) * 3 + ("swt",) * 2
_THREE_DAYS = 3 * 86_400


@dataclass
class Batch:
    """Rows whose references lie in this batch or in an earlier one."""

    customers: list[Row] = field(default_factory=list)
    cpes: list[Row] = field(default_factory=list)
    potses: list[Row] = field(default_factory=list)


class Subscribers:
    """`total` CPEs with their customers and ports. `ValueError` below 400: the captured rows must fit."""

    def __init__(self, total: int) -> None:
        if not DEFAULT_CPES <= total <= MOST_CPES:
            raise ValueError(f"The demo data has from {DEFAULT_CPES} to {MOST_CPES} CPEs.")
        self._total = total
        self._random = Random(_SEED)
        self._realms = _first_realms(self._random)
        self._customer_ids = _free(captured.CUSTOMERS)
        self._port_ids = _free([id_ for ids in captured.PORT_IDS.values() for id_ in ids])
        # Who may get a second CPE; short, so that memory stays constant.
        self._recent: dict[str, deque[tuple[int, Town]]] = {realm: deque(maxlen=64) for realm in REALMS}
        self._milestones: list[tuple[int, float]] = [
            (0, dt.datetime(2018, 2, 5, 8, tzinfo=dt.UTC).timestamp()),
            *((number, row["created"].timestamp()) for number, row in sorted(captured.CPES.items())),
            (DEFAULT_CPES, dt.datetime(2023, 6, 30, 12, tzinfo=dt.UTC).timestamp()),
            (total, LAST_CHANGE),
        ]

    def batches(self, size: int) -> Iterator[Batch]:
        """Batches of `size` CPEs, by id; the last one may be shorter."""
        for start in range(1, self._total + 1, size):
            batch = Batch()
            for number in range(start, min(start + size, self._total + 1)):
                self._subscribe(number, batch)
            yield batch

    def _subscribe(self, number: int, batch: Batch) -> None:
        random, known = self._random, captured.CPES.get(number)
        realm = self._realms[number - 1] if number <= DEFAULT_CPES else pick(random, _SURPLUS)
        when = self._created(number)
        owner, town = self._owner(number, realm, when, batch)
        model = MODELS[captured.MODEL] if known else pick(random, INVENTORY[realm])
        in_use = 0 if known else ports_in_use(random, model)
        row = cpe(random, number, realm, model, owner, town, when)
        row["voice_ports"] = ",".join(str(order) for order in range(1, in_use + 1))
        row["voip_profile"] = VOIP_PROFILES[realm] if in_use else None
        row.update(known or {})
        ids = captured.PORT_IDS.get(number) or [next(self._port_ids) for _ in range(model.pots)]
        batch.cpes.append(row)
        batch.potses.extend(potses(random, row, ids, in_use))

    def _owner(self, number: int, realm: str, when: float, batch: Batch) -> tuple[int, Town]:
        """The CPE's customer: the captured one, or one time in eight a recent one, or a new one."""
        random, recent = self._random, self._recent[realm]
        town = pick(random, TOWNS[realm])
        if number in captured.CUSTOMER_OF:
            id_ = captured.CUSTOMER_OF[number]
            row = customer(random, id_, realm, town, self._created(id_))
            batch.customers.append({**row, **captured.CUSTOMERS[id_]})
            return id_, town
        if recent and random.random() < 0.125:
            return pick(random, recent)
        id_ = next(self._customer_ids)
        batch.customers.append(customer(random, id_, realm, town, when - random.random() * _THREE_DAYS))
        recent.append((id_, town))
        return id_, town

    def _created(self, number: int) -> float:
        """Seconds since the epoch: ids follow time, through the captured rows."""
        index = bisect_left(self._milestones, number, key=lambda milestone: milestone[0])
        (low, since), (high, until) = self._milestones[index - 1], self._milestones[index]
        return since + (until - since) * (number - low) / (high - low)


def _first_realms(random: Random) -> list[str]:
    """Realms of CPEs 1 to 400, such that the captured page comes out of the realm's ids."""
    first, last = captured.PAGE_IDS[0], captured.PAGE_IDS[-1]
    ours = {*captured.CPES, *captured.PAGE_IDS}
    before = [number for number in range(1, first) if number not in ours]
    after = [number for number in range(last + 1, DEFAULT_CPES + 1) if number not in ours]
    ours.update(random.sample(before, captured.PAGE_OFFSET - sum(number < first for number in ours)))
    ours.update(random.sample(after, captured.REALM_SIZE - len(ours)))
    numbers = range(1, DEFAULT_CPES + 1)
    return [captured.REALM if number in ours else pick(random, _OTHERS) for number in numbers]


def _free(taken: Container[int]) -> Iterator[int]:
    return (number for number in count(1) if number not in taken)
