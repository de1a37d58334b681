"""What gpon declares: OLTs, PONs, ONUs, those that wait, what becomes of each CPE, alarms, tasks, NAPs.

Rows are what was observed last; operations below an OLT's ports ask the device now (contract 3). See the
README for what was decided where the public documents are silent.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field as Told

from services.common.actions import ActionReported
from services.common.alarm import alarm_resource
from services.common.audit import audit_resource
from services.common.contract import (
    Contract,
    Everyone,
    Operation,
    Relation,
    Resource,
    SharedWith,
    Through,
)
from services.common.cpe_info import info_of
from services.common.devices import entered
from services.common.events.contract import feed_operation, parked_resource
from services.common.events.event import Event
from services.common.events.webhooks.contract import webhook_resources
from services.common.fields import (
    ON_REQUEST,
    AllOf,
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
    Shown,
    Text,
    realms,
)
from services.common.task import ANSWER, task_resource
from services.common.types import serial_number
from services.gpon.domain import naming, provisioning

VENDORS = ("huawei", "zte", "generic")
ONU_STATES = ("online", "offline", "losi", "lofi", "dyinggasp", "alarm")
TASKS = (
    *("provision", "snapshot", "snapshot-full", "enable"),
    *("reboot", "factory", "unprovision", "reprovision"),
)
ONU_ACTIONS = ("reboot", "factory", "unprovision", "reprovision")
PATIENCE = 30.0
"""Seconds that a question to a device may take."""


_PARTS = ("frame", "slot", "port")


def _id() -> Integer:
    return Integer(name="id", read_only=True, minimum=1)


def _olt() -> tuple[Field, ...]:
    return (
        Reference(name="olt_id", to="olts", column="olt_id", read_only=True),
        Text(name="olt", column="olt_id.name", read_only=True, searched=True),
    )


def _sn(name: str = "sn", **more: Any) -> Text:
    """A serial, found by its 16 hex digits and by the printed form."""
    return Text(name=name, read_only=True, normalize=serial_number, **more)


def _fsp(**more: Any) -> Text:
    return Text(name="fsp", read_only=True, normalize=naming.fsp, doc="frame/slot/port", **more)


def _position(**more: Any) -> Text:
    return Text(name="position", read_only=True, normalize=naming.located, doc="frame/slot/port-onu", **more)


def _on_pon() -> tuple[Field, ...]:
    return (
        _fsp(sorts=_PARTS),
        Integer(name="frame", read_only=True, minimum=0),
        Integer(name="slot", read_only=True, minimum=0),
        Integer(name="port", read_only=True, minimum=0),
    )


def _level(name: str, unit: str, doc: str) -> Number:
    return Number(name=name, read_only=True, null=True, unit=unit, doc=f"{unit}; {doc}")


_REALM = Text(
    name="realm", read_only=True, null=True, folded=False, doc="of its CPE, else its OLT's only one"
)
_PLACE: tuple[Field, ...] = (
    Coordinate(name="latitude", null=True, bound=90),
    Coordinate(name="longitude", null=True, bound=180),
)

OLTS = Resource(
    name="olts",
    singular="olt",
    model="olt",
    table="olts",
    title="OLT",
    doc="An optical line terminal. How we get into it is written and never shown.",
    fields=(
        _id(),
        *entered.named(),
        Text(name="vendor", null=True, blank="null", choices=VENDORS, doc="null: found out by asking"),
        Text(name="model", read_only=True, null=True, searched=True),
        Text(name="software_version", read_only=True, null=True),
        Text(name="sysdescr", read_only=True, null=True),
        Text(name="state", read_only=True, choices=("up", "down", "unknown"), blank="refuse"),
        Text(
            name="error",
            read_only=True,
            null=True,
            doc="why it did not answer the last time, or what it could not tell",
        ),
        Integer(name="uptime", read_only=True, null=True, doc="seconds"),
        _level("temperature", "°C", "the hottest board"),
        _level("cpu", "%", "the busiest board"),
        Boolean(name="disable_provision", default=False, doc="nothing is provisioned, changed or removed"),
        Text(
            name="line_profile",
            default="",
            max_length=64,
            doc="of the OLT; blank: as the CPE says",
        ),
        Text(
            name="service_profile",
            default="",
            max_length=64,
            doc="of the OLT; blank: the model's name",
        ),
        Integer(name="max_onus", default=128, minimum=1, maximum=1024, doc="on one PON, before it alarms"),
        Text(name="location", default="", max_length=255, searched=True),
        *_PLACE,
        *entered.snmp(),
        entered.port("ssh_port", 22),
        Text(name="ssh_username", null=True, blank="null", max_length=64),
        entered.secret("ssh_password", "without one nothing is written to the device"),
        Text(
            name="ssh_host_key",
            null=True,
            blank="null",
            max_length=2048,
            folded=False,
            doc="pinned on the first login; set it, or blank it, after a change that is known",
        ),
        Count(name="ports", of="pons", by="olt_id"),
        Breakdown(name="onus", of="onus", by="olt_id", per="state", doc="registration state → number"),
        Count(name="unconfigured", of="unconfigured", by="olt_id"),
        realms("olt_realms", "olt_id"),
        DateTime(name="observed_at", read_only=True, null=True),
        DateTime(name="loaded_at", read_only=True, null=True, doc="when its configuration was read whole"),
        DateTime(name="created", read_only=True),
        DateTime(name="updated", read_only=True),
    ),
    scoping=SharedWith(),
    keys=("id", "name"),
    label=("name",),
    sort=("name",),
    staff_writes=True,
    events=True,
    rules="services.gpon.domain.olt",
    logs=True,
    bulk=False,
    relations=(
        Relation(name="pons", to="pons", by="olt_id", many=True, joined=False),
        Relation(name="alarms", to="alarms", by="olt_id", many=True, joined=False),
    ),
)

PONS = Resource(
    name="pons",
    singular="pon",
    model="pon",
    table="pons",
    title="PON",
    fields=(
        _id(),
        *_olt(),
        *_on_pon(),
        Integer(name="ifindex", read_only=True, null=True),
        Text(name="type", read_only=True, choices=("gpon", "xgspon", "combo", "epon"), blank="refuse"),
        Text(name="admin_state", read_only=True, null=True),
        Text(name="oper_state", read_only=True, null=True),
        _level("tx_power", "dBm", "of the optical module"),
        _level("bias", "mA", "of its laser"),
        _level("temperature", "°C", "of the module"),
        _level("voltage", "V", "of the module"),
        DateTime(name="observed_at", read_only=True, null=True),
    ),
    scoping=Through(field="olt_id"),
    methods=("GET",),
    sort=("id",),
    label=("fsp",),
    bulk=False,
    staff=True,
)

ONUS = Resource(
    name="onus",
    singular="onu",
    model="onu",
    table="onus",
    title="ONU",
    doc="An optical network unit as its OLT has it, observed at `observed_at`.",
    fields=(
        _id(),
        *_olt(),
        *_on_pon(),
        Integer(name="onu_id", read_only=True, minimum=0),
        _position(searched=True, sorts=(*_PARTS, "onu_id")),
        _sn(null=True, searched=True, doc="16 hex digits"),
        Text(name="type", read_only=True, null=True, searched=True),
        Text(name="desc", column="description", read_only=True, null=True, searched=True),
        Text(name="line_profile", read_only=True, null=True),
        Text(name="service_profile", read_only=True, null=True),
        Text(name="status", read_only=True, choices=("online", "offline"), blank="refuse"),
        Text(name="state", read_only=True, choices=ONU_STATES, blank="refuse"),
        Document(name="registration_state", column="states", read_only=True),
        Text(name="raw_status", read_only=True, null=True, doc="in the OLT's own words"),
        DateTime(name="last_up_time", read_only=True, null=True),
        DateTime(name="last_down_time", read_only=True, null=True),
        Text(name="last_down_cause", read_only=True, null=True),
        Computed(
            name="uptime",
            by="uptime",
            needs=("status", "last_up_time", "observed_at"),
            shape={"type": ["integer", "null"]},
            doc="seconds, when it was observed",
        ),
        Integer(name="distance", read_only=True, null=True, doc="metres"),
        Document(name="ips", read_only=True),
        Text(name="hardware_version", read_only=True, null=True),
        Text(name="software_version", read_only=True, null=True),
        _level("dntx", "dBm", "sent by the OLT"),
        _level("dnrx", "dBm", "received by the ONU"),
        _level("dnatt", "dB", "dntx - dnrx"),
        _level("uptx", "dBm", "sent by the ONU"),
        _level("uprx", "dBm", "received by the OLT"),
        _level("upatt", "dB", "uptx - uprx"),
        _level("tvrx", "dBm", "cable television"),
        _level("pondesv", "dB", "deviation of dnrx from the others of its PON"),
        DateTime(name="optics_at", read_only=True, null=True, doc="when the levels were read"),
        Integer(name="cpe", read_only=True, null=True, doc="id of the CPE with this serial"),
        Text(name="cpename", read_only=True, null=True, searched=True),
        _REALM,
        DateTime(name="observed_at", read_only=True),
    ),
    methods=("GET",),
    sort=("id",),
    label=("sn",),
    bulk=False,
    detailed=False,
    rules="services.gpon.domain.observing",
)

UNCONFIGURED = Resource(
    name="unconfigured",
    singular="unconfigured_onu",
    model="unconfiguredonu",
    table="unconfigured",
    title="Unconfigured ONU",
    doc="An ONU that announces itself and is not configured. It leaves the list after two readings without "
    "it. `refresh=true` asks the OLTs first.",
    paths=("installer/gpon/unconfigured",),
    fields=(
        _id(),
        _sn(searched=True),
        _sn("serial_number", column="sn"),
        Text(name="index", read_only=True, doc="of its PON, as SNMP has it"),
        Text(name="onu_type", read_only=True, null=True, searched=True),
        Text(name="model", column="onu_type", read_only=True, null=True),
        *_olt(),
        DateTime(name="time", column="pending_since", read_only=True),
        DateTime(name="pending_since", read_only=True),
        _fsp(sorts=_PARTS),
        Shown(name="frame", by="frame", needs=("frame",), shape={"type": "string"}, doc="`0`"),
        Shown(name="slot", by="two_digits", needs=("slot",), shape={"type": "string"}, doc="`05`"),
        Shown(name="port", by="two_digits", needs=("port",), shape={"type": "string"}, doc="`02`"),
        Text(name="hardware_version", read_only=True, null=True),
        Text(name="software_version", read_only=True, null=True),
        Computed(
            name="hardware_software_version",
            by="versions",
            needs=("hardware_version", "software_version"),
            shape={"type": ["string", "null"]},
        ),
        Boolean(name="disable_provision", read_only=True, doc="of its CPE, or of its OLT"),
        Text(name="validation_error", read_only=True, null=True),
        Shown(
            name="cpe",
            by="cpe",
            needs=("cpe", "cpename"),
            shape={
                "type": ["object", "null"],
                "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
            },
            doc="the CPE with this serial; found by its id",
        ),
        AllOf(name="has_cpe", of=("cpe?",), since=ON_REQUEST),
        Text(name="last_error", read_only=True, null=True),
        _REALM,
    ),
    methods=("GET",),
    sort=("fsp",),
    label=("sn",),
    rules="services.gpon.domain.waiting",
    bulk=False,
    operations=(
        Operation(
            name="enable",
            verbs=("POST",),
            doc="Has the ONU provisioned now, even where provisioning is blocked for it.",
            request={
                "type": "object",
                "properties": {
                    "cpe": {
                        "type": ["integer", "string"],
                        "description": "id of the CPE; default: by serial",
                    },
                    "force": {
                        **Boolean(name="force").input_schema(),
                        "description": "whatever validations say",
                    },
                },
                "additionalProperties": False,
            },
            response={"type": "object", "required": ["task_id", "status"]},
            statuses=(202, 400, 404, 409, 422),
        ),
    ),
)

REGISTRATIONS = Resource(
    name="registrations",
    singular="registration",
    model="registration",
    table="registrations",
    title="Registration",
    doc="When an ONU was up, and why it went down.",
    fields=(
        _id(),
        *_olt(),
        _sn(searched=True),
        _position(),
        DateTime(name="from", column="started", read_only=True),
        DateTime(name="to", column="ended", read_only=True, null=True, doc="null: still up"),
        Text(name="cause", read_only=True, null=True),
        _REALM,
    ),
    methods=("GET",),
    sort=("-id",),
    bulk=False,
)

ALARMS = alarm_resource(
    "an OLT, a PON or an ONU",
    (
        *_olt(),
        _fsp(null=True),
        Integer(name="onu_id", read_only=True, null=True),
    ),
    _sn(null=True, searched=True),
    "affected_onus",
    _REALM,
)

PROVISIONINGS = Resource(
    name="provisionings",
    singular="provisioning",
    model="provisioning",
    table="provisionings",
    title="Provisioning",
    doc="What the books want of a CPE's ONU, and how far the network is with it.",
    fields=(
        _id(),
        Integer(name="cpe", read_only=True, minimum=1),
        Text(name="cpename", read_only=True, searched=True),
        _sn(null=True, searched=True),
        Text(name="state", read_only=True, choices=provisioning.STATES, blank="refuse"),
        Text(name="reason", read_only=True, null=True, doc="why it is left alone"),
        Text(name="error", read_only=True, null=True),
        Reference(name="olt_id", to="olts", column="olt_id", read_only=True, null=True),
        Text(name="olt", column="olt_id.name", read_only=True, null=True, searched=True),
        _position(null=True),
        Document(name="step", read_only=True, null=True, doc="the command that is being sent"),
        Document(
            name="drift", read_only=True, doc="what was found to differ on the OLT and is not mended yet"
        ),
        Reference(name="nap", to="naps", read_only=True, null=True),
        Integer(name="attempts", read_only=True, minimum=0),
        DateTime(name="applied_at", read_only=True, null=True),
        _REALM,
    ),
    methods=("GET",),
    sort=("id",),
    label=("cpename",),
    bulk=False,
)

TASK = task_resource(
    TASKS,
    (
        Reference(name="olt_id", to="olts", column="olt_id", read_only=True, null=True),
        Text(name="olt", column="olt_id.name", read_only=True, null=True),
        _fsp(null=True),
        _sn(null=True),
        Integer(name="cpe", read_only=True, null=True),
        Document(name="result", read_only=True, null=True),
    ),
    _REALM,
    "Something that an OLT or an ONU was asked to do here, and what became of it.",
)

SERVICES = Resource(
    name="services",
    singular="service",
    model="service",
    table="services",
    title="Service",
    doc="A row of the VLAN map: a service port that CPEs with this line profile get. Where a realm has rows "
    "of its own for a line profile, its CPEs get those in place of the common ones.",
    fields=(
        _id(),
        Text(
            name="line_profile",
            default="",
            max_length=64,
            folded=False,
            doc="of the CPE; blank: for line profiles without rows of their own",
        ),
        Text(name="service", required=True, blank="refuse", choices=provisioning.SERVICES),
        Integer(name="gem", required=True, minimum=0, maximum=4095, doc="GEM port of the OLT's line profile"),
        Integer(name="service_vlan", required=True, minimum=1, maximum=4094, doc="S-VLAN"),
        Integer(name="user_vlan", null=True, minimum=1, maximum=4094, doc="C-VLAN; null: untagged"),
        Text(
            name="inbound", default="", max_length=64, doc="traffic table; blank: the CPE's upstream profile"
        ),
        Text(name="outbound", default="", max_length=64, doc="traffic table; blank: its downstream profile"),
        Integer(name="native_port", null=True, minimum=1, maximum=24, doc="Ethernet port that is untagged"),
        realms("service_realms", "service_id", late=True),
    ),
    scoping=SharedWith(),
    staff_writes=True,
    events=True,
    label=("line_profile", "service"),
    bulk=False,
    rules="services.gpon.domain.vlan_map",
)

VALIDATIONS = Resource(
    name="validations",
    singular="validation",
    model="validation",
    table="validations",
    title="Validation",
    doc="Which hardware and software of a model may be provisioned. A model with rows that allow needs one "
    "that fits; a row that does not allow refuses what fits it. For all realms: changed by superusers only.",
    fields=(
        _id(),
        Text(name="model", required=True, blank="refuse", max_length=64, searched=True),
        Text(name="hardware_version", default="", max_length=64, doc="blank: any"),
        Text(name="software_version", default="", max_length=64, doc="blank: any"),
        Boolean(name="allowed", default=True),
        Text(name="note", default="", max_length=255, searched=True),
    ),
    scoping=Everyone(),
    staff_writes=True,
    events=True,
    label=("model", "software_version"),
)

NAPS = Resource(
    name="naps",
    singular="nap",
    model="nap",
    table="naps",
    title="NAP",
    doc="A network access point (CTO): the box that drops start from. CPEs name it in `topology`, by name or "
    "by UUID.",
    fields=(
        _id(),
        Text(name="name", required=True, blank="refuse", max_length=128, searched=True),
        Text(name="uuid", null=True, blank="null", max_length=64, searched=True),
        Integer(name="capacity", default=8, minimum=1, maximum=1024),
        Count(name="used", of="provisionings", by="nap"),
        Reference(name="olt_id", to="olts", column="olt_id", null=True, doc="the OLT that feeds it"),
        Text(name="fsp", null=True, blank="null", max_length=32, doc="the PON that feeds it"),
        Text(name="address", default="", max_length=255, searched=True),
        *_PLACE,
        Text(name="external_id", null=True, blank="null", max_length=256, searched=True),
        Text(name="realm", max_length=32, blank="refuse", create_only=True, folded=False, doc="tenant"),
        DateTime(name="created", read_only=True),
        DateTime(name="updated", read_only=True),
    ),
    keys=("id", "external_id"),
    label=("name",),
    events=True,
    imported=True,
    logs=True,
    paths=("gis/naps",),
)

# ---- questions to devices -----------------------------------------------------------------------

_PART: Json = {"type": "string", "pattern": r"^0*[0-9]{1,5}$"}
_REFRESH: Json = {
    "refresh": {
        **Boolean(name="refresh").input_schema(),
        "description": "ask the device now, unless that was done within seconds; without it answers come "
        "from what was observed last, where that is recent",
    }
}
_SN: Json = {"type": "string", "description": "16 hex digits, or the printed form (HWTC1426779a)"}
_TREE = {"frame": _PART, "slot": _PART, "port": _PART}
_LIST: Json = {"type": "array", "items": {"type": "object"}}
_OBJECT: Json = {"type": "object"}
DEVICE = (200, 400, 404, 502, 503, 504)
ROWS = ("status", "txrx", "bandwidth", "report")

_ROW_DOCS = {
    "status": "Registration state of the ONUs, as the OLT sees them now.",
    "txrx": "Optical levels of the ONUs, in dBm and dB. Those that are down have their identity only.",
    "bandwidth": "Traffic of the ONUs now, in bit/s.",
    "report": "Who the ONUs are, and whether they are up.",
}


def _asking(name: str, path: str, doc: str, response: Json, places: Json, **more: Any) -> Operation:
    return Operation(
        name=name,
        path=path,
        verbs=("GET",),
        permission="gpon.view_onu",
        doc=doc,
        response=response,
        parameters=_REFRESH,
        places=places,
        statuses=DEVICE,
        seconds=PATIENCE,
        **more,
    )


_PON = "olts/<olt>/frames/<frame>/slots/<slot>/ports/<port>"
_NAMED: Json = {"olt": {"type": "string", "description": "id or name"}}
_AT = {**_NAMED, **_TREE}


def _job(name: str, path: str, doc: str, places: Json) -> Operation:
    return Operation(
        name=name,
        path=path,
        verbs=("POST",),
        permission="gpon.change_onu",
        doc=doc,
        places=places,
        response=ANSWER,
        statuses=(202, 400, 404, 409),
    )


OPERATIONS = (
    *(_asking(f"pon_{one}", f"{_PON}/onus/{one}", _ROW_DOCS[one], _LIST, _AT) for one in ROWS),
    *(_asking(f"olt_{one}", f"olts/<olt>/onus/{one}", _ROW_DOCS[one], _LIST, _NAMED) for one in ROWS),
    _asking("pon_onus", f"{_PON}/onus", "The ONUs of a PON, as their OLT has them now.", _LIST, _AT),
    _asking(
        "pon_onu",
        f"{_PON}/onus/<onu_id>",
        "One ONU, with registrations, alarms and service ports.",
        _OBJECT,
        {**_AT, "onu_id": _PART},
    ),
    _asking("frames", "olts/<olt>/frames", "The frames of an OLT.", _LIST, _NAMED),
    _asking(
        "frame", "olts/<olt>/frames/<frame>", "A frame and its slots.", _OBJECT, {**_NAMED, "frame": _PART}
    ),
    _asking("slots", "olts/<olt>/frames/<frame>/slots", "Its slots.", _LIST, {**_NAMED, "frame": _PART}),
    _asking(
        "slot",
        "olts/<olt>/frames/<frame>/slots/<slot>",
        "A slot and its ports.",
        _OBJECT,
        {**_NAMED, "frame": _PART, "slot": _PART},
    ),
    _asking(
        "ports",
        "olts/<olt>/frames/<frame>/slots/<slot>/ports",
        "The PONs of a slot.",
        _LIST,
        {**_NAMED, "frame": _PART, "slot": _PART},
    ),
    _asking("pon", _PON, "A PON, with its ONUs counted.", _OBJECT, _AT),
    _asking(
        "onu",
        "onus/<sn>",
        "One ONU by its serial, with registrations, alarms, service ports and its CPE.",
        _OBJECT,
        {"sn": _SN},
    ),
    _asking("provisioned", "olts/<olt>/provisioned", "What is configured on the OLT.", _LIST, _NAMED),
    _asking("mismatches", "olts/<olt>/mismatches", "What of it is not what the books want.", _LIST, _NAMED),
    _job("provision", "olts/<olt>/provision", "Runs a provision cycle.", _NAMED),
    _job("snapshot", "olts/<olt>/snapshot", "Reads its boards, ports and waiting ONUs again.", _NAMED),
    _job("snapshot_full", "olts/<olt>/snapshot-full", "Reads every ONU again, too.", _NAMED),
    _job("pon_snapshot", f"{_PON}/snapshot", "Reads a PON again.", _AT),
    *(
        _job(f"onu_{kind}", f"onus/<sn>/{kind}", f"Asks the ONU for `{kind}`.", {"sn": _SN})
        for kind in ONU_ACTIONS
    ),
    feed_operation("gpon"),
)

# ---- events -------------------------------------------------------------------------------------


class OnuEvent(Event):
    """About one ONU; the subject is its serial number."""

    subject = "onus"

    sn: str = Told(examples=["48575443aabbcc01"])
    olt: str = Told(examples=["oltNorte"])
    fsp: str = Told(description="frame/slot/port", examples=["0/5/2"])
    onu_id: int | None = Told(description="null: not configured", examples=[7])
    cpe: int | None = Told(description="id of the CPE with this serial")
    cpename: str | None
    external_id: str | None = Told(description="of the CPE, in the CRM")
    time: dt.datetime = Told(description="when it was seen or done")


class OnuState(OnuEvent):
    """A change of an ONU's registration state."""

    state: Literal[*ONU_STATES] = Told(examples=["online"])  # type: ignore[valid-type]
    cause: str | None = Told(description="why it went down, in the OLT's words", examples=[None])
    dnrx: float | None = Told(description="dBm", examples=[-21.4])


