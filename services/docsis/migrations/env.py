"""The alembic history of docsis's database."""

from services.common.database import migrate

migrate.run()
