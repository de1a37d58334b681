"""A rebuild from the API: the lists, then what has happened since by the feed of events.

The cursor is taken before the lists are read, and the queue was declared before that: what happens meanwhile
comes by the feed, by the queue, or by both, and is applied once. It may be killed at any moment.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from deploy.examples.crm_sync.database import MIRRORED, Database
from deploy.examples.crm_sync.event import Event

PAGE = 500
GONE = 410
PATIENCE = 10.0

log = logging.getLogger("crm_sync")


class Api:
    """The REST API, as a user who sees every realm that the CRM keeps. Errors are `requests` ones."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v2/isp"
        self._session = requests.Session()
        self._session.auth = (user, password)

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(resource, row) of everything that is mirrored."""
        for resource, members in MIRRORED.items():
            parameters: dict[str, Any] = {"cursor": "", "limit": PAGE, "attrs": ",".join(members)}
            page = self._get(f"{self._url}/{resource}/", parameters).json()
            while True:
                for row in page["results"]:
                    yield resource, row
                if page["next"] is None:
                    break
                page = self._get(page["next"]).json()

    def feed(self, after: str) -> dict[str, Any] | None:
        """A page of events after the cursor; None when what follows it is gone."""
        answer = self._get(f"{self._url}/events/", {"after": after, "limit": PAGE})
        return None if answer.status_code == GONE else answer.json()

    def _get(self, url: str, parameters: dict[str, Any] | None = None) -> requests.Response:
        answer = self._session.get(url, params=parameters, timeout=PATIENCE)
        if answer.status_code != GONE:
            answer.raise_for_status()
        return answer


def rebuild(api: Api, database: Database) -> None:
    """Returns when the database is in step; goes on where an earlier one ended."""
    while database.behind:
        if (cursor := database.cursor) is None:
            log.info("loading the lists")
            start = api.feed("latest")
            assert start is not None  # now is never gone
            database.replace(api.rows(), start["next"])
        elif (page := api.feed(cursor)) is None:
            database.fall_behind()
        else:
            database.apply([Event.read(one) for one in page["results"]], page["next"])
            if not page["more"]:
                database.catch_up()
