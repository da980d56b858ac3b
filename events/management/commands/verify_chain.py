"""``manage.py verify_chain``: proves that no tenant's stream was changed after the fact."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.binding import active_schemas, bound
from events.selectors import chain_problems, head


class Command(BaseCommand):
    """Walks positions and hashes of every active tenant; exit status 1 if one does not hold."""

    help = "Check positions and hashes of every tenant's events."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the choice of one tenant."""
        parser.add_argument("--schema", help="only this tenant's schema")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print one line per tenant and one per problem.

        :raises CommandError: if a chain does not hold.
        """
        schemas = [options["schema"]] if options["schema"] else active_schemas()
        damaged = 0
        for schema in schemas:
            with bound(schema):
                position = head()[0]
                problems = list(chain_problems())
            for problem in problems:
                self.stdout.write(f"{schema}: {problem}")
            if problems:
                damaged += 1
            else:
                self.stdout.write(f"{schema}: {position} events, the chain holds")
        if damaged:
            raise CommandError(f"{damaged} of {len(schemas)} chains do not hold")
