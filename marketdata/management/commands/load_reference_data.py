"""``manage.py load_reference_data``: instruments, bars and exchange sessions that ship with us."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from marketdata.models import Bar, CalendarSession, Instrument
from marketdata.services import load_reference_data


class Command(BaseCommand):
    """Loads what is missing or outdated; says what is there."""

    help = "Load the instruments, daily bars and exchange sessions that ship with the packages."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the load and print the counts."""
        load_reference_data(now=datetime.now(UTC))
        self.stdout.write(
            f"{Instrument.objects.count()} instruments, {Bar.objects.count()} bars, "
            f"{CalendarSession.objects.count()} exchange sessions"
        )
