"""The name django-tenants gives to ``migrate``; the same command here."""

from config.management.commands.migrate import Command

__all__ = ["Command"]
