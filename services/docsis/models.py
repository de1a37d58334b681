"""The tables of docsis. What they mean to clients is in `contract.py`; here is only how they are kept.

What was observed (`cable_modems`, `alarms`, and of `cmtss` its lower half) can be read from the devices
again; what cannot is the rest of `cmtss`, `state_changes`, `tasks`, and of `provisionings` what was decided.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from services.common.database.columns import BigInt, Degrees, JsonB, Timestamp, flag, identity, version
from services.common.database.kernel import metadata_of_service
from services.common.database.sealed import Sealed
from services.common.devices.entered import snmp_columns
from services.common.executing.runs import runs_table

metadata = metadata_of_service()

runs_table(metadata)

cmtss = Table(
    "cmtss",
    metadata,
    identity(),
    Column("name", String(64), nullable=False, unique=True),
    Column("address", String(255), nullable=False),
    *snmp_columns(),
    Column("snmp_write_community", Sealed),
    Column("modem_port", Integer, nullable=False, server_default="161"),
    Column("modem_community", Sealed),
    Column("modem_write_community", Sealed),
    Column("shared_secret", Sealed, comment="of CmtsMic"),
    Column("quality", String(4), nullable=False, server_default="1.1"),
    Column("max_cpe", Integer, nullable=False, server_default="16"),
    flag("disable_provision"),
    Column("location", String(255), nullable=False, server_default=""),
    Column("latitude", Degrees),
    Column("longitude", Degrees),
    # observed
    Column("state", String(16), nullable=False, server_default="unknown"),
    Column("error", Text),
    Column("vendor", String(32)),
    Column("model", String(128)),
    Column("software_version", String(128)),
    Column("sysdescr", Text),
    Column("uptime", BigInt),
    Column("mac_domains", JsonB),
    Column("downstreams", JsonB),
    Column("upstreams", JsonB),
    Column("fiber_nodes", JsonB),
    Column("observed_at", Timestamp),
    Column("created", Timestamp, nullable=False),
    Column("updated", Timestamp, nullable=False),
    version(),
    sqlite_autoincrement=True,
)

cmts_realms = Table(
    "cmts_realms",
    metadata,
    Column("cmts_id", ForeignKey("cmtss.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(32), primary_key=True),
)

LEVELS = ("dnatt", "dnrx", "dnsnr", "upatt", "uptx", "uprx", "upsnr", "dncorr", "dnko", "upcorr", "upko")

# `counters`: what its upstream channels had counted when it was read last, for the share of the next
# interval.
cable_modems = Table(
    "cable_modems",
    metadata,
    identity(),
    Column("mac", String(17), nullable=False, unique=True),
    Column("cmts_id", ForeignKey("cmtss.id", ondelete="CASCADE"), nullable=False),
    Column("registration_id", BigInt),
    Column("state", String(16), nullable=False),
    Column("status", String(32), nullable=False, server_default=""),
    flag("partial"),
    Column("lacking", Integer, nullable=False, server_default="0", comment="channels that it cannot use"),
    Column("md", String(64)),
    Column("fibernode", String(64)),
    Column("md_ifindex", BigInt),
    Column("md_cm_sg_id", BigInt),
    Column("rcs_id", BigInt),
    Column("tcs_id", BigInt),
    Column("downstream", Text, nullable=False, server_default="", comment="interfaces, each between commas"),
    Column("upstream", Text, nullable=False, server_default=""),
    Column("ip", String(15)),
    Column("ipv6", String(39)),
    Column("last_reg_time", Timestamp),
    *(Column(name, Float) for name in LEVELS),
    Column("counters", JsonB),
    # what it said of itself
    Column("poll", String(32), comment="how its last reading went"),
    Column("vendor", String(128)),
    Column("model", String(128)),
    Column("software_version", String(128)),
    Column("file", String(255)),
    Column("polled_at", Timestamp),
    Column("cpe", BigInt),
    Column("cpename", String(64)),
    Column("external_id", String(256)),
    Column("realm", String(32), comment="its CPE's, else its CMTS's only one"),
    Column("since", Timestamp, nullable=False, comment="in this state"),
    Column("missed", Integer, nullable=False, server_default="0", comment="readings that it was not in"),
    Column("observed_at", Timestamp, nullable=False),
    version(),
    Index("ix_cable_modems_cmts_id_state", "cmts_id", "state"),
    Index("ix_cable_modems_realm_id", "realm", "id"),
    Index("ix_cable_modems_cpe", "cpe"),
    sqlite_autoincrement=True,
)

state_changes = Table(
    "state_changes",
    metadata,
    identity(),
    Column("mac", String(17), nullable=False),
    Column("cmts_id", ForeignKey("cmtss.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("former", String(16)),
    Column("fibernode", String(64)),
    Column("cpe", BigInt),
    Column("cpename", String(64)),
    Column("realm", String(32)),
    Column("time", Timestamp, nullable=False),
    version(),
    Index("ix_state_changes_mac", "mac", "id"),
    Index("ix_state_changes_realm_id", "realm", "id"),
    Index("ix_state_changes_time", "time"),
    sqlite_autoincrement=True,
)

_open = text("end_time IS NULL")

alarms = Table(
    "alarms",
    metadata,
    identity(),
    Column("cmts_id", ForeignKey("cmtss.id", ondelete="CASCADE"), nullable=False),
    Column("subject", String(128), nullable=False, comment="what it is about, within its CMTS"),
    Column("name", String(64), nullable=False),
    Column("mac", String(17)),
    Column("host_name", String(64)),
    Column("fibernode", String(64)),
    Column("level", String(16), nullable=False),
    Column("type", String(32), nullable=False),
    Column("extra", String(255), nullable=False, server_default=""),
    Column("affected_modems", Integer, nullable=False, server_default="1"),
    Column("start_time", Timestamp, nullable=False),
    Column("end_time", Timestamp),
    Column("realm", String(32)),
    version(),
    Index(
        "uq_alarms_open",
        *("cmts_id", "subject", "name"),
        unique=True,
        postgresql_where=_open,
        sqlite_where=_open,
    ),
    Index("ix_alarms_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

# `wanted`: what the books said when they were asked last; `stale`: they have changed since. `digest`: of the
# file that is there, which changed at `changed`; a modem that has been up since before has another one.
# `due`, `changed`: milliseconds since 1970; no `due`: nothing to do until something changes. `adopted`: its
# modem was at work before we were, with somebody else's file, and is not restarted for the first of ours.
provisionings = Table(
    "provisionings",
    metadata,
    identity(),
    Column("cpe", BigInt, nullable=False, unique=True),
    Column("cpename", String(64), nullable=False),
    Column("external_id", String(256)),
    Column("mac", String(17)),
    Column("realm", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("error", Text),
    Column("wanted", JsonB),
    Column("profile", BigInt),
    Column("cmts_id", ForeignKey("cmtss.id", ondelete="SET NULL")),
    Column("file", String(64)),
    Column("digest", String(64)),
    Column("changed", BigInt),
    flag("stale", True),
    flag("gone"),
    flag("held"),
    flag("adopted"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", BigInt),
    Column("applied_at", Timestamp),
    version(),
    Index("ix_provisionings_due", "due"),
    Index("ix_provisionings_mac", "mac"),
    Index("ix_provisionings_profile", "profile"),
    Index("ix_provisionings_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)

_waiting = text("status IN ('queued', 'running')")

tasks = Table(
    "tasks",
    metadata,
    identity(),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("mac", String(17), nullable=False),
    Column("cmts_id", ForeignKey("cmtss.id", ondelete="SET NULL")),
    Column("cpe", BigInt),
    Column("message", Text),
    Column("exception", String(64)),
    Column("requested_by", String(150)),
    Column("created", Timestamp, nullable=False),
    Column("finished", Timestamp),
    Column("realm", String(32)),
    version(),
    Index("uq_tasks_open", "mac", "kind", unique=True, postgresql_where=_waiting, sqlite_where=_waiting),
    Index("ix_tasks_realm_id", "realm", "id"),
    sqlite_autoincrement=True,
)
