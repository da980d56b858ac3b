"""``manage.py bench SUBJECT``: measurements on servers of their own, as ratios within one run."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bench import counts, lifecycle, orders, outbox, sse, tenants
from bench.lanes import LaneFailed
from bench.processes import NotStarted


class Command(BaseCommand):
    """Runs one measurement, prints a table and writes the figures as JSON where asked."""

    help = "Measure on servers of its own, a throw-away durable Postgres; see bench/README.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "subject", choices=["orders", "counts", "lifecycle", "outbox", "sse", "tenants"]
        )
        parser.add_argument("--tenants", type=int, default=200, help="how many firms (tenants)")
        parser.add_argument("--clients", type=int, default=500, help="how many listen (sse)")
        parser.add_argument("--rounds", type=int, default=5, help="how many rounds")
        parser.add_argument("--seconds", type=float, default=3.0, help="of a lane's turn")
        parser.add_argument(
            "--keep-counts", action="store_true", help="write what was counted (counts)"
        )
        parser.add_argument("--json", type=Path, help="write all figures to this file")

    def handle(self, *_: Any, **options: Any) -> None:
        """:raises CommandError: if the measurement did not do what it measures."""
        try:
            result, shown = self._measured(options)
        except (tenants.Failed, LaneFailed, NotStarted) as failure:
            raise CommandError(str(failure)) from failure
        if options["json"]:
            options["json"].write_text(json.dumps(result, indent=2) + "\n")
        self.stdout.write(shown)
        if options["keep_counts"]:
            counts.EXPECTED.write_text(json.dumps(result["counts"], indent=2) + "\n")
        elif result.get("problems"):
            raise CommandError(
                "Orders cost something else than they did. If that is meant, keep the new figures"
                " with `manage.py bench counts --keep-counts`."
            )

    def _measured(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        say = self.stdout.write
        rounds, seconds = options["rounds"], options["seconds"]
        measures: dict[str, tuple[Any, Callable[[], dict[str, Any]]]] = {
            "orders": (orders, lambda: orders.measure(rounds=rounds, seconds=seconds, say=say)),
            "counts": (counts, lambda: counts.measure(say=say)),
            "lifecycle": (
                lifecycle,
                lambda: lifecycle.measure(rounds=rounds, seconds=seconds, say=say),
            ),
            "outbox": (outbox, lambda: outbox.measure(rounds=rounds, say=say)),
            "sse": (
                sse,
                lambda: sse.measure(clients=options["clients"], seconds=round(seconds), say=say),
            ),
            "tenants": (tenants, lambda: tenants.measure(firms=options["tenants"], say=say)),
        }
        subject, measure = measures[options["subject"]]
        result = measure()
        return result, subject.table(result)
