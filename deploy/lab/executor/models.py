"""The executor's one table besides the kernel's."""

from __future__ import annotations

from services.common.database.kernel import metadata_of_service
from services.common.executing.runs import runs_table

metadata = metadata_of_service()
runs = runs_table(metadata)
