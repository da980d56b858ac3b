"""Code of a later version: the migrations of an app, and one more."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from itertools import count
from pathlib import Path
from textwrap import indent

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings

from tenants.binding import bound_unchecked
from tenants.recording import tenant_labels

_numbers = count(1)

ONE_COLUMN = """[
    migrations.AddField("subscribercursor", "remark", models.CharField(max_length=20, default="-")),
]"""


@contextmanager
def later_version(
    directory: Path, operations: str, app: str = "events", before: str = ""
) -> Iterator[str]:
    """Run the block as code with one more migration in ``app``; yields the migration's name.

    ``operations`` is the text of the list, ``before`` what stands above the class.
    """
    package = f"{app}_of_later_version_{next(_numbers)}"
    module, _ = MigrationLoader.migrations_module(app)
    target = directory / package
    shutil.copytree(Path(import_module(module).__file__ or "").parent, target)
    last = max(path.stem for path in target.glob("0*.py"))
    name = f"{int(last[:4]) + 1:04}_later"
    (target / f"{name}.py").write_text(
        "from django.db import migrations, models\n\n"
        f"{before}\n\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = [({app!r}, {last!r})]\n"
        f"    operations = {indent(operations, '    ').strip()}\n"
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
