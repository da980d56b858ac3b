"""Orders this system keeps for venues that cannot: when they fire, follow, end and shrink."""
