"""Migrate ``public`` and the schemas of tenants.

A tenant's schema is migrated in one transaction with the tenant bound, so it is either at the old
state or at the new one, and a run that was stopped is simply started again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import quote_schema_name

from tenants.binding import bound_unchecked

# One number for "some process migrates"; readable as ASCII "blotmigr".
_MIGRATION_LOCK = int.from_bytes(b"blotmigr", "big")

Key = tuple[str, str]


def labels(app_names: list[str]) -> set[str]:
    """Return the labels of the apps of a settings list."""
    return {config.label for config in apps.get_app_configs() if config.name in app_names}


@contextmanager
def migration_lock() -> Iterator[None]:
    """Let one process migrate at a time; others wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def applied(schema: str) -> set[Key]:
    """Return the migrations recorded in a schema; empty where it has none or does not exist."""
    table = f"{quote_schema_name(schema)}.django_migrations"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [table])
        if cursor.fetchone()[0] is None:
            return set()
        cursor.execute(f"SELECT app, name FROM {table}")  # noqa: S608 - a quoted schema of ours
        return {(app, name) for app, name in cursor.fetchall()}


def pending(schemas: list[str]) -> list[str]:
    """Return those of ``schemas`` (``public`` allowed) that lack a migration of ours."""
    loader = MigrationLoader(None)
    tenant_labels = labels(settings.TENANT_APPS)
    of_tenants = {key for key in loader.disk_migrations if key[0] in tenant_labels}
    of_all = set(loader.disk_migrations)
    replaced = {key for key in of_all if loader.disk_migrations[key].replaces}
    behind = []
    for schema in schemas:
        needed = of_all if schema == "public" else of_tenants
        if needed - replaced - applied(schema):
            behind.append(schema)
    return behind


def migrate_public(*, stdout: Any, verbosity: int = 0) -> None:
    """Bring ``public`` to the newest state; content types and permissions are made here."""
    call_command(
        DjangoMigrate(stdout=stdout), verbosity=verbosity, interactive=False, stdout=stdout
    )


def migrate_tenant(schema: str) -> None:
    """Bring one tenant's schema to the newest state, in one transaction.

    The first empty schema of a process is migrated by Django, and what it sent is kept; further
    empty ones get the same statements, without planning them again.
    """
    with bound_unchecked(schema):
        if applied(schema):
            _migrate()
        elif _recipe:
            _replay()
        else:
            _record(schema)
        with connection.cursor() as cursor:
            # A later migration of the same run must not meet checks still waiting for the commit.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _migrate() -> None:
    MigrationRecorder(connection).ensure_schema()
    executor = MigrationExecutor(connection)
    tenant_labels = labels(settings.TENANT_APPS)
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] in tenant_labels]
    executor.migrate(targets)


# Statements and parameters that turn an empty schema into a whole one; names are unqualified.
_recipe: list[tuple[str, Any, bool]] = []
# What reads, and what belongs to the transaction it was sent in.
_NOT_KEPT = ("SELECT", "SHOW", "SET ", "SAVEPOINT", "RELEASE", "ROLLBACK")


def _record(schema: str) -> None:
    """Migrate, and keep the statements if every name in them is unqualified."""
    sent: list[tuple[str, Any, bool]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(_NOT_KEPT):
            sent.append((sql, params, many))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        _migrate()
    if not any(schema in f"{sql}{params}" for sql, params, _ in sent):
        _recipe[:] = sent


def _replay() -> None:
    with connection.cursor() as cursor:
        for sql, params, many in _recipe:
            (cursor.executemany if many else cursor.execute)(sql, params)
