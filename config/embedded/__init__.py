"""A real Postgres and a Redis-compatible server of our own, private to one state directory."""

from config.embedded.errors import EmbeddedError
from config.embedded.on_demand import ensure_for_command
from config.embedded.servers import Servers, start

__all__ = ["EmbeddedError", "Servers", "ensure_for_command", "start"]
