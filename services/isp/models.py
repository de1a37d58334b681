"""The tables of isp. What they mean to clients is in `contract.py`; here is only how they are kept."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from services.common.database.columns import (
    BigInt,
    Degrees,
    JsonB,
    Timestamp,
    flag,
    identity,
    version,
)
from services.common.database.kernel import metadata_of_service

metadata = metadata_of_service()

# On (realm, id) the lists of one realm are walked, on (id, realm) those of several: both know the scope
# without looking at the rows.


def _place() -> list[Column[object]]:
    return [
        Column("address", String(255), nullable=False, server_default=""),
        Column("city", String(128), nullable=False, server_default=""),
        Column("country", String(64)),
        Column("locality", String(128), nullable=False, server_default=""),
        Column("latitude", Degrees),
        Column("longitude", Degrees),
        Column("postalcode", String(16)),
        Column("external_id", String(256)),
        Column("realm", String(32), nullable=False),
        Column("created", Timestamp, nullable=False),
        Column("updated", Timestamp, nullable=False),
        version(),
    ]


customers = Table(
    "customers",
    metadata,
    identity(),
    Column("name", String(255), nullable=False),
    Column("surname", String(255), nullable=False, server_default=""),
    Column("comment", Text, nullable=False, server_default=""),
    *_place(),
    Index("ix_customers_realm_id", "realm", "id"),
    Index("ix_customers_id_realm", "id", "realm"),
    Index("ix_customers_realm_updated", "realm", "updated", "id"),
    Index("uq_customers_realm_external_id", "realm", "external_id", unique=True),
    Index("ix_customers_external_id_lower", func.lower(text("external_id"))),
    sqlite_autoincrement=True,
)

models = Table(
    "models",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("label", String(128), nullable=False, server_default=""),
    Column("vendor", String(64), nullable=False, server_default=""),
    Column("tech", String(16), nullable=False),
    Column("pots", Integer, nullable=False, server_default="0"),
    Column("ethernet", Integer, nullable=False, server_default="0"),
    Column("catv", Integer, nullable=False, server_default="0"),
    Column("wifi", Integer, nullable=False, server_default="0"),
    flag("is_router", True),
    flag("tr069"),
    flag("diagnostics"),
    Column("avatar", String(32)),
    version(),
)

model_realms = Table(
    "model_realms",
    metadata,
    Column("model_id", ForeignKey("models.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(32), primary_key=True),
)

cpe_profiles = Table(
    "cpe_profiles",
    metadata,
    identity(),
    Column("name", String(128), nullable=False),
    Column("label", String(128)),
    Column("tech", String(16)),
    Column("downstream", String(64), nullable=False),
    Column("upstream", String(64), nullable=False),
    flag("internet_access", True),
    Column("updated", Timestamp, nullable=False),
    version(),
    sqlite_autoincrement=True,
)

cpe_profile_realms = Table(
    "cpe_profile_realms",
    metadata,
    Column("cpe_profile_id", ForeignKey("cpe_profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(32), primary_key=True),
)

contexts = Table(
    "contexts",
    metadata,
    identity(),
    Column("name", String(64), nullable=False),
    Column("realm", String(32), nullable=False),
    version(),
    UniqueConstraint("realm", "name"),
    sqlite_autoincrement=True,
)

cpes = Table(
    "cpes",
    metadata,
    identity(),
    Column("internal_id", String(64), nullable=False, unique=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("profile_id", ForeignKey("cpe_profiles.id")),
    flag("access", True),
    flag("active", True),
    flag("bridge"),
    flag("disable_provision"),
    flag("disable_reconfig"),
    flag("enable_notifications"),
    flag("external_voip"),
    flag("is_bitstream"),
    flag("probe"),
    Column("tech", String(16), nullable=False),
    Column("address_profile", String(16)),
    Column("fixed_address", String(15)),
    Column("line_profile", String(64)),
    Column("tv_profile", String(64)),
    Column("voip_profile", String(64)),
    Column("wifi_profile", String(64)),
    Column("expiration_date", Date),
    Column("expiration_applied", Date),
    Column("sn", String(16)),
    Column("dsn", String(64)),
    Column("mac", String(12)),
    Column("mtamac", String(12)),
    Column("wanmac", String(12)),
    Column("remote_id", String(30)),
    Column("me_vlan", Integer),
    Column("lan_cidr", String(18)),
    Column("notes", Text, nullable=False, server_default=""),
    Column("pppoe_username", String(128)),
    Column("pppoe_password", String(128), nullable=False, server_default=""),
    Column("wifi_ssid", String(64), nullable=False, server_default=""),
    Column("wifi_password", String(128), nullable=False, server_default=""),
    Column("topology", String(128), nullable=False, server_default=""),
    Column("tech_updated", Timestamp),
    Column("voice_ports", String(255), nullable=False, server_default="", comment="ports with a CLI: 1,2"),
    *_place(),
    CheckConstraint("address_profile <> 'fixed' OR fixed_address IS NOT NULL", name="fixed_needs_address"),
    Index("ix_cpes_realm_id", "realm", "id"),
    Index("ix_cpes_id_realm", "id", "realm"),
    Index("ix_cpes_internal_id_lower", func.lower(text("internal_id"))),
    Index("ix_cpes_realm_updated", "realm", "updated", "id"),
    Index("ix_cpes_customer_id", "customer_id"),
    Index("ix_cpes_profile_id", "profile_id"),
    Index("ix_cpes_model_id", "model_id"),
    Index("ix_cpes_topology_lower", func.lower(text("topology"))),
    Index("uq_cpes_realm_external_id", "realm", "external_id", unique=True),
    Index("ix_cpes_external_id_lower", func.lower(text("external_id"))),
    Index("ix_cpes_sn", "sn"),
    Index(
        "uq_cpes_sn",
        "sn",
        unique=True,
        postgresql_where=text("sn NOT LIKE '%00000000'"),
        sqlite_where=text("sn NOT LIKE '%00000000'"),
    ),
    Index("uq_cpes_mac", "mac", unique=True),
    Index(
        "ix_cpes_expiration_date",
        "expiration_date",
        postgresql_where=text("expiration_date IS NOT NULL"),
        sqlite_where=text("expiration_date IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

potses = Table(
    "potses",
    metadata,
    identity(),
    Column("cpe_id", ForeignKey("cpes.id", ondelete="CASCADE"), nullable=False),
    Column("order", Integer, nullable=False),
    Column("realm", String(32), nullable=False),
    Column("cli", String(16)),
    Column("context_id", ForeignKey("contexts.id")),
    Column("custom_digitmap", String(1024)),
    Column("dtmf", String(16), nullable=False, server_default="auto"),
    Column("label", String(30)),
    Column("language", String(2)),
    Column("username", String(128)),
    Column("password", String(128)),
    flag("pbx_extension"),
    flag("voicemail"),
    Column("voicemail_password", String(8)),
    Column("billing_profile", String(64)),
    Column("updated", Timestamp, nullable=False),
    version(),
    Index("uq_potses_cpe_id_order", "cpe_id", "order", unique=True),
    Index("uq_potses_cli", "cli", unique=True),
    Index("ix_potses_realm_id", "realm", "id"),
    Index("ix_potses_id_realm", "id", "realm"),
    Index("ix_potses_realm_updated", "realm", "updated", "id"),
    Index("ix_potses_context_id", "context_id"),
    sqlite_autoincrement=True,
)

pick_lists = Table(
    "pick_lists",
    metadata,
    Column("id", BigInt, primary_key=True, autoincrement=True),
    Column("list", String(32), nullable=False),
    Column("name", String(128), nullable=False),
    Column("label", String(128), nullable=False, server_default=""),
    Column("realm", String(32)),
    version(),
    Index("ix_pick_lists_list_name", "list", "name"),
    sqlite_autoincrement=True,
)

_open = text("due IS NOT NULL")

# An action outlives its CPE, and keeps what it needs of it. `due`: when something is next to be done about
# it; null once it has ended, as is `open_key`, which equal actions share.
actions = Table(
    "actions",
    metadata,
    identity(),
    Column("cpe", BigInt, nullable=False),
    Column("cpename", String(64), nullable=False),
    Column("external_id", String(256)),
    Column("realm", String(32), nullable=False),
    Column("tech", String(16), nullable=False),
    Column("model", String(64), nullable=False),
    Column("sn", String(16)),
    Column("mac", String(12)),
    Column("kind", String(32), nullable=False),
    Column("parameters", JsonB, nullable=False),
    Column("open_key", String(96)),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(150)),
    Column("batch", ForeignKey("action_batches.id")),
    Column("attempts", Integer, nullable=False),
    flag("repeatable"),
    flag("cancel_requested"),
    Column("deadline", Timestamp, nullable=False),
    Column("lease", Timestamp),
    Column("due", Timestamp),
    Column("result", JsonB),
    Column("error", Text),
    Column("late", JsonB),
    Column("requested", Timestamp, nullable=False),
    Column("dispatched", Timestamp),
    Column("started", Timestamp),
    Column("finished", Timestamp),
    version(),
    Index("uq_actions_open_key", "open_key", unique=True),
    Index("ix_actions_due", "due", postgresql_where=_open, sqlite_where=_open),
    Index("ix_actions_cpe_id", "cpe", "id"),
    Index("ix_actions_batch_state", "batch", "state"),
    Index("ix_actions_realm_id", "realm", "id"),
    Index("ix_actions_id_realm", "id", "realm"),
    sqlite_autoincrement=True,
)

action_batches = Table(
    "action_batches",
    metadata,
    identity(),
    Column("kind", String(32), nullable=False),
    Column("parameters", JsonB, nullable=False),
    Column("filter", JsonB, nullable=False),
    Column("requested_by", String(150)),
    Column("requested", Timestamp, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("offered", Integer, nullable=False),
    Column("joined", Integer, nullable=False),
    Column("skipped", JsonB, nullable=False),
    flag("cancelled"),
    version(),
    sqlite_autoincrement=True,
)

action_batch_realms = Table(
    "action_batch_realms",
    metadata,
    Column("action_batch_id", ForeignKey("action_batches.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(32), primary_key=True),
)
