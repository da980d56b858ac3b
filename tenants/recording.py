"""Migrate a schema by Django once, and keep what was sent so that other schemas get the same.

Planning costs Django up to a second per schema: it reads the graph, builds the models of every
state and asks the catalogues. What comes out are a few statements without a schema in them.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import router
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tenants.binding import connection, require_bound

Key = tuple[str, str]

# What only reads, or belongs to the transaction it was sent in.
_PASSING = ("SELECT", "SHOW", "SET ", "SAVEPOINT", "RELEASE", "ROLLBACK", 'INSERT INTO "DJANGO_MI')
# Deferred checks end with the migration they belong to, as if each had been committed.
SETTLE = "SET CONSTRAINTS ALL IMMEDIATE;\nSET CONSTRAINTS ALL DEFERRED;\n"


@dataclass(frozen=True, slots=True)
class Part:
    """What one migration sent, or several in a row.

    ``again`` is None where ``sql`` says it all. Else the migration ran code of its own, whose
    statements may differ from firm to firm: then it is the migration and the state before it.
    """

    sql: str
    again: tuple[Migration, ProjectState] | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What brings a schema from one state to another, with the migrations to be recorded."""

    parts: tuple[Part, ...]
    records: tuple[Key, ...]

    @property
    def by_code(self) -> tuple[str, ...]:
        """The migrations that are more than their SQL."""
        again = (part.again[0] for part in self.parts if part.again is not None)
        return tuple(f"{migration.app_label}.{migration.name}" for migration in again)

    def as_sql(self) -> str:
        """Return everything as one string of statements, records included."""
        return "".join(part.sql for part in self.parts) + _records_sql(self.records)


@dataclass(slots=True)
class _Sent:
    """What an editor sent, and whether anything else wrote meanwhile."""

    statements: list[str] = field(default_factory=list)
    by_code: bool = False
    inside: bool = False

    def taken(self) -> str:
        """Return the statements as one string and begin anew."""
        text = "".join(f"{statement}\n;\n" for statement in self.statements)
        self.statements.clear()
        return text


def tenant_labels() -> set[str]:
    """Return the labels of the apps whose tables lie in the schemas of firms."""
    return {one.label for one in apps.get_app_configs() if one.name in settings.TENANT_APPS}


def migrate_and_record() -> Recipe:
    """Bring the bound schema to the newest state by Django; return what that took."""
    schema = require_bound()
    executor = MigrationExecutor(connection)
    known = set(executor.loader.applied_migrations)
    graph = executor.loader.graph
    parts: list[Part] = []
    with _recorded() as sent:
        executor.recorder.ensure_schema()
        parts.append(Part(sent.taken()))
        labels = tenant_labels()
        targets = [key for key in graph.leaf_nodes() if key[0] in labels]
        missing = {migration for migration, _ in executor.migration_plan(targets)}
        state = ProjectState(real_apps=executor.loader.unmigrated_apps)
        for migration, _ in executor.migration_plan(graph.leaf_nodes(), clean_start=True):
            if migration in missing:
                state = _applied(executor, migration, state, sent, parts, schema)
                missing.discard(migration)
            elif (migration.app_label, migration.name) in known:
                migration.mutate_state(state, preserve=False)
            if not missing:
                break
    executor.check_replacements()
    return Recipe(_joined(parts), _recorded_beyond(known))


def replay(recipe: Recipe) -> None:
    """Do to the bound schema what the recipe's first schema got, in as few round trips as go."""
    with connection.cursor() as cursor:
        if not recipe.by_code:
            cursor.execute(recipe.as_sql())
            return
        for part in recipe.parts:
            if part.again is None:
                cursor.execute(part.sql)
                continue
            migration, before = part.again
            with connection.schema_editor(atomic=migration.atomic) as editor:
                migration.apply(before.clone(), editor)
            cursor.execute(SETTLE)
        cursor.execute(_records_sql(recipe.records))


def _applied(
    executor: MigrationExecutor,
    migration: Migration,
    state: ProjectState,
    sent: _Sent,
    parts: list[Part],
    schema: str,
) -> ProjectState:
    """Apply one migration and add what it sent; returns the state after it."""
    state.apps  # noqa: B018 - rendered once here instead of by each operation
    by_code = _runs_code(migration)
    before = state.clone()
    sent.by_code = False
    state = executor.apply_migration(state, migration)
    sql = sent.taken()
    with connection.cursor() as cursor:
        cursor.execute(SETTLE)
    if by_code or sent.by_code or _names(schema, sql):
        parts.append(Part(sql + SETTLE, (migration, before)))
    else:
        parts.append(Part(sql + SETTLE if sql else ""))
    return state


def _runs_code(migration: Migration) -> bool:
    """Whether it holds Python that runs in a firm's schema."""
    if not router.allow_migrate(connection.alias, migration.app_label):
        return False
    return any(not one.reduces_to_sql for one in _flat(migration.operations))


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        yield from _flat(getattr(operation, "database_operations", ()))


def _names(schema: str, sql: str) -> bool:
    """Whether the text names the very schema it was sent to."""
    return re.search(rf"(?<!\w){re.escape(schema)}(?!\w)", sql) is not None


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """Put neighbours that are SQL alone together."""
    joined: list[Part] = []
    for part in parts:
        if part.again is None and joined and joined[-1].again is None:
            joined[-1] = Part(joined[-1].sql + part.sql)
        elif part.again is not None or part.sql:
            joined.append(part)
    return tuple(joined)


def _recorded_beyond(known: set[Key]) -> tuple[Key, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        return tuple((app, name) for app, name in cursor.fetchall() if (app, name) not in known)


def _records_sql(records: tuple[Key, ...]) -> str:
    if not records:
        return ""
    rows = ", ".join(connection.ops.compose_sql("(%s, %s, now())", key) for key in records)
    # Names of migrations, put into the text by the driver.
    return f"INSERT INTO django_migrations (app, name, applied) VALUES {rows};\n"  # noqa: S608


@contextmanager
def _recorded() -> Iterator[_Sent]:
    """Keep what schema editors of the connection send, and note what is written beside them."""
    sent = _Sent()
    plain = connection.SchemaEditorClass

    class Editor(plain):  # type: ignore[misc, valid-type]
        def execute(self, sql: Any, params: Any = ()) -> Any:
            text = str(sql)
            if params is not None:
                text = connection.ops.compose_sql(text, params)
            sent.statements.append(text)
            sent.inside = True
            try:
                return super().execute(text, None)
            finally:
                sent.inside = False

    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not sent.inside and not str(sql).lstrip().upper().startswith(_PASSING):
            sent.by_code = True
            for values in params if many else [params]:
                text = connection.ops.compose_sql(str(sql), values) if values else str(sql)
                sent.statements.append(text)
        return execute(sql, params, many, context)

    connection.SchemaEditorClass = Editor
    try:
        with connection.execute_wrapper(watch):
            yield sent
    finally:
        del connection.SchemaEditorClass
