"""The alembic history of the gateway's own database."""

from services.common.database import migrate

migrate.run()
