"""A firm whose events are really committed, so that relay and readers meet what they meet live."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from events import redis_stream
from events.models import Event
from events.relay import RedisFeeder, relay_once
from events.selectors import head
from events.services import publish
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Firm:
    """A committed tenant; positions in tests are counted from the head the test began at."""

    schema: str
    start: int

    def publish(
        self,
        subject: str = "s",
        type: str = "order.new",  # noqa: A002
        **data: Any,
    ) -> Event:
        """Commit one event."""
        with tenant_bound(self.schema):
            return publish(
                type=type, subject=subject, data={"account": "A", **data}, actor="test", now=NOW
            )

    def relay(self) -> int:
        """One pass of a relay that has just started."""
        return relay_once(self.schema, feeder=RedisFeeder())

    def subjects(self) -> list[str]:
        """What has a position since the test began, in order."""
        with tenant_bound(self.schema):
            rows = Event.objects.filter(position__gt=self.start).order_by("position")
            return list(rows.values_list("subject", flat=True))

    def positions(self) -> list[int]:
        with tenant_bound(self.schema):
            rows = Event.objects.filter(position__gt=self.start).order_by("position")
            return [position - self.start for position in rows.values_list("position", flat=True)]

    def head(self) -> int:
        with tenant_bound(self.schema):
            return head()[0]


def committed(slug: str) -> str:
    tenant = Tenant.objects.filter(slug=slug).first()
    return (tenant or create_tenant(slug=slug, name=slug, now=NOW)).schema_name


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Here transactions really commit; nothing is rolled back after a test."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture
def firms(db) -> Callable[[str], Firm]:
    """Make or find firms by slug, everything before the test relayed."""

    def firm(slug: str) -> Firm:
        schema = committed(slug)
        relay_once(schema, feeder=RedisFeeder())
        with tenant_bound(schema):
            return Firm(schema, head()[0])

    return firm


@pytest.fixture
def firm(firms) -> Firm:
    return firms("events-desk")


@pytest.fixture
def redis_client() -> Iterator[Any]:
    client = redis_stream.client()
    yield client
    client.close()
