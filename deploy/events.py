"""`krill events`: what the operator of the machine does with events that could not be handled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from deploy.catalogue import print_catalogue

if TYPE_CHECKING:
    from services.common.context import Context
    from services.common.resource.engine import Engine

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Events: what could not be handled, and what there is.",
)

app.command("catalogue")(print_catalogue)

Service = Annotated[str, typer.Argument(help="the service that could not handle them")]
Ids = Annotated[list[int] | None, typer.Argument(help="as `parked` shows them")]
All = Annotated[bool, typer.Option("--all", help="all that are parked")]


@app.command()
def parked(
    service: Service,
    full: Annotated[bool, typer.Option("--full", help="with the events themselves")] = False,
) -> None:
    """One JSON line for each event that is parked, oldest first."""
    with _engine(service) as (engine, context):
        for row in _parked(engine, context, full):
            print(orjson.dumps(row).decode())


@app.command()
def replay(service: Service, ids: Ids = None, every: All = False) -> None:
    """Have parked events tried again by the running service."""
    from services.common.events import held

    _each(service, ids, every, held.replay, "will be tried again")


@app.command()
def drop(service: Service, ids: Ids = None, every: All = False) -> None:
    """Give up parked events for good."""
    from services.common.events import held

    _each(service, ids, every, held.drop, "dropped")


def _each(service: str, ids: list[int] | None, every: bool, work: Any, done: str) -> None:
    from services.common.errors import NotFound

    if bool(ids) == every:
        raise typer.BadParameter("name the events, or say --all")
    missing = 0
    with _engine(service) as (engine, context):
        for id_ in ids or [row["id"] for row in _parked(engine, context, full=False)]:
            try:
                with engine.writing(context) as write:
                    work(write, id_)
                print(f"{id_} {done}")
            except NotFound:
                missing += 1
                typer.secho(f"{id_} is not parked", fg="red", err=True)
    raise typer.Exit(1 if missing else 0)


def _parked(engine: Engine, context: Context, full: bool) -> Iterator[dict[str, Any]]:
    from services.common.events.held import PARKED_EVENTS

    names = [one.name for one in PARKED_EVENTS.fields if full or one.name != "envelope"]
    cursor: str | None = ""
    while cursor is not None:
        asked = [("attrs", ",".join(names)), ("cursor", cursor), ("limit", "500")]
        reply = engine.list(context, PARKED_EVENTS.name, asked)
        yield from orjson.loads(reply.body)
        cursor = reply.meta["next"]


@contextmanager
def _engine(service: str) -> Iterator[tuple[Engine, Context]]:
    """The engine of a service on its database, and the context of the operator of the machine."""
    from deploy import registry
    from services.common.context import Context, Scope
    from services.common.resource.engine import Engine

    owner = next((one for one in registry.services() if one.name == service), None)
    if owner is None:
        raise typer.BadParameter(f"there is no service {service}")
    database = owner.database()
    try:
        engine = Engine(owner.module("contract").CONTRACT, owner.metadata, database, owner.settings)
        yield engine, Context(scope=Scope(everything=True), user="operator")
    finally:
        database.close()
