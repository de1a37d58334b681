"""What isp declares: customers, CPEs, telephone ports, profiles, models, contexts and pick lists.

Field order is the wire order of the real product. See the README for what was decided where the
public documents are silent.
"""

from __future__ import annotations

from typing import Any

from services.common import types
from services.common.audit import audit_resource
from services.common.contract import (
    Contract,
    InRealm,
    Legacy,
    LegacyNested,
    Operation,
    Relation,
    Resource,
    SharedWith,
)
from services.common.events.webhooks.contract import webhook_resources
from services.common.fields import (
    ON_REQUEST,
    AllOf,
    Boolean,
    Children,
    Computed,
    Concat,
    Coordinate,
    Count,
    Date,
    DateTime,
    Field,
    Integer,
    Members,
    Reference,
    Text,
)

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
        needs=("id", "is_bitstream", "model.tr069", "model.diagnostics"),
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
    ),
    operations=(
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
    relations=(
        Relation(name="cpe", to="cpes", by="cpe", served=False, omit=("_links", "_services")),
        Relation(name="context", to="contexts", by="context", served=False, omit=("potses_count",)),
    ),
    legacy=Legacy(name="potses", omit=("cpe", "customer", "realm", "updated")),
)


def _realms(table: str, mine: str) -> Members:
    return Members(
        name="realms",
        table=table,
        mine=mine,
        theirs="realm",
        textual=True,
        doc="only for these realms; none: for all",
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
        _realms("cpe_profile_realms", "cpe_profile_id"),
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
        _realms("model_realms", "model_id"),
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
        *(audit_resource(), *webhook_resources()),
    ),
)
