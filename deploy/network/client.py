"""What the network commands know of a running platform: its address, and who asks. Errors end the command."""

from __future__ import annotations

import time
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer

PATIENCE = 40.0
"""Seconds that one question may take; devices are slow."""
PAUSE = 0.5
MOST = "1000"

Row = dict[str, Any]

Url = Annotated[str, typer.Option(envvar="KRILL_URL", help="a running gateway")]
User = Annotated[str, typer.Option(envvar="KRILL_USER", help="his realms and permissions hold")]
Password = Annotated[
    str | None, typer.Option(envvar="KRILL_PASSWORD", help="asked for when not given; demo's is known")
]
Include = Annotated[str, typer.Option(help="only the lines that hold this text")]


class Client:
    """`url`: of the gateway. Paths are below `/api/v2/`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        import requests  # which processes that serve do not carry

        self._base = f"{url.rstrip('/')}/api/v2/"
        self._session = requests.Session()
        self._session.auth = (user, password)

    @classmethod
    def asked(cls, url: str, user: str, password: str | None) -> Client:
        if password is None:
            password = "demo" if user == "demo" else typer.prompt("Password", hide_input=True, err=True)
        return cls(url, user, password)

    def get(self, *path: str, **parameters: str) -> Any:
        return self._ask("GET", self._base + "".join(f"{_quoted(one)}/" for one in path), parameters)

    def post(self, *path: str, body: Row | None = None) -> Any:
        return self._ask("POST", self._base + "".join(f"{_quoted(one)}/" for one in path), {}, body or {})

    def rows(self, *path: str, **parameters: str) -> list[Row]:
        """All rows of a list, be it an array or in pages."""
        found = self.get(*path, limit=MOST, **parameters)
        if isinstance(found, list):
            return found
        rows: list[Row] = found["results"]
        while found["next"]:
            found = self._ask("GET", found["next"], {})
            rows += found["results"]
        return rows

    def ended(self, *path: str, by: str, open_: tuple[str, ...], seconds: float) -> Row:
        """The row once its member `by` is none of `open_`, or as it is when the time is over."""
        end = time.monotonic() + seconds
        while True:
            row: Row = self.get(*path)
            if row[by] not in open_ or time.monotonic() >= end:
                return row
            time.sleep(PAUSE)

    def _ask(self, verb: str, url: str, parameters: dict[str, str], body: Row | None = None) -> Any:
        from requests import RequestException

        try:
            answer = self._session.request(verb, url, params=parameters, json=body, timeout=PATIENCE)
        except RequestException as error:
            fail(f"{self._base} does not answer: {type(error).__name__}")
        try:
            found = answer.json() if answer.content else None
        except ValueError:
            fail(f"{url} answers {answer.status_code}, and no JSON")
        if not answer.ok:
            fail(f"{answer.status_code} {_told(found)}")
        return found


def fail(text: str) -> NoReturn:
    typer.secho(text, fg="red", err=True)
    raise typer.Exit(1)


def _told(body: Any) -> str:
    """What an error says, in a line."""
    if not isinstance(body, dict):
        return str(body)
    if "detail" in body:
        device = f"{body['device']}: " if body.get("device") else ""
        return f"{device}{body['detail']}"
    return "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in body.items())


def _quoted(segment: str) -> str:
    return quote(segment, safe=":")
