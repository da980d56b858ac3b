"""What surrounds every page: firm, account, lights, keys, preferences, login."""
