"""The `krill` command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from deploy import events
from deploy.network import docsis, gpon
from services.common import memory
from services.common.rpc import green

if TYPE_CHECKING:
    from rich.progress import Progress

    from services.common.settings import Settings

# No rich errors: a service's process shall not carry what only a terminal needs.
PLAIN: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None, "no_args_is_help": True}

app = typer.Typer(**PLAIN, add_completion=False, help="Operations platform for internet providers.")
users = typer.Typer(**PLAIN, help="Accounts of the API.")
lab = typer.Typer(**PLAIN, help="Simulated equipment, for demonstrations and tests.")
app.add_typer(users, name="user")
app.add_typer(events.app, name="events")
app.add_typer(lab, name="lab")
app.add_typer(gpon.app, name="gpon")
app.add_typer(docsis.app, name="docsis")

DEMO = "demo"

GREEN = frozenset(("run", "service", "lab executor"))
"""The commands whose process runs on green threads."""


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


@app.command()
def run(
    bind: Annotated[str | None, typer.Option(help="address:port; default 127.0.0.1:4280")] = None,
    demo: Annotated[bool, typer.Option(help="demo data and the user demo/demo; loopback only")] = True,
    verbose: Annotated[bool, typer.Option(help="log requests and services")] = False,
    cpes: Annotated[int, typer.Option(help="how many CPEs a new demo has, and the lab with it")] = 400,
) -> None:
    """Run everything in one process, on SQLite: for a look around, development, and small installations."""
    os.environ.setdefault("KRILL_DATA_DIR", "var/run")
    if bind:
        os.environ["KRILL_BIND"] = bind
    os.environ.setdefault("KRILL_DEMO", str(demo))
    if not verbose:
        os.environ.setdefault("KRILL_LOG_LEVEL", "WARNING")
    for name in ("KRILL_AMQP_URI", "KRILL_DATABASE_URL"):
        os.environ.pop(name, None)
    from deploy.local import embedded, state
    from deploy.local import lab as equipment
    from services.common import log
    from services.common.settings import for_service

    settings = for_service("gateway")
    log.configure(settings, "krill")
    if settings.demo and not settings.loopback:
        raise typer.BadParameter(
            "demo mode has a well-known password and is refused off loopback; use --no-demo"
        )
    if settings.demo and settings.lab:
        os.environ.update(equipment.notifying(os.environ))  # before a service's settings are read
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:  # two would do each other's work a second time
        alone = state.held(settings.data_dir / "run.lock")
    except state.InUse:
        raise SystemExit(f"krill run: {settings.data_dir} is used by another process that runs.") from None
    with alone:
        migrate()
        seed(cpes, if_empty=True)
        raise typer.Exit(embedded.serve(settings, lambda: _welcome(settings)))


def _welcome(settings: Settings) -> None:
    from deploy.lab.network import invent

    url = f"http://{settings.bind}"
    print(f"\nKrill is ready on {url}/api/v2/  (documents: {url}/swagger/v2/, Ctrl-C ends it)")
    if settings.demo:
        print(
            f"User {DEMO}, password {DEMO}, realm pim. Try:\n"
            f"  curl -u {DEMO}:{DEMO} '{url}/api/v2/isp/cpes/?sn=0000deadbeef0000'\n"
            f"  curl -u {DEMO}:{DEMO} '{url}/api/v2/isp/cpes/74/?attrs=id&joins=customer,potses'\n"
            f"  curl -u {DEMO}:{DEMO} -X PATCH -d access=false '{url}/api/v2/isp/cpes/350/'\n"
            f"  curl -u {DEMO}:{DEMO} -X POST '{url}/api/v2/isp/cpes/350/reboot?wait=5'\n"
            "Administrators are made with: krill user create NAME --superuser\n"
        )
    if settings.demo and settings.lab:
        print(
            "Simulated equipment answers on loopback (lab.json in the data folder tells where): an OLT and\n"
            "a CMTS with the CPEs of the demo, and ONUs that wait for a CPE with their serial:\n"
            f"  {' '.join(invent.WAITING)}\n"
        )
    sys.stdout.flush()


@app.command()
def up(detach: Annotated[bool, typer.Option(help="return once it is ready")] = False) -> None:
    """Run it for real: RabbitMQ, PostgreSQL, one process per service, gunicorn."""
    from deploy.local import stack
    from services.common.settings import Settings

    os.environ.setdefault("KRILL_DATA_DIR", "var/up")
    os.environ.setdefault("KRILL_DEMO", "true" if Settings().loopback else "false")
    raise typer.Exit(stack.up(Settings(), detach=detach))


@app.command()
def down() -> None:
    """End what `up` started; the data stays."""
    from deploy.local import stack
    from services.common.settings import Settings

    os.environ.setdefault("KRILL_DATA_DIR", "var/up")
    print("Stopped." if stack.down(Settings()) else "Nothing is running.")


@app.command()
def status() -> None:
    """What runs of `up`, and whether the databases are at the newest schema."""
    from deploy import registry
    from deploy.local import stack
    from services.common.settings import Settings

    os.environ.setdefault("KRILL_DATA_DIR", "var/up")
    state = stack.status(Settings())
    if state is None:
        print("Nothing is running.")
        raise typer.Exit(1)
    print(
        orjson.dumps(
            {**state, "databases": [one.name for one in registry.owners()]}, option=orjson.OPT_INDENT_2
        ).decode()
    )


@app.command()
def service(names: list[str]) -> None:
    """Run services in this process, behind RabbitMQ (KRILL_AMQP_URI)."""
    from deploy import registry
    from services.common import log
    from services.common.rpc.runner import run_services
    from services.common.settings import for_service

    settings = for_service(names[0])
    log.configure(settings, names[0])
    checks = {
        f"database {one.name}": one.database().check for one in registry.services() if one.name in names
    }
    raise typer.Exit(run_services([registry.service_class(name) for name in names], settings, checks))


@app.command()
def migrate() -> None:
    """Bring every database to the newest schema."""
    from deploy import registry

    for owner in registry.owners():
        revision = owner.migrate()
        typer.echo(f"{owner.name}: schema {revision}", err=True)


@app.command()
def seed(
    cpes: Annotated[int, typer.Option(help="how many CPEs")] = 400,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="leave a database that has data alone")
    ] = False,
) -> None:
    """Fill empty databases with the demo provider (with KRILL_DEMO only), and the accounts with what they
    need.
    """
    from deploy import registry
    from gateway.accounts.service import Accounts
    from services.common.settings import for_service

    settings = for_service("gateway")
    accounts = Accounts(settings)
    realms: set[str] = set()
    if settings.demo:
        for owner in registry.services():
            realms |= _seed_service(owner, cpes, if_empty)
    try:
        accounts.prepare(sorted(realms), demo=settings.demo)
    finally:
        accounts.close()


def _seed_service(owner: Any, cpes: int, if_empty: bool) -> set[str]:
    """Demo data of one service; returns the realms it has rows in."""
    demo = owner.demo
    if not hasattr(demo, "seed"):
        return set()
    database = owner.database()
    try:
        with _progress() as progress:
            task = progress.add_task(f"{owner.name}: demo data", total=cpes, visible=cpes > 10_000)
            try:
                demo.seed(
                    database.engine,
                    cpes=cpes,
                    progress=lambda done, total: progress.update(task, completed=done, total=total),
                )
            except demo.NotEmpty as error:
                if not if_empty:
                    typer.secho(f"{owner.name}: {error}", fg="red", err=True)
                    raise typer.Exit(1) from None
        return set(demo.REALMS)
    finally:
        database.close()


@app.command("import")
def import_(
    resource: Annotated[str, typer.Argument(help="customers or cpes")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or NDJSON, by its ending")],
    user: Annotated[str, typer.Option(help="who imports; his realms and permissions hold")],
    password: Annotated[
        str | None, typer.Option(envvar="KRILL_PASSWORD", help="asked for when not given")
    ] = None,
    url: Annotated[str, typer.Option(help="a running gateway")] = "http://127.0.0.1:4280",
    name: Annotated[str | None, typer.Option("--id", help="of the import; default: from the file")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell, and leave no trace")] = False,
) -> None:
    """Import customers or CPEs into a running platform. Run it again after a cut: it goes on where it was."""
    from deploy import importing

    if password is None:
        password = typer.prompt("Password", hide_input=True)
    with _progress() as progress:
        task = progress.add_task(f"{resource}: {file.name}", total=file.stat().st_size)
        answer = importing.send(
            f"{url}/api/v2/isp/{resource}/import/",
            file,
            (user, password),
            name=name,
            dry_run=dry_run,
            sent=lambda number: progress.update(task, advance=number),
        )
    print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    raise typer.Exit(0 if answer.get("complete") and not answer["failed"] else 1)


@app.command("show-config")
def show_config(name: Annotated[str, typer.Argument(help="service, or gateway")] = "gateway") -> None:
    """The settings in force, secrets masked."""
    from services.common.settings import for_service

    print(orjson.dumps(for_service(name).masked(), option=orjson.OPT_INDENT_2).decode())


@users.command("create")
def create_user(
    name: str,
    realm: Annotated[list[str] | None, typer.Option(help="may be given several times")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help='such as "APP: isp"; may be given several times')
    ] = None,
    staff: bool = False,
    superuser: bool = False,
    password: Annotated[
        str | None, typer.Option(envvar="KRILL_PASSWORD", help="asked for when not given")
    ] = None,
) -> None:
    """Make a user."""
    from gateway.accounts.service import Accounts
    from services.common.errors import ApiError
    from services.common.settings import for_service

    if password is None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    accounts = Accounts(for_service("gateway"))
    try:
        accounts.create_user(
            name,
            password,
            realms=realm or [],
            groups=group or [],
            is_staff=staff or superuser,
            is_superuser=superuser,
        )
    except ApiError as error:
        typer.secho(orjson.dumps(error.body).decode(), fg="red", err=True)
        raise typer.Exit(1) from None
    finally:
        accounts.close()
    print(f"User {name} created.")


@lab.command()
def executor() -> None:
    """Run the actions that isp hands out, on devices that do not exist (KRILL_AMQP_URI)."""
    from deploy import registry
    from services.common import log
    from services.common.rpc.runner import run_services
    from services.common.settings import for_service

    lab_class = registry.lab_executor()
    settings = for_service("lab")
    log.configure(settings, "lab")
    raise typer.Exit(run_services([lab_class], settings))


@lab.command()
def network(
    olts: Annotated[int | None, typer.Option(help="that many OLTs, instead of a lab for isp's CPEs")] = None,
    cmtss: Annotated[int, typer.Option(help="with --olts: that many CMTSs")] = 0,
    onus: Annotated[int, typer.Option(help="with --olts: that many ONUs in all")] = 0,
    modems: Annotated[int, typer.Option(help="with --olts: that many cable modems in all")] = 0,
) -> None:
    """Run simulated OLTs, CMTSs and cable modems on loopback; `lab.json` in the data folder tells where.

    What it holds is decided once, and kept in the folder `lab` there.
    """
    from deploy.lab.network import process
    from deploy.lab.network.plan import Plan
    from services.common.settings import Settings

    def plan() -> Plan:
        from deploy.lab.network import demo, invent  # what they need is for the first start only

        if olts is None:
            return demo.plan()
        return invent.lab(*invent.anonymous(onus, modems), olts=olts, cmtss=cmtss)

    process.run(Settings().data_dir, plan)


@lab.command()
def introduce() -> None:
    """Tell the services where the devices of the running lab are; they are seen from then on."""
    from deploy.local import lab as equipment
    from services.common.settings import Settings

    for name in equipment.introduce(Settings().data_dir):
        typer.echo(f"{name}: the lab's devices are known", err=True)


def main() -> None:
    if not GREEN.isdisjoint((*sys.argv[1:2], " ".join(sys.argv[1:3]))):
        green.patch()  # before typer loads what it needs
        memory.bound()
    app()


if __name__ == "__main__":
    main()
