"""One database per service, PostgreSQL or SQLite: connections, unit of work, counters, column types."""
