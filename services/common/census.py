"""Goes through all CPEs of a technology that isp has, at the start and once a day: what no event told is
found."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import and_, select

from services.common.context import Context, Scope
from services.common.errors import ApiError
from services.common.resource.engine import Engine
from services.common.resource.writes import Write
from services.common.types import Row

AT_ONCE = 200
DAILY, AGAIN = 86_400.0, 2.0
"""Seconds until the next time, and until isp is asked again when it does not answer."""
ATTRS = "id,internal_id,external_id,realm,tech,sn,mac"


class Census:
    """`Background(Census(tech, begin, mark))` in a service class with a table `provisionings`.

    `begin(write, cpe)`: a CPE that has no row (`ATTRS` of it). `mark(write, which)`: the rows that the
    condition finds are to be looked at again.
    """

    def __init__(
        self, tech: str, begin: Callable[[Write, Row], None], mark: Callable[[Write, Any], Any]
    ) -> None:
        self._tech = tech
        self._begin = begin
        self._mark = mark
        self._next = 0.0
        self._after = 0

    def __call__(self, engine: Engine) -> bool:
        """Some of them; whether there are more."""
        if time.monotonic() < self._next:
            return False
        parameters = [("tech", self._tech), ("id__gt", str(self._after)), ("sort", "id"), ("attrs", ATTRS)]
        asked = {"resource": "cpes", "parameters": parameters, "limit": AT_ONCE}
        try:
            found = orjson.loads(engine.neighbour("isp", "list", asked).body)
        except ApiError:
            self._next = time.monotonic() + AGAIN
            return False
        self._keep(engine, found)
        if len(found) < AT_ONCE:
            self._after, self._next = 0, time.monotonic() + DAILY
            return False
        self._after = found[-1]["id"]
        return True

    def _keep(self, engine: Engine, found: list[Row]) -> None:
        ids = [one["id"] for one in found]
        cpe = engine.metadata.tables["provisionings"].c.cpe
        with engine.writing(Context(scope=Scope(everything=True), user=engine.contract.name)) as write:
            known = set(write.connection.execute(select(cpe).where(cpe.in_(ids))).scalars())
            for one in found:
                if one["id"] not in known:
                    self._begin(write, one)
            self._mark(write, cpe.in_(known))
            between = [cpe > self._after, cpe.not_in(ids)]
            if len(found) == AT_ONCE:
                between.append(cpe <= ids[-1])
            self._mark(write, and_(*between))  # isp has them no more
