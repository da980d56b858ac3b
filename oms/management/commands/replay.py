"""``manage.py replay --verify``: proves every firm's rows from the events and executions."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oms.services.proof import verify
from tenants.models import Tenant


class Command(BaseCommand):
    """Folds all orders, positions, lots and journals anew; exit status 1 if a row differs."""

    help = "Fold orders, positions, lots and journals from their history and compare every row."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the mode and the choice of one firm."""
        parser.add_argument(
            "--verify", action="store_true", required=True, help="compare; nothing is written"
        )
        parser.add_argument("--tenant", metavar="SLUG", help="only this firm")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print one line per contradiction and one per firm.

        :raises CommandError: if a row contradicts its history, or the firm is unknown.
        """
        firms = Tenant.objects.order_by("slug")
        if options["tenant"]:
            firms = firms.filter(slug=options["tenant"])
            if not firms:
                raise CommandError(f"There is no firm {options['tenant']}.", returncode=2)
        wrong = 0
        for firm in firms:
            found = 0
            for item in verify(schema=firm.schema_name):
                self.stdout.write(f"{firm.slug}: {item}")
                found += 1
            word = "every row is what its history makes" if not found else "contradictions"
            self.stdout.write(f"{firm.slug}: {found or ''} {word}".replace(":  ", ": "))
            wrong += found
        if wrong:
            raise CommandError(f"{wrong} rows contradict their history")
