"""Writes of tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import quote_schema_name

from tenants.errors import InvalidSlug, SlugTaken
from tenants.models import RESERVED_SLUGS, SLUG, FirmStanding, Tenant, schema_of
from tenants.schemas import migrate_tenant


def create_tenant(*, slug: str, name: str, now: datetime) -> Tenant:
    """Make a tenant and its schema, both or neither.

    :raises InvalidSlug: if the slug has not the form of one, or is kept for ourselves.
    :raises SlugTaken: if another tenant has it.
    """
    check_slug(slug)
    schema = schema_of(slug)
    try:
        with transaction.atomic():
            tenant: Tenant = Tenant.objects.create(
                slug=slug, schema_name=schema, name=name.strip() or slug, created_at=now
            )
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {quote_schema_name(schema)}")
            migrate_tenant(schema)
    except (IntegrityError, ValidationError) as failure:
        raise SlugTaken(f"A tenant named {slug} exists already; choose another slug.") from failure
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
    *, schema: str, level: int, worst: str, figures: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Write down how a firm is now, over how it was."""
    tenant = Tenant.objects.get(schema_name=schema)
    FirmStanding.objects.update_or_create(
        tenant=tenant,
        defaults={"at": now, "level": level, "worst": worst[:120], "figures": list(figures)},
    )
