"""Code of a later version, for the length of a block."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings

from bench.later_version import write_later_version
from tenants.binding import bound_unchecked
from tenants.recording import tenant_labels

ONE_COLUMN = """[
    migrations.AddField("subscribercursor", "remark", models.CharField(max_length=20, default="-")),
]"""


@contextmanager
def later_version(
    directory: Path, operations: str, app: str = "events", before: str = ""
) -> Iterator[str]:
    """Run the block as code with one more migration in ``app``; yields the migration's name."""
    module, _ = MigrationLoader.migrations_module(app)
    package, name = write_later_version(
        directory,
        app=app,
        migrations=Path(import_module(module).__file__ or "").parent,
        operations=operations,
        before=before,
    )
    sys.path.insert(0, str(directory))
    invalidate_caches()
    try:
        modules = {**settings.MIGRATION_MODULES, app: package}
        with override_settings(MIGRATION_MODULES=modules):
            yield name
    finally:
        sys.path.remove(str(directory))


def migrate_by_django(schema: str) -> None:
    """Bring a schema to the newest state by Django's own executor, nothing else."""
    with bound_unchecked(schema):
        executor = MigrationExecutor(connection)
        labels = tenant_labels()
        executor.migrate([key for key in executor.loader.graph.leaf_nodes() if key[0] in labels])
