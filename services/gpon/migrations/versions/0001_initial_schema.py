"""Initial schema

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt, Degrees, JsonB, Timestamp
from services.common.database.sealed import Sealed

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("time", Timestamp, nullable=False),
        sa.Column("user", sa.String(length=150), nullable=True),
        sa.Column("user_id", BigInt, nullable=True),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("object_repr", sa.String(length=512), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("changes", JsonB, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_object", ["resource", "object_id"], unique=False)
        batch_op.create_index("ix_audit_realm_id", ["realm", "id"], unique=False)

    op.create_table(
        "held",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("subscription", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("envelope", JsonB, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("due", BigInt, nullable=False),
        sa.Column("received", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.create_index(
            "ix_held_waiting",
            ["subscription", "subject"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index("uq_held_subscription_event", ["subscription", "event"], unique=True)

    op.create_table(
        "idempotency",
        sa.Column("owner", BigInt, autoincrement=False, nullable=False, comment="id of the user"),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False, comment="SHA-256 of what was asked"),
        sa.Column("meta", JsonB, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created"), ["created"], unique=False)

    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=150), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("lines", BigInt, server_default="0", nullable=False),
        sa.Column("created", BigInt, server_default="0", nullable=False),
        sa.Column("failed", BigInt, server_default="0", nullable=False),
        sa.Column("errors", JsonB, nullable=False),
        sa.Column("updated", Timestamp, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", "owner", "resource", name=op.f("pk_imports")),
    )
    op.create_table(
        "inbox",
        sa.Column("subscription", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("received", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("subscription", "event", name=op.f("pk_inbox")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_received"), ["received"], unique=False)

    op.create_table(
        "olts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("vendor", sa.String(length=16), nullable=True, comment="null: found out by asking"),
        sa.Column("snmp_port", sa.Integer(), server_default="161", nullable=False),
        sa.Column("snmp_version", sa.String(length=4), server_default="2c", nullable=False),
        sa.Column("snmp_community", Sealed, nullable=True),
        sa.Column("snmp_user", sa.String(length=64), nullable=True),
        sa.Column("snmp_auth_protocol", sa.String(length=16), nullable=True),
        sa.Column("snmp_auth_password", Sealed, nullable=True),
        sa.Column("snmp_privacy_protocol", sa.String(length=16), nullable=True),
        sa.Column("snmp_privacy_password", Sealed, nullable=True),
        sa.Column("ssh_port", sa.Integer(), server_default="22", nullable=False),
        sa.Column("ssh_username", sa.String(length=64), nullable=True),
        sa.Column("ssh_password", Sealed, nullable=True),
        sa.Column(
            "ssh_host_key",
            sa.Text(),
            nullable=True,
            comment="pinned on the first login; blank it after a known change",
        ),
        sa.Column("disable_provision", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("line_profile", sa.String(length=64), server_default="", nullable=False),
        sa.Column("service_profile", sa.String(length=64), server_default="", nullable=False),
        sa.Column("max_onus", sa.Integer(), server_default="128", nullable=False),
        sa.Column("location", sa.String(length=255), server_default="", nullable=False),
        sa.Column("latitude", Degrees, nullable=True),
        sa.Column("longitude", Degrees, nullable=True),
        sa.Column("state", sa.String(length=16), server_default="unknown", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("software_version", sa.String(length=128), nullable=True),
        sa.Column("sysdescr", sa.Text(), nullable=True),
        sa.Column("uptime", BigInt, nullable=True),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("cpu", sa.Float(), nullable=True),
        sa.Column("observed_at", Timestamp, nullable=True),
        sa.Column("loaded_at", Timestamp, nullable=True, comment="when its configuration was read whole"),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_olts")),
        sa.UniqueConstraint("name", name=op.f("uq_olts_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox",
        sa.Column("position", BigInt, autoincrement=True, nullable=False),
        sa.Column("number", BigInt, nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("dataschema", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("time", Timestamp, nullable=False),
        sa.Column("data", JsonB, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("traceparent", sa.String(length=64), nullable=True),
        sa.Column("sent_at", Timestamp, nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sa.UniqueConstraint("number", name=op.f("uq_outbox_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_realm_number", ["realm", "number"], unique=False)
        batch_op.create_index("ix_outbox_subject_sequence", ["subject", "sequence"], unique=True)
        batch_op.create_index(
            "ix_outbox_unnumbered",
            ["position"],
            unique=False,
            postgresql_where=sa.text("number IS NULL"),
            sqlite_where=sa.text("number IS NULL"),
        )
        batch_op.create_index(
            "ix_outbox_unsent",
            ["number"],
            unique=False,
            postgresql_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
            sqlite_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
        )

    op.create_table(
        "runs",
        sa.Column("action", BigInt, autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=255), nullable=True),
        sa.Column("asked", JsonB, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="noted, begun or done"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("until", BigInt, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("action", name=op.f("pk_runs")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_runs_begun",
            ["device"],
            unique=False,
            postgresql_where=sa.text("state = 'begun'"),
            sqlite_where=sa.text("state = 'begun'"),
        )
        batch_op.create_index(
            "ix_runs_noted",
            ["action"],
            unique=False,
            postgresql_where=sa.text("state = 'noted'"),
            sqlite_where=sa.text("state = 'noted'"),
        )

    op.create_table(
        "sequencer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="always 1"),
        sa.Column("last", BigInt, nullable=False, comment="the highest number given"),
        sa.Column("pruned", BigInt, nullable=False, comment="numbers up to here may be gone"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequencer")),
    )
    op.create_table(
        "sequences",
        sa.Column("sn", sa.String(length=16), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sn", name=op.f("pk_sequences")),
    )
    op.create_table(
        "services",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column(
            "line_profile", sa.String(length=64), nullable=False, comment="of the CPE; blank: any other"
        ),
        sa.Column("service", sa.String(length=16), nullable=False),
        sa.Column("gem", sa.Integer(), nullable=False),
        sa.Column("service_vlan", sa.Integer(), nullable=False),
        sa.Column("user_vlan", sa.Integer(), nullable=True),
        sa.Column("inbound", sa.String(length=64), server_default="", nullable=False),
        sa.Column("outbound", sa.String(length=64), server_default="", nullable=False),
        sa.Column("native_port", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint(
            "line_profile", "gem", "user_vlan", name=op.f("uq_services_line_profile_gem_user_vlan")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tally",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("rows", BigInt, nullable=False),
        sa.Column("writes", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index("ix_tally_resource_realm", ["resource", "realm"], unique=False)

    op.create_table(
        "validations",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("hardware_version", sa.String(length=64), server_default="", nullable=False),
        sa.Column("software_version", sa.String(length=64), server_default="", nullable=False),
        sa.Column("allowed", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("note", sa.String(length=255), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validations")),
        sa.UniqueConstraint(
            "model",
            "hardware_version",
            "software_version",
            name=op.f("uq_validations_model_hardware_version_software_version"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhooks",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("description", sa.String(length=255), server_default="", nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("former_secret", sa.String(length=128), nullable=True),
        sa.Column("former_until", BigInt, nullable=True, comment="until then the former secret signs too"),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("failing_since", Timestamp, nullable=True),
        sa.Column("paused_until", BigInt, nullable=True, comment="while it fails, nothing is sent before"),
        sa.Column("disabled_reason", sa.String(length=255), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhooks", schema=None) as batch_op:
        batch_op.create_index("ix_webhooks_realm_id", ["realm", "id"], unique=False)

    op.create_table(
        "alarms",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("olt_id", BigInt, nullable=False),
        sa.Column(
            "subject", sa.String(length=64), nullable=False, comment="what it is about, within its OLT"
        ),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("fsp", sa.String(length=32), nullable=True),
        sa.Column("onu_id", sa.Integer(), nullable=True),
        sa.Column("sn", sa.String(length=16), nullable=True),
        sa.Column("host_name", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("extra", sa.String(length=255), server_default="", nullable=False),
        sa.Column("affected_onus", sa.Integer(), server_default="1", nullable=False),
        sa.Column("start_time", Timestamp, nullable=False),
        sa.Column("end_time", Timestamp, nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["olt_id"], ["olts.id"], name=op.f("fk_alarms_olt_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alarms", schema=None) as batch_op:
        batch_op.create_index("ix_alarms_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index(
            "uq_alarms_open",
            ["olt_id", "subject", "name"],
            unique=True,
            postgresql_where=sa.text("end_time IS NULL"),
            sqlite_where=sa.text("end_time IS NULL"),
        )

    op.create_table(
        "naps",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=True),
        sa.Column("capacity", sa.Integer(), server_default="8", nullable=False),
        sa.Column("olt_id", BigInt, nullable=True),
        sa.Column("fsp", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=255), server_default="", nullable=False),
        sa.Column("latitude", Degrees, nullable=True),
        sa.Column("longitude", Degrees, nullable=True),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["olt_id"], ["olts.id"], name=op.f("fk_naps_olt_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_naps")),
        sa.UniqueConstraint("realm", "name", name=op.f("uq_naps_realm_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("naps", schema=None) as batch_op:
        batch_op.create_index("ix_naps_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("uq_naps_realm_external_id", ["realm", "external_id"], unique=True)

    op.create_table(
        "olt_realms",
        sa.Column("olt_id", BigInt, nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["olt_id"], ["olts.id"], name=op.f("fk_olt_realms_olt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("olt_id", "realm", name=op.f("pk_olt_realms")),
    )
    op.create_table(
        "onus",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("olt_id", BigInt, nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("fsp", sa.String(length=32), nullable=False),
        sa.Column("onu_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.String(length=40), nullable=False),
        sa.Column("sn", sa.String(length=16), nullable=True),
        sa.Column("type", sa.String(length=64), nullable=True),
        sa.Column("description", sa.String(length=255), nullable=True),
        sa.Column("line_profile", sa.String(length=64), nullable=True),
        sa.Column("service_profile", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="the registration state that counts"
        ),
        sa.Column("raw_status", sa.String(length=64), nullable=True),
        sa.Column("states", JsonB, nullable=False),
        sa.Column("last_up_time", Timestamp, nullable=True),
        sa.Column("last_down_time", Timestamp, nullable=True),
        sa.Column("last_down_cause", sa.String(length=64), nullable=True),
        sa.Column("distance", sa.Integer(), nullable=True),
        sa.Column("ips", JsonB, nullable=False),
        sa.Column("hardware_version", sa.String(length=64), nullable=True),
        sa.Column("software_version", sa.String(length=64), nullable=True),
        sa.Column("dntx", sa.Float(), nullable=True),
        sa.Column("dnrx", sa.Float(), nullable=True),
        sa.Column("dnatt", sa.Float(), nullable=True),
        sa.Column("uptx", sa.Float(), nullable=True),
        sa.Column("uprx", sa.Float(), nullable=True),
        sa.Column("upatt", sa.Float(), nullable=True),
        sa.Column("tvrx", sa.Float(), nullable=True),
        sa.Column("pondesv", sa.Float(), nullable=True),
        sa.Column("optics_at", Timestamp, nullable=True),
        sa.Column("cpe", BigInt, nullable=True),
        sa.Column("cpename", sa.String(length=64), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True, comment="its CPE's, else its OLT's only one"),
        sa.Column("observed_at", Timestamp, nullable=False),
        sa.Column(
            "missed", sa.Integer(), server_default="0", nullable=False, comment="readings that it was not in"
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["olt_id"], ["olts.id"], name=op.f("fk_onus_olt_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onus")),
        sa.UniqueConstraint(
            "olt_id", "frame", "slot", "port", "onu_id", name=op.f("uq_onus_olt_id_frame_slot_port_onu_id")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("onus", schema=None) as batch_op:
        batch_op.create_index("ix_onus_cpe", ["cpe"], unique=False)
        batch_op.create_index("ix_onus_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_onus_sn", ["sn"], unique=False)

    op.create_table(
        "pons",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("olt_id", BigInt, nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("fsp", sa.String(length=32), nullable=False),
        sa.Column("ifindex", BigInt, nullable=True),
        sa.Column("type", sa.String(length=16), server_default="gpon", nullable=False),
        sa.Column("admin_state", sa.String(length=8), nullable=True),
        sa.Column("oper_state", sa.String(length=8), nullable=True),
        sa.Column("tx_power", sa.Float(), nullable=True),
        sa.Column("bias", sa.Float(), nullable=True),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("voltage", sa.Float(), nullable=True),
        sa.Column("observed_at", Timestamp, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["olt_id"], ["olts.id"], name=op.f("fk_pons_olt_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pons")),
        sa.UniqueConstraint("olt_id", "frame", "slot", "port", name=op.f("uq_pons_olt_id_frame_slot_port")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "registrations",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("olt_id", BigInt, nullable=False),
        sa.Column("sn", sa.String(length=16), nullable=False),
        sa.Column("position", sa.String(length=40), nullable=False),
        sa.Column("started", Timestamp, nullable=False),
        sa.Column("ended", Timestamp, nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["olt_id"], ["olts.id"], name=op.f("fk_registrations_olt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.create_index("ix_registrations_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_registrations_sn", ["sn", "id"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("olt_id", BigInt, nullable=True),
        sa.Column("fsp", sa.String(length=32), nullable=True),
        sa.Column("sn", sa.String(length=16), nullable=True),
        sa.Column("cpe", BigInt, nullable=True),
        sa.Column("result", JsonB, nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("exception", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=150), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("finished", Timestamp, nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["olt_id"], ["olts.id"], name=op.f("fk_tasks_olt_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index("ix_tasks_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_tasks_status", ["status"], unique=False)

    op.create_table(
        "unconfigured",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("olt_id", BigInt, nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("fsp", sa.String(length=32), nullable=False),
        sa.Column("sn", sa.String(length=16), nullable=False),
        sa.Column("index", sa.String(length=32), server_default="", nullable=False),
        sa.Column("onu_type", sa.String(length=64), nullable=True),
        sa.Column("hardware_version", sa.String(length=64), nullable=True),
        sa.Column("software_version", sa.String(length=64), nullable=True),
        sa.Column("pending_since", Timestamp, nullable=False),
        sa.Column(
            "missed", sa.Integer(), server_default="0", nullable=False, comment="readings that it was not in"
        ),
        sa.Column("enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("validation_error", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("cpe", BigInt, nullable=True),
        sa.Column("cpename", sa.String(length=64), nullable=True),
        sa.Column("disable_provision", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["olt_id"], ["olts.id"], name=op.f("fk_unconfigured_olt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unconfigured")),
        sa.UniqueConstraint("olt_id", "sn", name=op.f("uq_unconfigured_olt_id_sn")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("unconfigured", schema=None) as batch_op:
        batch_op.create_index("ix_unconfigured_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_unconfigured_sn", ["sn"], unique=False)

    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("webhook_id", BigInt, nullable=False),
        sa.Column("number", BigInt, nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", BigInt, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="of the last answer"),
        sa.Column("error", sa.String(length=512), server_default="", nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("ended", Timestamp, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhook_deliveries_due",
            ["webhook_id", "due"],
            unique=False,
            postgresql_where=sa.text("state = 'pending'"),
            sqlite_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_webhook_deliveries_ended",
            ["ended"],
            unique=False,
            postgresql_where=sa.text("ended IS NOT NULL"),
            sqlite_where=sa.text("ended IS NOT NULL"),
        )
        batch_op.create_index("ix_webhook_deliveries_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_webhook_deliveries_webhook_id_id", ["webhook_id", "id"], unique=False)
        batch_op.create_index(
            "uq_webhook_deliveries_webhook_id_number", ["webhook_id", "number"], unique=True
        )

    op.create_table(
        "webhook_types",
        sa.Column("webhook_id", BigInt, nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_types_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "type", name=op.f("pk_webhook_types")),
    )
    op.create_table(
        "provisionings",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("cpe", BigInt, nullable=False),
        sa.Column("cpename", sa.String(length=64), nullable=False),
        sa.Column("sn", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("olt_id", BigInt, nullable=True),
        sa.Column("position", sa.String(length=40), nullable=True),
        sa.Column("step", JsonB, nullable=True, comment="the command that is being sent"),
        sa.Column("drift", JsonB, nullable=False),
        sa.Column("applied", JsonB, nullable=False, comment="settings that an OLT may not tell, and where"),
        sa.Column("cpe_row", JsonB, nullable=True, comment="the CPE as isp showed it last"),
        sa.Column("profile", BigInt, nullable=True, comment="id of its speed profile"),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("former_sns", JsonB, nullable=False, comment="serials that are to go from the OLTs"),
        sa.Column("nap_id", BigInt, nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("redo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due", BigInt, nullable=True),
        sa.Column("applied_at", Timestamp, nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["nap_id"], ["naps.id"], name=op.f("fk_provisionings_nap_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["olt_id"], ["olts.id"], name=op.f("fk_provisionings_olt_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisionings")),
        sa.UniqueConstraint("cpe", name=op.f("uq_provisionings_cpe")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("provisionings", schema=None) as batch_op:
        batch_op.create_index("ix_provisionings_due", ["due"], unique=False)
        batch_op.create_index("ix_provisionings_model", ["model"], unique=False)
        batch_op.create_index("ix_provisionings_olt_id", ["olt_id"], unique=False)
        batch_op.create_index("ix_provisionings_profile", ["profile"], unique=False)
        batch_op.create_index("ix_provisionings_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_provisionings_sn", ["sn"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("provisionings", schema=None) as batch_op:
        batch_op.drop_index("ix_provisionings_sn")
        batch_op.drop_index("ix_provisionings_realm_id")
        batch_op.drop_index("ix_provisionings_profile")
        batch_op.drop_index("ix_provisionings_olt_id")
        batch_op.drop_index("ix_provisionings_model")
        batch_op.drop_index("ix_provisionings_due")

    op.drop_table("provisionings")
    op.drop_table("webhook_types")
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index("uq_webhook_deliveries_webhook_id_number")
        batch_op.drop_index("ix_webhook_deliveries_webhook_id_id")
        batch_op.drop_index("ix_webhook_deliveries_realm_id")
        batch_op.drop_index(
            "ix_webhook_deliveries_ended",
            postgresql_where=sa.text("ended IS NOT NULL"),
            sqlite_where=sa.text("ended IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_webhook_deliveries_due",
            postgresql_where=sa.text("state = 'pending'"),
            sqlite_where=sa.text("state = 'pending'"),
        )

    op.drop_table("webhook_deliveries")
    with op.batch_alter_table("unconfigured", schema=None) as batch_op:
        batch_op.drop_index("ix_unconfigured_sn")
        batch_op.drop_index("ix_unconfigured_realm_id")

    op.drop_table("unconfigured")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_index("ix_tasks_status")
        batch_op.drop_index("ix_tasks_realm_id")

    op.drop_table("tasks")
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.drop_index("ix_registrations_sn")
        batch_op.drop_index("ix_registrations_realm_id")

    op.drop_table("registrations")
    op.drop_table("pons")
    with op.batch_alter_table("onus", schema=None) as batch_op:
        batch_op.drop_index("ix_onus_sn")
        batch_op.drop_index("ix_onus_realm_id")
        batch_op.drop_index("ix_onus_cpe")

    op.drop_table("onus")
    op.drop_table("olt_realms")
    with op.batch_alter_table("naps", schema=None) as batch_op:
        batch_op.drop_index("uq_naps_realm_external_id")
        batch_op.drop_index("ix_naps_realm_id")

    op.drop_table("naps")
    with op.batch_alter_table("alarms", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alarms_open",
            postgresql_where=sa.text("end_time IS NULL"),
            sqlite_where=sa.text("end_time IS NULL"),
        )
        batch_op.drop_index("ix_alarms_realm_id")

    op.drop_table("alarms")
    with op.batch_alter_table("webhooks", schema=None) as batch_op:
        batch_op.drop_index("ix_webhooks_realm_id")

    op.drop_table("webhooks")
    op.drop_table("validations")
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index("ix_tally_resource_realm")

    op.drop_table("tally")
    op.drop_table("services")
    op.drop_table("sequences")
    op.drop_table("sequencer")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_runs_noted",
            postgresql_where=sa.text("state = 'noted'"),
            sqlite_where=sa.text("state = 'noted'"),
        )
        batch_op.drop_index(
            "ix_runs_begun",
            postgresql_where=sa.text("state = 'begun'"),
            sqlite_where=sa.text("state = 'begun'"),
        )

    op.drop_table("runs")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_unsent",
            postgresql_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
            sqlite_where=sa.text("sent_at IS NULL AND number IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_outbox_unnumbered",
            postgresql_where=sa.text("number IS NULL"),
            sqlite_where=sa.text("number IS NULL"),
        )
        batch_op.drop_index("ix_outbox_subject_sequence")
        batch_op.drop_index("ix_outbox_realm_number")

    op.drop_table("outbox")
    op.drop_table("olts")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_received"))

    op.drop_table("inbox")
    op.drop_table("imports")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created"))

    op.drop_table("idempotency")
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.drop_index("uq_held_subscription_event")
        batch_op.drop_index(
            "ix_held_waiting",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("held")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_realm_id")
        batch_op.drop_index("ix_audit_object")

    op.drop_table("audit")
