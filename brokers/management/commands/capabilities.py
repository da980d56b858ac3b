"""``manage.py capabilities``: writes docs/capabilities.md from what the adapters declare."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from brokers.capability_page import markdown


class Command(BaseCommand):
    """Run it after a declaration has changed."""

    help = "Write docs/capabilities.md from the adapters' declarations."

    def handle(self, *_: Any, **__: Any) -> None:
        """Write the page."""
        Path(settings.BASE_DIR, "docs", "capabilities.md").write_text(markdown(), encoding="utf-8")
