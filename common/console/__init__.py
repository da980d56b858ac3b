"""What the two consoles under /admin/ are made of. Only the web process imports this."""
