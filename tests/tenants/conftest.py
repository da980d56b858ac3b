"""Two firms that are really committed, each with one row that names it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.db import connection

from events.models import SubscriberCursor
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """The schemas of two firms; each holds a cursor named like the schema."""

    one: str
    two: str


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Real transactions: what a test commits stays."""
    with django_db_blocker.unblock():
        connection.close()
        yield
        assert connection.schema_name == "public", "a test left a tenant bound"
        connection.close()


@pytest.fixture
def firms(db) -> Pair:
    pair = Pair(*(firm(slug) for slug in ("bind-one", "bind-two")))
    for schema in (pair.one, pair.two):
        with tenant_bound(schema):
            SubscriberCursor.objects.all().delete()
            SubscriberCursor.objects.create(name=schema, updated_at=NOW)
    return pair


def firm(slug: str) -> str:
    tenant = Tenant.objects.filter(slug=slug).first()
    return (tenant or create_tenant(slug=slug, name=slug, now=NOW)).schema_name


def names() -> list[str]:
    """What the bound tenant's table holds."""
    return sorted(SubscriberCursor.objects.values_list("name", flat=True))
