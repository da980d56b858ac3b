"""``manage.py replay_tape FILE``: whether a recorded run of the paper venue plays out the same."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.matching.recording import replay
from trading.matching.tape import UnreadableTape


class Command(BaseCommand):
    """Plays the engines and the fees again; exits with 1 at the first word that differs."""

    help = "Play a recorded run of the paper venue again and compare what is said."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how much was said alike. :raises CommandError: for what was not."""
        try:
            with options["file"].open(encoding="utf-8") as lines:
                outcome = replay(lines)
        except (OSError, UnicodeDecodeError, UnreadableTape) as failure:
            raise CommandError(f"The file cannot be played: {failure}") from failure
        if outcome.difference:
            raise CommandError(f"After {outcome.said} equal reports: {outcome.difference}")
        self.stdout.write(f"{outcome.said} reports, orders, fills and fees, byte for byte the same")
