"""``manage.py openapi``: write docs/api/openapi.json, or compare it with ``--check``."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.api import openapi_document

TARGET = Path("docs") / "api" / "openapi.json"


def openapi_text() -> str:
    """Return the OpenAPI file as it is committed."""
    return json.dumps(openapi_document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


class Command(BaseCommand):
    """Writes the OpenAPI file."""

    help = "Write docs/api/openapi.json from the routes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare ``--check``."""
        parser.add_argument("--check", action="store_true", help="fail if the file is not current")

    def handle(self, *_: Any, **options: Any) -> None:
        """:raises CommandError: with ``--check``, if the file differs from the routes."""
        target = settings.BASE_DIR / TARGET
        text = openapi_text()
        if options["check"]:
            if not target.exists() or target.read_text() != text:
                raise CommandError(f"{TARGET} is not current; run `manage.py openapi`.")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self.stdout.write(f"{TARGET} written")
