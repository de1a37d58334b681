"""What docsis declares: CMTSs, their cable modems, what becomes of each CPE, alarms, changes, tasks.

Rows are what was observed last; operations below a CMTS and on a modem ask the device (contract 4). See the
README for what was decided where the public documents are silent.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field as Told

from services.common.actions import ActionReported
from services.common.alarm import alarm_resource
from services.common.audit import audit_resource
from services.common.contract import Contract, Operation, Relation, Resource, SharedWith
from services.common.cpe_info import info_of
from services.common.devices import entered
from services.common.events.contract import feed_operation, parked_resource
from services.common.events.event import Event
from services.common.events.webhooks.contract import webhook_resources
from services.common.fields import (
    ON_REQUEST,
    Boolean,
    Breakdown,
    Computed,
    Coordinate,
    Count,
    DateTime,
    Document,
    Field,
    Integer,
    Json,
    Number,
    Reference,
    Text,
    realms,
)
from services.common.task import ANSWER, OUTCOME, task_resource
from services.docsis.domain import mac
from services.docsis.domain.cable_modem import CHANNELS
from services.docsis.domain.changes import KINDS
from services.docsis.domain.configuration import QUALITIES
from services.docsis.domain.desire import STATES as PROVISIONED
from services.docsis.domain.desire import TECH
from services.docsis.domain.enumerations import STATES

RESET = "reset"
PATIENCE = 30.0
"""Seconds that a question to a device may take."""

MAC_PATTERN = r"^\s*([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}\s*$"


def _id(**more: Any) -> Integer:
    return Integer(name="id", read_only=True, minimum=1, **more)


def _cmts(**more: Any) -> tuple[Field, ...]:
    return (
        Reference(name="cmts_id", to="cmtss", column="cmts_id", read_only=True, **more),
        Text(name="cmts", column="cmts_id.name", read_only=True, searched=True, folded=False, **more),
    )


def _level(name: str, unit: str, doc: str) -> Number:
    return Number(name=name, read_only=True, null=True, unit=unit, doc=f"{unit}; {doc}")


def _told(name: str, doc: str = "", **more: Any) -> Text:
    return Text(name=name, read_only=True, null=True, doc=doc, **more)


def _number(name: str, doc: str = "") -> Integer:
    return Integer(name=name, read_only=True, null=True, doc=doc)


_REALM = Text(
    name="realm", read_only=True, null=True, folded=False, doc="of its CPE, else its CMTS's only one"
)
_MAC = Text(
    name="mac",
    read_only=True,
    searched=True,
    normalize=mac.colons,
    pattern=MAC_PATTERN,
    doc="with colons; found with or without",
)
_OWNER: tuple[Field, ...] = (
    Integer(name="cpe", read_only=True, null=True, doc="id of the CPE with this MAC"),
    Text(name="cpename", read_only=True, null=True, searched=True),
)

CMTSS = Resource(
    name="cmtss",
    singular="cmts",
    model="cmts",
    table="cmtss",
    title="CMTS",
    doc="A cable modem termination system. How we get into it, and into its modems, is written and never "
    "shown.",
    fields=(
        _id(),
        *entered.named(),
        _told("vendor", "Cisco, Casa Systems, Arris or unknown"),
        _told("model", searched=True),
        _told("software_version"),
        _told("sysdescr"),
        Text(name="state", read_only=True, choices=("up", "down", "unknown"), blank="refuse"),
        _told("error", "why it did not answer the last time, or what it could not tell"),
        _number("uptime", "seconds"),
        Document(name="mac_domains", read_only=True, null=True, doc="with their channels"),
        Document(name="upstreams", read_only=True, null=True),
        Document(name="downstreams", read_only=True, null=True),
        Document(name="fiber_nodes", read_only=True, null=True),
        Breakdown(name="cable_modems", of="cable-modems", by="cmts_id", per="state", doc="state → number"),
        Count(name="cable_modems_count", of="cable-modems", by="cmts_id"),
        Boolean(name="disable_provision", default=False, doc="its modems' files are left as they are"),
        Text(name="location", default="", max_length=255, searched=True),
        Coordinate(name="latitude", null=True, bound=90),
        Coordinate(name="longitude", null=True, bound=180),
        *entered.snmp(),
        entered.secret("snmp_write_community", "SNMP v2c; without one nothing is set on the CMTS"),
        entered.port("modem_port", 161, "of its modems' agents"),
        entered.secret("modem_community", "of its modems; without one they are not asked"),
        entered.secret("modem_write_community", "of its modems; without one they cannot be reset"),
        entered.secret("shared_secret", "that it checks configuration files with (CmtsMic)"),
        Text(
            name="quality",
            choices=QUALITIES,
            blank="refuse",
            default="1.1",
            doc="of configuration files: class of service (1.0) or service flows (1.1)",
        ),
        Integer(name="max_cpe", default=16, minimum=1, maximum=254, doc="devices behind a modem"),
        realms("cmts_realms", "cmts_id"),
        DateTime(name="observed_at", read_only=True, null=True),
        DateTime(name="created", read_only=True),
        DateTime(name="updated", read_only=True),
    ),
    scoping=SharedWith(),
    keys=("id", "name"),
    label=("name",),
    sort=("name",),
    staff_writes=True,
    events=True,
    rules="services.docsis.domain.cmts",
    logs=True,
    bulk=False,
    relations=(
        Relation(name="cable-modems", to="cable-modems", by="cmts_id", many=True, joined=False),
        Relation(name="alarms", to="alarms", by="cmts_id", many=True, joined=False),
    ),
)

CABLE_MODEMS = Resource(
    name="cable-modems",
    singular="cable_modem",
    model="cablemodem",
    table="cable_modems",
    title="Cable modem",
    doc="A cable modem as its CMTS has it, observed at `observed_at`; one modem by its MAC is asked itself.",
    fields=(
        _id(since=ON_REQUEST, doc="of this row; `registration_id` is the CMTS's number of the modem"),
        *_cmts(),
        _number("registration_id", "docsIf3CmtsCmRegStatusId; a restart of the CMTS may change it"),
        _MAC,
        Text(name="state", read_only=True, choices=STATES, blank="refuse"),
        Text(name="status", read_only=True, doc="the registration state, as the MIB names it"),
        _told("md", "MAC domain"),
        _told("fibernode"),
        Computed(
            name="ids",
            by="ids",
            needs=("md_ifindex", "md_cm_sg_id", "rcs_id", "tcs_id"),
            shape={"type": "string"},
            doc="MAC domain (ifIndex), service group, receive and transmit channel set",
        ),
        _number("md_ifindex"),
        _number("md_cm_sg_id"),
        _number("rcs_id"),
        _number("tcs_id"),
        _told("ip"),
        _told("ipv6"),
        *(
            Computed(
                name=f"{one}s",
                by="channels",
                needs=(one,),
                shape={"type": "array", "items": {"type": "string"}},
                doc="interfaces of its channels",
            )
            for one in CHANNELS
        ),
        *(
            Text(
                name=one, read_only=True, since=ON_REQUEST, folded=False, doc="`=dn.0-3-0`: with this channel"
            )
            for one in CHANNELS
        ),
        Computed(
            name="reg_tags",
            by="reg_tags",
            needs=("cmts_id.name", "md", "fibernode", "downstream", "upstream"),
            shape={"type": "array", "items": {"type": "string"}},
        ),
        Boolean(name="partial_service", column="partial", read_only=True),
        Integer(name="lacking", read_only=True, doc="channels that it was given and cannot use"),
        DateTime(name="last_reg_time", read_only=True, null=True),
        _level("dnatt", "dB", "channel power - dnrx"),
        _level("dnrx", "dBmV", "received by the modem"),
        _level("dnsnr", "dB", "at the modem"),
        _level("upatt", "dB", "uptx - uprx"),
        _level("uptx", "dBmV", "sent by the modem"),
        _level("uprx", "dBmV", "received by the CMTS"),
        _level("upsnr", "dB", "at the CMTS"),
        _level("dncorr", "%", "codewords corrected, downstream"),
        _level("dnko", "%", "codewords lost, downstream"),
        _level("upcorr", "%", "codewords corrected, upstream"),
        _level("upko", "%", "codewords lost, upstream"),
        _told("poll", "how its own last reading went: success, or the code of the error"),
        _told("vendor", searched=True),
        _told("model", "as it says itself", searched=True),
        _told("software_version"),
        _told("file", "the configuration file that it has"),
        DateTime(name="polled_at", read_only=True, null=True, doc="when it was asked itself"),
        *_OWNER,
        Text(
            name="external_id", read_only=True, null=True, searched=True, doc="of the CPE: its key in the CRM"
        ),
        _REALM,
        DateTime(name="since", read_only=True, doc="in this state"),
        DateTime(name="observed_at", read_only=True),
    ),
    keys=("mac",),
    methods=("GET",),
    sort=("id",),
    label=("mac",),
    bulk=False,
    detailed=False,
    rules="services.docsis.domain.cable_modem",
)

STATE_CHANGES = Resource(
    name="state-changes",
    singular="state_change",
    model="statechange",
    table="state_changes",
    title="State change",
    doc="What changed about a modem, and when it was seen.",
    fields=(
        _id(),
        DateTime(name="time", read_only=True),
        _MAC,
        *_cmts(),
        Text(name="kind", read_only=True, choices=KINDS, blank="refuse"),
        _told("former", "the state before"),
        _told("fibernode"),
        *_OWNER,
        _REALM,
    ),
    methods=("GET",),
    sort=("-id",),
    bulk=False,
)

ALARMS = alarm_resource(
    "a CMTS, a fiber node or a modem",
    (*_cmts(), _told("fibernode")),
    Text(name="mac", read_only=True, null=True, searched=True, normalize=mac.colons),
    "affected_modems",
    _REALM,
)

PROVISIONINGS = Resource(
    name="provisionings",
    singular="provisioning",
    model="provisioning",
    table="provisionings",
    title="Provisioning",
    doc="What the books want of a CPE's modem, and how far the network is with it.",
    fields=(
        _id(),
        Integer(name="cpe", read_only=True, minimum=1),
        Text(name="cpename", read_only=True, searched=True),
        Text(name="external_id", read_only=True, null=True, searched=True),
        Text(name="mac", read_only=True, null=True, searched=True, normalize=mac.colons),
        Text(name="state", read_only=True, choices=PROVISIONED, blank="refuse"),
        _told("reason", "why it is left alone, or waits"),
        _told("error"),
        Document(name="wanted", read_only=True, null=True, doc="access, rates in bit/s, devices behind it"),
        *_cmts(null=True),
        _told("file", "the configuration file that its modem gets"),
        Integer(name="attempts", read_only=True, minimum=0),
        DateTime(name="applied_at", read_only=True, null=True, doc="since when its modem has the file"),
        _REALM,
    ),
    methods=("GET",),
    sort=("id",),
    label=("cpename",),
    bulk=False,
)

TASK = task_resource(
    (RESET,),
    (_MAC, *_cmts(null=True), Integer(name="cpe", read_only=True, null=True)),
    _REALM,
    "Something that a modem was asked to do here, and what became of it.",
)

# ---- questions to devices -----------------------------------------------------------------------

_REFRESH: Json = {
    "refresh": {
        **Boolean(name="refresh").input_schema(),
        "description": "ask the device now, unless that was done within seconds",
    }
}
_LIST: Json = {"type": "array", "items": {"type": "object"}}
_OBJECT: Json = {"type": "object"}
DEVICE = (200, 400, 404, 502, 503, 504)
_NAMED: Json = {"cmts": {"type": "string", "description": "id or name"}}
_IFINDEX: Json = {**_NAMED, "ifindex": {"type": "string", "pattern": "^[0-9]{1,10}$"}}
_BY_MAC: Json = {"mac": {"type": "string", "pattern": MAC_PATTERN, "description": "with colons or without"}}
_HZ: Json = {"type": "integer", "minimum": 5_000_000, "maximum": 1_000_000_000}


def _asking(name: str, path: str, doc: str, response: Json, places: Json, **more: Any) -> Operation:
    return Operation(
        name=name,
        path=path,
        verbs=("GET",),
        permission="docsis.view_cablemodem",
        doc=doc,
        response=response,
        parameters=_REFRESH,
        places=places,
        statuses=DEVICE,
        seconds=PATIENCE,
        **more,
    )


OPERATIONS = (
    _asking("mac_domains", "cmtss/<cmts>/mac-domains", "MAC domains with their channels.", _LIST, _NAMED),
    _asking("mac_domain", "cmtss/<cmts>/mac-domains/<ifindex>", "One MAC domain.", _OBJECT, _IFINDEX),
    _asking("fiber_nodes", "cmtss/<cmts>/fiber-nodes", "Fiber nodes with their channels.", _LIST, _NAMED),
    _asking(
        "fiber_node",
        "cmtss/<cmts>/fiber-nodes/<name>",
        "One fiber node.",
        _OBJECT,
        {**_NAMED, "name": {"type": "string"}},
    ),
    _asking("downstreams", "cmtss/<cmts>/downstreams", "Downstream channels.", _LIST, _NAMED),
    _asking("downstream", "cmtss/<cmts>/downstreams/<ifindex>", "One of them.", _OBJECT, _IFINDEX),
    _asking("upstreams", "cmtss/<cmts>/upstreams", "Upstream channels.", _LIST, _NAMED),
    _asking("upstream", "cmtss/<cmts>/upstreams/<ifindex>", "One of them.", _OBJECT, _IFINDEX),
    Operation(
        name="upstream_frequency",
        path="cmtss/<cmts>/upstreams/<ifindex>",
        verbs=("PATCH",),
        permission="docsis.change_cmts",
        staff=True,
        doc="Moves the channel to another frequency, in Hz. Its modems range again.",
        request={
            "type": "object",
            "properties": {"freq": {"anyOf": [_HZ, {"type": "string", "pattern": "^[0-9]{7,10}$"}]}},
            "required": ["freq"],
            "additionalProperties": False,
        },
        response=_OBJECT,
        places=_IFINDEX,
        statuses=(200, 400, 403, 404, 502, 503, 504),
        seconds=PATIENCE,
    ),
    _asking(
        "cable_modem",
        "cable-modems/<mac>",
        "A modem now, as its CMTS hears it and as it says itself.",
        _OBJECT,
        _BY_MAC,
    ),
    _asking(
        "cmts_cable_modem",
        "cmtss/<cmts>/cable-modems/<mac>",
        "A modem of this CMTS now.",
        _OBJECT,
        {**_NAMED, **_BY_MAC},
    ),
    Operation(
        name="cable_modem_reset",
        path=f"cable-modems/<mac>/{RESET}",
        verbs=("POST",),
        permission="docsis.change_cablemodem",
        doc="Restarts the modem.",
        places=_BY_MAC,
        response=ANSWER,
        statuses=(202, 400, 404),
        outcome=OUTCOME,
    ),
    feed_operation("docsis"),
)

# ---- events -------------------------------------------------------------------------------------


class ModemEvent(Event):
    """What changed about a modem, once for each change."""

    subject = "cable-modems"

    mac: str = Told(examples=["0a:00:cb:83:41:4d"])
    cmts: str = Told(examples=["cmtsNorte"])
    registration_id: int | None = Told(description="the CMTS's number of it", examples=[29])
    state: Literal[*STATES] = Told(examples=["online"])  # type: ignore[valid-type]
    former: str | None = Told(description="the state before; null: it was not known", examples=["ranging"])
    status: str = Told(description="the registration state, as the MIB names it", examples=["operational"])
    md: str | None = Told(description="MAC domain", examples=["catv-mac.1"])
    fibernode: str | None = Told(examples=["nodo1"])
    ip: str | None = Told(examples=["10.0.32.48"])
    lacking: int = Told(description="channels that it was given and cannot use", examples=[0])
    cpe: int | None = Told(description="id of the CPE with this MAC")
    cpename: str | None
    external_id: str | None = Told(description="of the CPE, in the CRM")
    time: dt.datetime = Told(description="when it was seen")


class ModemOnline(ModemEvent):
    type = "modem.online"
    doc = "A modem is registered and carries traffic."


class ModemOffline(ModemEvent):
    type = "modem.offline"
    doc = "Its CMTS does not hear a modem any more."


class ModemRanging(ModemEvent):
    type = "modem.ranging"
    doc = "A modem is on its way: ranging, getting an address, its file, or registering."


class ModemBlocked(ModemEvent):
    type = "modem.blocked"
    doc = "A modem is registered, and may not carry traffic."


class ModemPartialService(ModemEvent):
    type = "modem.partial_service"
    doc = "A modem cannot use all of the channels that it was given."


class ModemFullService(ModemEvent):
    type = "modem.full_service"
    doc = "A modem can use all of its channels again."


class ModemProvisioned(Event):
    type = "modem.provisioned"
    subject = "provisionings"
    doc = "A CPE's modem has the configuration file that the books want."

    cpe: int
    cpename: str
    external_id: str | None = Told(description="of the CPE, in the CRM")
    mac: str = Told(examples=["0a:00:cb:83:41:4d"])
    file: str = Told(examples=["0a00cb83414d.cm"])
    access: bool
    downstream: int | None = Told(description="bit/s; null: unlimited", examples=[100_000_000])
    upstream: int | None = Told(description="bit/s; null: unlimited", examples=[20_000_000])


class CmtsEvent(Event):
    """About a CMTS as a whole."""

    subject = "cmtss"

    id: int
    name: str
    state: str = Told(examples=["down"])
    error: str | None = Told(examples=["The device did not answer in time."])
    realms: tuple[str, ...] = Told(description="only for these; none: for all", examples=[[]])


class CmtsUnreachable(CmtsEvent):
    type = "cmts.unreachable"
    doc = "The CMTS does not answer."


class CmtsReachable(CmtsEvent):
    type = "cmts.reachable"
    doc = "The CMTS answers again."


MODEM_EVENTS: dict[str, type[ModemEvent]] = {
    one.type.removeprefix("modem."): one
    for one in (
        *(ModemOnline, ModemOffline, ModemRanging, ModemBlocked),
        *(ModemPartialService, ModemFullService),
    )
}
"""By what changed."""

CONTRACT = Contract(
    name="docsis",
    title="DOCSIS",
    doc="CMTSs, the cable modems behind them, and the configuration files of subscribers' modems.",
    resources=(
        *(CMTSS, CABLE_MODEMS, STATE_CHANGES, ALARMS, PROVISIONINGS, TASK),
        *(audit_resource(), parked_resource(), *webhook_resources()),
    ),
    operations=OPERATIONS,
    answers=(info_of(TECH),),
    events=(
        ActionReported,
        *MODEM_EVENTS.values(),
        *(ModemProvisioned, CmtsUnreachable, CmtsReachable),
    ),
)
