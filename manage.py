#!/usr/bin/env python
"""Django's command line; ``manage.py up`` runs the whole system."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run one management command with the local profile unless another is named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    if sys.argv[1:2] == ["up"] and sys.dont_write_bytecode:
        _keep_bytecode_in_the_state()
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        from config.embedded import ensure_for_command

        ensure_for_command(sys.argv)  # before the settings ask where the servers are
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def _keep_bytecode_in_the_state() -> None:
    """Where nothing may be written beside the sources, compile into the state dir instead.

    Else every process would compile a thousand modules whenever it starts or is started again.
    """
    state_dir = Path(os.environ.get("OMS_STATE_DIR") or Path(__file__).with_name(".oms"))
    sys.pycache_prefix = str(state_dir.resolve() / "pycache")
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix  # the children inherit both
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""


if __name__ == "__main__":
    main()
