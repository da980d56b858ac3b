#!/usr/bin/env python
"""Django's command line; ``manage.py up`` runs the whole system."""

import os
import sys


def main() -> None:
    """Run one management command with the local profile unless another is named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
