"""Bring the whole database to the newest state: ``public`` first, then every firm."""

import io
import time
from typing import Any, Protocol

from config.migrate_progress import Bar
from tenants import templates
from tenants.rollout import Progress, roll_out
from tenants.schemas import migrate_public, migration_lock, pending
from tenants.selectors import all_schemas


class Writable(Protocol):
    """Where lines of progress go."""

    def write(self, text: str, /) -> Any:
        """Take one line, or what ``end`` makes of it."""


class FirmsNotMigrated(RuntimeError):
    """Some firms are not at the newest state; the message names each with its reason."""


def migrate_all(stdout: Writable | None = None) -> bool:
    """Migrate what is behind; return whether anything was.

    One process migrates at a time. With nothing pending this reads one table per schema, in one
    query. A stopped run is simply started again.

    :raises FirmsNotMigrated: after all others were migrated.
    """
    out = stdout or io.StringIO()
    with migration_lock(on_wait=lambda: _say(out, "another process migrates; waiting for it")):
        changed = False
        if pending(["public"]):
            migrate_public(stdout=out)
            _say(out, "public is migrated")
            changed = True
        begun = time.monotonic()
        bar = Bar(out)
        progress = roll_out(all_schemas(), tell=bar.show)
        bar.close()
        if progress.total:
            _say(out, _summary(progress, time.monotonic() - begun))
            changed = True
        if templates.keep_current():
            _say(out, "the template of a firm's schema is made")
    if progress.left:
        reasons = "\n".join(f"  {schema}: {why}" for schema, why in sorted(progress.left.items()))
        raise FirmsNotMigrated(
            f"{len(progress.left)} of {progress.total} firms are not migrated; they are as they"
            f" were. Mend the cause and run `manage.py migrate` again.\n{reasons}"
        )
    return changed


def _summary(progress: Progress, seconds: float) -> str:
    return (
        f"{progress.done} of {progress.total} firms migrated in {seconds:.1f} s"
        f" (planned {progress.planned} times)"
    )


def _say(out: Writable, line: str) -> None:
    out.write(f"{line}\n")
