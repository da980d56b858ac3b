"""``manage.py dispatcher``: relays events of all tenants and runs their subscribers."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from events.dispatcher import Dispatcher
from events.subscribers import autodiscover, registered


class Command(BaseCommand):
    """A process of its own; SIGTERM and SIGINT end it after the event in hand."""

    help = "Relay committed events into each tenant's stream and run the subscribers."

    def handle(self, *_: Any, **__: Any) -> None:
        """Run until a signal comes."""
        autodiscover()
        dispatcher = Dispatcher(registered())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: dispatcher.stop())
        names = ", ".join(subscriber.name for subscriber in registered()) or "none"
        self.stdout.write(f"dispatcher: subscribers: {names}")
        dispatcher.run()
        self.stdout.write("dispatcher: stopped")
