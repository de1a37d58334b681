"""`krill gpon …`: OLTs, PONs and ONUs, in the manner of the product's own command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from deploy.network.client import Client, Include, Password, Url, User, fail
from deploy.network.columns import Column, Row, pairs, rate, show, table, text
from deploy.network.following import follow

PLAIN: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None, "no_args_is_help": True}
ACTIONS = {
    "reboot": "reboot",
    "factory-reset": "factory",
    "unprovision": "unprovision",
    "reprovision": "reprovision",
}
"""What `do` takes → the API's word."""

app = typer.Typer(**PLAIN, help="OLTs, PONs and ONUs of a running platform.")
olt = typer.Typer(**PLAIN, help="One OLT.")
onus = typer.Typer(**PLAIN, help="Its ONUs, as it sees them now; of one PON with frame, slot and port.")
onu = typer.Typer(**PLAIN, help="One ONU, and what it can be told to do.")
unconfigured = typer.Typer(**(PLAIN | {"no_args_is_help": False}), help="ONUs that wait.")
app.add_typer(olt, name="olt")
olt.add_typer(onus, name="onus")
app.add_typer(onu, name="onu")
app.add_typer(unconfigured, name="unconfigured", invoke_without_command=True)

Pon = Annotated[list[str] | None, typer.Argument(metavar="[FRAME SLOT PORT]")]
Olt = Annotated[str, typer.Argument(help="its name")]


# ---- columns ------------------------------------------------------------------------------------


def _position(row: Row) -> str:
    """`0/ 5/ 2:01`."""
    frame, slot, port = row["fsp"].split("/")
    return f"{frame}/{slot:>2}/{port:>2}:{row['onu_id']:02d}"


def _states(row: Row) -> str:
    states = row.get("registration_state") or row.get("reg_status") or ()
    return "/".join([states] if isinstance(states, str) else states) or "-"


def _onus(row: Row) -> str:
    return text({name: number for name, number in (row.get("onus") or {}).items() if number})


OLTS = (
    *(Column("name"), Column("address"), Column("vendor"), Column("model"), Column("version")),
    *(Column("state"), Column("uptime"), Column("ports"), Column("onus", _onus), Column("unconfigured")),
)
WHO = (
    *(Column("olt"), Column("f/s/p:onu", _position), Column("desc"), Column("model", "type"), Column("sn")),
    Column("status"),
)
IPS = Column("ips")
ROWS = {
    "report": (*WHO, IPS),
    "status": (
        *(*WHO, Column("reg", _states), Column("dnrx"), Column("uptx")),
        *(Column("last down", "last_down_time"), Column("cause", "last_down_cause"), IPS),
    ),
    "txrx": (
        *WHO,
        *map(Column, ("dntx", "dnrx", "dnatt", "uptx", "uprx", "upatt", "tvrx", "pondesv")),
        IPS,
    ),
    "bandwidth": (
        *WHO,
        Column("dnbw", lambda row: rate(row.get("dnbw"))),
        Column("upbw", lambda row: rate(row.get("upbw"))),
        IPS,
    ),
}
WAITING = (
    *(Column("id"), Column("olt"), Column("f/s/p", "fsp"), Column("sn"), Column("model", "onu_type")),
    *(Column("time"), Column("disabled", "disable_provision"), Column("cpe", lambda row: _cpe(row))),
    Column("error", lambda row: row.get("validation_error") or row.get("last_error")),
)
ONU = (
    Column("sn", lambda row: f"{row['sn']} ({row['sn_ascii']})" if row.get("sn_ascii") else row["sn"]),
    Column("olt"),
    Column("f/s/p-onu", lambda row: f"{row['fsp']}-{row['onu_id']}"),
    *(Column("status"), Column("reg status", _states), Column("uptime"), Column("desc")),
    *(Column("type", "type_name"), Column("line profile", "line_profile")),
    *(
        Column("service profile", "service_profile"),
        *map(Column, ("dnrx", "catvrx", "uptx", "uprx", "upatt")),
    ),
    Column("bw", lambda row: f"{rate(row.get('dnbw'))} / {rate(row.get('upbw'))} bps"),
    *(Column("ips"), Column("distance")),
)
SERVICE_PORTS = (
    *(Column("service-port", "id"), Column("u-vlan", "user_vlan"), Column("s-vlan", "service_vlan")),
    *(Column("native", "native_vlan"), Column("outbound", "outbound_traffic_table_name")),
    Column("inbound", "inbound_traffic_table_name"),
)
REGISTRATIONS = (Column("from"), Column("to"), Column("cause"))
ALARMS = tuple(map(Column, ("level", "type", "admin_status", "name", "extra")))


def _cpe(row: Row) -> str | None:
    return row["cpe"]["name"] if row.get("cpe") else None


def _provisioned(row: Row) -> str:
    """`0/ 5/ 2:01 sn model 20/933/by/-1 /cpe0267 act=1 acc=1 add=HG8245H`."""
    ports = " ".join(
        f"{_or_none(one['user_vlan'])}/{_or_none(one['service_vlan'])}/{one['type']}"
        f"/{_or_none(one['native_vlan'])}"
        for one in row["service_ports"]
    )
    switches = f"act={_bit(row.get('active'))} acc={_bit(row.get('access'))} add={text(row.get('model'))}"
    wrong = f" != {text(row['mismatches'])}" if row.get("mismatches") else ""
    who = f"{_position(row)} {row['sn']} {text(row.get('type'))}"
    return f"{who} {ports} /{row.get('desc') or ''} {switches}{wrong}"


