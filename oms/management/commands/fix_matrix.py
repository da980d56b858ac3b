"""``manage.py fix_matrix FILE.json``: plays order state change matrices through the order core."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.orders.matrix import Compared, play
from trading.orders.matrix_file import MalformedMatrix, read_scenarios


class Command(BaseCommand):
    """Compares every answer of the file; exit status 1 if one differs, 2 if it cannot be read."""

    help = "Play FIX order state change matrices through the order core and compare every row."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file."""
        parser.add_argument("file", help="JSON in the format of the order state matrices")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print one line per row compared and a closing count.

        :raises CommandError: if a row differs (1) or the file is not of the format (2).
        """
        path = Path(options["file"])
        passed = failed = 0
        try:
            for row in play(read_scenarios(_content(path))):
                self.stdout.write(_line(row))
                passed, failed = passed + row.passed, failed + (not row.passed)
        except MalformedMatrix as problem:
            raise CommandError(f"{path}: {problem}", returncode=2) from problem
        self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            raise CommandError(f"{failed} rows differ from the published tables")
        if not passed:
            raise CommandError(f"{path}: the file holds no answer to compare", returncode=2)


def _content(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}", returncode=2) from problem
    except ValueError as problem:
        raise CommandError(f"{path}: not JSON: {problem}", returncode=2) from problem


def _line(row: Compared) -> str:
    step = row.step
    figures = " ".join(
        f"{figure.name}={figure.ours}"
        if figure.agrees
        else f"{figure.name}={figure.ours} (published {figure.published})"
        for figure in row.figures
    )
    branch = " [alternative]" if step.branch else ""
    note = f"; {row.note}" if row.note else ""
    word = "ok  " if row.passed else "FAIL"
    name = step.cl_ord_id or "-"
    return f"{word} {row.scenario} t{step.t} {step.message} {name}{branch}: {figures}{note}"
