"""The template of a firm's schema: one string of SQL that makes an empty schema a whole one.

It is made from the migrations themselves, checked against a schema Django migrated, and kept in
``public`` under the digest of those migrations. Code with other migrations does not find it; where
that code has all of the older one's migrations unchanged, it begins with the older template.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now
from django_tenants.utils import quote_schema_name

from tenants.binding import bound_unchecked, connection
from tenants.errors import TemplateDiffers
from tenants.models import SchemaTemplate
from tenants.recording import migrate_and_record
from tenants.structure import catalogue, differences, fingerprints

_FORM = "1"  # raised when a template is made in another way
_KEPT = 4  # templates of older code stay while it may still run
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Template:
    """``statements`` is empty where the migrations cannot be told as SQL; Django then runs them.

    ``structure`` is the fingerprint of every schema made from it.
    """

    code: str
    statements: str
    structure: str


_known: dict[str, Template] = {}


def fill_schema(schema: str) -> None:
    """Bring an empty schema to the newest state, from the template.

    A template that fails, or makes something else than it was checked for, is made anew once.

    :raises TemplateDiffers: if the new one does not fit either.
    """
    try:
        with transaction.atomic():
            _fill(schema, current())
    except (DatabaseError, TemplateDiffers) as failure:
        _log.error("the template of a firm's schema is refused and made anew: %s", failure)
        _known.pop(code_fingerprint(), None)
        _fill(schema, _made_and_kept(code_fingerprint()))


def current() -> Template:
    """Return the template of the code's migrations: remembered, stored, or made now."""
    code = code_fingerprint()
    found = _known.get(code) or _stored(code)
    if found is None:
        return _made_and_kept(code)
    _known[code] = found
    return found


def keep_current() -> bool:
    """Make and store the template of the code's migrations; return False where it is stored."""
    code = code_fingerprint()
    if _stored(code) is not None:
        return False
    _made_and_kept(code)
    return True


def code_fingerprint() -> str:
    """Return a digest of the migrations of firms' apps, as they stand on the disk."""
    return sha256(repr(sorted(_made_from().items())).encode()).hexdigest()


def _made_from() -> dict[str, str]:
    """Return what templates depend on, by name: each migration's file, Django, our own form."""
    labels = [one.label for one in apps.get_app_configs() if one.name in settings.TENANT_APPS]
    modules = tuple((label, MigrationLoader.migrations_module(label)[0]) for label in labels)
    return _digests(modules)


@cache
def _digests(modules: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found = {"": f"{_FORM} {django.VERSION}"}
    for label, name in modules:
        for directory in import_module(name).__path__:
            for path in sorted(Path(directory).glob("[!_]*.py*")):
                found[f"{label}.{path.name}"] = sha256(path.read_bytes()).hexdigest()
    return found


def _stored(code: str) -> Template | None:
    row = SchemaTemplate.objects.filter(code=code).first()
    return None if row is None else Template(row.code, row.statements, row.structure)


def _made_and_kept(code: str) -> Template:
    made = _made(code)
    SchemaTemplate.objects.update_or_create(
        code=code,
        defaults={
            "statements": made.statements,
            "structure": made.structure,
            "made_from": _made_from(),
            "made_at": Now(),
        },
    )
    newest = SchemaTemplate.objects.order_by("-made_at").values_list("code", flat=True)[:_KEPT]
    SchemaTemplate.objects.exclude(code__in=list(newest)).delete()
    _known[code] = made
    return made


def _made(code: str) -> Template:
    """Return the template of the code's migrations, made on an older one where that is sound.

    :raises TemplateDiffers: if its statements do not make what Django makes.
    """
    older = _older()
    if older is not None:
        try:
            return _made_on(code, older)
        except (DatabaseError, TemplateDiffers) as failure:
            _log.warning(
                "an older template of a firm's schema is no base, beginning anew: %s", failure
            )
    return _made_on(code, Template("", "", ""))


def _older() -> Template | None:
    """Return the newest template of code whose every migration is still the same.

    Django migrates a schema made from it as it would a firm of that code.
    """
    now = _made_from().items()
    for row in SchemaTemplate.objects.exclude(statements="").order_by("-made_at"):
        if row.made_from and row.made_from.items() < now:
            return Template(row.code, row.statements, row.structure)
    return None


@transaction.atomic
def _made_on(code: str, base: Template) -> Template:
    """Migrate a schema that is thrown away, and prove that its statements make the same again.

    In one transaction, whose now() is the same in the rows of every try.

    :raises TemplateDiffers: if they do not, or if the base is not what it was checked for.
    """
    with _scratch("made") as schema:
        _send(base.statements)
        if fingerprints([schema]).get(schema, "") != base.structure:
            raise TemplateDiffers("The base is not what it was checked for.")
        recipe = migrate_and_record()
        by_django = catalogue()
        structure = fingerprints([schema])[schema]
    statements = base.statements + recipe.as_sql()
    if recipe.by_code:
        with _scratch("again"):
            _send(base.statements)
            again = base.statements + migrate_and_record().as_sql()
        if again != statements:
            _log.warning(
                "no template can be made: %s do not send the same to every schema; firms are made"
                " by Django's own migrations",
                ", ".join(recipe.by_code),
            )
            return Template(code, "", structure)
    with _scratch("checked"):
        _send(statements)
        wrong = differences(by_django, catalogue())
    if wrong:
        raise TemplateDiffers(f"The template is not what Django makes: {'; '.join(wrong[:5])}.")
    return Template(code, statements, structure)


def _fill(schema: str, template: Template) -> None:
    with bound_unchecked(schema):
        if template.statements:
            _send(template.statements)
        else:
            migrate_and_record()
    if fingerprints([schema]).get(schema) != template.structure:
        raise TemplateDiffers(f"{schema} did not become what its template was checked for.")


def _send(statements: str) -> None:
    with connection.cursor() as cursor:
        if statements:
            cursor.execute(statements)
        # Whatever follows in this transaction must not meet checks still waiting for its commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@contextmanager
def _scratch(purpose: str) -> Iterator[str]:
    """Bind a schema that is never committed; its name is this session's own."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            schema = f"template_{purpose}_{cursor.fetchone()[0]}"
            cursor.execute(f"CREATE SCHEMA {quote_schema_name(schema)}")
        with bound_unchecked(schema):
            yield schema
        transaction.set_rollback(True)
