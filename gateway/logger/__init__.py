"""What was asked of this API (the request log) and what was changed through it (the admin log)."""
