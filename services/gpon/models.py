"""The tables of gpon. What they mean to clients is in `contract.py`; here is only how they are kept.

What was observed (`pons`, `onus`, `unconfigured`, `alarms`, `registrations`) can be read from the devices
again; what cannot is `olts`, `services`, `validations`, `naps`, and of `provisionings` what was decided.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
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
from services.common.database.sealed import Sealed
from services.common.devices.entered import snmp_columns
from services.common.executing.runs import runs_table

metadata = metadata_of_service()

runs_table(metadata)


def _place() -> list[Column[object]]:
    return [
        Column("frame", Integer, nullable=False),
        Column("slot", Integer, nullable=False),
        Column("port", Integer, nullable=False),
        Column("fsp", String(32), nullable=False),
    ]


olts = Table(
    "olts",
    metadata,
    identity(),
    Column("name", String(64), nullable=False, unique=True),
    Column("address", String(255), nullable=False),
    Column("vendor", String(16), comment="null: found out by asking"),
    *snmp_columns(),
    Column("ssh_port", Integer, nullable=False, server_default="22"),
    Column("ssh_username", String(64)),
    Column("ssh_password", Sealed),
    Column("ssh_host_key", Text, comment="pinned on the first login; blank it after a known change"),
    flag("disable_provision"),
    Column("line_profile", String(64), nullable=False, server_default=""),
    Column("service_profile", String(64), nullable=False, server_default=""),
    Column("max_onus", Integer, nullable=False, server_default="128"),
    Column("location", String(255), nullable=False, server_default=""),
    Column("latitude", Degrees),
    Column("longitude", Degrees),
    # observed
    Column("state", String(16), nullable=False, server_default="unknown"),
    Column("error", Text),
    Column("model", String(128)),
    Column("software_version", String(128)),
    Column("sysdescr", Text),
    Column("uptime", BigInt),
    Column("temperature", Float),
    Column("cpu", Float),
    Column("observed_at", Timestamp),
    Column("loaded_at", Timestamp, comment="when its configuration was read whole"),
    Column("created", Timestamp, nullable=False),
    Column("updated", Timestamp, nullable=False),
    version(),
    sqlite_autoincrement=True,
)

olt_realms = Table(
    "olt_realms",
    metadata,
    Column("olt_id", ForeignKey("olts.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(32), primary_key=True),
)

pons = Table(
    "pons",
    metadata,
    identity(),
    Column("olt_id", ForeignKey("olts.id", ondelete="CASCADE"), nullable=False),
    *_place(),
    Column("ifindex", BigInt),
    Column("type", String(16), nullable=False, server_default="gpon"),
    Column("admin_state", String(8)),
    Column("oper_state", String(8)),
    Column("tx_power", Float),
    Column("bias", Float),
    Column("temperature", Float),
    Column("voltage", Float),
    Column("observed_at", Timestamp),
    version(),
    UniqueConstraint("olt_id", "frame", "slot", "port"),
    sqlite_autoincrement=True,
)

onus = Table(
    "onus",
    metadata,
    identity(),
    Column("olt_id", ForeignKey("olts.id", ondelete="CASCADE"), nullable=False),
    *_place(),
    Column("onu_id", Integer, nullable=False),
    Column("position", String(40), nullable=False),
    Column("sn", String(16)),
    Column("type", String(64)),
    Column("description", String(255)),
    Column("line_profile", String(64)),
    Column("service_profile", String(64)),
    Column("status", String(16), nullable=False),
    Column("state", String(16), nullable=False, comment="the registration state that counts"),
    Column("raw_status", String(64)),
    Column("states", JsonB, nullable=False),
    Column("last_up_time", Timestamp),
    Column("last_down_time", Timestamp),
    Column("last_down_cause", String(64)),
    Column("distance", Integer),
    Column("ips", JsonB, nullable=False),
    Column("hardware_version", String(64)),
    Column("software_version", String(64)),
    *(Column(name, Float) for name in ("dntx", "dnrx", "dnatt", "uptx", "uprx", "upatt", "tvrx", "pondesv")),
    Column("optics_at", Timestamp),
    Column("cpe", BigInt),
    Column("cpename", String(64)),
    Column("realm", String(32), comment="its CPE's, else its OLT's only one"),
    Column("observed_at", Timestamp, nullable=False),
    Column("missed", Integer, nullable=False, server_default="0", comment="readings that it was not in"),
    version(),
    UniqueConstraint("olt_id", "frame", "slot", "port", "onu_id"),
    Index("ix_onus_sn", "sn"),
    Index("ix_onus_cpe", "cpe"),
    Index("ix_onus_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

unconfigured = Table(
    "unconfigured",
    metadata,
    identity(),
    Column("olt_id", ForeignKey("olts.id", ondelete="CASCADE"), nullable=False),
    *_place(),
    Column("sn", String(16), nullable=False),
    Column("index", String(32), nullable=False, server_default=""),
    Column("onu_type", String(64)),
    Column("hardware_version", String(64)),
    Column("software_version", String(64)),
    Column("pending_since", Timestamp, nullable=False),
    Column("missed", Integer, nullable=False, server_default="0", comment="readings that it was not in"),
    flag("enabled"),
    Column("validation_error", Text),
    Column("last_error", Text),
    Column("cpe", BigInt),
    Column("cpename", String(64)),
    flag("disable_provision"),
    Column("realm", String(32)),
    version(),
    UniqueConstraint("olt_id", "sn"),
    Index("ix_unconfigured_sn", "sn"),
    Index("ix_unconfigured_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

registrations = Table(
    "registrations",
    metadata,
    identity(),
    Column("olt_id", ForeignKey("olts.id", ondelete="CASCADE"), nullable=False),
    Column("sn", String(16), nullable=False),
    Column("position", String(40), nullable=False),
    Column("started", Timestamp, nullable=False),
    Column("ended", Timestamp),
    Column("cause", String(64)),
    Column("realm", String(32)),
    version(),
    Index("ix_registrations_sn", "sn", "id"),
    Index("ix_registrations_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

_open = text("end_time IS NULL")

alarms = Table(
    "alarms",
    metadata,
    identity(),
    Column("olt_id", ForeignKey("olts.id", ondelete="CASCADE"), nullable=False),
    Column("subject", String(64), nullable=False, comment="what it is about, within its OLT"),
    Column("name", String(64), nullable=False),
    Column("fsp", String(32)),
    Column("onu_id", Integer),
    Column("sn", String(16)),
    Column("host_name", String(64)),
    Column("level", String(16), nullable=False),
    Column("type", String(32), nullable=False),
    Column("extra", String(255), nullable=False, server_default=""),
    Column("affected_onus", Integer, nullable=False, server_default="1"),
    Column("start_time", Timestamp, nullable=False),
    Column("end_time", Timestamp),
    Column("realm", String(32)),
    version(),
    Index(
        "uq_alarms_open",
        *("olt_id", "subject", "name"),
        unique=True,
        postgresql_where=_open,
        sqlite_where=_open,
    ),
    Index("ix_alarms_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

services = Table(
    "services",
    metadata,
    identity(),
    Column("line_profile", String(64), nullable=False, comment="of the CPE; blank: any other"),
    Column("service", String(16), nullable=False),
    Column("gem", Integer, nullable=False),
    Column("service_vlan", Integer, nullable=False),
    Column("user_vlan", Integer),
    Column("inbound", String(64), nullable=False, server_default=""),
    Column("outbound", String(64), nullable=False, server_default=""),
    Column("native_port", Integer),
    version(),
    Index("ix_services_line_profile", "line_profile"),
    sqlite_autoincrement=True,
)

service_realms = Table(
    "service_realms",
    metadata,
    Column("service_id", ForeignKey("services.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(32), primary_key=True),
)

validations = Table(
    "validations",
    metadata,
    identity(),
    Column("model", String(64), nullable=False),
    Column("hardware_version", String(64), nullable=False, server_default=""),
    Column("software_version", String(64), nullable=False, server_default=""),
    flag("allowed", True),
    Column("note", String(255), nullable=False, server_default=""),
    version(),
    UniqueConstraint("model", "hardware_version", "software_version"),
    sqlite_autoincrement=True,
)

naps = Table(
    "naps",
    metadata,
    identity(),
    Column("name", String(128), nullable=False),
    Column("uuid", String(64)),
    Column("capacity", Integer, nullable=False, server_default="8"),
    Column("olt_id", ForeignKey("olts.id", ondelete="SET NULL")),
    Column("fsp", String(32)),
    Column("address", String(255), nullable=False, server_default=""),
    Column("latitude", Degrees),
    Column("longitude", Degrees),
    Column("external_id", String(256)),
    Column("realm", String(32), nullable=False),
    Column("created", Timestamp, nullable=False),
    Column("updated", Timestamp, nullable=False),
    version(),
    UniqueConstraint("realm", "name"),
    Index("uq_naps_realm_external_id", "realm", "external_id", unique=True),
    Index("ix_naps_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

# `cpe_row`: what the books said when they were asked last. `stale`: they have changed since. `held`: taken
# off the network by hand, until the books change. `redo`: to be taken off and put in again. `due`:
# milliseconds since 1970; null: nothing to do until something changes.
provisionings = Table(
    "provisionings",
    metadata,
    identity(),
    Column("cpe", BigInt, nullable=False, unique=True),
    Column("cpename", String(64), nullable=False),
    Column("sn", String(16)),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("error", Text),
    Column("olt_id", ForeignKey("olts.id", ondelete="SET NULL")),
    Column("position", String(40)),
    Column("step", JsonB, comment="the command that is being sent"),
    Column("drift", JsonB, nullable=False),
    Column("applied", JsonB, nullable=False, comment="settings that an OLT may not tell, and where"),
    Column("cpe_row", JsonB, comment="the CPE as isp showed it last"),
    Column("profile", BigInt, comment="id of its speed profile"),
    Column("model", String(64)),
    Column("former_sns", JsonB, nullable=False, comment="serials that are to go from the OLTs"),
    Column("nap_id", ForeignKey("naps.id", ondelete="SET NULL")),
    flag("stale", True),
    flag("gone"),
    flag("held"),
    flag("redo"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", BigInt),
    Column("applied_at", Timestamp),
    Column("realm", String(32), nullable=False),
    version(),
    Index("ix_provisionings_due", "due"),
    Index("ix_provisionings_sn", "sn"),
    Index("ix_provisionings_profile", "profile"),
    Index("ix_provisionings_model", "model"),
    Index("ix_provisionings_realm_id", "realm", "id"),
    Index("ix_provisionings_olt_id", "olt_id"),
    sqlite_autoincrement=True,
)

tasks = Table(
    "tasks",
    metadata,
    identity(),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("olt_id", ForeignKey("olts.id", ondelete="SET NULL")),
    Column("fsp", String(32)),
    Column("sn", String(16)),
    Column("cpe", BigInt),
    Column("result", JsonB),
    Column("message", Text),
    Column("exception", String(64)),
    Column("requested_by", String(150)),
    Column("created", Timestamp, nullable=False),
    Column("finished", Timestamp),
    Column("realm", String(32)),
    version(),
    Index("ix_tasks_status", "status"),
    Index("ix_tasks_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

# The sequence of the events of each ONU, which outlives its rows.
sequences = Table(
    "sequences",
    metadata,
    Column("sn", String(16), primary_key=True),
    Column("last", Integer, nullable=False),
)
