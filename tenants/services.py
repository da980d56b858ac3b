"""Writes of tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django_tenants.utils import quote_schema_name
from psycopg.errors import DuplicateSchema

from tenants.errors import InvalidSlug, SlugTaken
from tenants.models import RESERVED_SLUGS, SLUG, FirmStanding, Tenant, schema_of
from tenants.schemas import check_database_is_of_this_code, wait_for_migrations
from tenants.templates import fill_schema


def create_tenant(*, slug: str, name: str, now: datetime) -> Tenant:
    """Make a tenant and its schema out of the template, both or neither.

    Waits while some process migrates, and none begins before this is over.

    :raises InvalidSlug: if the slug has not the form of one, or is kept for ourselves.
    :raises SlugTaken: if another tenant has it.
    :raises DatabaseNotOfThisCode: if the database is migrated less far or further than the code.
    """
    check_slug(slug)
    schema = schema_of(slug)
    with transaction.atomic():
        wait_for_migrations()
        check_database_is_of_this_code()
        tenant = _claimed(slug, schema, name, now)
        fill_schema(schema)
    return tenant


def _claimed(slug: str, schema: str, name: str, now: datetime) -> Tenant:
    """Make the row and the empty schema."""
    try:
        with transaction.atomic():
            tenant: Tenant = Tenant.objects.create(
                slug=slug, schema_name=schema, name=name.strip() or slug, created_at=now
            )
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {quote_schema_name(schema)}")
    except (IntegrityError, ValidationError) as failure:
        raise SlugTaken(f"A tenant named {slug} exists already; choose another slug.") from failure
    except ProgrammingError as failure:
        if not isinstance(failure.__cause__, DuplicateSchema):
            raise
        raise SlugTaken(
            f"The database has a schema {schema} that is no tenant's; choose another slug."
        ) from failure
    return tenant


def check_slug(slug: str) -> None:
    """:raises InvalidSlug: see ``create_tenant``."""
    if SLUG.fullmatch(slug) is None or slug.endswith("-") or "--" in slug:
        raise InvalidSlug(
            "A slug has 2 to 31 of a-z, 0-9 and single hyphens inside; it starts with a letter."
        )
    if slug in RESERVED_SLUGS:
        raise InvalidSlug(f"{slug} is kept for the platform itself; choose another slug.")


def set_active(*, tenant: Tenant, active: bool) -> None:
    """Suspend a tenant or take it up again; its data and running orders stay."""
    Tenant.objects.filter(pk=tenant.pk).update(is_active=active)
    tenant.is_active = active


def keep_standing(
    *,
    schema: str,
    level: int,
    worst: str,
    figures: Sequence[dict[str, Any]],
    now: datetime,
    next_at: datetime,
) -> None:
    """Write down how a firm is now, over how it was, and when the next look is due."""
    tenant = Tenant.objects.get(schema_name=schema)
    FirmStanding.objects.update_or_create(
        tenant=tenant,
        defaults={
            "at": now,
            "next_at": next_at,
            "level": level,
            "worst": worst[:120],
            "figures": list(figures),
        },
    )
