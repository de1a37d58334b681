"""ZTE C300 and C320: read only."""
