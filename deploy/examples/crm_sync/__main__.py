"""`python -m deploy.examples.crm_sync [--rebuild]`; settings come from the environment, see the README."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from pathlib import Path

from deploy.examples.crm_sync.consumer import Consumer
from deploy.examples.crm_sync.database import Database
from deploy.examples.crm_sync.rebuild import Api, rebuild


def main() -> None:
    parser = argparse.ArgumentParser(prog="crm_sync", description="Keep a CRM in step with the platform.")
    parser.add_argument("--rebuild", action="store_true", help="load everything again first")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # what happened is in the errors that it raises
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    database = Database(Path(os.environ.get("CRM_DATABASE", "crm.db")))
    api = Api(
        os.environ.get("CRM_API_URL", "http://127.0.0.1:4280"),
        os.environ["CRM_API_USER"],
        os.environ["CRM_API_PASSWORD"],
    )
    if arguments.rebuild:
        database.fall_behind()
    Consumer(os.environ["CRM_AMQP_URI"], database, lambda: rebuild(api, database), stopping).run()
    database.close()


if __name__ == "__main__":
    main()