def _or_none(vlan: int | None) -> int:
    return -1 if vlan is None else vlan


def _bit(value: bool | None) -> str:
    return "-" if value is None else str(int(value))


# ---- commands -----------------------------------------------------------------------------------


@app.callback()
def _asker(
    context: typer.Context,
    url: Url = "http://127.0.0.1:4280",
    user: User = "demo",
    password: Password = None,
) -> None:
    context.obj = Client.asked(url, user, password)


@app.command()
def olts(context: typer.Context, include: Include = "") -> None:
    """All OLTs."""
    show(table(OLTS, context.obj.rows("gpon", "olts")), include)


@olt.callback()
def _olt(context: typer.Context, name: Olt) -> None:
    context.meta["olt"] = name


def ask(context: typer.Context, pon: Pon = None, include: Include = "") -> None:
    """What the command's name says, of the ONUs of an OLT or of one PON."""
    kind = str(context.info_name)
    path = ["gpon", "olts", context.meta["olt"]]
    if pon:
        if len(pon) != 3:
            raise typer.BadParameter("frame, slot and port, or none of them")
        path += ["frames", pon[0], "slots", pon[1], "ports", pon[2]]
    show(table(ROWS[kind], context.obj.rows(*path, "onus", kind)), include)


for _name, _doc in {
    "status": "State of each ONU.",
    "txrx": "Optical levels, in dBm and dB.",
    "bandwidth": "Traffic now, in bit/s.",
    "report": "Who they are.",
}.items():
    onus.command(_name, help=_doc)(ask)


@unconfigured.callback(invoke_without_command=True)
def waiting(context: typer.Context, include: Include = "") -> None:
    """ONUs that announce themselves and are not configured."""
    if context.invoked_subcommand is None:
        show(table(WAITING, context.obj.rows("gpon", "unconfigured")), include)


@unconfigured.command()
def enable(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID")],
    cpe: Annotated[str | None, typer.Option(help="id of the CPE; default: the one with its serial")] = None,
    force: Annotated[bool, typer.Option("--force", help="even if a validation refuses it")] = False,
) -> None:
    """Have one of them provisioned now."""
    body: Row = {"force": force, **({"cpe": cpe} if cpe else {})}
    follow(context.obj, "gpon", context.obj.post("gpon", "unconfigured", id_, "enable", body=body))


def one(
    context: typer.Context,
    value: Annotated[str, typer.Argument()],
    do: Annotated[list[str] | None, typer.Argument(metavar="[do ACTION]")] = None,
) -> None:
    """An ONU by what the command's name says: told of, or told to do something."""
    client, by = context.obj, str(context.info_name)
    sn = value if by == "by-sn" else _serial(client, by, value)
    if not do:
        _tell_onu(client.get("gpon", "onus", sn))
    elif len(do) == 2 and do[0] == "do" and do[1] in ACTIONS:
        follow(client, "gpon", client.post("gpon", "onus", sn, ACTIONS[do[1]]))
    else:
        raise typer.BadParameter(f"expected: do {'|'.join(ACTIONS)}")


for _name, _doc in {
    "by-sn": "By serial number, in either form.",
    "id": "By the id of its CPE.",
    "cpe": "By the name of its CPE.",
}.items():
    onu.command(_name, help=f"{_doc} What it may be told to do: {', '.join(ACTIONS)}.")(one)


def _serial(client: Client, by: str, value: str) -> str:
    member = {"id": "cpe", "cpe": "cpename"}[by]
    found = client.rows("gpon", "onus", **{member: value})
    if not found:
        fail(f"There is no ONU of CPE {value}.")
    return str(found[0]["sn"])


def _tell_onu(row: Row) -> None:
    show(pairs(ONU, row))
    for title, columns, rows in (
        ("service ports", SERVICE_PORTS, row.get("service_ports")),
        ("last registrations", REGISTRATIONS, row.get("registrations")),
        ("alarms", ALARMS, row.get("alarms")),
    ):
        if rows:
            show([f"\n{title}", *table(columns, rows)])


def listing(context: typer.Context, name: Olt, include: Include = "") -> None:
    """A line for each ONU of an OLT."""
    rows = context.obj.rows("gpon", "olts", name, str(context.info_name))
    show(map(_provisioned, rows), include, titles=0)


def job(context: typer.Context, name: Olt) -> None:
    """What the command's name says, followed to its end."""
    follow(context.obj, "gpon", context.obj.post("gpon", "olts", name, str(context.info_name)))


app.command("provisioned", help="What is configured on an OLT.")(listing)
app.command("mismatches", help="What of it is not as the books want it.")(listing)
app.command("provision", help="Run a provision cycle on an OLT.")(job)
app.command("snapshot", help="Read an OLT's own configuration again.")(job)
app.command("snapshot-full", help="And that of every ONU.")(job)
