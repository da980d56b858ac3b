"""Firms with the demo's past days behind them, committed, made once for the folder."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from config import demo
from marketdata.services import load_reference_data
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant

NOW = datetime.now(UTC)
"""One instant for all: which sessions lie behind a firm depends on where the replay stands."""


@dataclass(frozen=True)
class PastFirm:
    """A committed firm that traded as a demo firm of the name ``plays`` did."""

    tenant: Tenant
    plays: str

    @property
    def schema(self) -> str:
        return self.tenant.schema_name

    def rows(self, model: Any, *related: str, **filters: Any) -> list[Any]:
        with tenant_bound(self.schema):
            return list(model.objects.filter(**filters).select_related(*related).order_by("pk"))


def cast_of(plays: str) -> demo.Firm:
    return next(firm for firm in demo.FIRMS if firm.slug == plays)


def new_tenant() -> Tenant:
    slug = f"past-{secrets.token_hex(4)}"
    return create_tenant(slug=slug, name="Past", now=NOW)


def with_past(plays: str, now: datetime) -> PastFirm:
    """A new firm whose books were opened as those of the demo firm."""
    firm = PastFirm(new_tenant(), plays)
    demo.ensure_books(firm.tenant, cast_of(plays), now)
    return firm


@pytest.fixture(scope="session")
def past(django_db_setup, django_db_blocker) -> Callable[[str], PastFirm]:
    """A firm with a past by the demo firm it plays; one each."""
    made: dict[str, PastFirm] = {}

    def firm(plays: str) -> PastFirm:
        if plays not in made:
            made[plays] = with_past(plays, NOW)
        return made[plays]

    with django_db_blocker.unblock():
        load_reference_data(now=NOW)
        connection.close()
    return firm


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Here transactions really commit."""
    with django_db_blocker.unblock():
        yield
        connection.close()
