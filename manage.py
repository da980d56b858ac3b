#!/usr/bin/env python
"""Django's command line; ``manage.py up`` runs the whole system."""

import os
import sys


def main() -> None:
    """Run one management command with the local profile unless another is named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        from config.embedded import ensure_for_command

        ensure_for_command(sys.argv)  # before the settings ask where the servers are
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
