"""Who is asking: passwords, tokens, sessions, limits on guessing, and logging in elsewhere (OAuth)."""
