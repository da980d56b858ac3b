"""Bring the whole database to the newest state: ``public`` first, then every tenant."""

import io
from typing import Any, Protocol

from tenants.schemas import migrate_public, migrate_tenant, migration_lock, pending
from tenants.selectors import all_schemas


class Writable(Protocol):
    """Where lines of progress go."""

    def write(self, text: str, /) -> Any:
        """Take one line."""


def migrate_all(stdout: Writable | None = None) -> bool:
    """Migrate what is behind; return whether anything was.

    One process migrates at a time. With nothing pending this reads one table per schema.
    """
    out = stdout or io.StringIO()
    with migration_lock():
        changed = False
        if pending(["public"]):
            migrate_public(stdout=out)
            out.write("public is migrated\n")
            changed = True
        for schema in pending(all_schemas()):
            migrate_tenant(schema)
            out.write(f"{schema} is migrated\n")
            changed = True
        return changed
