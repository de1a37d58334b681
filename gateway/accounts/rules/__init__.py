"""What the engine asks of users, groups, realms, bookmarks and searches beyond their declaration."""
