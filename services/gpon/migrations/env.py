"""The alembic history of gpon's database."""

from services.common.database import migrate

migrate.run()
