"""Initial schema

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

from services.common.database.columns import BigInt, Degrees, JsonB, Timestamp

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
        "contexts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contexts")),
        sa.UniqueConstraint("realm", "name", name=op.f("uq_contexts_realm_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "cpe_profiles",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=True),
        sa.Column("tech", sa.String(length=16), nullable=True),
        sa.Column("downstream", sa.String(length=64), nullable=False),
        sa.Column("upstream", sa.String(length=64), nullable=False),
        sa.Column("internet_access", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cpe_profiles")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customers",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("surname", sa.String(length=255), server_default="", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.String(length=255), server_default="", nullable=False),
        sa.Column("city", sa.String(length=128), server_default="", nullable=False),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("locality", sa.String(length=128), server_default="", nullable=False),
        sa.Column("latitude", Degrees(), nullable=True),
        sa.Column("longitude", Degrees(), nullable=True),
        sa.Column("postalcode", sa.String(length=16), nullable=True),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customers_external_id_lower", [sa.literal_column("lower(external_id)")], unique=False
        )
        batch_op.create_index("ix_customers_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_customers_realm_updated", ["realm", "updated", "id"], unique=False)
        batch_op.create_index("uq_customers_realm_external_id", ["realm", "external_id"], unique=True)

    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=150), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("lines", BigInt, server_default="0", nullable=False),
        sa.Column("created", BigInt, server_default="0", nullable=False),
        sa.Column("failed", BigInt, server_default="0", nullable=False),
        sa.Column("errors", JsonB, nullable=False),
        sa.Column("updated", Timestamp, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", "owner", "resource", name=op.f("pk_imports")),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=128), server_default="", nullable=False),
        sa.Column("vendor", sa.String(length=64), server_default="", nullable=False),
        sa.Column("tech", sa.String(length=16), nullable=False),
        sa.Column("pots", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ethernet", sa.Integer(), server_default="0", nullable=False),
        sa.Column("catv", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wifi", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_router", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("tr069", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("diagnostics", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("avatar", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
    )
    op.create_table(
        "outbox",
        sa.Column("position", BigInt, autoincrement=True, nullable=False),
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
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_subject_sequence", ["subject", "sequence"], unique=True)
        batch_op.create_index(
            "ix_outbox_unsent", ["position"], unique=False, postgresql_where=sa.text("sent_at IS NULL")
        )

    op.create_table(
        "pick_lists",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("list", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("label", sa.String(length=128), server_default="", nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_lists")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("pick_lists", schema=None) as batch_op:
        batch_op.create_index("ix_pick_lists_list_name", ["list", "name"], unique=False)

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
        "cpe_profile_realms",
        sa.Column("cpe_profile_id", BigInt, nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["cpe_profile_id"],
            ["cpe_profiles.id"],
            name=op.f("fk_cpe_profile_realms_cpe_profile_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("cpe_profile_id", "realm", name=op.f("pk_cpe_profile_realms")),
    )
    op.create_table(
        "cpes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("internal_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("profile_id", BigInt, nullable=True),
        sa.Column("access", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("bridge", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disable_provision", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disable_reconfig", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("enable_notifications", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("external_voip", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_bitstream", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("probe", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tech", sa.String(length=16), nullable=False),
        sa.Column("address_profile", sa.String(length=16), nullable=True),
        sa.Column("fixed_address", sa.String(length=15), nullable=True),
        sa.Column("line_profile", sa.String(length=64), nullable=True),
        sa.Column("tv_profile", sa.String(length=64), nullable=True),
        sa.Column("voip_profile", sa.String(length=64), nullable=True),
        sa.Column("wifi_profile", sa.String(length=64), nullable=True),
        sa.Column("expiration_date", sa.Date(), nullable=True),
        sa.Column("expiration_applied", sa.Date(), nullable=True),
        sa.Column("sn", sa.String(length=16), nullable=True),
        sa.Column("dsn", sa.String(length=64), nullable=True),
        sa.Column("mac", sa.String(length=12), nullable=True),
        sa.Column("mtamac", sa.String(length=12), nullable=True),
        sa.Column("wanmac", sa.String(length=12), nullable=True),
        sa.Column("remote_id", sa.String(length=30), nullable=True),
        sa.Column("me_vlan", sa.Integer(), nullable=True),
        sa.Column("lan_cidr", sa.String(length=18), nullable=True),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("pppoe_username", sa.String(length=128), nullable=True),
        sa.Column("pppoe_password", sa.String(length=128), server_default="", nullable=False),
        sa.Column("wifi_ssid", sa.String(length=64), server_default="", nullable=False),
        sa.Column("wifi_password", sa.String(length=128), server_default="", nullable=False),
        sa.Column("topology", sa.String(length=128), server_default="", nullable=False),
        sa.Column("tech_updated", Timestamp, nullable=True),
        sa.Column(
            "voice_ports",
            sa.String(length=255),
            server_default="",
            nullable=False,
            comment="ports with a CLI: 1,2",
        ),
        sa.Column("address", sa.String(length=255), server_default="", nullable=False),
        sa.Column("city", sa.String(length=128), server_default="", nullable=False),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("locality", sa.String(length=128), server_default="", nullable=False),
        sa.Column("latitude", Degrees(), nullable=True),
        sa.Column("longitude", Degrees(), nullable=True),
        sa.Column("postalcode", sa.String(length=16), nullable=True),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "address_profile <> 'fixed' OR fixed_address IS NOT NULL",
            name=op.f("ck_cpes_fixed_needs_address"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_cpes_customer_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_cpes_model_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["cpe_profiles.id"], name=op.f("fk_cpes_profile_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cpes")),
        sa.UniqueConstraint("internal_id", name=op.f("uq_cpes_internal_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("cpes", schema=None) as batch_op:
        batch_op.create_index("ix_cpes_customer_id", ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_cpes_expiration_date",
            ["expiration_date"],
            unique=False,
            postgresql_where=sa.text("expiration_date IS NOT NULL"),
            sqlite_where=sa.text("expiration_date IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_cpes_external_id_lower", [sa.literal_column("lower(external_id)")], unique=False
        )
        batch_op.create_index(
            "ix_cpes_internal_id_lower", [sa.literal_column("lower(internal_id)")], unique=False
        )
        batch_op.create_index("ix_cpes_model_id", ["model_id"], unique=False)
        batch_op.create_index("ix_cpes_profile_id", ["profile_id"], unique=False)
        batch_op.create_index("ix_cpes_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("ix_cpes_realm_updated", ["realm", "updated", "id"], unique=False)
        batch_op.create_index("ix_cpes_sn", ["sn"], unique=False)
        batch_op.create_index("ix_cpes_topology_lower", [sa.literal_column("lower(topology)")], unique=False)
        batch_op.create_index("uq_cpes_mac", ["mac"], unique=True)
        batch_op.create_index("uq_cpes_realm_external_id", ["realm", "external_id"], unique=True)
        batch_op.create_index(
            "uq_cpes_sn",
            ["sn"],
            unique=True,
            postgresql_where=sa.text("sn NOT LIKE '%%00000000'"),
            sqlite_where=sa.text("sn NOT LIKE '%%00000000'"),
        )

    op.create_table(
        "model_realms",
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_model_realms_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "realm", name=op.f("pk_model_realms")),
    )
    op.create_table(
        "potses",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("cpe_id", BigInt, nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(length=32), nullable=False),
        sa.Column("cli", sa.String(length=16), nullable=True),
        sa.Column("context_id", BigInt, nullable=True),
        sa.Column("custom_digitmap", sa.String(length=1024), nullable=True),
        sa.Column("dtmf", sa.String(length=16), server_default="auto", nullable=False),
        sa.Column("label", sa.String(length=30), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("username", sa.String(length=128), nullable=True),
        sa.Column("password", sa.String(length=128), nullable=True),
        sa.Column("pbx_extension", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("voicemail", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("voicemail_password", sa.String(length=8), nullable=True),
        sa.Column("billing_profile", sa.String(length=64), nullable=True),
        sa.Column("updated", Timestamp, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["context_id"], ["contexts.id"], name=op.f("fk_potses_context_id")),
        sa.ForeignKeyConstraint(["cpe_id"], ["cpes.id"], name=op.f("fk_potses_cpe_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_potses")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("potses", schema=None) as batch_op:
        batch_op.create_index("ix_potses_context_id", ["context_id"], unique=False)
        batch_op.create_index("ix_potses_realm_id", ["realm", "id"], unique=False)
        batch_op.create_index("uq_potses_cli", ["cli"], unique=True)
        batch_op.create_index("uq_potses_cpe_id_order", ["cpe_id", "order"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("potses", schema=None) as batch_op:
        batch_op.drop_index("uq_potses_cpe_id_order")
        batch_op.drop_index("uq_potses_cli")
        batch_op.drop_index("ix_potses_realm_id")
        batch_op.drop_index("ix_potses_context_id")

    op.drop_table("potses")
    op.drop_table("model_realms")
    with op.batch_alter_table("cpes", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_cpes_sn",
            postgresql_where=sa.text("sn NOT LIKE '%%00000000'"),
            sqlite_where=sa.text("sn NOT LIKE '%%00000000'"),
        )
        batch_op.drop_index("uq_cpes_realm_external_id")
        batch_op.drop_index("uq_cpes_mac")
        batch_op.drop_index("ix_cpes_topology_lower")
        batch_op.drop_index("ix_cpes_sn")
        batch_op.drop_index("ix_cpes_realm_updated")
        batch_op.drop_index("ix_cpes_realm_id")
        batch_op.drop_index("ix_cpes_profile_id")
        batch_op.drop_index("ix_cpes_model_id")
        batch_op.drop_index("ix_cpes_internal_id_lower")
        batch_op.drop_index("ix_cpes_external_id_lower")
        batch_op.drop_index(
            "ix_cpes_expiration_date",
            postgresql_where=sa.text("expiration_date IS NOT NULL"),
            sqlite_where=sa.text("expiration_date IS NOT NULL"),
        )
        batch_op.drop_index("ix_cpes_customer_id")

    op.drop_table("cpes")
    op.drop_table("cpe_profile_realms")
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index("ix_tally_resource_realm")

    op.drop_table("tally")
    with op.batch_alter_table("pick_lists", schema=None) as batch_op:
        batch_op.drop_index("ix_pick_lists_list_name")

    op.drop_table("pick_lists")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_unsent", postgresql_where=sa.text("sent_at IS NULL"))
        batch_op.drop_index("ix_outbox_subject_sequence")

    op.drop_table("outbox")
    op.drop_table("models")
    op.drop_table("imports")
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index("uq_customers_realm_external_id")
        batch_op.drop_index("ix_customers_realm_updated")
        batch_op.drop_index("ix_customers_realm_id")
        batch_op.drop_index("ix_customers_external_id_lower")

    op.drop_table("customers")
    op.drop_table("cpe_profiles")
    op.drop_table("contexts")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_realm_id")
        batch_op.drop_index("ix_audit_object")

    op.drop_table("audit")
