"""What the unit tests of the same name say, on PostgreSQL."""

from tests.unit.gateway.accounts.test_login import *  # noqa: F403
