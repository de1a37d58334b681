"""What isp declares: customers, CPEs, telephone ports, profiles, models, contexts, pick lists and actions.

Field order is the wire order of the real product. See the README for what was decided where the
public documents are silent.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field as Told

from services.common import types
from services.common.audit import audit_resource
from services.common.contract import (
    Contract,
    InRealm,
    Legacy,
    LegacyNested,
    Operation,
    Outcome,
    Relation,
    Resource,
    SharedWith,
    Within,
)
from services.common.events.contract import feed_operation, parked_resource
from services.common.events.event import Event
from services.common.events.webhooks.contract import webhook_resources
from services.common.fields import (
    ON_REQUEST,
    AllOf,
    Boolean,
    Breakdown,
    Children,
    Computed,
    Concat,
    Coordinate,
    Count,
    Date,
    DateTime,
    Document,
    Field,
    Integer,
    Json,
    Members,
    Reference,
    Text,
    realms,
)
from services.isp.domain import action, provisioning

TECHNOLOGIES = ("gpon", "docsis", "wimax", "voip", "ethernet", "ghn", "lte", "wifi")
ADDRESS_PROFILES = ("public", "nat", "fixed")
LANGUAGES = ("es", "en", "fr", "de", "it", "pt")
DTMF_MODES = ("auto", "inband", "rfc2833", "info")

# Levels at which newer releases of the real product added members (2023: the public overview).
LOCALITY = 2024
BITSTREAM = 2025
BILLING = 2026


def _id() -> Integer:
    return Integer(name="id", read_only=True, minimum=1)


def _links(doc: str, *groups: str, needs: tuple[str, ...] = ("id",)) -> Computed:
    strings = {"type": "object", "additionalProperties": {"type": "string"}}
    shape = {"type": "object", "properties": dict.fromkeys(groups, strings), "required": list(groups)}
    return Computed(name="_links", by="links", needs=needs, keyed=True, doc=doc, shape=shape)


def _place() -> dict[str, Field]:
    return {
        "address": Text(name="address", default="", max_length=255, searched=True),
        "city": Text(name="city", default="", max_length=128, searched=True),
        "country": Text(name="country", null=True, max_length=64),
        "locality": Text(name="locality", default="", max_length=128, searched=True, since=LOCALITY),
        "latitude": Coordinate(name="latitude", null=True, bound=90),
        "longitude": Coordinate(name="longitude", null=True, bound=180),
        "postalcode": Text(
            name="postalcode",
            null=True,
            max_length=16,
            normalize=types.postal_code,
            pattern=r"^\s*[0-9-]*\s*$",
        ),
        "external_id": Text(
            name="external_id",
            null=True,
            blank="null",
            max_length=256,
            searched=True,
            doc="key in the CRM, unique in its realm",
        ),
        "realm": Text(
            name="realm", max_length=32, blank="refuse", create_only=True, folded=False, doc="tenant"
        ),
        "created": DateTime(name="created", read_only=True),
        "updated": DateTime(name="updated", read_only=True),
    }


_PLACE = _place()

_OPTIONAL_TEXT: dict[str, Any] = {"null": True, "max_length": 64}

CPE_FIELDS: tuple[Field, ...] = (
    _id(),
    Boolean(name="access", default=True, doc="may get an Internet address; false cuts it (non-payment)"),
    _PLACE["address"],
    Boolean(name="active", default=True, doc="registered in the service"),
    Text(name="address_profile", null=True, choices=ADDRESS_PROFILES),
    Boolean(name="bridge", default=False),
    _PLACE["city"],
    _PLACE["country"],
    Text(name="cpename", column="internal_id", read_only=True, searched=True, doc="host name in monitoring"),
    _PLACE["created"],
    Reference(name="customer", to="customers", required=True),
    Boolean(name="disable_provision", default=False, doc="no automatic provisioning of any kind"),
    Boolean(name="disable_reconfig", default=False, doc="no configuration change over TR-069"),
    Date(name="expiration_date", null=True, doc="on this day access is cut"),
    Text(
        name="dsn",
        null=True,
        max_length=64,
        normalize=types.lower,
        searched=True,
        doc="device serial that pairs ONT and TR-069",
    ),
    Boolean(name="enable_notifications", default=False),
    _PLACE["external_id"],
    Boolean(name="external_voip", default=False, doc="lines register on a third party's SIP server"),
    Text(
        name="fixed_address",
        null=True,
        blank="null",
        normalize=types.ipv4,
        pattern=r"^\s*([0-9.]{7,15})?\s*$",
    ),
    Boolean(name="has_tr069", column="model.tr069", read_only=True),
    Text(name="internal_id", read_only=True, searched=True, doc="<realm><number, four digits at least>"),
    Boolean(
        name="is_bitstream", read_only=True, since=BITSTREAM, doc="served over another operator's network"
    ),
    _PLACE["latitude"],
    Text(name="line_profile", doc="VLAN map; bitstream:<owner> over another operator", **_OPTIONAL_TEXT),
    _PLACE["locality"],
    _PLACE["longitude"],
    Text(
        name="mac",
        null=True,
        blank="null",
        normalize=types.mac,
        searched=True,
        unique=True,
        pattern=r"^\s*([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}\s*$|^$",
    ),
    Reference(name="model", to="models", textual=True, required=True),
    Text(name="mtamac", null=True, blank="null", normalize=types.mac, searched=True),
    Text(name="notes", default="", max_length=65_536, searched=True),
    _PLACE["postalcode"],
    Boolean(name="probe", default=False),
    Text(name="pppoe_password", default="", max_length=128, secret=True),
    Text(name="pppoe_username", null=True, max_length=128, searched=True),
    Reference(name="profile", to="cpe-profiles", null=True),
    _PLACE["realm"],
    Text(
        name="remote_id",
        null=True,
        max_length=30,
        searched=True,
        doc="DHCP option 82 remote id or wholesale id",
    ),
    Text(
        name="sn",
        null=True,
        blank="null",
        normalize=types.serial_number,
        searched=True,
        unique=True,
        pattern=r"^\s*([0-9A-Za-z]{4}[0-9A-Fa-f]{8}|[0-9A-Fa-f]{16})?\s*$",
        doc="GPON serial number",
    ),
    Text(name="tech", choices=TECHNOLOGIES, blank="refuse", default=None, doc="default: the model's"),
    DateTime(name="tech_updated", null=True, read_only=True, doc="last change that matters to provisioning"),
    Text(
        name="topology",
        default="",
        max_length=128,
        searched=True,
        doc="NAP or CTO: its name, its UUID or free text",
    ),
    Text(name="tv_profile", **_OPTIONAL_TEXT),
    _PLACE["updated"],
    Text(name="voip_profile", **_OPTIONAL_TEXT),
    Text(name="wanmac", null=True, blank="null", normalize=types.mac),
    Integer(name="me_vlan", null=True, minimum=1, maximum=4094, doc="metro Ethernet VLAN (IEEE 802.1Q)"),
    Text(
        name="lan_cidr",
        null=True,
        blank="null",
        normalize=types.ipv4_interface,
        pattern=r"^\s*([0-9./]{9,18})?\s*$",
    ),
    Text(name="wifi_password", default="", max_length=128, secret=True),
    Text(name="wifi_profile", **_OPTIONAL_TEXT),
    Text(name="wifi_ssid", default="", max_length=64),
    _links(
        "actions the device offers, and its sub-resources",
        "actions",
        "links",
        needs=(
            *("id", "is_bitstream", "model.tr069", "model.diagnostics"),
            *("bridge", "disable_provision", "disable_reconfig"),
        ),
    ),
    Computed(
        name="_services",
        by="services",
        needs=("tech", "is_bitstream", "model.tr069", "voice_ports"),
        shape={"type": "array", "items": {"type": "string"}},
        doc="what monitoring checks",
    ),
    Text(name="avatar", column="model.avatar", read_only=True, null=True),
    AllOf(name="is_router", of=("model.is_router", "!bridge")),
    Boolean(name="tr069", column="model.tr069", read_only=True),
    Children(name="potses", of="potses", by="cpe", doc="ids of its telephone ports"),
)

# ---- actions ----------------------------------------------------------------------------------

ACTION_FIELDS: tuple[Field, ...] = (
    _id(),
    Integer(name="cpe", read_only=True, minimum=1, doc="id of the CPE, which may be gone by now"),
    Text(name="cpename", read_only=True, searched=True),
    Text(name="external_id", read_only=True, null=True, doc="of the CPE: its key in the CRM"),
    Text(name="kind", choices=action.KINDS, blank="refuse", required=True),
    Document(name="parameters", read_only=True),
    Text(name="state", read_only=True, choices=action.STATES, blank="refuse"),
    Document(name="result", read_only=True, null=True, doc="what the device answered"),
    Text(name="error", read_only=True, null=True, doc="why it did not succeed"),
    Text(name="realm", read_only=True, folded=False),
    Text(name="tech", read_only=True, choices=TECHNOLOGIES, blank="refuse"),
    Text(name="model", read_only=True, folded=False),
    Text(name="sn", read_only=True, null=True, normalize=types.serial_number),
    Text(name="mac", read_only=True, null=True, normalize=types.mac),
    Text(name="requested_by", read_only=True, null=True),
    Integer(name="batch", read_only=True, null=True, minimum=1, doc="the bulk action that it is part of"),
    Integer(name="attempts", read_only=True, minimum=0, maximum=action.MOST_ATTEMPTS),
    Boolean(name="cancel_requested", read_only=True),
    DateTime(name="deadline", read_only=True, doc="by then it has ended, whatever happens"),
    DateTime(name="lease", read_only=True, null=True, doc="until then its executor is believed to be at it"),
    DateTime(name="requested", read_only=True),
    DateTime(name="dispatched", read_only=True, null=True),
    DateTime(name="started", read_only=True, null=True),
    DateTime(name="finished", read_only=True, null=True),
    Document(name="late", read_only=True, null=True, doc="reports that came too late to count"),
)

_NOT_GOOD = tuple(state for state in action.ENDED if state != action.SUCCEEDED)
_ENDS = Outcome(resource="actions", member="action", by="state", good=(action.SUCCEEDED,), bad=_NOT_GOOD)
_ENDS_CANCELLED = Outcome(
    resource="actions",
    member="action",
    by="state",
    good=(action.CANCELLED,),
    bad=tuple(state for state in action.ENDED if state != action.CANCELLED),
)

_TIMEOUT = Integer(name="timeout", minimum=action.SHORTEST, maximum=action.LONGEST).input_schema()
_ANSWER: Json = {
    "type": "object",
    "required": ["result", "action"],
    "properties": {
        "result": {"enum": ["ok", "ko"], "description": "`ko`: it ended, and not well"},
        "action": {"type": "object", "required": ["id", "state"]},
    },
}

_DIAGNOSTIC: Json = {
    "diagnostic": {"enum": list(action.DIAGNOSTICS)},
    "host": {"type": "string", "pattern": f"^{action.HOST}$"},
    "wan": {"type": "string", "pattern": f"^{action.WAN}$"},
}


def _asking(*required: str, **members: Json) -> Json:
    return {
        "type": "object",
        "properties": {**members, "timeout": _TIMEOUT},
        "required": list(required),
        "additionalProperties": False,
    }


def _acting(kind: str, doc: str) -> Operation:
    diagnostic = kind == action.DIAGNOSTIC
    return Operation(
        name=kind,
        verbs=("GET", "POST"),
        doc=f"{doc} `POST` is to be preferred: real clients use `GET`, so that acts too.",
        request=_asking("diagnostic", **_DIAGNOSTIC) if diagnostic else _asking(),
        response=_ANSWER,
        statuses=(200, 202, 400, 404, 409),
        acts=True,
        outcome=_ENDS,
    )


_ACTING = (
    _acting(action.REBOOT, "Restarts the device."),
    _acting(action.FACTORY, "Puts the device back to its factory defaults."),
    _acting(action.RECONFIG, "Pushes the device's configuration over TR-069."),
    _acting(action.REPROVISION, "Removes the device from its access network and puts it in again."),
    _acting(action.UNPROVISION, "Removes the device's service ports from its access network."),
    _acting(action.DIAGNOSTIC, "Has the device test its line over TR-069."),
)

ACTIONS = Resource(
    name="actions",
    singular="action",
    model="action",
    table="actions",
    title="Action",
    doc="What a device was asked to do, and what became of it.",
    fields=ACTION_FIELDS,
    methods=("GET",),
    sort=("-id",),
    label=("kind", "cpename"),
    bulk=False,
    operations=(
        Operation(
            name="cancel",
            verbs=("POST",),
            doc="Ends an action that has not begun; one that was handed out ends so if it can, or goes on.",
            response=_ANSWER,
            statuses=(200, 202, 400, 404, 409),
            outcome=_ENDS_CANCELLED,
        ),
    ),
)

ACTION_BATCHES = Resource(
    name="action-batches",
    singular="action_batch",
    model="actionbatch",
    table="action_batches",
    title="Action Batch",
    doc="One action on many devices.",
    fields=(
        _id(),
        Text(name="kind", read_only=True, choices=action.KINDS, blank="refuse"),
        Document(name="parameters", read_only=True),
        Document(name="filter", read_only=True),
        Text(name="requested_by", read_only=True, null=True),
        DateTime(name="requested", read_only=True),
        Integer(name="matched", read_only=True, minimum=0, doc="CPEs that the filter found"),
        Integer(name="offered", read_only=True, minimum=0, doc="of them, those that offer the action"),
        Integer(name="joined", read_only=True, minimum=0, doc="had an equal action under way already"),
        Document(name="skipped", read_only=True, doc="why the others do not offer it: reason → number"),
        Boolean(name="cancelled", read_only=True),
        Breakdown(name="states", of="actions", by="batch", per="state", doc="its actions: state → number"),
        Members(
            name="realms",
            table="action_batch_realms",
            mine="action_batch_id",
            theirs="realm",
            textual=True,
            read_only=True,
            doc="those of its devices",
        ),
    ),
    scoping=Within(),
    methods=("GET",),
    sort=("-id",),
    label=("kind",),
    bulk=False,
    relations=(Relation(name="actions", to="actions", by="batch", many=True, joined=False),),
    operations=(
        Operation(
            name="cancel",
            verbs=("POST",),
            doc="Ends what of it has not been dispatched.",
            response={"type": "object", "required": ["id", "states"]},
            statuses=(200, 404),
        ),
    ),
)

_FILTER: Json = {
    "type": "object",
    "additionalProperties": True,
    "description": 'Filters as the list of CPEs takes them, such as `{"topology": "NAP-7", "tech": "gpon"}`.',
}
_FLAG = Boolean(name="flag").input_schema()

OPERATIONS = (
    Operation(
        name="action",
        path="actions",
        verbs=("POST",),
        permission="isp.change_cpe",
        doc="Asks a CPE to do something.",
        request={
            "type": "object",
            "properties": {
                "cpe": {"type": ["integer", "string"], "description": "any key of the CPE"},
                "kind": {"enum": list(action.KINDS)},
                "parameters": {"type": "object"},
                "timeout": _TIMEOUT,
            },
            "required": ["cpe", "kind"],
            "additionalProperties": False,
        },
        response=_ANSWER,
        statuses=(200, 202, 400, 409),
        outcome=_ENDS,
    ),
    Operation(
        name="action_batch",
        path="action-batches",
        verbs=("POST",),
        permission="isp.change_cpe",
        doc="Asks all CPEs that a filter finds to do something. An unknown filter is refused.",
        request={
            "type": "object",
            "properties": {
                "kind": {"enum": list(action.KINDS)},
                "parameters": {"type": "object"},
                "filter": _FILTER,
                "all": {**_FLAG, "description": "every CPE: what an empty filter needs"},
                "max": Integer(name="max", minimum=1, doc="").input_schema()
                | {"description": "more matches than this (1000) are refused"},
                "dry_run": {**_FLAG, "description": "tell what would be done, and leave no trace"},
                "timeout": _TIMEOUT,
            },
            "required": ["kind"],
            "additionalProperties": False,
        },
        response={"type": "object", "required": ["kind", "matched", "offered", "joined", "skipped"]},
        statuses=(200, 202, 400),
    ),
)


class ActionEvent(Event):
    """What the events of an action carry: what runs it needs it, or who asked wants to know it."""

    subject = "actions"

    id: int
    state: Literal[*action.STATES] = Told(description="the one it has now")  # type: ignore[valid-type]
    kind: str = Told(description="what the device is to do", examples=[action.REBOOT])
    parameters: dict[str, Any] = Told(
        description="of a `cwmp_diagnostic`: which one, and whereto", examples=[{}]
    )
    attempt: int = Told(description="from 1; what an earlier one reports no longer counts", examples=[1])
    deadline: dt.datetime = Told(description="by then it has ended, one way or another")
    requested_by: str | None = Told(description="the user")
    batch: int | None = Told(description="the bulk action that it is part of")
    cpe: int = Told(description="id of the CPE, which may be gone by now")
    cpename: str
    external_id: str | None = Told(description="of the CPE, in the CRM")
    tech: str = Told(examples=["gpon"])
    model: str
    sn: str | None
    mac: str | None
    result: dict[str, Any] | list[Any] | None = Told(description="what the device answered", examples=[None])
    error: str | None = Told(description="why it was not done", examples=[None])


class ActionDispatched(ActionEvent):
    type = "action.dispatched"
    doc = "An action for who owns the technology to run, once for each attempt."


class ActionCancelRequested(ActionEvent):
    type = "action.cancel_requested"
    doc = "An action that was dispatched is no longer wanted: it should not begin."


class ActionRunning(ActionEvent):
    type = "action.running"
    doc = "An attempt has begun."


class ActionSucceeded(ActionEvent):
    type = "action.succeeded"
    doc = "The device did it; `result` is what it answered."


class ActionFailed(ActionEvent):
    type = "action.failed"
    doc = "It was not done; `error` says why."


class ActionTimedOut(ActionEvent):
    type = "action.timed_out"
    doc = "Its deadline passed and nobody had reported that it began."


class ActionCancelled(ActionEvent):
    type = "action.cancelled"
    doc = "It was cancelled before it began."


class ActionUnknown(ActionEvent):
    type = "action.unknown"
    doc = "It began and went silent: the device may or may not have done it."


EVENTS = (
    ActionDispatched,
    ActionCancelRequested,
    ActionRunning,
    ActionSucceeded,
    ActionFailed,
    ActionTimedOut,
    ActionCancelled,
    ActionUnknown,
)

# ---- customers, CPEs, lines -------------------------------------------------------------------

CPES = Resource(
    name="cpes",
    singular="cpe",
    model="cpe",
    table="cpes",
    title="CPE",
    doc="A subscriber's device.",
    fields=CPE_FIELDS,
    keys=("id", "internal_id", "external_id"),
    label=("internal_id",),
    alias=True,
    rules="services.isp.domain.cpe",
    events=True,
    asks=provisioning.CPE_ASKS,
    imported=True,
    logs=True,
    relations=(
        Relation(name="customer", to="customers", by="customer", omit=("_links",)),
        Relation(name="profile", to="cpe-profiles", by="profile", omit=("cpes_count",)),
        Relation(name="model", to="models", by="model"),
        Relation(
            name="potses",
            to="potses",
            by="cpe",
            many=True,
            paged=False,
            sort="order",
            cascade=True,
            omit=("cpe", "customer", "realm", "updated"),
        ),
        Relation(name="actions", to="actions", by="cpe", many=True, joined=False),
    ),
    operations=(
        *_ACTING,
        Operation(
            name="fake_modification",
            verbs=("PATCH",),
            doc="Runs the whole write pipeline with the query parameters as changes, and takes it back.",
        ),
    ),
    legacy=Legacy(name="cpes", omit=("_links", "_services", "avatar", "is_router", "tr069")),
)

CUSTOMERS = Resource(
    name="customers",
    singular="customer",
    model="customer",
    table="customers",
    title="Customer",
    fields=(
        _id(),
        Text(name="name", required=True, blank="refuse", max_length=255, searched=True),
        Text(name="surname", default="", max_length=255, searched=True),
        Text(name="comment", default="", max_length=65_536, searched=True),
        _PLACE["realm"],
        _PLACE["address"],
        _PLACE["city"],
        _PLACE["postalcode"],
        _PLACE["country"],
        _PLACE["created"],
        _PLACE["updated"],
        _PLACE["external_id"],
        _PLACE["latitude"],
        _PLACE["longitude"],
        _PLACE["locality"],
        _links("its sub-resources", "links"),
        Count(name="cpes_count", of="cpes", by="customer", since=ON_REQUEST),
    ),
    keys=("id", "external_id"),
    label=("name", "surname"),
    alias=True,
    rules="services.isp.domain.customer",
    events=True,
    imported=True,
    logs=True,
    relations=(
        Relation(name="cpes", to="cpes", by="customer", many=True, cascade=True),
        Relation(name="potses", to="potses", by="customer", many=True, joined=False),
    ),
    legacy=Legacy(name="customers", omit=("_links",)),
    nested=(
        LegacyNested(
            parent="customers",
            name="cpes",
            relation="cpes",
            columns=(
                "id",
                "customer",
                "tech",
                "mac",
                "mtamac",
                "wanmac",
                "model",
                "sn",
                "dsn",
                "address",
                "city",
                "postalcode",
                "country",
                "profile",
                "active",
                "access",
                "line_profile",
                "tv_profile",
                "address_profile",
                "voip_profile",
                "bridge",
                "disable_reconfig",
                "latitude",
                "longitude",
                "notes",
                "topology",
                "external_id",
                "remote_id",
                "external_voip",
                "probe",
                "enable_notifications",
                "pppoe_username",
                "pppoe_password",
                "fixed_address",
                "wifi_ssid",
                "wifi_password",
                "expiration_date",
                "cpename",
                "has_tr069",
                "created",
                "updated",
                "tech_updated",
                "realm",
                "potses",
            ),
        ),
    ),
)

POTSES = Resource(
    name="potses",
    singular="pots",
    model="pots",
    table="potses",
    title="Pots",
    doc="A telephone port of a CPE. Ports come and go with their CPE.",
    fields=(
        _id(),
        Text(
            name="cli",
            null=True,
            blank="null",
            max_length=16,
            searched=True,
            unique=True,
            folded=False,
            doc="number or extension",
        ),
        Reference(name="context", to="contexts", null=True, doc="call permissions"),
        Text(name="contextname", column="context.name", read_only=True, null=True),
        Text(name="custom_digitmap", null=True, max_length=1024),
        Text(name="dtmf", choices=DTMF_MODES, blank="refuse", default="auto"),
        Text(name="label", null=True, max_length=30, searched=True),
        Text(name="language", null=True, blank="null", choices=LANGUAGES),
        Concat(name="lineid", of=("cpe.internal_id", "'-'", "order")),
        Integer(name="order", read_only=True, minimum=1, doc="port number"),
        Text(name="password", null=True, max_length=128, secret=True, doc="SIP, for an external server"),
        Boolean(name="pbx_extension", default=False, doc="an extension of the customer's virtual PBX"),
        Text(name="username", null=True, max_length=128, searched=True),
        Boolean(name="voicemail", default=False),
        Text(name="voicemail_password", null=True, max_length=8, secret=True),
        Text(name="billing_profile", null=True, max_length=64, since=BILLING),
        Reference(name="cpe", to="cpes", read_only=True),
        Reference(name="customer", to="customers", column="cpe.customer_id", read_only=True),
        Text(name="realm", read_only=True, folded=False),
        DateTime(name="updated", read_only=True),
        AllOf(name="has_cli", of=("cli?",), since=ON_REQUEST, doc="whether the port has a number"),
    ),
    methods=("GET", "PUT", "PATCH"),
    label=("id",),
    alias=True,
    rules="services.isp.domain.pots",
    events=True,
    asks=provisioning.POTS_ASKS,
    relations=(
        Relation(name="cpe", to="cpes", by="cpe", served=False, omit=("_links", "_services")),
        Relation(name="context", to="contexts", by="context", served=False, omit=("potses_count",)),
    ),
    legacy=Legacy(name="potses", omit=("cpe", "customer", "realm", "updated")),
)


PROFILES = Resource(
    name="cpe-profiles",
    singular="cpe_profile",
    model="cpeprofile",
    table="cpe_profiles",
    title="Cpe Profile",
    doc="A speed profile.",
    fields=(
        _id(),
        Text(name="name", required=True, blank="refuse", max_length=128, searched=True),
        Text(name="label", null=True, max_length=128, searched=True),
        Text(name="tech", null=True, blank="null", choices=TECHNOLOGIES),
        Text(
            name="downstream", required=True, blank="refuse", max_length=64, aliases=("downstream_profile",)
        ),
        Text(name="upstream", required=True, blank="refuse", max_length=64, aliases=("upstream_profile",)),
        Boolean(name="internet_access", default=True),
        realms("cpe_profile_realms", "cpe_profile_id"),
        Count(name="cpes_count", of="cpes", by="profile"),
        DateTime(name="updated", read_only=True),
    ),
    scoping=SharedWith(),
    label=("name",),
    events=True,
)

MODELS = Resource(
    name="models",
    singular="model",
    model="cpemodel",
    table="models",
    title="Cpe Model",
    fields=(
        Text(
            name="id",
            required=True,
            blank="refuse",
            max_length=64,
            create_only=True,
            searched=True,
            folded=False,
        ),
        Text(name="label", default="", max_length=128, searched=True),
        Text(name="vendor", default="", max_length=64, searched=True),
        Text(name="tech", choices=TECHNOLOGIES, required=True, blank="refuse"),
        Integer(name="pots", default=0, minimum=0, maximum=48, doc="telephone ports"),
        Integer(name="ethernet", default=0, minimum=0, maximum=96),
        Integer(name="catv", default=0, minimum=0, maximum=8),
        Integer(name="wifi", default=0, minimum=0, maximum=8),
        Boolean(name="is_router", default=True),
        Boolean(name="tr069", default=False),
        Boolean(name="diagnostics", default=False, doc="has TR-069 diagnostics"),
        Text(name="avatar", null=True, max_length=32),
        realms("model_realms", "model_id"),
    ),
    scoping=SharedWith(),
    staff_writes=True,
    textual_id=True,
    label=("id",),
    events=True,
)

CONTEXTS = Resource(
    name="contexts",
    singular="context",
    model="context",
    table="contexts",
    title="Context",
    doc="Call permissions of a line.",
    fields=(
        _id(),
        Text(name="name", required=True, blank="refuse", max_length=64, searched=True),
        _PLACE["realm"],
        Count(name="potses_count", of="potses", by="context"),
    ),
    label=("name",),
    events=True,
)


def _pick_list(name: str, singular: str, title: str) -> Resource:
    return Resource(
        name=name,
        singular=singular,
        model=singular.replace("_", ""),
        table="pick_lists",
        title=title,
        fields=(
            _id(),
            Text(name="name", read_only=True, searched=True),
            Text(name="label", read_only=True, searched=True),
            Text(name="realm", read_only=True, null=True, doc="only for this realm; null: for all"),
        ),
        scoping=InRealm(shared=True),
        methods=("GET",),
        where=(("list", name),),
        bulk=False,
    )


PICK_LISTS = tuple(
    _pick_list(name, singular, title)
    for name, singular, title in (
        ("line-profiles", "line_profile", "Line Profile"),
        ("address-profiles", "address_profile", "Address Profile"),
        ("tv-profiles", "tv_profile", "Tv Profile"),
        ("voip-profiles", "voip_profile", "Voip Profile"),
        ("wifi-profiles", "wifi_profile", "Wifi Profile"),
        ("cities", "city", "City"),
        ("countries", "country", "Country"),
    )
)

CONTRACT = Contract(
    name="isp",
    title="Customers",
    doc="Customers, CPEs and telephone lines.",
    resources=(
        *(CUSTOMERS, CPES, POTSES, PROFILES, MODELS, CONTEXTS, *PICK_LISTS),
        *(ACTIONS, ACTION_BATCHES, audit_resource(), parked_resource(), *webhook_resources()),
    ),
    operations=(*OPERATIONS, feed_operation("isp")),
    events=EVENTS,
)
