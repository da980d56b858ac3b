"""Venues that speak the real protocols over loopback, and misbehave where a script says so."""
