"""A spot exchange and the protocols of real ones in front of it."""
