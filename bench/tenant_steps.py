"""``python -m bench.tenant_steps STEP``: one timed step over firms, its figures as JSON on stdout.

Each step is a process of its own, because settings, engine and migrations differ. What it takes
to start Python and load Django is left out everywhere alike.
"""

import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from time import perf_counter, process_time
from typing import Any

import django


def create(firms: int, by_migration_every: int) -> dict[str, Any]:
    """Make firms one by one; now and then an empty schema is migrated by Django beside them."""
    from tenants.services import create_tenant

    by_template, by_django = [], []
    for number in range(firms):
        begun = perf_counter()
        create_tenant(slug=f"firm-{number:04}", name="", now=datetime.now(UTC))
        by_template.append(perf_counter() - begun)
        if number % by_migration_every == 0:
            by_django.append(_seconds_by_django(f"t_by_django_{number}"))
    return {"by_template_s": by_template, "by_django_s": by_django}


def roll_out() -> dict[str, Any]:
    """``manage.py migrate`` as it is: ``public``, all firms, the template."""
    from django.core.management import call_command
    from django.db import connection

    seconds, cpu = _timed(lambda: call_command("migrate"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(total_bytes) FROM pg_backend_memory_contexts")
        memory = int(cursor.fetchone()[0])
    return {"seconds": seconds, "cpu_s": cpu, "backend_memory_bytes": memory}


def django_tenants() -> dict[str, Any]:
    """``manage.py migrate_schemas`` of django-tenants: ``public``, then firm by firm."""
    from django.core.management import call_command
    from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand

    seconds, cpu = _timed(
        lambda: call_command(MigrateSchemasCommand(), verbosity=0, interactive=False)
    )
    return {"seconds": seconds, "cpu_s": cpu}


def check() -> dict[str, Any]:
    """How many firms there are, how many lag behind, and how many structures they have."""
    from tenants.schemas import pending
    from tenants.selectors import all_schemas
    from tenants.structure import fingerprints

    schemas = all_schemas()
    return {
        "firms": len(schemas),
        "pending": len(pending(schemas)),
        "structures": len(set(fingerprints(schemas).values())),
    }


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    begun, cpu = perf_counter(), process_time()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        work()
    return perf_counter() - begun, process_time() - cpu


def _seconds_by_django(schema: str) -> float:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from tenants.binding import bound_unchecked
    from tenants.recording import tenant_labels

    begun = perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
    with bound_unchecked(schema):
        executor = MigrationExecutor(connection)
        labels = tenant_labels()
        executor.migrate([key for key in executor.loader.graph.leaf_nodes() if key[0] in labels])
    return perf_counter() - begun


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step for step in (create, roll_out, django_tenants, check)
}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*map(int, sys.argv[2:]))))
