"""The gateway: one process that talks to venues, crash-only (a restart is a normal start)."""
