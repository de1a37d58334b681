"""`krill docsis …`: CMTSs and cable modems, in the manner of the product's own command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from deploy.network.client import Client, Include, Password, Url, User
from deploy.network.columns import Column, Row, pairs, rate, show, table, text
from deploy.network.following import follow

PLAIN: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None, "no_args_is_help": True}

app = typer.Typer(**PLAIN, help="CMTSs and cable modems of a running platform.")

UPSTREAMS = (
    *(Column("itf", "ifindex"), Column("id"), Column("freq"), Column("width")),
    *(Column("mp", "modulation_profile"), Column("modulation"), Column("interface"), Column("state")),
)
DOWNSTREAMS = (
    *(Column("itf", "ifindex"), Column("id"), Column("freq"), Column("modulation")),
    *(Column("pow", "power"), Column("interface"), Column("state")),
)
CHANNELS = tuple(map(Column, ("chanid", "pri", "ifindex", "name", "freq")))
MODEM = (
    *map(Column, ("cmts", "id", "state", "fibernode", "md", "ids", "mac", "ip", "poll", "file", "uptime")),
    Column("bw", lambda row: f"{rate(row.get('dnbw'))} / {rate(row.get('upbw'))} bps"),
    Column("reg tags", "reg_tags"),
)
RECEIVED = (
    *(Column("id"), Column("itf name", "itf_name"), Column("freq"), Column("width"), Column("mod")),
    *map(Column, ("rx", "att", "snr", "corr", "ko")),
)
SENT = (*RECEIVED[:5], *map(Column, ("tx", "att", "snr", "corr", "ko")))


@app.callback()
def _asker(
    context: typer.Context,
    url: Url = "http://127.0.0.1:4280",
    user: User = "demo",
    password: Password = None,
) -> None:
    context.obj = Client.asked(url, user, password)


@app.command()
def cmtss(context: typer.Context, include: Include = "") -> None:
    """All CMTSs, with their MAC domains, channels and fiber nodes."""
    client: Client = context.obj
    lines: list[str] = []
    for one in client.rows("docsis", "cmtss"):
        lines += _cmts(client.get("docsis", "cmtss", str(one["name"])))
    show(lines, include, titles=0)


@app.command()
def cm(
    context: typer.Context,
    mac: Annotated[str, typer.Argument(help="with colons or without")],
    what: Annotated[str | None, typer.Argument(metavar="[reset]")] = None,
) -> None:
    """One cable modem, as it is now; `reset` restarts it."""
    client: Client = context.obj
    if what is None:
        show(_modem(client.get("docsis", "cable-modems", mac)))
    elif what == "reset":
        follow(client, "docsis", client.post("docsis", "cable-modems", mac, "reset"))
    else:
        raise typer.BadParameter("expected: reset")


def _cmts(row: Row) -> list[str]:
    lines = [f"{row['name']} uptime={text(row.get('uptime'))}"]
    for domain in row.get("mac_domains") or ():
        lines += [f"MD: ix={domain['ifindex']} {domain['name']}", *table(CHANNELS, domain["channels"])]
    for title, columns in (("upstreams", UPSTREAMS), ("downstreams", DOWNSTREAMS)):
        if row.get(title):
            lines += [title, *table(columns, row[title])]
    return [*lines, *map(_node, row.get("fiber_nodes") or ())]


def _node(row: Row) -> str:
    """`nodo1 - (map: [(77, 1, 1, 1)]) (DS: chanids=[256] chans={1,2} / US: chanids=[257] chans={5})`."""
    keys = ("md_ifindex", "md_cm_sg_id", "md_ds_sg_id", "md_us_sg_id")
    groups = ", ".join(f"({', '.join(text(one.get(key)) for key in keys)})" for one in row.get("map") or ())
    ways = " / ".join(
        f"{short}: chanids=[{_list(way, 'chset_ids')}] chans={{{_list(way, 'channels')}}}"
        for short, way in (("DS", row.get("downstream")), ("US", row.get("upstream")))
    )
    return f"{row['name']} - {row.get('description') or ''} (map: [{groups}]) ({ways})"


def _list(way: Row | None, member: str) -> str:
    return ",".join(map(str, (way or {}).get(member) or ()))


def _modem(row: Row) -> list[str]:
    lines = pairs(MODEM, row)
    for name, service in (row.get("services") or {}).items():
        lines.append(f"{name}: {text(service.get('state'))} {text(service.get('output'))}")
    for name, columns in (("downstream", RECEIVED), ("upstream", SENT)):
        if row.get(name):
            total = [row[f"{name}_total"]] if row.get(f"{name}_total") else []
            lines += [f"\n{name}", *table(columns, [*total, *row[name]])]
    description = row.get("system_description") or {}
    return [*lines, "", *(f"{key}: {text(value)}" for key, value in description.items())]
