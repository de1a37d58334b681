"""The alembic history of isp's database."""

from services.common.database import migrate

migrate.run()
