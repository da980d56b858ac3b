"""``manage.py gateway``: the process that talks to venues."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from oms.gateway.process import Gateway


class Command(BaseCommand):
    """Runs until SIGTERM; every venue session is held under a lease."""

    help = "Holds the sessions with brokers and exchanges; sends commands, takes reports."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the gateway."""
        asyncio.run(Gateway().run())
