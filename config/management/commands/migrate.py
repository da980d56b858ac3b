"""``manage.py migrate``: ``public`` and every tenant; with an app label, ``public`` alone."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate

from config.migrate import FirmsNotMigrated, migrate_all
from tenants.schemas import pending
from tenants.selectors import all_schemas


class Command(DjangoMigrate):
    """Migrates all schemas; Django's own options steer ``public`` (``migrate oms 0003``)."""

    help = "Bring public and every tenant's schema to the newest state."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run ours for the plain call, Django's for anything special.

        :raises CommandError: if firms are not migrated; with ``--check``, if a schema is behind.
        """
        special = ("app_label", "plan", "fake", "fake_initial", "prune")
        if any(options.get(name) for name in special):
            super().handle(*args, **options)
            return
        if options["check_unapplied"]:
            behind = pending(["public"]) or pending(all_schemas())
            if behind:
                raise CommandError(f"{len(behind)} schema(s) wait for migrations.")
            return
        try:
            changed = migrate_all(self.stdout if options["verbosity"] else None)
        except FirmsNotMigrated as failure:
            raise CommandError(str(failure)) from failure
        if options["verbosity"] and not changed:
            self.stdout.write("Nothing to migrate.")
