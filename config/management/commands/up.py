"""``manage.py up``: the whole system on this machine, until Ctrl-C."""

import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Embeds the servers unless the environment names others, and supervises every process."""

    help = "Run the whole system on this machine: servers, web, gateway and the rest. Ctrl-C stops."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until stopped; the exit status tells whether the system came up."""
        from config.supervisor.processes import processes
        from config.supervisor.up import Plan, Up

        base_url = f"http://{settings.OMS_DOMAIN}:{settings.OMS_PORT}"
        plan = Plan(
            state_dir=settings.OMS_STATE_DIR,
            port=settings.OMS_PORT,
            base_url=base_url,
            processes=processes,
            schema_is_current=_schema_is_current,
            migrate=_migrate,
            contents=lambda: _demo_firms(base_url),
        )
        status = Up(plan).run()
        if status:
            sys.exit(status)


def _schema_is_current() -> bool:
    from tenants.schemas import pending
    from tenants.selectors import all_schemas

    return not pending(["public"]) and not pending(all_schemas())


def _migrate() -> None:
    from config import migrate

    migrate.migrate_all()


def _demo_firms(base_url: str) -> dict[str, Any]:
    """Make the demo firms; their connection is closed again, as this process lives for long."""
    from django.db import connections

    from config import demo

    try:
        return demo.ensure_demo_firms(settings.OMS_STATE_DIR, base_url, datetime.now(UTC))
    finally:
        connections.close_all()
