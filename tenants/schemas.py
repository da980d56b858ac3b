"""Which schema is at which migration, and the lock that lets one process migrate at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import quote_schema_name

from tenants.errors import DatabaseNotOfThisCode
from tenants.recording import Key, tenant_labels

PUBLIC = "public"
# One number for "some process migrates"; readable as ASCII "blotmigr".
_MIGRATION_LOCK = int.from_bytes(b"blotmigr", "big")
_AT_ONCE = 200  # schemas in one query: each of its tables is locked while it runs


@contextmanager
def migration_lock(on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let one process migrate at a time; who has to wait is told by ``on_wait`` and then waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_MIGRATION_LOCK])
        if not cursor.fetchone()[0]:
            on_wait()
            cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def wait_for_migrations() -> None:
    """Let no process migrate until this transaction ends; waits for one that does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_MIGRATION_LOCK])


def applied_in(schemas: Iterable[str]) -> dict[str, frozenset[Key]]:
    """Return the migrations recorded in each schema; none where it has no record or is missing."""
    wanted = list(schemas)
    found: dict[str, set[Key]] = {schema: set() for schema in wanted}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid"
            " WHERE relname = 'django_migrations' AND nspname = ANY(%s)",
            [wanted],
        )
        recorded = [schema for (schema,) in cursor.fetchall()]
        for start in range(0, len(recorded), _AT_ONCE):
            # The names are out of the catalogue, and quoted.
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT '{schema}', app, name"  # noqa: S608
                    f" FROM {quote_schema_name(schema)}.django_migrations"
                    for schema in recorded[start : start + _AT_ONCE]
                )
            )
            for schema, app, name in cursor.fetchall():
                found[schema].add((app, name))
    return {schema: frozenset(keys) for schema, keys in found.items()}


def applied(schema: str) -> frozenset[Key]:
    """Return the migrations recorded in one schema."""
    return applied_in([schema])[schema]


def behind(schemas: Iterable[str]) -> dict[str, frozenset[Key]]:
    """Return those of ``schemas`` (``public`` allowed) that lack a migration of ours.

    Each comes with what it has.
    """
    of_firms, of_all = _needed()
    return {
        schema: keys
        for schema, keys in applied_in(schemas).items()
        if (of_all if schema == PUBLIC else of_firms) - keys
    }


def pending(schemas: Iterable[str]) -> list[str]:
    """Return the names of those that lack a migration of ours."""
    return list(behind(schemas))


def check_database_is_of_this_code() -> None:
    """:raises DatabaseNotOfThisCode: if ``public`` lacks our migrations or has unknown ones."""
    _, of_all = _needed()
    found = applied(PUBLIC)
    if of_all - found:
        raise DatabaseNotOfThisCode(
            "The database waits for migrations: run `manage.py migrate`, then try again."
        )
    labels = tenant_labels()
    disk = MigrationLoader(None).disk_migrations
    replaced = {key for one in disk.values() for key in one.replaces}
    unknown = sorted(".".join(key) for key in found - set(disk) - replaced if key[0] in labels)
    if unknown:
        raise DatabaseNotOfThisCode(
            f"The database was migrated by newer code ({unknown[-1]}): do this with that code, or"
            " run `manage.py migrate <app> --prune` if the migration was removed for good."
        )


def migrate_public(*, stdout: Any, verbosity: int = 0) -> None:
    """Bring ``public`` to the newest state; content types and permissions are made here."""
    call_command(
        DjangoMigrate(stdout=stdout), verbosity=verbosity, interactive=False, stdout=stdout
    )


def _needed() -> tuple[set[Key], set[Key]]:
    """Return the migrations a firm's schema must have, and those ``public`` must have."""
    disk: Mapping[Key, Any] = MigrationLoader(None).disk_migrations
    labels = tenant_labels()
    of_all = {key for key, migration in disk.items() if not migration.replaces}
    return {key for key in of_all if key[0] in labels}, of_all
