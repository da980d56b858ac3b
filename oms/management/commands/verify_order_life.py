"""``manage.py verify_order_life FILE``: whether a downloaded order's life is what was written."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from oms.export import problems_of


class Command(BaseCommand):
    """Checks hashes and signature; exits with 1 and one line per problem where they do not hold."""

    help = "Check the hashes and the signature of a downloaded order."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what holds. :raises CommandError: for what does not."""
        try:
            document = json.loads(options["file"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as failure:
            raise CommandError(f"The file cannot be read: {failure}") from failure
        if problems := problems_of(document):
            raise CommandError("\n".join(problems))
        life = document["life"]
        self.stdout.write(
            f"order {life['order']['id']}: {len(life['events'])} events, "
            f"{len(life['chain'])} links of the chain, hashes and signature hold"
        )