class OnuOnline(OnuState):
    type = "onu.online"
    doc = "An ONU is up."


class OnuOffline(OnuState):
    type = "onu.offline"
    doc = "An ONU is down, and its OLT does not say why."


class OnuLos(OnuState):
    type = "onu.los"
    doc = "An ONU is down: its light does not arrive (a broken fibre, most often)."


class OnuDyingGasp(OnuState):
    type = "onu.dying_gasp"
    doc = "An ONU is down: it said that it has no power."


class OnuAlarm(OnuState):
    type = "onu.alarm"
    doc = "An ONU is registered and not well."


class OnuDiscovered(OnuEvent):
    type = "onu.discovered"
    doc = "An ONU that is not configured announces itself."
    model: str | None = Told(examples=["EG8145V5"])


class OnuStep(OnuEvent):
    """A command to the OLT that was done."""

    detail: dict[str, Any] = Told(description="what it was done with", examples=[{}])


class OnuAdded(OnuStep):
    type = "onu.added"
    doc = "The ONU was added to its OLT."


class OnuRemoved(OnuStep):
    type = "onu.removed"
    doc = "The ONU is gone from its OLT."


class OnuServiceAdded(OnuStep):
    type = "onu.service_added"
    doc = "A service port was made."


class OnuServiceRemoved(OnuStep):
    type = "onu.service_removed"
    doc = "A service port was taken away."


