"""Migrate many firms: planned once, replayed in each, one transaction per firm.

A firm's own ``django_migrations`` rows are written in the transaction that changes its tables, so
they are the record of progress: whoever starts again finds the firms that still lack something.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import DatabaseError, OperationalError, transaction
from psycopg import errors as postgres

from tenants.binding import bound_unchecked, connection
from tenants.recording import Key, Recipe, migrate_and_record, replay
from tenants.schemas import applied, behind
from tenants.structure import fingerprints
from tenants.templates import fill_schema

# Whoever trades on a table waits behind a statement that wants to change it, so the statement
# soon gives up, and before the deadlock detector (1 s) would choose a victim among the traders.
LOCK_TIMEOUT_MS = 500
# Between rounds over the firms that were locked: patience of two minutes in all.
PAUSES_S = (0.5, 1, 2, 4, 8, 15, 30, 30, 30)
# So many firms in a row that fail to plan a migration show that the migration is to blame.
_SAME_FAULT = 3
_IS_LOCKED = (postgres.LockNotAvailable, postgres.DeadlockDetected)

Group = tuple[frozenset[Key], str]
"""What a firm has: its migrations and the fingerprint of its structure."""


@dataclass(slots=True)
class Progress:
    """How far a rollout is; ``failed`` and ``locked`` say why, by schema."""

    total: int
    done: int = 0
    planned: int = 0
    locked: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, str]:
        """The firms that are not at the newest state after the end, with the reasons."""
        return {**self.failed, **self.locked}


def roll_out(
    schemas: Iterable[str],
    *,
    tell: Callable[[Progress], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Progress:
    """Bring the firms of ``schemas`` that are behind to the newest state.

    Firms in the same state get the same statements. One that is locked is left for a later round;
    one that fails stays as it was; neither stops the others. The caller holds the migration lock.

    :raises OperationalError: if the database is gone; start again when it is back.
    """
    records = behind(schemas)
    structures = fingerprints(records)
    groups = {schema: (keys, structures.get(schema, "")) for schema, keys in records.items()}
    progress = Progress(total=len(groups))
    planner = _Planner()
    waiting = list(groups)
    for pause_s in (*PAUSES_S, None):
        again = []
        for schema in waiting:
            if _migrated(schema, groups[schema], planner, progress):
                progress.done += 1
            elif schema in progress.locked:
                again.append(schema)
            progress.planned = len(planner.recipes)
            tell(progress)
        waiting = again
        if not waiting or pause_s is None:
            break
        pause(pause_s)
    return progress


class _Planner:
    """The recipes by what a firm has; the first firm of its kind makes them by being migrated."""

    def __init__(self) -> None:
        self.recipes: dict[Group, Recipe] = {}
        self.faults: Counter[Group] = Counter()

    def migrate(self, schema: str, group: Group) -> None:
        """Migrate one firm in one transaction, or leave it as it was."""
        recipe = self.recipes.get(group)
        if recipe is None and self.faults[group] >= _SAME_FAULT:
            raise DatabaseError(f"not tried: the migration failed in {_SAME_FAULT} firms like it")
        if not group[0]:
            with transaction.atomic():
                fill_schema(schema)
            return
        made = None
        with bound_unchecked(schema), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            cursor.execute("LOCK TABLE django_migrations IN SHARE ROW EXCLUSIVE MODE")
            if applied(schema) != group[0]:
                raise DatabaseError("somebody else migrated it meanwhile; start again")
            if recipe is None:
                made = migrate_and_record()
            else:
                replay(recipe)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if made is not None:  # only now: the commit has proved it
            self.recipes[group] = made


def _migrated(schema: str, group: Group, planner: _Planner, progress: Progress) -> bool:
    """Migrate one firm; where that fails say why in ``progress``."""
    progress.locked.pop(schema, None)
    try:
        planner.migrate(schema, group)
    except Exception as failure:  # a migration may run any code
        if isinstance(failure.__cause__, _IS_LOCKED):
            progress.locked[schema] = f"locked by {_holders(schema)}"
            return False
        if isinstance(failure, OperationalError) and not connection.is_usable():
            raise
        if group not in planner.recipes:
            planner.faults[group] += 1
        reason = " ".join(str(failure).split())
        progress.failed[schema] = f"{type(failure).__name__}: {reason}"[:300]
        return False
    return True


def _holders(schema: str) -> str:
    """Name the oldest transactions that hold a lock on a table of the schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT a.pid, a.application_name, a.state,"
            " extract(epoch FROM now() - a.xact_start)::int AS held"
            " FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_activity a USING (pid)"
            " WHERE n.nspname = %s AND l.granted AND a.pid <> pg_backend_pid()"
            " ORDER BY held DESC NULLS LAST LIMIT 3",
            [schema],
        )
        rows = cursor.fetchall()
    return (
        "; ".join(
            f"process {pid} ({name or 'unnamed'}, {state}, in its transaction for {held} s)"
            for pid, name, state, held in rows
        )
        or "a transaction that has ended since"
    )
