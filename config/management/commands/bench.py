"""``manage.py bench SUBJECT``: measurements on servers of their own, as ratios within one run."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bench import tenants


class Command(BaseCommand):
    """Runs one measurement, prints a table and writes the figures as JSON where asked."""

    help = "Measure: tenants. Uses a throw-away durable Postgres; see bench/README.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("subject", choices=["tenants"])
        parser.add_argument("--tenants", type=int, default=200, help="how many firms (tenants)")
        parser.add_argument("--json", type=Path, help="write all figures to this file")

    def handle(self, *_: Any, **options: Any) -> None:
        """:raises CommandError: if the measurement did not do what it measures."""
        try:
            result = tenants.measure(firms=options["tenants"], say=self.stdout.write)
        except tenants.Failed as failure:
            raise CommandError(str(failure)) from failure
        if options["json"]:
            options["json"].write_text(json.dumps(result, indent=2) + "\n")
        self.stdout.write(tenants.table(result))