class OnuChanged(OnuStep):
    type = "onu.changed"
    doc = "Profiles, description, native VLAN or RF of the ONU were set."


class OnuProvisioned(OnuEvent):
    type = "onu.provisioned"
    doc = "The OLT has the ONU as the books want it."


class OnuFailed(OnuEvent):
    type = "onu.provision_failed"
    doc = "The OLT could not be brought to what the books want; it is tried again."
    error: str
    code: str = Told(examples=["device_silent"])


class OltEvent(Event):
    """About an OLT as a whole."""

    subject = "olts"

    id: int
    name: str
    state: str = Told(examples=["down"])
    error: str | None = Told(examples=["The device did not answer in time."])
    realms: tuple[str, ...] = Told(description="only for these; none: for all", examples=[[]])


class OltUnreachable(OltEvent):
    type = "olt.unreachable"
    doc = "The OLT does not answer."


class OltReachable(OltEvent):
    type = "olt.reachable"
    doc = "The OLT answers again."


class PonOutage(OltEvent):
    type = "pon.outage"
    doc = "Many ONUs of a PON went down at once; told once, besides the event of each."
    fsp: str = Told(examples=["0/5/2"])
    affected_onus: int
    cause: str | None = Told(description="the commonest of theirs", examples=["dyinggasp"])


EVENTS = (
    *(ActionReported, OnuOnline, OnuOffline, OnuLos, OnuDyingGasp, OnuAlarm, OnuDiscovered),
    *(OnuAdded, OnuRemoved, OnuServiceAdded, OnuServiceRemoved, OnuChanged, OnuProvisioned, OnuFailed),
    *(OltUnreachable, OltReachable, PonOutage),
)

CONTRACT = Contract(
    name="gpon",
    title="GPON",
    group="gpon_provision",
    doc="OLTs, their PONs and ONUs, and how subscribers' ONUs get onto them.",
    resources=(
        *(OLTS, PONS, ONUS, UNCONFIGURED, REGISTRATIONS, ALARMS, PROVISIONINGS, TASK),
        *(SERVICES, VALIDATIONS, NAPS, audit_resource(), parked_resource(), *webhook_resources()),
    ),
    operations=OPERATIONS,
    answers=(info_of("gpon", seconds=PATIENCE),),
    events=EVENTS,
)
