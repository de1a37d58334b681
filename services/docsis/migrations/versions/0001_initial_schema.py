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
        "cmtss",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("snmp_port", sa.Integer(), server_default="161", nullable=False),
        sa.Column("snmp_version", sa.String(length=4), server_default="2c", nullable=False),
        sa.Column("snmp_community", Sealed, nullable=True),
        sa.Column("snmp_write_community", Sealed, nullable=True),
        sa.Column("snmp_user", sa.String(length=64), nullable=True),
        sa.Column("snmp_auth_protocol", sa.String(length=16), nullable=True),
        sa.Column("snmp_auth_password", Sealed, nullable=True),
        sa.Column("snmp_privacy_protocol", sa.String(length=16), nullable=True),
        sa.Column("snmp_privacy_password", Sealed, nullable=True),
        sa.Column("modem_port", sa.Integer(), server_default="161", nullable=False),
        sa.Column("modem_community", Sealed, nullable=True),
        sa.Column("modem_write_community", Sealed, nullable=True),
        sa.Column("shared_secret", Sealed, nullable=True, comment="of CmtsMic"),
        sa.Column("quality", sa.String(length=4), server_default="1.1", nullable=False),
        sa.Column("max_cpe", sa.Integer(), server_default="16", nullable=False),
        sa.Column("disable_provision", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("location", sa.String(length=255), server_default="", nullable=False),
        sa.Column("latitude", Degrees, nullable=True),
        sa.Column("longitude", Degrees, nullable=True),
        sa.Column("state", sa.String(length=16), server_default="unknown", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("vendor", sa.String(length=32), nullable=True),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("software_version", sa.String(length=128), nullable=True),
        sa.Column("sysdescr", sa.Text(), nullable=True),
        sa.Column("uptime", BigInt, nullable=True),
        sa.Column("mac_domains", JsonB, nullable=True),
        sa.Column("downstreams", JsonB, nullable=True),
        sa.Column("upstreams", JsonB, nullable=True),
        sa.Column("fiber_nodes", JsonB, nullable=True),
        sa.Column("observed_at", Timestamp, nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cmtss")),
        sa.UniqueConstraint("name", name=op.f("uq_cmtss_name")),
        sqlite_autoincrement=True,
    )
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
        sa.Column("cmts_id", BigInt, nullable=False),
        sa.Column(
            "subject", sa.String(length=128), nullable=False, comment="what it is about, within its CMTS"
        ),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("host_name", sa.String(length=64), nullable=True),
        sa.Column("fibernode", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("extra", sa.String(length=255), server_default="", nullable=False),
        sa.Column("affected_modems", sa.Integer(), server_default="1", nullable=False),
        sa.Column("start_time", Timestamp, nullable=False),
        sa.Column("end_time", Timestamp, nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["cmts_id"], ["cmtss.id"], name=op.f("fk_alarms_cmts_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alarms", schema=None) as batch_op:
        batch_op.create_index("ix_alarms_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index(
            "uq_alarms_open",
            ["cmts_id", "subject", "name"],
            unique=True,
            postgresql_where=sa.text("end_time IS NULL"),
            sqlite_where=sa.text("end_time IS NULL"),
        )

    op.create_table(
        "cable_modems",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("cmts_id", BigInt, nullable=False),
        sa.Column("registration_id", BigInt, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=32), server_default="", nullable=False),
        sa.Column("partial", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "lacking", sa.Integer(), server_default="0", nullable=False, comment="channels that it cannot use"
        ),
        sa.Column("md", sa.String(length=64), nullable=True),
        sa.Column("fibernode", sa.String(length=64), nullable=True),
        sa.Column("md_ifindex", BigInt, nullable=True),
        sa.Column("md_cm_sg_id", BigInt, nullable=True),
        sa.Column("rcs_id", BigInt, nullable=True),
        sa.Column("tcs_id", BigInt, nullable=True),
        sa.Column(
            "downstream",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="interfaces, each between commas",
        ),
        sa.Column("upstream", sa.Text(), server_default="", nullable=False),
        sa.Column("ip", sa.String(length=15), nullable=True),
        sa.Column("ipv6", sa.String(length=39), nullable=True),
        sa.Column("last_reg_time", Timestamp, nullable=True),
        sa.Column("dnatt", sa.Float(), nullable=True),
        sa.Column("dnrx", sa.Float(), nullable=True),
        sa.Column("dnsnr", sa.Float(), nullable=True),
        sa.Column("upatt", sa.Float(), nullable=True),
        sa.Column("uptx", sa.Float(), nullable=True),
        sa.Column("uprx", sa.Float(), nullable=True),
        sa.Column("upsnr", sa.Float(), nullable=True),
        sa.Column("dncorr", sa.Float(), nullable=True),
        sa.Column("dnko", sa.Float(), nullable=True),
        sa.Column("upcorr", sa.Float(), nullable=True),
        sa.Column("upko", sa.Float(), nullable=True),
        sa.Column("counters", JsonB, nullable=True),
        sa.Column("poll", sa.String(length=32), nullable=True, comment="how its last reading went"),
        sa.Column("vendor", sa.String(length=128), nullable=True),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("software_version", sa.String(length=128), nullable=True),
        sa.Column("file", sa.String(length=255), nullable=True),
        sa.Column("polled_at", Timestamp, nullable=True),
        sa.Column("cpe", BigInt, nullable=True),
        sa.Column("cpename", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column(
            "realm", sa.String(length=32), nullable=True, comment="its CPE's, else its CMTS's only one"
        ),
        sa.Column("since", Timestamp, nullable=False, comment="in this state"),
        sa.Column(
            "missed", sa.Integer(), server_default="0", nullable=False, comment="readings that it was not in"
        ),
        sa.Column("observed_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["cmts_id"], ["cmtss.id"], name=op.f("fk_cable_modems_cmts_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cable_modems")),
        sa.UniqueConstraint("mac", name=op.f("uq_cable_modems_mac")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("cable_modems", schema=None) as batch_op:
        batch_op.create_index("ix_cable_modems_cmts_id_state", ["cmts_id", "state"], unique=False)
        batch_op.create_index("ix_cable_modems_cpe", ["cpe"], unique=False)
        batch_op.create_index("ix_cable_modems_realm_id", ["realm", "id"], unique=False)

    op.create_table(
        "cmts_realms",
        sa.Column("cmts_id", BigInt, nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["cmts_id"], ["cmtss.id"], name=op.f("fk_cmts_realms_cmts_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cmts_id", "realm", name=op.f("pk_cmts_realms")),
    )
    op.create_table(
        "provisionings",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("cpe", BigInt, nullable=False),
        sa.Column("cpename", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("wanted", JsonB, nullable=True),
        sa.Column("profile", BigInt, nullable=True),
        sa.Column("cmts_id", BigInt, nullable=True),
        sa.Column("file", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("changed", BigInt, nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("adopted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due", BigInt, nullable=True),
        sa.Column("applied_at", Timestamp, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["cmts_id"], ["cmtss.id"], name=op.f("fk_provisionings_cmts_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisionings")),
        sa.UniqueConstraint("cpe", name=op.f("uq_provisionings_cpe")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("provisionings", schema=None) as batch_op:
        batch_op.create_index("ix_provisionings_due", ["due"], unique=False)
        batch_op.create_index("ix_provisionings_mac", ["mac"], unique=False)
        batch_op.create_index("ix_provisionings_profile", ["profile"], unique=False)
        batch_op.create_index("ix_provisionings_realm_id", ["realm", "id"], unique=False)

    op.create_table(
        "state_changes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("cmts_id", BigInt, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("former", sa.String(length=16), nullable=True),
        sa.Column("fibernode", sa.String(length=64), nullable=True),
        sa.Column("cpe", BigInt, nullable=True),
        sa.Column("cpename", sa.String(length=64), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("time", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["cmts_id"], ["cmtss.id"], name=op.f("fk_state_changes_cmts_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_changes")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("state_changes", schema=None) as batch_op:
        batch_op.create_index("ix_state_changes_mac", ["mac", "id"], unique=False)
        batch_op.create_index("ix_state_changes_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_state_changes_time", ["time"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("cmts_id", BigInt, nullable=True),
        sa.Column("cpe", BigInt, nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("exception", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=150), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("finished", Timestamp, nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["cmts_id"], ["cmtss.id"], name=op.f("fk_tasks_cmts_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index("ix_tasks_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index(
            "uq_tasks_open",
            ["mac", "kind"],
            unique=True,
            postgresql_where=sa.text("status IN ('queued', 'running')"),
            sqlite_where=sa.text("status IN ('queued', 'running')"),
        )

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


def downgrade() -> None:
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
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tasks_open",
            postgresql_where=sa.text("status IN ('queued', 'running')"),
            sqlite_where=sa.text("status IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_tasks_realm_id")

    op.drop_table("tasks")
    with op.batch_alter_table("state_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_state_changes_time")
        batch_op.drop_index("ix_state_changes_realm_id")
        batch_op.drop_index("ix_state_changes_mac")

    op.drop_table("state_changes")
    with op.batch_alter_table("provisionings", schema=None) as batch_op:
        batch_op.drop_index("ix_provisionings_realm_id")
        batch_op.drop_index("ix_provisionings_profile")
        batch_op.drop_index("ix_provisionings_mac")
        batch_op.drop_index("ix_provisionings_due")

    op.drop_table("provisionings")
    op.drop_table("cmts_realms")
    with op.batch_alter_table("cable_modems", schema=None) as batch_op:
        batch_op.drop_index("ix_cable_modems_realm_id")
        batch_op.drop_index("ix_cable_modems_cpe")
        batch_op.drop_index("ix_cable_modems_cmts_id_state")

    op.drop_table("cable_modems")
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
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index("ix_tally_resource_realm")

    op.drop_table("tally")
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
    op.drop_table("cmtss")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_realm_id")
        batch_op.drop_index("ix_audit_object")

    op.drop_table("audit")
