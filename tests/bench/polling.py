"""`python -m tests.bench.polling FOLDER DATABASE INTERVAL SECONDS`: gpon's worker polls all OLTs of the lab
that runs in the folder, green as its service is. Prints what `Polled` has, as JSON.
"""

# ruff: noqa: E402 - the process must be green before anything else is imported
from __future__ import annotations

from services.common.rpc import green

green.patch()

import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import eventlet

from deploy.lab.network.book import FILE
from services.common.database.engine import Database
from services.common.database.migrate import upgrade
from services.common.devices.polling import Poller
from services.common.resource.background import Loop
from services.common.resource.engine import Engine
from services.common.settings import Settings
from services.gpon import devices, models
from services.gpon.contract import CONTRACT
from services.gpon.demo import introduce
from services.gpon.service import EVERY, poll
from tests.bench.devices import Polled


def main(folder: Path, url: str, interval: float, seconds: float) -> Polled:
    settings = Settings(data_dir=folder)
    database = Database(url, settings)
    upgrade("services.gpon.migrations", models.metadata, database.engine)
    introduce(database.engine, json.loads((folder / FILE).read_text())["devices"])
    engine = Engine(CONTRACT, models.metadata, database, settings)
    names = {id_: olt["name"] for id_ in devices.olt_ids(engine) if (olt := devices.olt(engine, id_))}
    readings: dict[str, list[float]] = defaultdict(list)
    gaps: list[float] = []

    def read(engine: Engine, id_: int) -> None:
        poll(engine, id_)
        readings[names[id_]].append(time.monotonic() - began)

    def tick() -> None:
        last = time.monotonic()
        while True:
            eventlet.sleep(0.001)
            now = time.monotonic()
            gaps.append(now - last - 0.001)
            last = now

    poller = Poller(devices.olt_ids, read, lambda engine: interval)
    loop = Loop(lambda: poller(engine), EVERY)
    began = time.monotonic()
    eventlet.spawn(loop.run)
    eventlet.spawn(tick)
    eventlet.sleep(seconds)
    loop.stop()
    with database.read() as connection:
        onus: Any = connection.execute(models.onus.select()).all()
    return Polled(dict(readings), len(onus), 1000 * max(gaps))


if __name__ == "__main__":
    lab, url, *numbers = sys.argv[1:]
    print(json.dumps(asdict(main(Path(lab), url, *map(float, numbers)))))
